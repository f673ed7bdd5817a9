// One task made ready to run: its conditions as bits per bar, its distances and sizes as numbers. Everything
// that makes the task impossible is found here and thrown as a TaskFault.

import { type Expression, constantValue, isConstant } from '../language/ast.ts';
import type { VariableValue } from '../language/print.ts';
import type { SizeSpec } from '../spec.ts';
import type { Side, Strategy } from '../strategy.ts';
import { TaskFault } from '../task-fault.ts';
import type { Market } from './market.ts';
import type { Condition, SeriesBook } from './series.ts';

export interface Plan {
  readonly long: SidePlan | null;
  readonly short: SidePlan | null;
  readonly stopLoss: Distance | null;
  readonly takeProfit: Distance | null;
  readonly trailingStop: Distance | null;
  readonly breakeven: Distance | null;
  /** Infinity: no bound. */
  readonly maxBars: number;
  /** Bars that must lie between an exit's bar and the close that may call for the next entry. */
  readonly cooldown: number;
  readonly reverse: boolean;
  readonly size: { readonly kind: SizeSpec['kind']; readonly value: number };
  /** First bar whose close may decide something: all that the rules look back on exists from here on. */
  readonly firstDecision: number;
}

/** Bits per bar; all of a list must hold. An empty `exit` never holds. */
export interface SidePlan {
  readonly enter: readonly Uint8Array[];
  readonly exit: readonly Uint8Array[];
}

/** A fraction of the entry price, or price units read at the bar that gave the signal. */
export type Distance =
  | { readonly kind: 'fraction'; readonly value: number }
  | { readonly kind: 'price'; readonly values: Float64Array };

export function planTask(
  strategy: Strategy,
  valueOf: VariableValue,
  book: SeriesBook,
  market: Market,
): Plan {
  let firstDecision = market.first;
  const holds = (condition: Condition): Uint8Array => {
    firstDecision = Math.max(firstDecision, condition.start);
    return condition.holds;
  };
  const side = (rules: Side | null): SidePlan | null =>
    rules && {
      enter: rules.enter.map((rule) => holds(book.condition(rule, valueOf))),
      exit: rules.exit.map((rule) => holds(book.condition(rule, valueOf))),
    };
  const distance = (expression: Expression | null): Distance | null => {
    if (expression === null) return null;
    if (isConstant(expression)) return fractionOf(constantValue(expression, valueOf));
    const { values, start } = book.series(expression, valueOf);
    firstDecision = Math.max(firstDecision, start);
    return { kind: 'price', values };
  };
  const plan = {
    long: side(strategy.long),
    short: side(strategy.short),
    stopLoss: distance(strategy.stopLoss),
    takeProfit: distance(strategy.takeProfit),
    trailingStop: distance(strategy.trailingStop),
    breakeven: distance(strategy.breakeven),
    maxBars: maxBarsOf(strategy.maxBars, valueOf),
    cooldown: cooldownOf(strategy.cooldown, valueOf),
    reverse: strategy.reverse,
    size: sizeOf(strategy, valueOf),
  };
  // A decision needs a next bar to fill at; without one the row would be a silent zero.
  if (firstDecision >= market.end - 1) throw new TaskFault(5);
  return { ...plan, firstDecision };
}

function fractionOf(value: number): Distance {
  if (!(value > 0 && value < Infinity)) throw new TaskFault(2);
  return { kind: 'fraction', value };
}

function maxBarsOf(expression: Expression | null, valueOf: VariableValue): number {
  if (expression === null) return Infinity;
  const bars = constantValue(expression, valueOf);
  if (!Number.isInteger(bars) || bars < 1) throw new TaskFault(4);
  return bars;
}

function cooldownOf(expression: Expression | null, valueOf: VariableValue): number {
  if (expression === null) return 0;
  const bars = constantValue(expression, valueOf);
  if (!Number.isInteger(bars) || bars < 0) throw new TaskFault(6);
  return bars;
}

function sizeOf(strategy: Strategy, valueOf: VariableValue): Plan['size'] {
  const { kind } = strategy.size;
  const value = constantValue(strategy.size.value, valueOf);
  const most = kind === 'equity' || kind === 'risk' ? 1 : Number.MAX_VALUE;
  if (!(value > 0 && value <= most)) throw new TaskFault(3);
  return { kind, value };
}
