// Conditions of rules over one dataset as bits per bar, cached under a budget. Their meaning is that of the
// reference's conditions, from the first bar on at which all that they look back on exists (`start`); bits
// before that bar mean nothing, and nobody reads them.

import type { SeriesBook } from '../engine/series.ts';
import {
  type Comparison,
  type Expression,
  type Rule,
  constantValue,
  isConstant,
} from '../language/ast.ts';
import { type VariableValue, printRule } from '../language/print.ts';
import { TaskFault } from '../task-fault.ts';
import { compareBits, shiftedByOne, wordCount } from './compare-bits.ts';

/** Who holds one asks for its words each time: they go when the budget wants them back. */
export interface BitCondition {
  readonly start: number;
  words: Int32Array | undefined;
  /** The book's clock when it was last asked for. */
  lastUse: number;
}

interface Operand {
  readonly values: Float64Array | number;
  readonly start: number;
}

export class BitBook {
  readonly barCount: number;
  readonly #series: SeriesBook;
  readonly #budgetBytes: number;
  readonly #conditions = new Map<string, BitCondition>();
  /** Whether a series is a number at all bars from its start on. */
  readonly #isDefined = new WeakMap<Float64Array, boolean>();
  #usedBytes = 0;
  #clock = 0;
  #always: Int32Array | undefined;

  constructor(series: SeriesBook, barCount: number, budgetBytes: number) {
    this.#series = series;
    this.barCount = barCount;
    this.#budgetBytes = budgetBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Throws a TaskFault when an indicator cannot take its parameter. */
  condition(rule: Rule, valueOf: VariableValue): BitCondition {
    const key = printRule(rule, valueOf);
    const cached = this.#conditions.get(key);
    if (cached !== undefined) {
      this.touch(cached);
      return cached;
    }
    const { words, start } = this.#evaluate(rule, valueOf);
    this.#makeRoom(words.byteLength);
    const condition = { start, words, lastUse: ++this.#clock };
    this.#conditions.set(key, condition);
    this.#usedBytes += words.byteLength;
    return condition;
  }

  /** Says that a condition is in use, so that others go first. */
  touch(condition: BitCondition): void {
    condition.lastUse = ++this.#clock;
  }

  /** Words of a condition that holds at every bar. */
  get always(): Int32Array {
    return (this.#always ??= new Int32Array(wordCount(this.barCount)).fill(-1));
  }

  /** What was used longest ago goes first, a quarter of the budget at a time, so that the sort is paid rarely. */
  #makeRoom(bytes: number): void {
    if (this.#usedBytes + bytes <= this.#budgetBytes) return;
    const oldestFirst = [...this.#conditions].toSorted(([, a], [, b]) => a.lastUse - b.lastUse);
    for (const [key, condition] of oldestFirst) {
      if (this.#usedBytes + bytes <= this.#budgetBytes * 0.75) break;
      this.#usedBytes -= condition.words?.byteLength ?? 0;
      condition.words = undefined;
      this.#conditions.delete(key);
    }
  }

  #evaluate(rule: Rule, valueOf: VariableValue): { words: Int32Array; start: number } {
    if (rule.kind === 'compare') return this.#compare(rule, valueOf);
    const rules = rule.kind === 'not' ? [rule.rule] : rule.rules;
    // Each part's words at once: the next part may push the condition out of the cache.
    const parts = rules.map((part) => {
      const { start, words } = this.condition(part, valueOf);
      return { start, words: words ?? this.always };
    });
    const start = parts.reduce((latest, part) => Math.max(latest, part.start), 0);
    const words = new Int32Array(wordCount(this.barCount)).fill(rule.kind === 'any' ? 0 : -1);
    for (const { words: part } of parts) {
      for (let w = 0; w < words.length; w++) {
        const before = words[w] as number;
        const word = part[w] as number;
        words[w] = rule.kind === 'any' ? before | word : before & word;
      }
    }
    if (rule.kind === 'not')
      for (let w = 0; w < words.length; w++) words[w] = ~(words[w] as number);
    return { words, start };
  }

  #compare(rule: Comparison, valueOf: VariableValue): { words: Int32Array; start: number } {
    const left = this.#operand(rule.left, valueOf);
    const right = this.#operand(rule.right, valueOf);
    const defined = Math.max(left.start, right.start);
    const { op } = rule;
    if (op !== 'crosses above' && op !== 'crosses below') {
      if (defined >= this.barCount) throw new TaskFault(5);
      const range = { from: defined, barCount: this.barCount };
      return { words: compareBits(op, left.values, right.values, range), start: defined };
    }
    // A cross looks at the bar before as well.
    if (defined + 1 >= this.barCount) throw new TaskFault(5);
    const words = op === 'crosses above' ? this.#crosses(left, right) : this.#crosses(right, left);
    return { words, start: defined + 1 };
  }

  /** `upper` above `lower` at a bar and not at the bar before. "Not above" is "at or below" only where both
   * are numbers; where one may not be, the bar before is compared for itself. */
  #crosses(upper: Operand, lower: Operand): Int32Array {
    const from = Math.max(upper.start, lower.start);
    const range = { from, barCount: this.barCount };
    const words = compareBits('>', upper.values, lower.values, range);
    const areNumbers = this.#isNumber(upper) && this.#isNumber(lower);
    const before = areNumbers
      ? shiftedByOne(words)
      : shiftedByOne(compareBits('<=', upper.values, lower.values, range));
    const flip = areNumbers ? -1 : 0;
    for (let w = 0; w < words.length; w++) {
      words[w] = (words[w] as number) & ((before[w] as number) ^ flip);
    }
    return words;
  }

  #isNumber({ values, start }: Operand): boolean {
    if (typeof values === 'number') return !Number.isNaN(values);
    const known = this.#isDefined.get(values);
    if (known !== undefined) return known;
    let sum = 0;
    // A NaN anywhere stays; an infinity less itself is one, and then merely costs the second comparison.
    for (let bar = start; bar < values.length; bar++) {
      const value = values[bar] as number;
      sum += value - value;
    }
    this.#isDefined.set(values, sum === 0);
    return sum === 0;
  }

  /** A constant stays a number: no column of equal values. */
  #operand(expression: Expression, valueOf: VariableValue): Operand {
    if (!isConstant(expression)) return this.#series.series(expression, valueOf);
    return { values: constantValue(expression, valueOf), start: 0 };
  }
}
