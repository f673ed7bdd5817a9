// Averages made of averages: DEMA, TEMA, TRIX (by TA-Lib's definitions, of EMAs that are each seeded by the SMA of
// their own input) and Kaufman's adaptive average. `x` is defined from bar `start`; results are NaN before.

import { ema, STILLNESS, undefinedSeries } from './averages.ts';
import { windowSum } from './window.ts';

/** 2 e1 - e2, where e2 is the EMA of e1. Defined from start + 2 (period - 1). */
export function dema(x: Float64Array, start: number, period: number): Float64Array {
  const [one, two] = nested(x, start, period);
  return one.map((value, bar) => 2 * value - (two[bar] as number));
}

/** 3 e1 - 3 e2 + e3. Defined from start + 3 (period - 1). */
export function tema(x: Float64Array, start: number, period: number): Float64Array {
  const [one, two, three] = nested(x, start, period);
  return three.map((value, bar) => value + 3 * (one[bar] as number) - 3 * (two[bar] as number));
}

/** Change of e3 from bar to bar, in percent. Defined from start + 3 (period - 1) + 1. */
export function trix(x: Float64Array, start: number, period: number): Float64Array {
  const [, , three] = nested(x, start, period);
  const out = undefinedSeries(x.length);
  for (let bar = start + 3 * (period - 1) + 1; bar < x.length; bar++) {
    const before = three[bar - 1] as number;
    out[bar] = before === 0 ? 0 : ((three[bar] as number) / before - 1) * 100;
  }
  return out;
}

/** The EMA, the EMA of it, and the EMA of that. */
function nested(
  x: Float64Array,
  start: number,
  period: number,
): readonly [Float64Array, Float64Array, Float64Array] {
  const one = ema(x, start, period);
  const two = ema(one, start + period - 1, period);
  return [one, two, ema(two, start + 2 * (period - 1), period)];
}

/** Smoothing constants for the 2 and 30 bars that Kaufman takes as fastest and slowest. */
const FASTEST = 2 / 3;
const SLOWEST = 2 / 31;
/** As fast as the move over `period` bars is straight: |move| / sum of |moves|. Starts from the value before its
 * first. Defined from start + period. */
export function kama(x: Float64Array, start: number, period: number): Float64Array {
  const out = undefinedSeries(x.length);
  const first = start + period;
  if (first >= x.length) return out;
  const steps = new Float64Array(x.length);
  for (let bar = start + 1; bar < x.length; bar++) {
    steps[bar] = Math.abs((x[bar] as number) - (x[bar - 1] as number));
  }
  const path = windowSum(steps, start + 1, period);
  let average = x[first - 1] as number;
  for (let bar = first; bar < x.length; bar++) {
    const move = Math.abs((x[bar] as number) - (x[bar - period] as number));
    const walked = path[bar] as number;
    // No move at all counts as straight, as in TA-Lib.
    const speed =
      (walked <= move || walked < STILLNESS ? 1 : move / walked) * (FASTEST - SLOWEST) + SLOWEST;
    average = ((x[bar] as number) - average) * (speed * speed) + average;
    out[bar] = average;
  }
  return out;
}
