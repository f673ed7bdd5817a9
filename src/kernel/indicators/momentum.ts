// Indicators of speed: RSI, MACD, rate of change, momentum. RSI is Wilder's, with TA-Lib's order of
// operations (equal bit for bit). `x` is defined from bar `start`; results are NaN before they are defined.

import { STILLNESS, undefinedSeries } from './averages.ts';

/** Wilder's smoothing of gains and losses, seeded by their means over the first `period` changes. Defined
 * from start + period. 0 where nothing has moved, as in TA-Lib. */
export function rsi(x: Float64Array, start: number, period: number): Float64Array {
  const out = undefinedSeries(x.length);
  const first = start + period;
  if (first >= x.length) return out;
  let gain = 0;
  let loss = 0;
  for (let bar = start + 1; bar <= first; bar++) {
    const change = (x[bar] as number) - (x[bar - 1] as number);
    if (change < 0) loss -= change;
    else gain += change;
  }
  loss /= period;
  gain /= period;
  out[first] = gainShare(gain, loss);
  for (let bar = first + 1; bar < x.length; bar++) {
    const change = (x[bar] as number) - (x[bar - 1] as number);
    loss *= period - 1;
    gain *= period - 1;
    if (change < 0) loss -= change;
    else gain += change;
    loss /= period;
    gain /= period;
    out[bar] = gainShare(gain, loss);
  }
  return out;
}

/** [macd, signal, hist]. Both averages are seeded by the values that end at the slow one's first bar, and all
 * three are defined from start + slow + signal - 2. A fast period above the slow one swaps with it. */
export function macd(
  x: Float64Array,
  start: number,
  periods: readonly number[],
): readonly Float64Array[] {
  const [one = 0, two = 0, signalPeriod = 0] = periods;
  const fast = Math.min(one, two);
  const slow = Math.max(one, two);
  const line = undefinedSeries(x.length);
  const signal = undefinedSeries(x.length);
  const hist = undefinedSeries(x.length);
  const lineStart = start + slow - 1;
  const first = lineStart + signalPeriod - 1;
  if (first >= x.length) return [line, signal, hist];
  const fastK = 2 / (fast + 1);
  const slowK = 2 / (slow + 1);
  const signalK = 2 / (signalPeriod + 1);
  let fastAverage = seedMean(x, lineStart, fast);
  let slowAverage = seedMean(x, lineStart, slow);
  let smooth = 0;
  for (let bar = lineStart; bar < x.length; bar++) {
    if (bar > lineStart) {
      fastAverage = ((x[bar] as number) - fastAverage) * fastK + fastAverage;
      slowAverage = ((x[bar] as number) - slowAverage) * slowK + slowAverage;
    }
    const value = fastAverage - slowAverage;
    if (bar < first) smooth += value;
    else if (bar === first) smooth = (smooth + value) / signalPeriod;
    else smooth = (value - smooth) * signalK + smooth;
    if (bar < first) continue;
    line[bar] = value;
    signal[bar] = smooth;
    hist[bar] = value - smooth;
  }
  return [line, signal, hist];
}

/** Change over `period` bars in percent. Defined from start + period; 0 where the old value is 0. */
export function roc(x: Float64Array, start: number, period: number): Float64Array {
  const out = undefinedSeries(x.length);
  for (let bar = start + period; bar < x.length; bar++) {
    const before = x[bar - period] as number;
    out[bar] = before === 0 ? 0 : ((x[bar] as number) / before - 1) * 100;
  }
  return out;
}

/** Change over `period` bars. Defined from start + period. */
export function mom(x: Float64Array, start: number, period: number): Float64Array {
  const out = undefinedSeries(x.length);
  for (let bar = start + period; bar < x.length; bar++) {
    out[bar] = (x[bar] as number) - (x[bar - period] as number);
  }
  return out;
}

function gainShare(gain: number, loss: number): number {
  const both = gain + loss;
  return both < STILLNESS ? 0 : 100 * (gain / both);
}

/** Mean of the `period` values that end at `last`, summed oldest first. */
function seedMean(x: Float64Array, last: number, period: number): number {
  let sum = 0;
  for (let bar = last - period + 1; bar <= last; bar++) sum += x[bar] as number;
  return sum / period;
}
