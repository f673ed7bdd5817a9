// Indicators that weigh prices by volume: OBV, MFI, VWAP.

import type { Candles } from '../job.ts';
import { undefinedSeries } from './averages.ts';
import { windowSum } from './window.ts';

/** Volume added on bars that close higher and taken off on bars that close lower; begins with the first bar's
 * volume. Defined from bar 0. */
export function onBalanceVolume({ close, volume, barCount }: Candles): Float64Array {
  const out = new Float64Array(barCount);
  let total = 0;
  for (let bar = 0; bar < barCount; bar++) {
    const change = bar === 0 ? 1 : (close[bar] as number) - (close[bar - 1] as number);
    if (change > 0) total += volume[bar] as number;
    else if (change < 0) total -= volume[bar] as number;
    out[bar] = total;
  }
  return out;
}

/** Share of the traded value on bars whose typical price rose, of all that moved, in percent; 0 where nothing
 * did. TA-Lib also takes a traded value below 1 for nothing. Defined from bar `period`. */
export function moneyFlow(candles: Candles, period: number): Float64Array {
  const { volume, barCount } = candles;
  const typical = typicalPrice(candles);
  const rising = new Float64Array(barCount);
  const falling = new Float64Array(barCount);
  for (let bar = 1; bar < barCount; bar++) {
    const change = (typical[bar] as number) - (typical[bar - 1] as number);
    const flow = (typical[bar] as number) * (volume[bar] as number);
    if (change > 0) rising[bar] = flow;
    else if (change < 0) falling[bar] = flow;
  }
  const up = windowSum(rising, 1, period);
  const down = windowSum(falling, 1, period);
  return up.map((sum, bar) => {
    const both = sum + (down[bar] as number);
    return both === 0 ? 0 : 100 * (sum / both);
  });
}

/** Mean typical price since midnight UTC, weighted by volume; undefined until the day has volume. Defined from
 * bar 0. */
export function vwap(candles: Candles): Float64Array {
  const { timeMs, volume, barCount } = candles;
  const typical = typicalPrice(candles);
  const out = undefinedSeries(barCount);
  let day = NaN;
  let value = 0;
  let weight = 0;
  for (let bar = 0; bar < barCount; bar++) {
    const today = Math.floor((timeMs[bar] as number) / DAY_MS);
    if (today !== day) {
      day = today;
      value = 0;
      weight = 0;
    }
    value += (typical[bar] as number) * (volume[bar] as number);
    weight += volume[bar] as number;
    if (weight > 0) out[bar] = value / weight;
  }
  return out;
}

const DAY_MS = 86_400_000;

function typicalPrice({ high, low, close }: Candles): Float64Array {
  return close.map((value, bar) => ((high[bar] as number) + (low[bar] as number) + value) / 3);
}
