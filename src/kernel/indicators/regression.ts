// The straight line of least squares through a window, by TA-Lib's definition.

import { overWindows } from './window.ts';

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
  // Of the places 0 .. period - 1: their mean, and the sum of squares of their distances from it.
  const centre = (period - 1) / 2;
  const places = (period * (period * period - 1)) / 12;
  return overWindows(x, start, period, ({ origin, sum, weighted }) =>
    valueOf(origin + sum / period, (weighted - centre * sum) / places),
  );
}
