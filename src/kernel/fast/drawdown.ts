// The largest fall of the equity at closes, without looking at every close. While a position is held, equity is
// a linear function of the close; rounding keeps its order (each step of it is monotone in floating point as
// well), so the equity at a block's extreme closes is the extreme of the equities, bit for bit. A block
// without a new peak then counts by its lowest equity alone. A block with one counts by its highest, when even
// a fall from its highest to its lowest would be no record; else its parts are looked at in turn.
//
// A trade between a stop and a target is often not looked at at all: when even the target makes no new peak, only
// its lowest equity counts, that lies above the equity at the stop, and by the time the peak is passed other
// trades may have gone lower than that. Such trades wait until then.

import type { Pyramid } from './pyramid.ts';

/** What makes equity of a close: equity + size * (close - entryPrice). */
export interface HeldPosition {
  /** Realised, entry fee paid. */
  equity: number;
  /** Quantity, negative for a short. */
  size: number;
  entryPrice: number;
  stop: number;
  target: number;
}

class WaitingTrade implements HeldPosition {
  /** Below all of its equities. */
  worst = 0.5;
  from = 0;
  to = 0;
  equity = 0.5;
  size = 0.5;
  entryPrice = 0.5;
  stop = NaN;
  target = NaN;
}

/** Two roundings of a drawdown are some 4e-16 of it; a block is trusted only with far more room than that. */
const ROUNDING_MARGIN = 1 + 1e-12;

export class Drawdown {
  readonly #closes: Float64Array;
  readonly #pyramid: Pyramid;
  #peak = 0;
  /** Lowest equity since the peak. */
  #trough = 0;
  #largest = 0;
  /** Trades since the peak that have no higher peak, and whose lowest equity may be below the trough. */
  readonly #waiting: WaitingTrade[] = [];
  #waitingCount = 0;

  /** `pyramid` is of the closes. */
  constructor(closes: Float64Array, pyramid: Pyramid) {
    this.#closes = closes;
    this.#pyramid = pyramid;
  }

  get peak(): number {
    return this.#peak;
  }

  reset(equity: number): void {
    this.#peak = equity;
    this.#trough = equity;
    this.#largest = 0;
    this.#waitingCount = 0;
  }

  /** The largest fall so far, as a fraction of its peak. */
  largest(): number {
    if (this.#waitingCount > 0) this.#markWaiting();
    // For one peak, the lowest equity has the largest fall: rounding keeps that order as well.
    const fall = (this.#peak - this.#trough) / this.#peak;
    if (fall > this.#largest) this.#largest = fall;
    return this.#largest;
  }

  mark(equity: number): void {
    if (equity > this.#peak) {
      this.largest();
      this.#peak = equity;
      this.#trough = equity;
    } else if (equity < this.#trough) this.#trough = equity;
  }

  /** Marks the closes in [from, to]. Returns the first of them at which equity is zero or less, without marking
   * it or any after it; -1: none is. No level was touched at these bars. */
  markHeld(from: number, to: number, held: HeldPosition): number {
    const { equity, size, entryPrice, stop, target } = held;
    // Closes lie between stop and target; without one of them the comparison fails.
    if (equity + size * (target - entryPrice) <= this.#peak) {
      const worst = equity + size * (stop - entryPrice);
      if (worst > 0) {
        if (worst < this.#trough) this.#wait(worst, from, to, held);
        return -1;
      }
    }
    return this.#markNow(from, to, held);
  }

  #markNow(from: number, to: number, held: HeldPosition): number {
    const { equity, size, entryPrice } = held;
    const closes = this.#closes;
    let bar = from;
    while (bar <= to) {
      if ((bar & 15) === 0 && bar + 15 <= to) {
        const marked = this.#markBlocks(bar, to, held);
        if (marked > 0) {
          bar += marked;
          continue;
        }
      }
      const value = equity + size * ((closes[bar] as number) - entryPrice);
      if (value <= 0) return bar;
      this.mark(value);
      bar++;
    }
    return -1;
  }

  #wait(worst: number, from: number, to: number, held: HeldPosition): void {
    // What the trough has passed since it began to wait will never count.
    while (
      this.#waitingCount > 0 &&
      (this.#waiting[this.#waitingCount - 1] as WaitingTrade).worst >= this.#trough
    ) {
      this.#waitingCount--;
    }
    const waiting = (this.#waiting[this.#waitingCount++] ??= new WaitingTrade());
    waiting.worst = worst;
    waiting.from = from;
    waiting.to = to;
    waiting.equity = held.equity;
    waiting.size = held.size;
    waiting.entryPrice = held.entryPrice;
  }

  #markWaiting(): void {
    const count = this.#waitingCount;
    this.#waitingCount = 0;
    for (let i = count - 1; i >= 0; i--) {
      const waiting = this.#waiting[i] as WaitingTrade;
      if (waiting.worst < this.#trough) this.#markNow(waiting.from, waiting.to, waiting);
    }
  }

  /** Marks the largest block at `bar` that it can; returns its bars, or 0. */
  #markBlocks(bar: number, to: number, held: HeldPosition): number {
    const { blocks16, blocks256, blocks4096 } = this.#pyramid;
    if ((bar & 255) === 0 && bar + 255 <= to) {
      if ((bar & 4095) === 0 && bar + 4095 <= to) {
        if (this.#markBlock(blocks4096, bar >>> 12, held)) return 4096;
      }
      if (this.#markBlock(blocks256, bar >>> 8, held)) return 256;
    }
    return this.#markBlock(blocks16, bar >>> 4, held) ? 16 : 0;
  }

  #markBlock(blocks: Float64Array, block: number, held: HeldPosition): boolean {
    const { equity, size, entryPrice } = held;
    const atLeast = equity + size * ((blocks[2 * block] as number) - entryPrice);
    const atMost = equity + size * ((blocks[2 * block + 1] as number) - entryPrice);
    const low = Math.min(atLeast, atMost);
    const high = Math.max(atLeast, atMost);
    if (!(low > 0)) return false;
    if (high <= this.#peak) {
      if (low < this.#trough) this.#trough = low;
      return true;
    }
    if (!(((high - low) / high) * ROUNDING_MARGIN <= this.largest())) return false;
    this.#peak = high;
    this.#trough = high;
    return true;
  }
}
