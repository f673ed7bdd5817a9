// Indicators of a bar's or a window's extent: true range, ATR, highest, lowest. ATR is Wilder's with TA-Lib's
// order of operations.

import type { Candles } from '../job.ts';
import { undefinedSeries } from './averages.ts';

/** Defined from bar 1: it needs the close before. */
export function trueRange(candles: Candles): Float64Array {
  const { high, low, close, barCount } = candles;
  const out = undefinedSeries(barCount);
  for (let bar = 1; bar < barCount; bar++) {
    const h = high[bar] as number;
    const l = low[bar] as number;
    const before = close[bar - 1] as number;
    out[bar] = Math.max(h - l, Math.abs(h - before), Math.abs(l - before));
  }
  return out;
}

/** Wilder's average of the true range, seeded by the mean of the first `period`. Defined from bar `period`. */
export function atr(candles: Candles, period: number): Float64Array {
  const range = trueRange(candles);
  const out = undefinedSeries(candles.barCount);
  if (period >= candles.barCount) return out;
  let average = 0;
  for (let bar = 1; bar <= period; bar++) average += range[bar] as number;
  average /= period;
  out[period] = average;
  for (let bar = period + 1; bar < candles.barCount; bar++) {
    average *= period - 1;
    average += range[bar] as number;
    average /= period;
    out[bar] = average;
  }
  return out;
}

/** ATR in percent of the close. Defined from bar `period`. */
export function normalisedAtr(candles: Candles, period: number): Float64Array {
  return atr(candles, period).map((range, bar) => (range / (candles.close[bar] as number)) * 100);
}

/** Largest of the `period` values that end at each bar, that bar included. Defined from start+period-1. */
export function highest(x: Float64Array, start: number, period: number): Float64Array {
  return extreme(x, start, period, (candidate, rival) => candidate >= rival);
}

/** Smallest of the `period` values that end at each bar, that bar included. Defined from start+period-1. */
export function lowest(x: Float64Array, start: number, period: number): Float64Array {
  return extreme(x, start, period, (candidate, rival) => candidate <= rival);
}

/** A queue of the bars that can still be a window's extreme, best first (Lemire, "Streaming maximum-minimum
 * filter", 2006): every bar enters and leaves once, whatever the period. */
function extreme(
  x: Float64Array,
  start: number,
  period: number,
  beats: (candidate: number, rival: number) => boolean,
): Float64Array {
  const out = undefinedSeries(x.length);
  const queue = new Int32Array(x.length);
  let front = 0;
  let back = 0;
  for (let bar = start; bar < x.length; bar++) {
    const value = x[bar] as number;
    while (back > front && beats(value, x[queue[back - 1] as number] as number)) back--;
    queue[back++] = bar;
    if ((queue[front] as number) <= bar - period) front++;
    if (bar >= start + period - 1) out[bar] = x[queue[front] as number] as number;
  }
  return out;
}
