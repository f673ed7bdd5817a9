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
import { type VariableValue, printExpression, printRule } from '../language/print.ts';
import { TaskFault } from '../task-fault.ts';
import type { Column, Columns } from './columns.ts';
import {
  type SeriesComparison,
  compareBits,
  crossBothBits,
  crossBits,
  shiftedByOne,
  wordCount,
} from './compare-bits.ts';
import type { NativeKernel } from './native.ts';
import { Singles } from './singles.ts';

/** Conditions whose place in the shared memory is remembered by their text, some 200 bytes each. */
const KNOWN_MAX = 65_536;

/** Who holds one asks the book whether it is alive each time: it goes when its memory is wanted back. */
export interface BitCondition {
  readonly start: number;
  words: Int32Array | undefined;
  /** Where the words lie in the memory that all slots share; undefined: they are this book's own. */
  readonly column: Column | undefined;
  /** The book's clock when it was last asked for; of its own ones. */
  lastUse: number;
}

/** The memory that all slots share, and what computes in it. */
export interface SharedBits {
  readonly columns: Columns;
  readonly native: NativeKernel;
  /** Names the candles' content. */
  readonly dataset: string;
}

/** A condition that can be written down as soon as there is room. */
interface Recipe {
  readonly start: number;
  /** Into words that are all 0. */
  readonly write: (words: Int32Array) => void;
  /** Another condition that the same pass over the series can write. */
  readonly opposite?: { readonly key: string; readonly write: (both: Both) => void } | undefined;
}

/** Words of a condition and of its opposite. */
interface Both {
  readonly words: Int32Array;
  readonly opposite: Int32Array;
}

interface Operand {
  readonly values: Float64Array | number;
  readonly start: number;
}

const ALWAYS: Recipe = {
  start: 0,
  write: (words) => {
    words.fill(-1);
  },
};

const OPPOSITES: ReadonlyMap<Comparison['op'], Comparison['op']> = new Map([
  ['crosses above', 'crosses below'],
  ['crosses below', 'crosses above'],
]);

/** With its variables as names. */
function textOf({ op, left, right }: Comparison): string {
  return JSON.stringify([op, left, right]);
}

export class BitBook {
  readonly barCount: number;
  readonly #series: SeriesBook;
  readonly #shared: SharedBits | undefined;
  readonly #singles: Singles | undefined;
  readonly #budgetBytes: number;
  readonly #conditions = new Map<string, BitCondition>();
  /** Whether a series is a number at all bars from its start on. */
  readonly #isDefined = new WeakMap<Float64Array, boolean>();
  /** Of rules without variables: their text need not be printed again. */
  readonly #ofRule = new WeakMap<Rule, BitCondition>();
  /** Crosses that strategies will ask for, by their text. */
  readonly #announced = new Map<string, Comparison>();
  /** Of a cross the one the other way round that was announced, too. */
  readonly #opposites = new WeakMap<Comparison, Comparison>();
  #usedBytes = 0;
  #clock = 0;

  /** The budget is for conditions that find no room in the shared memory, or for all without one. */
  constructor(series: SeriesBook, barCount: number, budgetBytes: number, shared?: SharedBits) {
    this.#series = series;
    this.barCount = barCount;
    this.#budgetBytes = budgetBytes;
    this.#shared = shared;
    if (shared !== undefined) {
      this.#singles = new Singles(shared.columns, shared.native, shared.dataset);
    }
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Says that a strategy has this rule: one that has both crosses of two series gets them by one pass. */
  announce(rule: Rule): void {
    if (rule.kind === 'compare' && OPPOSITES.has(rule.op)) this.#announced.set(textOf(rule), rule);
  }

  /** Throws a TaskFault when an indicator cannot take its parameter. */
  condition(rule: Rule, valueOf: VariableValue): BitCondition {
    const key = printRule(rule, valueOf);
    return this.#known(key) ?? this.#written(key, this.#recipe(rule, valueOf));
  }

  /** The same for a rule without variables. */
  fixedCondition(rule: Rule, valueOf: VariableValue): BitCondition {
    const known = this.#ofRule.get(rule);
    if (known !== undefined && this.isAlive(known)) return known;
    const condition = this.condition(rule, valueOf);
    this.#ofRule.set(rule, condition);
    return condition;
  }

  /** Whether its words are still there; then they stay until the next task at least. */
  isAlive(condition: BitCondition): boolean {
    if (condition.column !== undefined) return this.#shared!.columns.isAlive(condition.column);
    condition.lastUse = ++this.#clock;
    return condition.words !== undefined;
  }

  /** A condition that holds at every bar. */
  get always(): BitCondition {
    return this.#known('always') ?? this.#written('always', ALWAYS);
  }

  #has(key: string): boolean {
    const known = this.#conditions.get(key);
    return known !== undefined && this.isAlive(known);
  }

  #known(key: string): BitCondition | undefined {
    const known = this.#conditions.get(key);
    if (known !== undefined) {
      if (this.isAlive(known)) return known;
      this.#conditions.delete(key);
    }
    if (this.#shared === undefined) return undefined;
    const { columns, dataset } = this.#shared;
    const column = columns.find(`${dataset}?${key}`);
    return column && this.#keepColumn(key, column);
  }

  #written(key: string, { start, write, opposite }: Recipe): BitCondition {
    const { columns, dataset } = this.#shared ?? {};
    // Whole vectors, so that a search may look at four words at a time.
    const bytes = Math.ceil(wordCount(this.barCount) / 4) * 16;
    const name = `${dataset}?${key}`;
    const column = columns?.reserve(name, bytes);
    if (columns !== undefined && column !== undefined) {
      const words = columns.int32(column);
      const isAlone = opposite === undefined || this.#has(opposite.key);
      const other = isAlone ? undefined : columns.reserve(`${dataset}?${opposite.key}`, bytes);
      if (isAlone || other === undefined) write(words.fill(0));
      else {
        opposite.write({ words, opposite: columns.int32(other) });
        const published = columns.publish(`${dataset}?${opposite.key}`, other, start);
        this.#keepColumn(opposite.key, published);
      }
      return this.#keepColumn(key, columns.publish(name, column, start));
    }
    this.#makeRoom(bytes);
    const words = new Int32Array(bytes / 4);
    write(words);
    const condition = { start, words, column: undefined, lastUse: ++this.#clock };
    this.#conditions.set(key, condition);
    this.#usedBytes += bytes;
    return condition;
  }

  #keepColumn(key: string, column: Column): BitCondition {
    if (this.#conditions.size >= KNOWN_MAX) this.#forgetColumns();
    const words = this.#shared!.columns.int32(column);
    const condition = { start: column.start, words, column, lastUse: 0 };
    this.#conditions.set(key, condition);
    return condition;
  }

  /** What lies in the shared memory can be found there again. */
  #forgetColumns(): void {
    for (const [key, { column }] of this.#conditions) {
      if (column !== undefined) this.#conditions.delete(key);
    }
  }

  /** What was used longest ago goes first, a quarter of the budget at a time, so that the sort is paid rarely. */
  #makeRoom(bytes: number): void {
    if (this.#usedBytes + bytes <= this.#budgetBytes) return;
    const own = [...this.#conditions].filter(([, { column }]) => column === undefined);
    own.sort(([, a], [, b]) => a.lastUse - b.lastUse);
    for (const [key, condition] of own) {
      if (this.#usedBytes + bytes <= this.#budgetBytes * 0.75) break;
      this.#usedBytes -= condition.words?.byteLength ?? 0;
      condition.words = undefined;
      this.#conditions.delete(key);
    }
  }

  #recipe(rule: Rule, valueOf: VariableValue): Recipe {
    if (rule.kind === 'compare') return this.#comparison(rule, valueOf);
    const rules = rule.kind === 'not' ? [rule.rule] : rule.rules;
    // Each part's words at once: the next part may push the condition out of this book's own memory.
    const parts = rules.map((part) => {
      const { start, words } = this.condition(part, valueOf);
      return { start, words: words as Int32Array };
    });
    const start = parts.reduce((latest, part) => Math.max(latest, part.start), 0);
    const write = (words: Int32Array): void => {
      words.fill(rule.kind === 'any' ? 0 : -1);
      for (const { words: part } of parts) {
        for (let w = 0; w < words.length; w++) {
          const before = words[w] as number;
          const word = part[w] as number;
          words[w] = rule.kind === 'any' ? before | word : before & word;
        }
      }
      if (rule.kind === 'not')
        for (let w = 0; w < words.length; w++) words[w] = ~(words[w] as number);
    };
    return { start, write };
  }

  #comparison(rule: Comparison, valueOf: VariableValue): Recipe {
    const left = this.#operand(rule.left, valueOf);
    const right = this.#operand(rule.right, valueOf);
    const defined = Math.max(left.start, right.start);
    const { op } = rule;
    const crosses = op === 'crosses above' || op === 'crosses below';
    // A cross looks at the bar before as well.
    const start = defined + (crosses ? 1 : 0);
    if (start >= this.barCount) throw new TaskFault(5);
    const write = (words: Int32Array): void => {
      const { values } = left;
      if (!crosses) this.#compare(words, { op, left: values, right: right.values }, defined);
      else if (op === 'crosses above') this.#cross(words, left, right);
      else this.#cross(words, right, left);
    };
    return { start, write, opposite: this.#oppositeOf(rule, { left, right }, valueOf) };
  }

  /** Of a cross of two series in the shared memory: strategies that enter at one often exit at the other. */
  #oppositeOf(
    rule: Comparison,
    { left, right }: { readonly left: Operand; readonly right: Operand },
    valueOf: VariableValue,
  ): Recipe['opposite'] {
    const shared = this.#shared;
    const [x, y] = [left.values, right.values];
    const other = shared && this.#announcedOpposite(rule);
    if (shared === undefined || other === undefined) return undefined;
    if (typeof x === 'number' || typeof y === 'number') return undefined;
    if (!shared.columns.owns(x) || !shared.columns.owns(y)) return undefined;
    if (!this.#isNumber(left) || !this.#isNumber(right)) return undefined;
    const range = { from: Math.max(left.start, right.start), barCount: this.barCount };
    const write = ({ words, opposite }: Both): void => {
      const isAbove = rule.op === 'crosses above';
      const both = isAbove ? { above: words, below: opposite } : { above: opposite, below: words };
      const twinOf = (side: 'left' | 'right', values: Float64Array): number | undefined =>
        this.#singles?.of(printExpression(rule[side], valueOf), values);
      const [twinX, twinY] = [twinOf('left', x), twinOf('right', y)];
      const singles =
        twinX === undefined || twinY === undefined ? undefined : ([twinX, twinY] as const);
      crossBothBits(both, { left: x, right: y, singles }, range, shared);
    };
    return { key: printRule(other, valueOf), write };
  }

  #announcedOpposite(rule: Comparison): Comparison | undefined {
    const known = this.#opposites.get(rule);
    const op = OPPOSITES.get(rule.op);
    if (known !== undefined || op === undefined) return known;
    const other = this.#announced.get(textOf({ ...rule, op }));
    if (other !== undefined) this.#opposites.set(rule, other);
    return other;
  }

  #compare(words: Int32Array, comparison: SeriesComparison, from: number): void {
    compareBits(words, comparison, { from, barCount: this.barCount }, this.#shared);
  }

  /** `upper` above `lower` at a bar and not at the bar before. "Not above" is "at or below" only where both
   * are numbers; where one may not be, the bar before is compared for itself. */
  #cross(words: Int32Array, upper: Operand, lower: Operand): void {
    const from = Math.max(upper.start, lower.start);
    if (this.#isNumber(upper) && this.#isNumber(lower)) {
      const range = { from, barCount: this.barCount };
      const pair = { upper: upper.values, lower: lower.values };
      return crossBits(words, pair, range, this.#shared);
    }
    const pair = { left: upper.values, right: lower.values };
    this.#compare(words, { op: '>', ...pair }, from);
    const before = new Int32Array(words.length);
    this.#compare(before, { op: '<=', ...pair }, from);
    const shifted = shiftedByOne(before);
    for (let w = 0; w < words.length; w++) {
      words[w] = (words[w] as number) & (shifted[w] as number);
    }
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
