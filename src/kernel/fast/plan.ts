// A strategy made ready to be planned many times: what planTask does for the reference, with bits for conditions
// and with everything looked up once that no grid point changes. Faults are found in the same order, so that a
// task that has two gets the same error code from both engines.

import type { Market } from '../engine/market.ts';
import type { Distance } from '../engine/plan.ts';
import type { SeriesBook } from '../engine/series.ts';
import { type Expression, type Rule, constantValue, isConstant } from '../language/ast.ts';
import type { SizeSpec } from '../spec.ts';
import type { Side, Strategy } from '../strategy.ts';
import { TaskFault } from '../task-fault.ts';
import type { BitBook, BitCondition } from './bit-book.ts';
import { type NativePlan, nativePlan } from './native-plan.ts';
import { RuleBits } from './rule-bits.ts';

export interface FastPlan {
  readonly long: FastSide | null;
  readonly short: FastSide | null;
  readonly stopLoss: Distance | null;
  readonly takeProfit: Distance | null;
  readonly trailingStop: Distance | null;
  readonly breakeven: Distance | null;
  readonly maxBars: number;
  readonly cooldown: number;
  readonly reverse: boolean;
  readonly size: { readonly kind: SizeSpec['kind']; readonly value: number };
  /** First bar whose close may decide something. */
  readonly firstDecision: number;
  /** Undefined: not all that it points to lies in the memory that the native kernel sees. */
  readonly native: NativePlan | undefined;
}

/** Bits per bar; all of a list must hold. `enter` has at least one entry; an empty `exit` never holds. */
export interface FastSide {
  readonly enter: readonly Int32Array[];
  readonly exit: readonly Int32Array[];
}

/** More bars than any dataset has, and twice as many is still a small integer to V8. */
const BARS_MAX = 536_870_912;

export interface Books {
  readonly series: SeriesBook;
  readonly bits: BitBook;
  readonly market: Market;
  /** Whether a view is of the shared memory; undefined: there is none. */
  readonly columns: { owns(view: ArrayBufferView): boolean } | undefined;
}

interface SideRules {
  readonly enter: readonly RuleBits[];
  readonly exit: readonly RuleBits[];
}

export class Planner {
  readonly #strategy: Strategy;
  readonly #books: Books;
  readonly #long: SideRules | null;
  readonly #short: SideRules | null;
  /** Of the grid point being planned. */
  #values: Float64Array = new Float64Array(0);
  #firstDecision = 0;
  #isShared = false;
  /** No variable and no series in a distance: the plan is the same for as long as its conditions live. */
  #isFixed: boolean;
  #only: FastPlan | undefined;
  readonly #taken: BitCondition[] = [];

  constructor(strategy: Strategy, books: Books) {
    this.#strategy = strategy;
    this.#books = books;
    const { names } = strategy.grid;
    const rules = (list: readonly Rule[]): RuleBits[] =>
      list.map((rule) => {
        books.bits.announce(rule);
        return new RuleBits(rule, books.bits, names);
      });
    const side = (given: Side | null): SideRules | null =>
      given && { enter: rules(given.enter), exit: rules(given.exit) };
    this.#long = side(strategy.long);
    this.#short = side(strategy.short);
    this.#isFixed = names.length === 0;
  }

  /** Throws a TaskFault when the grid point makes no task. */
  plan(index: number): FastPlan {
    if (this.#only !== undefined && this.#taken.every(this.#isAlive)) return this.#only;
    this.#taken.length = 0;
    const plan = this.#make(index);
    this.#only = this.#isFixed ? plan : undefined;
    return plan;
  }

  #make(index: number): FastPlan {
    const strategy = this.#strategy;
    const { market } = this.#books;
    if (strategy.grid.names.length > 0) this.#values = strategy.grid.valuesAt(index);
    this.#firstDecision = market.first;
    this.#isShared = this.#books.columns !== undefined;
    const plan = {
      long: this.#side(this.#long),
      short: this.#side(this.#short),
      stopLoss: this.#distance(strategy.stopLoss),
      takeProfit: this.#distance(strategy.takeProfit),
      trailingStop: this.#distance(strategy.trailingStop),
      breakeven: this.#distance(strategy.breakeven),
      maxBars: this.#maxBars(strategy.maxBars),
      cooldown: this.#cooldown(strategy.cooldown),
      reverse: strategy.reverse,
      size: this.#size(strategy.size),
    };
    // A decision needs a next bar to fill at; without one the row would be a silent zero.
    if (this.#firstDecision >= market.end - 1) throw new TaskFault(5);
    const { long, short, stopLoss, takeProfit, trailingStop, breakeven } = plan;
    const native = this.#isShared
      ? nativePlan([long, short], [stopLoss, takeProfit, trailingStop, breakeven])
      : undefined;
    return { ...plan, firstDecision: this.#firstDecision, native };
  }

  readonly #valueOf = (name: string): number =>
    this.#values[this.#strategy.grid.names.indexOf(name)] ?? NaN;

  #side(rules: SideRules | null): FastSide | null {
    if (rules === null) return null;
    const enter = this.#words(rules.enter);
    if (enter.length === 0) enter.push(this.#take(this.#books.bits.always));
    return { enter, exit: this.#words(rules.exit) };
  }

  #words(rules: readonly RuleBits[]): Int32Array[] {
    const all: Int32Array[] = [];
    for (const rule of rules) {
      all.push(this.#take(rule.at(this.#values, this.#valueOf)));
    }
    return all;
  }

  readonly #isAlive = (condition: BitCondition): boolean => this.#books.bits.isAlive(condition);

  #take(condition: BitCondition): Int32Array {
    const { words, start, column } = condition;
    if (this.#isFixed) this.#taken.push(condition);
    if (start > this.#firstDecision) this.#firstDecision = start;
    if (column === undefined) this.#isShared = false;
    return words as Int32Array;
  }

  #distance(expression: Expression | null): Distance | null {
    if (expression === null) return null;
    if (isConstant(expression)) {
      const value = constantValue(expression, this.#valueOf);
      if (!(value > 0 && value < Infinity)) throw new TaskFault(2);
      return { kind: 'fraction', value };
    }
    this.#isFixed = false;
    const { values, start } = this.#books.series.series(expression, this.#valueOf);
    if (start > this.#firstDecision) this.#firstDecision = start;
    if (this.#books.columns?.owns(values) !== true) this.#isShared = false;
    return { kind: 'price', values };
  }

  #maxBars(expression: Expression | null): number {
    if (expression === null) return BARS_MAX;
    const bars = constantValue(expression, this.#valueOf);
    if (!Number.isInteger(bars) || bars < 1) throw new TaskFault(4);
    return Math.min(bars, BARS_MAX);
  }

  #cooldown(expression: Expression | null): number {
    if (expression === null) return 0;
    const bars = constantValue(expression, this.#valueOf);
    if (!Number.isInteger(bars) || bars < 0) throw new TaskFault(6);
    return Math.min(bars, BARS_MAX);
  }

  #size(size: Strategy['size']): FastPlan['size'] {
    const value = constantValue(size.value, this.#valueOf);
    const most = size.kind === 'equity' || size.kind === 'risk' ? 1 : Number.MAX_VALUE;
    if (!(value > 0 && value <= most)) throw new TaskFault(3);
    return { kind: size.kind, value };
  }
}
