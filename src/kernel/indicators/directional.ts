// Wilder's directional indicators with TA-Lib's order of operations: +DI, -DI, ADX, and the parabolic SAR.

import type { Candles } from '../job.ts';
import { STILLNESS, undefinedSeries } from './averages.ts';
import { trueRange } from './ranges.ts';

/** Share of the true range that went up to new highs, smoothed, in percent. Defined from bar `period`. */
export function plusDi(candles: Candles, period: number): Float64Array {
  return directional(candles, period).plus;
}

/** Share of the true range that went down to new lows, smoothed, in percent. Defined from bar `period`. */
export function minusDi(candles: Candles, period: number): Float64Array {
  return directional(candles, period).minus;
}

/** Wilder's average of |+DI - -DI| / (+DI + -DI), in percent; a bar without any direction leaves it as it is.
 * Defined from bar 2 period - 1. */
export function adx(candles: Candles, period: number): Float64Array {
  const { plus, minus } = directional(candles, period);
  const out = undefinedSeries(candles.barCount);
  const first = 2 * period - 1;
  if (first >= candles.barCount) return out;
  const indexAt = (bar: number): number => {
    const up = plus[bar] as number;
    const down = minus[bar] as number;
    return up + down < STILLNESS ? NaN : 100 * (Math.abs(down - up) / (up + down));
  };
  let sum = 0;
  for (let bar = period; bar <= first; bar++) {
    const index = indexAt(bar);
    if (!Number.isNaN(index)) sum += index;
  }
  let average = sum / period;
  out[first] = average;
  for (let bar = first + 1; bar < candles.barCount; bar++) {
    const index = indexAt(bar);
    if (!Number.isNaN(index)) average = (average * (period - 1) + index) / period;
    out[bar] = average;
  }
  return out;
}

/** Wilder's sums start with the `period - 1` changes before the first value; each later bar takes a part of
 * 1 / period out and puts its own in. */
function directional(
  candles: Candles,
  period: number,
): { readonly plus: Float64Array; readonly minus: Float64Array } {
  const { high, low, barCount } = candles;
  const plus = undefinedSeries(barCount);
  const minus = undefinedSeries(barCount);
  const range = trueRange(candles);
  let up = 0;
  let down = 0;
  let extent = 0;
  for (let bar = 1; bar < barCount; bar++) {
    const rise = (high[bar] as number) - (high[bar - 1] as number);
    const fall = (low[bar - 1] as number) - (low[bar] as number);
    if (bar >= period) {
      up -= up / period;
      down -= down / period;
      extent -= extent / period;
    }
    if (rise > 0 && rise > fall) up += rise;
    if (fall > 0 && fall > rise) down += fall;
    extent += range[bar] as number;
    if (bar < period) continue;
    plus[bar] = extent < STILLNESS ? 0 : 100 * (up / extent);
    minus[bar] = extent < STILLNESS ? 0 : 100 * (down / extent);
  }
  return { plus, minus };
}

/** The stop of a position that is always in the market: it moves towards the extreme by a part that grows with
 * every new extreme, never into the last two bars, and turns round when a bar touches it. Starts short when the
 * second bar's low falls by more than its high rises. Defined from bar 1. */
export function parabolicSar(candles: Candles, step: number, most: number): Float64Array {
  const { high, low, barCount } = candles;
  const out = undefinedSeries(barCount);
  if (barCount < 2) return out;
  const highAt = (bar: number): number => high[bar] as number;
  const lowAt = (bar: number): number => low[bar] as number;
  const growth = Math.min(step, most);
  const firstFall = lowAt(0) - lowAt(1);
  let isLong = !(firstFall > 0 && firstFall > highAt(1) - highAt(0));
  let extreme = isLong ? highAt(1) : lowAt(1);
  let stop = isLong ? lowAt(0) : highAt(0);
  let speed = growth;
  for (let bar = 1; bar < barCount; bar++) {
    // The first value knows one bar only.
    const before = Math.max(bar - 1, 1);
    const floor = Math.min(lowAt(before), lowAt(bar));
    const ceiling = Math.max(highAt(before), highAt(bar));
    if (isLong ? lowAt(bar) <= stop : highAt(bar) >= stop) {
      isLong = !isLong;
      stop = isLong ? Math.min(extreme, floor) : Math.max(extreme, ceiling);
      extreme = isLong ? highAt(bar) : lowAt(bar);
      speed = growth;
      out[bar] = stop;
    } else {
      out[bar] = stop;
      const reached = isLong ? highAt(bar) : lowAt(bar);
      if (isLong ? reached > extreme : reached < extreme) {
        extreme = reached;
        speed = Math.min(speed + growth, most);
      }
    }
    stop += speed * (extreme - stop);
    stop = isLong ? Math.min(stop, floor) : Math.max(stop, ceiling);
  }
  return out;
}
