// Candles from a seed: a market that never was, the same bytes on every machine. For examples, demonstrations
// and measurements where real data would be too large to ship.

import type { Candles } from '../../kernel/job.ts';
import { Random } from '../../kernel/random.ts';

export interface SyntheticMarket {
  readonly seed: number;
  readonly bars: number;
  readonly stepMs: number;
  readonly startMs: number;
}

/** Typical move of one bar, as a fraction of the price. */
const MOVE = 0.002;
const FIRST_PRICE = 30_000;
/** Prices have two decimals. */
const TICK = 100;

/** A random walk whose size of moves swells and ebbs over some 500 bars, as real ones do. */
export function syntheticCandles({ seed, bars, stepMs, startMs }: SyntheticMarket): Candles {
  const random = new Random(seed);
  const column = (): Float64Array => new Float64Array(bars);
  const candles = {
    barCount: bars,
    timeMs: column(),
    open: column(),
    high: column(),
    low: column(),
    close: column(),
    volume: column(),
  };
  let price = FIRST_PRICE;
  let heat = 1;
  for (let bar = 0; bar < bars; bar++) {
    heat += (1 - heat) / 500 + 0.05 * bell(random);
    heat = Math.min(3, Math.max(0.3, heat));
    const size = MOVE * heat * price;
    // Pulled back towards the first price, so that a long series neither dies nor flies away.
    const pull = (0.000_02 * (FIRST_PRICE - price)) / FIRST_PRICE;
    const open = round(price);
    const close = Math.max(1, round(open * (1 + pull) + size * bell(random)));
    const high = round(Math.max(open, close) + size * Math.abs(bell(random)) * 0.6);
    const low = Math.max(0.5, round(Math.min(open, close) - size * Math.abs(bell(random)) * 0.6));
    candles.timeMs[bar] = startMs + bar * stepMs;
    candles.open[bar] = open;
    candles.high[bar] = high;
    candles.low[bar] = low;
    candles.close[bar] = close;
    candles.volume[bar] = round(5 * heat * (0.2 + random.nextUnit()));
    price = close;
  }
  return candles;
}

/** A draw around 0 with deviation 1: the sum of four uniform draws, no logarithm needed. */
function bell(random: Random): number {
  const sum = random.nextUnit() + random.nextUnit() + random.nextUnit() + random.nextUnit();
  return (sum - 2) * Math.sqrt(3);
}

function round(value: number): number {
  return Math.round(value * TICK) / TICK;
}
