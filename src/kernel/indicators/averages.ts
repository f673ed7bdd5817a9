// Moving averages and the rolling deviation. SMA, EMA and WMA follow TA-Lib's order of operations, so that they equal
// it bit for bit. `x` is defined from bar `start` on; a result is full length, NaN before it is defined.

import { overWindows } from './window.ts';

/** Running sum: add, divide, drop the oldest. Defined from start + period - 1. */
export function sma(x: Float64Array, start: number, period: number): Float64Array {
  const out = undefinedSeries(x.length);
  let sum = 0;
  const first = start + period - 1;
  for (let bar = start; bar < Math.min(first, x.length); bar++) sum += x[bar] as number;
  for (let bar = first; bar < x.length; bar++) {
    sum += x[bar] as number;
    out[bar] = sum / period;
    sum -= x[bar - period + 1] as number;
  }
  return out;
}

/** Seeded by the mean of the first `period` values, then (x - e) * k + e. Defined from start + period - 1. */
export function ema(x: Float64Array, start: number, period: number): Float64Array {
  const out = undefinedSeries(x.length);
  const first = start + period - 1;
  if (first >= x.length) return out;
  let sum = 0;
  for (let bar = start; bar <= first; bar++) sum += x[bar] as number;
  const k = 2 / (period + 1);
  let average = sum / period;
  out[first] = average;
  for (let bar = first + 1; bar < x.length; bar++) {
    average = ((x[bar] as number) - average) * k + average;
    out[bar] = average;
  }
  return out;
}

/** Linear weights, newest heaviest. Defined from start + period - 1. */
export function wma(x: Float64Array, start: number, period: number): Float64Array {
  const out = undefinedSeries(x.length);
  const first = start + period - 1;
  if (first >= x.length) return out;
  const divider = (period * (period + 1)) / 2;
  let sum = 0;
  let weighted = 0;
  for (let bar = start; bar < first; bar++) {
    sum += x[bar] as number;
    weighted += (x[bar] as number) * (bar - start + 1);
  }
  let leaving = 0;
  for (let bar = first; bar < x.length; bar++) {
    sum += x[bar] as number;
    sum -= leaving;
    weighted += (x[bar] as number) * period;
    leaving = x[bar - period + 1] as number;
    out[bar] = weighted / divider;
    weighted -= sum;
  }
  return out;
}

/** Population standard deviation; exactly 0 where nothing moves. Defined from start + period - 1. */
export function deviation(x: Float64Array, start: number, period: number): Float64Array {
  return overWindows(x, start, period, ({ sum, squares }) => {
    const mean = sum / period;
    const variance = squares / period - mean * mean;
    // Not `> 0 ? … : 0`: an undefined variance stays undefined.
    return variance <= 0 ? 0 : Math.sqrt(variance);
  });
}

/** TA-Lib's epsilon (ta_utility.h): a sum of movements below it is none. After long stillness smoothed movements are
 * smaller than that, and their shares would be those of rounding. */
export const STILLNESS = 1e-14;

export function undefinedSeries(length: number): Float64Array {
  return new Float64Array(length).fill(NaN);
}
