// The prices at which one open position closes by itself. Distances are fixed when it opens. A trailing stop
// follows the best price, and a breakeven stop moves to the entry price once the trade has gained enough; both
// learn a bar's high or low only after that bar, so that no bar moves the stop that it is tested against.

import type { Distance, Plan } from './plan.ts';

/** How a position comes about. */
export interface Entry {
  /** 1 long, -1 short. */
  readonly side: number;
  /** The close that called for it. */
  readonly signalBar: number;
  /** Of the fill, after slippage. */
  readonly price: number;
  /** What stop and target are measured from. */
  readonly reference: number;
}

type Protection = 'stop' | 'trailing' | 'breakeven';

export class ExitLevels {
  /** The nearest of stop, trailing and breakeven stop; NaN: none. */
  stop: number;
  /** Which of them that is; of two at one price, the one that was there first. */
  stopReason: Protection;
  /** NaN: none. */
  readonly target: number;
  readonly #entry: Entry;
  readonly #trailing: FixedDistance | null;
  /** Price at which the breakeven stop comes to life; NaN: never. */
  readonly #breakevenFrom: number;
  /** Best price since the entry. */
  #best: number;

  private constructor(entry: Entry, fixed: FixedDistances) {
    const { side, price, reference } = entry;
    this.#entry = entry;
    this.stop = levelOf(fixed.stopLoss, reference, -side);
    this.stopReason = 'stop';
    this.target = levelOf(fixed.takeProfit, reference, side);
    this.#trailing = fixed.trailingStop;
    this.#breakevenFrom = levelOf(fixed.breakeven, price, side);
    this.#best = price;
    this.#raise(levelOf(this.#trailing, price, -side), 'trailing');
  }

  /** Undefined when a distance in price units is undefined or not above zero at the signal bar: no trade
   * without its stop. */
  static at(plan: Plan, entry: Entry): ExitLevels | undefined {
    const fixed = {
      stopLoss: fix(plan.stopLoss, entry.signalBar),
      takeProfit: fix(plan.takeProfit, entry.signalBar),
      trailingStop: fix(plan.trailingStop, entry.signalBar),
      breakeven: fix(plan.breakeven, entry.signalBar),
    };
    for (const distance of Object.values(fixed)) {
      if (distance !== null && !(distance.value > 0 && distance.value < Infinity)) return undefined;
    }
    return new ExitLevels(entry, fixed);
  }

  /** Takes in a bar that the position has lived through from its open, for the bars after it. */
  follow(high: number, low: number): void {
    const { side, price } = this.#entry;
    const best = side === 1 ? high : low;
    if (side * (best - this.#best) > 0) this.#best = best;
    this.#raise(levelOf(this.#trailing, this.#best, -side), 'trailing');
    if (side * (best - this.#breakevenFrom) >= 0) this.#raise(price, 'breakeven');
  }

  /** A stop only ever moves towards the price. */
  #raise(level: number, reason: Protection): void {
    const isNearer = Number.isNaN(this.stop) || this.#entry.side * (level - this.stop) > 0;
    if (Number.isNaN(level) || !isNearer) return;
    this.stop = level;
    this.stopReason = reason;
  }
}

/** A distance as it was at the signal bar. */
interface FixedDistance {
  readonly isFraction: boolean;
  readonly value: number;
}

interface FixedDistances {
  readonly stopLoss: FixedDistance | null;
  readonly takeProfit: FixedDistance | null;
  readonly trailingStop: FixedDistance | null;
  readonly breakeven: FixedDistance | null;
}

function fix(distance: Distance | null, signalBar: number): FixedDistance | null {
  if (distance === null) return null;
  if (distance.kind === 'fraction') return { isFraction: true, value: distance.value };
  return { isFraction: false, value: distance.values[signalBar] as number };
}

/** The price `distance` away from `base`, up or down; NaN without a distance. */
function levelOf(distance: FixedDistance | null, base: number, direction: number): number {
  if (distance === null) return NaN;
  const { isFraction, value } = distance;
  return isFraction ? base * (1 + direction * value) : base + direction * value;
}
