// The straight line of least squares through a window. Sums are of differences to a nearby value and start
// afresh every `period` bars: linear in the bars whatever the period, and no digits are lost on large prices.

import { undefinedSeries } from './averages.ts';

/** The line's value at the window's last bar. Defined from start + period - 1. */
export function linearRegression(x: Float64Array, start: number, period: number): Float64Array {
  return regression(x, start, period, (mean, slope) => mean + (slope * (period - 1)) / 2);
}

/** The line's rise per bar. Defined from start + period - 1. */
export function regressionSlope(x: Float64Array, start: number, period: number): Float64Array {
  return regression(x, start, period, (_, slope) => slope);
}

function regression(
  x: Float64Array,
  start: number,
  period: number,
  valueOf: (mean: number, slope: number) => number,
): Float64Array {
  const out = undefinedSeries(x.length);
  const first = start + period - 1;
  // Of the places 0 .. period - 1: their mean, and the sum of squares of their distances from it.
  const centre = (period - 1) / 2;
  const places = (period * (period * period - 1)) / 12;
  let origin = 0;
  let sum = 0;
  let weighted = 0;
  for (let bar = first; bar < x.length; bar++) {
    if ((bar - first) % period === 0) {
      origin = x[bar] as number;
      sum = 0;
      weighted = 0;
      for (let place = 0; place < period; place++) {
        const d = (x[bar - period + 1 + place] as number) - origin;
        sum += d;
        weighted += place * d;
      }
    } else {
      // All places move down by one: each remaining value loses itself once from the weighted sum.
      sum -= (x[bar - period] as number) - origin;
      weighted -= sum;
      const entering = (x[bar] as number) - origin;
      sum += entering;
      weighted += (period - 1) * entering;
    }
    out[bar] = valueOf(origin + sum / period, (weighted - centre * sum) / places);
  }
  return out;
}
