// Indicators that weigh prices by volume: OBV, MFI, VWAP.

import type { Candles } from '../job.ts';
import { undefinedSeries } from './averages.ts';

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
 * did. Defined from bar `period`. */
export function moneyFlow(candles: Candles, period: number): Float64Array {
  const { volume, barCount } = candles;
  const typical = typicalPrice(candles);
  const out = undefinedSeries(barCount);
  const rising = new RunningSum();
  const falling = new RunningSum();
  const changeAt = (bar: number): number => (typical[bar] as number) - (typical[bar - 1] as number);
  const flowAt = (bar: number): number => (typical[bar] as number) * (volume[bar] as number);
  for (let bar = 1; bar < barCount; bar++) {
    if (bar > period) {
      const change = changeAt(bar - period);
      if (change > 0) rising.remove(flowAt(bar - period));
      else if (change < 0) falling.remove(flowAt(bar - period));
    }
    const change = changeAt(bar);
    if (change > 0) rising.add(flowAt(bar));
    else if (change < 0) falling.add(flowAt(bar));
    if (bar < period) continue;
    const both = rising.sum + falling.sum;
    out[bar] = both > 0 ? 100 * (rising.sum / both) : 0;
  }
  return out;
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

/** A sum that is exactly zero again when all that was added has been removed. */
class RunningSum {
  #sum = 0;
  #terms = 0;

  get sum(): number {
    return this.#sum;
  }

  add(term: number): void {
    this.#sum += term;
    this.#terms++;
  }

  remove(term: number): void {
    this.#terms--;
    this.#sum = this.#terms === 0 ? 0 : this.#sum - term;
  }
}
