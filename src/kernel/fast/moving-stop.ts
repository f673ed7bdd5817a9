// The stop of a position that trails the best price or moves to the entry price, found without looking at every
// bar. A block of bars is passed over when its low stays above the stop that its own high could make, so that
// no order of its bars touches anything; the stop then moves as the block's best price says.

import type { Candles } from '../job.ts';
import type { Distance } from '../engine/plan.ts';
import { levelOf } from './levels.ts';
import type { Pyramid } from './pyramid.ts';

type Protection = 'stop' | 'trailing' | 'breakeven';

/** How a position with a moving stop comes about. */
export interface MovingEntry {
  /** 1 long, -1 short. */
  readonly side: number;
  readonly signalBar: number;
  /** Of the fill. */
  readonly price: number;
  /** The price that stopLoss gives, NaN: none. */
  readonly stop: number;
  readonly trailing: Distance | null;
  readonly breakeven: Distance | null;
}

export class MovingStop {
  /** NaN: none. */
  stop = NaN;
  reason: Protection = 'stop';
  readonly #candles: Candles;
  readonly #blocks: Pyramid;
  #side = 1;
  #price = 0.5;
  #best = 0.5;
  #trailing: Distance | null = null;
  #signalBar = 0;
  /** NaN: never, or already there. */
  #breakevenFrom = NaN;

  /** `blocks` is of the lows and highs. */
  constructor(candles: Candles, blocks: Pyramid) {
    this.#candles = candles;
    this.#blocks = blocks;
  }

  reset({ side, signalBar, price, stop, trailing, breakeven }: MovingEntry): void {
    this.stop = stop;
    this.reason = 'stop';
    this.#side = side;
    this.#price = price;
    this.#best = price;
    this.#trailing = trailing;
    this.#signalBar = signalBar;
    this.#breakevenFrom = levelOf(breakeven, signalBar, price, side);
    this.#raise(this.#trailingLevel(price), 'trailing');
  }

  /** First bar in [from, to] that touches the stop as it is by then, or the target; to + 1: none does. The stop
   * is then the one that this bar met. */
  firstTouch(from: number, to: number, target: number): number {
    const { low, high } = this.#candles;
    const isLong = this.#side === 1;
    let bar = from;
    while (bar <= to) {
      const passed = (bar & 15) === 0 ? this.#passBlocks(bar, to, target) : 0;
      if (passed > 0) {
        bar += passed;
        continue;
      }
      const worst = (isLong ? low[bar] : high[bar]) as number;
      const best = (isLong ? high[bar] : low[bar]) as number;
      if (isLong ? worst <= this.stop || best >= target : worst >= this.stop || best <= target) {
        return bar;
      }
      this.#follow(best);
      bar++;
    }
    return to + 1;
  }

  #follow(best: number): void {
    if (this.#side * (best - this.#best) > 0) this.#best = best;
    this.#raise(this.#trailingLevel(this.#best), 'trailing');
    if (this.#side * (best - this.#breakevenFrom) >= 0) {
      this.#raise(this.#price, 'breakeven');
      this.#breakevenFrom = NaN;
    }
  }

  #trailingLevel(best: number): number {
    return levelOf(this.#trailing, this.#signalBar, best, -this.#side);
  }

  #raise(level: number, reason: Protection): void {
    if (!isNearer(this.#side, level, this.stop)) return;
    this.stop = level;
    this.reason = reason;
  }

  #passBlocks(bar: number, to: number, target: number): number {
    if ((bar & 255) === 0 && bar + 255 <= to) {
      if (this.#passes(this.#blocks.blocks256, bar >>> 8, target)) return 256;
    }
    return bar + 15 <= to && this.#passes(this.#blocks.blocks16, bar >>> 4, target) ? 16 : 0;
  }

  /** Follows a whole block, or does nothing: where it might touch a level, and where it brings the breakeven
   * stop to life, whose turn among its bars decides what the stop is called. */
  #passes(blocks: Float64Array, block: number, target: number): boolean {
    const isLong = this.#side === 1;
    const worst = blocks[isLong ? 2 * block : 2 * block + 1] as number;
    const best = blocks[isLong ? 2 * block + 1 : 2 * block] as number;
    const furthest = this.#side * (best - this.#best) > 0 ? best : this.#best;
    const level = this.#trailingLevel(furthest);
    const moves = isNearer(this.#side, level, this.stop);
    const stop = moves ? level : this.stop;
    if (isLong ? worst <= stop || best >= target : worst >= stop || best <= target) return false;
    if (this.#side * (best - this.#breakevenFrom) >= 0) return false;
    this.#best = furthest;
    if (moves) {
      this.stop = level;
      this.reason = 'trailing';
    }
    return true;
  }
}

/** A stop only ever moves towards the price. */
function isNearer(side: number, level: number, stop: number): boolean {
  return !Number.isNaN(level) && (Number.isNaN(stop) || side * (level - stop) > 0);
}
