// Daily returns of a run that jumps from trade to trade: only the bars at which a UTC day ends are looked at,
// and while no position is open not even those.

import type { Market } from '../engine/market.ts';

/** Last bar of each day within the date range, and the close there. */
export interface DayEnds {
  readonly bars: Int32Array;
  readonly closes: Float64Array;
}

export function dayEnds({ candles, isDayEnd, first, end, dayCount }: Market): DayEnds {
  const bars = new Int32Array(dayCount);
  const closes = new Float64Array(dayCount);
  let day = 0;
  for (let bar = first; bar < end; bar++) {
    if (isDayEnd[bar] === 0 && bar !== end - 1) continue;
    bars[day] = bar;
    closes[day++] = candles.close[bar] as number;
  }
  return { bars, closes };
}

export class Days {
  /** All days' returns but the first's, which has no day before it. Valid until the next reset. */
  readonly returns: Float64Array;
  readonly #all: Float64Array;
  readonly #bars: Int32Array;
  readonly #closes: Float64Array;
  /** Days before this one are sampled. */
  #next = 0;
  #before = NaN;

  constructor({ bars, closes }: DayEnds) {
    this.#bars = bars;
    this.#closes = closes;
    this.#all = new Float64Array(bars.length);
    this.returns = this.#all.subarray(1);
  }

  reset(): void {
    this.#next = 0;
    this.#before = NaN;
  }

  /** Days that end before `bar`, at one equity. */
  sampleFlat(bar: number, equity: number): void {
    const bars = this.#bars;
    let day = this.#next;
    if (!(day < bars.length && (bars[day] as number) < bar)) return;
    this.#all[day++] = this.#before > 0 ? equity / this.#before - 1 : 0;
    this.#before = equity;
    const unchanged = equity > 0 ? equity / equity - 1 : 0;
    while (day < bars.length && (bars[day] as number) < bar) this.#all[day++] = unchanged;
    this.#next = day;
  }

  /** Days that end before `bar`, at equity + size * (close - entryPrice). */
  sampleHeld(
    bar: number,
    { equity, size, entryPrice }: { equity: number; size: number; entryPrice: number },
  ): void {
    const bars = this.#bars;
    let day = this.#next;
    let before = this.#before;
    while (day < bars.length && (bars[day] as number) < bar) {
      const value = equity + size * ((this.#closes[day] as number) - entryPrice);
      this.#all[day++] = before > 0 ? value / before - 1 : 0;
      before = value;
    }
    this.#next = day;
    this.#before = before;
  }
}
