// The grid that a strategy's variables span, as a mixed-radix number: task index to values in constant time. The
// last variable is the fastest digit. Variables that conditions couple count as one digit, which stands where the
// first of them does: only those few are expanded, into the list of combinations that the conditions leave. So
// every index is a task that runs, and a grid of ten million points costs no more than its variables.

import { type Comparison, compareValues, constantValue, variablesOfRule } from './language/ast.ts';
import { MAX_PRUNED_POINTS } from './limits.ts';
import { pow } from './math.ts';
import type { VariableSpec } from './spec.ts';

export class Grid {
  readonly names: readonly string[];
  /** Combinations that the conditions leave; 1 without variables. */
  readonly count: number;
  readonly #digits: readonly Digit[];

  /** Throws an Error when the conditions would have to be tried on too many combinations. */
  constructor(variables: readonly VariableSpec[], where: readonly Comparison[] = []) {
    this.names = variables.map((variable) => variable.name);
    const values = variables.map((variable) => new VariableValues(variable));
    this.#digits = couple(this.names, where).map((members) => digitOf(members, values, where));
    this.count = this.#digits.reduce((product, { count }) => product * count, 1);
  }

  /** Values at combination `index`, in the order of `names`. */
  valuesAt(index: number): Float64Array {
    const values = new Float64Array(this.names.length);
    let rest = index;
    for (let at = this.#digits.length - 1; at >= 0; at--) {
      const { members, count, kept } = this.#digits[at] as Digit;
      const digit = rest % count;
      rest = Math.floor(rest / count);
      spread(kept === null ? digit : (kept[digit] as number), members, values);
    }
    return values;
  }
}

/** Combinations that conditions must be tried on to build the grid. */
export function prunedPoints(
  variables: readonly VariableSpec[],
  where: readonly Comparison[],
): number {
  const names = variables.map((variable) => variable.name);
  return couple(names, where).reduce((sum, members) => {
    const isPruned = conditionsOn(members, names, where).length > 0;
    return isPruned ? sum + sizeOf(members, variables) : sum;
  }, 0);
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

/** Values of a variable that are remembered: 2 KiB each, and few variables have more. */
const REMEMBERED_MAX = 256;

/** Rounding a value to what its writer meant takes as long as a short backtest, so a grid does it once a value. */
class VariableValues {
  readonly name: string;
  readonly count: number;
  readonly #variable: VariableSpec;
  /** Since the first use: NaN where none is known. */
  #known: Float64Array | undefined;

  constructor(variable: VariableSpec) {
    this.name = variable.name;
    this.count = variableCount(variable);
    this.#variable = variable;
  }

  at(index: number): number {
    if (this.count > REMEMBERED_MAX) return variableValue(this.#variable, index);
    this.#known ??= new Float64Array(this.count).fill(NaN);
    const known = this.#known[index] as number;
    if (!Number.isNaN(known)) return known;
    const value = variableValue(this.#variable, index);
    this.#known[index] = value;
    return value;
  }
}

/** A variable and its place among all. */
interface Member {
  readonly at: number;
  readonly values: VariableValues;
}

interface Digit {
  /** Ascending. */
  readonly members: readonly Member[];
  readonly count: number;
  /** The combinations of its variables that the conditions leave; null: all. */
  readonly kept: Uint32Array | null;
}

/** Variables in groups, those of one condition in one group; groups in order of their first variable. */
function couple(names: readonly string[], where: readonly Comparison[]): number[][] {
  const groupOf = names.map((_, index) => index);
  for (const condition of where) {
    const members = [...variablesOfRule(condition)].map((name) => groupOf[names.indexOf(name)]);
    const first = Math.min(...members.map((group) => group ?? 0));
    for (const [index, group] of groupOf.entries()) {
      if (members.includes(group)) groupOf[index] = first;
    }
  }
  const groups = new Map<number, number[]>();
  for (const [index, group] of groupOf.entries()) {
    groups.set(group, [...(groups.get(group) ?? []), index]);
  }
  return [...groups.values()];
}

function digitOf(
  places: readonly number[],
  variables: readonly VariableValues[],
  where: readonly Comparison[],
): Digit {
  const names = variables.map((variable) => variable.name);
  const members = places.map((at) => ({ at, values: variables[at] as VariableValues }));
  const conditions = conditionsOn(places, names, where);
  const size = members.reduce((product, { values }) => product * values.count, 1);
  if (conditions.length === 0) return { members, count: size, kept: null };
  if (size > MAX_PRUNED_POINTS) {
    throw new Error(
      `"where" couples variables of ${size} combinations; ${MAX_PRUNED_POINTS} are allowed`,
    );
  }
  const values = new Float64Array(variables.length);
  const valueOf = (name: string): number => values[names.indexOf(name)] ?? NaN;
  const kept = new Uint32Array(size);
  let count = 0;
  for (let point = 0; point < size; point++) {
    spread(point, members, values);
    const holds = conditions.every(({ op, left, right }) =>
      compareValues(op, constantValue(left, valueOf), constantValue(right, valueOf)),
    );
    if (holds) kept[count++] = point;
  }
  return { members, count, kept: kept.slice(0, count) };
}

function conditionsOn(
  members: readonly number[],
  names: readonly string[],
  where: readonly Comparison[],
): Comparison[] {
  return where.filter((condition) => {
    const [name = ''] = variablesOfRule(condition);
    return members.includes(names.indexOf(name));
  });
}

function sizeOf(members: readonly number[], variables: readonly VariableSpec[]): number {
  return members.reduce((size, at) => size * variableCount(variables[at] as VariableSpec), 1);
}

/** Writes the values that `members` have at combination `point` of theirs; the last one is the fastest. */
function spread(point: number, members: readonly Member[], values: Float64Array): void {
  let rest = point;
  for (let i = members.length - 1; i >= 0; i--) {
    const { at, values: known } = members[i] as Member;
    values[at] = known.at(rest % known.count);
    rest = Math.floor(rest / known.count);
  }
}

/** 12 digits: 0.1 + 2 * 0.1 is 0.3 here, as its writer meant. */
function readable(value: number): number {
  return Number(value.toPrecision(12));
}
