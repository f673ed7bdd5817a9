// Indicators of where a value stands within its recent range: stochastics, Williams %R, CCI, CMO. By TA-Lib's
// definitions; a window without any range gives 0, as there.

import type { Candles } from '../job.ts';
import { sma, STILLNESS, undefinedSeries } from './averages.ts';
import { rsi } from './momentum.ts';
import { highest, lowest } from './ranges.ts';

/** Slow stochastic, [k, d]: k is the raw one smoothed over `slow` bars, d is k smoothed over `signal`. Both are
 * defined from bar fast + slow + signal - 3. */
export function stochastic(
  { high, low, close }: Candles,
  [fast = 14, slow = 3, signal = 3]: readonly number[],
): readonly Float64Array[] {
  const start = fast - 1;
  const raw = placeInRange(close, lowest(low, 0, fast), highest(high, 0, fast), start);
  const k = sma(raw, start, slow);
  const d = sma(k, start + slow - 1, signal);
  return [k.fill(NaN, 0, Math.min(k.length, start + slow + signal - 2)), d];
}

/** The raw stochastic of the RSI, [k, d]: d is k smoothed over `signal` bars. Both are defined from
 * start + length + fast + signal - 2. */
export function stochasticRsi(
  x: Float64Array,
  start: number,
  [length = 14, fast = 5, signal = 3]: readonly number[],
): readonly Float64Array[] {
  const strength = rsi(x, start, length);
  const from = start + length;
  const low = lowest(strength, from, fast);
  const k = placeInRange(strength, low, highest(strength, from, fast), from + fast - 1);
  const d = sma(k, from + fast - 1, signal);
  return [k.fill(NaN, 0, Math.min(k.length, from + fast + signal - 2)), d];
}

/** Distance from the highest high, in percent of the range: 0 to -100. Defined from bar period - 1. */
export function williamsR({ high, low, close }: Candles, period: number): Float64Array {
  const top = highest(high, 0, period);
  const bottom = lowest(low, 0, period);
  return close.map((value, bar) => {
    const span = (top[bar] as number) - (bottom[bar] as number);
    return span === 0 ? 0 : -100 * (((top[bar] as number) - value) / span);
  });
}

/** Distance of the typical price from its mean, in units of 0.015 mean absolute deviations. Sums are of
 * differences to the last price, so that a flat window is flat whatever its price. Defined from bar
 * period - 1. */
export function cci({ high, low, close, barCount }: Candles, period: number): Float64Array {
  const typical = close.map(
    (value, bar) => ((high[bar] as number) + (low[bar] as number) + value) / 3,
  );
  const out = undefinedSeries(barCount);
  for (let bar = period - 1; bar < barCount; bar++) {
    const last = typical[bar] as number;
    let sum = 0;
    for (let i = bar - period + 1; i <= bar; i++) sum += (typical[i] as number) - last;
    const mean = sum / period;
    let spread = 0;
    for (let i = bar - period + 1; i <= bar; i++) {
      spread += Math.abs((typical[i] as number) - last - mean);
    }
    out[bar] = spread === 0 ? 0 : -mean / (0.015 * (spread / period));
  }
  return out;
}

/** (gain - loss) / (gain + loss) in percent, of Wilder's averages of gains and losses: the RSI of -100 to 100.
 * Defined from start + period. */
export function cmo(x: Float64Array, start: number, period: number): Float64Array {
  const out = undefinedSeries(x.length);
  const first = start + period;
  let gain = 0;
  let loss = 0;
  for (let bar = start + 1; bar < x.length; bar++) {
    const change = (x[bar] as number) - (x[bar - 1] as number);
    if (bar > first) {
      gain *= period - 1;
      loss *= period - 1;
    }
    if (change < 0) loss -= change;
    else gain += change;
    if (bar < first) continue;
    gain /= period;
    loss /= period;
    const both = gain + loss;
    out[bar] = both < STILLNESS ? 0 : 100 * ((gain - loss) / both);
  }
  return out;
}

/** Place of `x` between `low` and `high` in percent, from bar `start` on. */
function placeInRange(
  x: Float64Array,
  low: Float64Array,
  high: Float64Array,
  start: number,
): Float64Array {
  const out = undefinedSeries(x.length);
  for (let bar = start; bar < x.length; bar++) {
    const bottom = low[bar] as number;
    const span = ((high[bar] as number) - bottom) / 100;
    out[bar] = span === 0 ? 0 : ((x[bar] as number) - bottom) / span;
  }
  return out;
}
