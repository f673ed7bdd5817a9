// Expressions and rules over one dataset, evaluated for given variable values and cached by canonical text: a
// grid of 10,000 tasks asks again and again for the same few hundred series. Nothing looks ahead: the value
// at a bar depends on that bar and earlier ones only.

import { findIndicator } from '../indicators/catalog.ts';
import type { IndicatorDefinition, IndicatorInput } from '../indicators/definition.ts';
import type { Candles } from '../job.ts';
import {
  type ArithmeticOp,
  type Comparison,
  type Expression,
  type IndicatorCall,
  type Rule,
  calculate,
  constantValue,
  isConstant,
} from '../language/ast.ts';
import { parameterFault } from '../language/call.ts';
import { type VariableValue, printCallKey, printExpression, printRule } from '../language/print.ts';
import { LeastRecentMap } from '../least-recent.ts';
import { TaskFault } from '../task-fault.ts';
import { higherTimeframe } from './higher.ts';

/** One value per bar, NaN where undefined; `start` is the first bar that has all it looks back on. */
export interface Series {
  readonly values: Float64Array;
  readonly start: number;
}

/** Where a book keeps the series that it has computed. */
export interface SeriesShelf {
  get(key: string): readonly Series[] | undefined;
  /** Returns what is to be used from now on: the same, or a copy in another memory. */
  keep(key: string, series: readonly Series[]): readonly Series[];
  /** Computes an indicator by itself, bit for bit; undefined: it does not know how. */
  compute?(key: string, call: ComputedCall): readonly Series[] | undefined;
}

export interface ComputedCall {
  readonly name: string;
  readonly parameters: readonly number[];
  readonly source: Series;
  /** First bar at which the result is defined. */
  readonly start: number;
}

/** 1 at the bars where the rule holds. */
export interface Condition {
  readonly holds: Uint8Array;
  readonly start: number;
}

/** Of the budget, for the series of each longer timeframe: they are short, and seen through full-length copies. */
const HIGHER_SHARE = 1 / 8;

export class SeriesBook {
  readonly #candles: Candles;
  readonly #shelf: SeriesShelf;
  readonly #conditions: LeastRecentMap<Condition>;
  readonly #budgetBytes: number;
  readonly #higher = new Map<string, { book: SeriesBook; lastEnded: Int32Array }>();

  /** The budget is for this book's own memory: for all but what a given shelf keeps. */
  constructor(candles: Candles, budgetBytes: number, shelf?: SeriesShelf) {
    this.#candles = candles;
    this.#budgetBytes = budgetBytes;
    // Conditions are an eighth of a series' size and are asked for more often.
    this.#shelf = shelf ?? new HeapShelf(budgetBytes * 0.75);
    this.#conditions = new LeastRecentMap(budgetBytes * 0.25);
  }

  /** Throws a TaskFault when an indicator cannot take its parameter. */
  condition(rule: Rule, valueOf: VariableValue): Condition {
    const key = printRule(rule, valueOf);
    const cached = this.#conditions.get(key);
    if (cached !== undefined) return cached;
    const condition = this.#evaluateRule(rule, valueOf);
    this.#conditions.set(key, condition, condition.holds.byteLength);
    return condition;
  }

  /** Throws a TaskFault when an indicator cannot take its parameter. */
  series(expression: Expression, valueOf: VariableValue): Series {
    switch (expression.kind) {
      case 'field':
        return { values: this.#candles[expression.field], start: 0 };
      case 'indicator':
        return this.#indicator(expression, valueOf);
      case 'number':
      case 'variable':
      case 'offset':
      case 'negate':
      case 'timeframe':
      case 'arithmetic': {
        const key = printExpression(expression, valueOf);
        const cached = this.#shelf.get(key)?.[0];
        if (cached !== undefined) return cached;
        return this.#shelf.keep(key, [this.#derived(expression, valueOf)])[0] as Series;
      }
    }
  }

  #indicator(call: IndicatorCall, valueOf: VariableValue): Series {
    const definition = findIndicator(call.name);
    if (definition === undefined) throw new TaskFault(1);
    const output = definition.outputs.indexOf(call.output);
    const key = printCallKey(call, valueOf);
    const cached = this.#shelf.get(key)?.[output];
    if (cached !== undefined) return cached;
    const parameters = call.parameters.map((parameter) => constantValue(parameter, valueOf));
    for (const [index, parameter] of definition.parameters.entries()) {
      if (parameterFault(parameter, parameters[index] ?? NaN) !== undefined) throw new TaskFault(1);
    }
    const source =
      call.source === null
        ? { values: this.#candles.close, start: 0 }
        : this.series(call.source, valueOf);
    const start = source.start + definition.lookback(parameters);
    if (start >= this.#candles.barCount) throw new TaskFault(5);
    const { name } = definition;
    // A column of the candles has no holes; what rules derive may have.
    const isWhole =
      call.source === null ||
      call.source.kind === 'field' ||
      runEnd(source.values, source.start) === source.values.length;
    const computed = isWhole
      ? this.#shelf.compute?.(key, { name, parameters, source, start })
      : undefined;
    if (computed !== undefined) return computed[output] as Series;
    const input = { candles: this.#candles, source: source.values, start: source.start };
    const all = computeInRuns(definition, input, parameters).map((values) => ({ values, start }));
    return this.#shelf.keep(key, all)[output] as Series;
  }

  #derived(expression: Expression, valueOf: VariableValue): Series {
    const { barCount } = this.#candles;
    if (isConstant(expression)) {
      const value = constantValue(expression, valueOf);
      return { values: new Float64Array(barCount).fill(value), start: 0 };
    }
    if (expression.kind === 'offset') {
      const { values, start } = this.series(expression.operand, valueOf);
      const moved = new Float64Array(barCount).fill(NaN);
      if (expression.bars < barCount) {
        moved.set(values.subarray(0, barCount - expression.bars), expression.bars);
      }
      return { values: moved, start: start + expression.bars };
    }
    if (expression.kind === 'timeframe') {
      return this.#onTimeframe(expression.operand, expression.timeframe, valueOf);
    }
    if (expression.kind === 'negate') {
      const { values, start } = this.series(expression.operand, valueOf);
      return { values: values.map((value) => -value), start };
    }
    if (expression.kind === 'arithmetic') {
      const left = this.#operand(expression.left, valueOf);
      const right = this.#operand(expression.right, valueOf);
      const values = combine(expression.op, left.values, right.values, barCount);
      return { values, start: Math.max(left.start, right.start) };
    }
    return this.series(expression, valueOf);
  }

  /** The operand's values on the higher bars, each from the bar on at whose close it may be seen. */
  #onTimeframe(operand: Expression, timeframe: string, valueOf: VariableValue): Series {
    let higher = this.#higher.get(timeframe);
    if (higher === undefined) {
      const { candles, lastEnded } = higherTimeframe(this.#candles, timeframe);
      const book = new SeriesBook(candles, this.#budgetBytes * HIGHER_SHARE);
      higher = { book, lastEnded };
      this.#higher.set(timeframe, higher);
    }
    const { lastEnded } = higher;
    const { values, start } = higher.book.series(operand, valueOf);
    const seen = new Float64Array(this.#candles.barCount).fill(NaN);
    let first = seen.length;
    for (let bar = seen.length - 1; bar >= 0; bar--) {
      const ended = lastEnded[bar] as number;
      if (ended < start) break;
      first = bar;
      seen[bar] = values[ended] as number;
    }
    if (first === seen.length) throw new TaskFault(5);
    return { values: seen, start: first };
  }

  /** A constant stays a number: no column of equal values. */
  #operand(
    expression: Expression,
    valueOf: VariableValue,
  ): { values: Float64Array | number; start: number } {
    if (!isConstant(expression)) return this.series(expression, valueOf);
    return { values: constantValue(expression, valueOf), start: 0 };
  }

  #evaluateRule(rule: Rule, valueOf: VariableValue): Condition {
    if (rule.kind === 'compare') return this.#compare(rule, valueOf);
    const { barCount } = this.#candles;
    const holds = new Uint8Array(barCount);
    if (rule.kind === 'not') {
      const inner = this.condition(rule.rule, valueOf);
      for (let bar = inner.start; bar < barCount; bar++)
        holds[bar] = inner.holds[bar] === 1 ? 0 : 1;
      return { holds, start: inner.start };
    }
    const parts = rule.rules.map((part) => this.condition(part, valueOf));
    const start = parts.reduce((latest, part) => Math.max(latest, part.start), 0);
    for (let bar = start; bar < barCount; bar++) {
      const isTrue = (part: Condition): boolean => part.holds[bar] === 1;
      holds[bar] = (rule.kind === 'any' ? parts.some(isTrue) : parts.every(isTrue)) ? 1 : 0;
    }
    return { holds, start };
  }

  #compare(rule: Comparison, valueOf: VariableValue): Condition {
    const { barCount } = this.#candles;
    const left = this.#operand(rule.left, valueOf);
    const right = this.#operand(rule.right, valueOf);
    const crosses = rule.op === 'crosses above' || rule.op === 'crosses below';
    // A cross looks at the bar before as well.
    const start = Math.max(left.start, right.start) + (crosses ? 1 : 0);
    if (start >= barCount) throw new TaskFault(5);
    const holds = new Uint8Array(barCount);
    compareInto(holds, start, rule.op, { left: left.values, right: right.values });
    return { holds, start };
  }
}

/** A source may be undefined in the middle, such as a ratio to the range of a bar without any. An indicator ends
 * there and starts afresh behind: a running sum or an average that took such a value in would be undefined for
 * ever after. */
function computeInRuns(
  definition: IndicatorDefinition,
  { candles, source, start }: IndicatorInput,
  parameters: readonly number[],
): readonly Float64Array[] {
  if (runEnd(source, start) === source.length)
    return definition.compute({ candles, source, start }, parameters);
  const outputs = definition.outputs.map(() => new Float64Array(source.length).fill(NaN));
  const lookback = definition.lookback(parameters);
  let from = start;
  while (from < source.length) {
    const to = runEnd(source, from);
    if (to - from > lookback) {
      const run = { candles, source: source.subarray(from, to), start: 0 };
      const computed = definition.compute(run, parameters);
      for (const [at, values] of computed.entries()) outputs[at]?.set(values, from);
    }
    from = to + 1;
  }
  return outputs;
}

/** The first bar from `start` on whose value is undefined or infinite. */
function runEnd(source: Float64Array, start: number): number {
  let bar = start;
  while (bar < source.length && (source[bar] as number) - (source[bar] as number) === 0) bar++;
  return bar;
}

class HeapShelf implements SeriesShelf {
  readonly #series: LeastRecentMap<readonly Series[]>;

  constructor(budgetBytes: number) {
    this.#series = new LeastRecentMap(budgetBytes);
  }

  get(key: string): readonly Series[] | undefined {
    return this.#series.get(key);
  }

  keep(key: string, series: readonly Series[]): readonly Series[] {
    const bytes = series.reduce((sum, { values }) => sum + values.byteLength, 0);
    this.#series.set(key, series, bytes);
    return series;
  }
}

function combine(
  op: ArithmeticOp,
  left: Float64Array | number,
  right: Float64Array | number,
  barCount: number,
): Float64Array {
  const out = new Float64Array(barCount);
  for (let bar = 0; bar < barCount; bar++) {
    const a = typeof left === 'number' ? left : (left[bar] as number);
    const b = typeof right === 'number' ? right : (right[bar] as number);
    out[bar] = calculate(op, a, b);
  }
  return out;
}

/** Every comparison with NaN is false, also both comparisons inside a cross. */
function compareInto(
  holds: Uint8Array,
  start: number,
  op: Comparison['op'],
  { left, right }: { left: Float64Array | number; right: Float64Array | number },
): void {
  for (let bar = start; bar < holds.length; bar++) {
    const a = typeof left === 'number' ? left : (left[bar] as number);
    const b = typeof right === 'number' ? right : (right[bar] as number);
    if (op === '<') holds[bar] = a < b ? 1 : 0;
    else if (op === '>') holds[bar] = a > b ? 1 : 0;
    else if (op === '<=') holds[bar] = a <= b ? 1 : 0;
    else if (op === '>=') holds[bar] = a >= b ? 1 : 0;
    else if (op === '==') holds[bar] = a === b ? 1 : 0;
    else {
      const aBefore = typeof left === 'number' ? left : (left[bar - 1] as number);
      const bBefore = typeof right === 'number' ? right : (right[bar - 1] as number);
      if (op === 'crosses above') holds[bar] = aBefore <= bBefore && a > b ? 1 : 0;
      else holds[bar] = aBefore >= bBefore && a < b ? 1 : 0;
    }
  }
}
