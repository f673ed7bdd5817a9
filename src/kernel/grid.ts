// The grid that a strategy's variables span, as a mixed-radix number: task index to values in constant time,
// nothing expanded. The last variable is the fastest digit.

import { pow } from './math.ts';
import type { VariableSpec } from './spec.ts';

export class Grid {
  readonly names: readonly string[];
  /** Product of the variables' counts; 1 without variables. */
  readonly count: number;
  readonly #variables: readonly VariableSpec[];
  readonly #counts: readonly number[];

  constructor(variables: readonly VariableSpec[]) {
    this.#variables = variables;
    this.names = variables.map((variable) => variable.name);
    this.#counts = variables.map(variableCount);
    this.count = this.#counts.reduce((product, count) => product * count, 1);
  }

  /** Values at grid point `index`, in the order of `names`. */
  valuesAt(index: number): Float64Array {
    const values = new Float64Array(this.#variables.length);
    let rest = index;
    for (let at = this.#variables.length - 1; at >= 0; at--) {
      const count = this.#counts[at] as number;
      values[at] = variableValue(this.#variables[at] as VariableSpec, rest % count);
      rest = Math.floor(rest / count);
    }
    return values;
  }
}

export function variableCount(variable: VariableSpec): number {
  return 'values' in variable ? variable.values.length : variable.count;
}

export function variableValue(variable: VariableSpec, index: number): number {
  if ('values' in variable) return variable.values[index] ?? NaN;
  if ('step' in variable) return readable(variable.from + index * variable.step);
  const { from, to, count, log } = variable;
  if (index === 0) return from;
  if (index === count - 1) return to;
  const part = index / (count - 1);
  return readable(log ? from * pow(to / from, part) : from + (to - from) * part);
}

/** 12 digits: 0.1 + 2 * 0.1 is 0.3 here, as its writer meant. */
function readable(value: number): number {
  return Number(value.toPrecision(12));
}
