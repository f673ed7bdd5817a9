// Candles of a longer timeframe, made of the data's own, and when each of them may be seen: at a bar's close, only
// what has ended by then. The data's closest two bars say how long a bar lasts; so no bar is taken to end after
// the next one has begun, and none that is seen can still change.

import type { Candles } from '../job.ts';
import { timeframeMsOf, timeframeStart } from '../language/timeframe.ts';

export interface HigherTimeframe {
  readonly candles: Candles;
  /** Of each bar of the data, the higher bar that ended last by its close; -1: none yet. */
  readonly lastEnded: Int32Array;
}

/** Bars of the timeframe in which the data has no bar do not exist. */
export function higherTimeframe(base: Candles, timeframe: string): HigherTimeframe {
  const { barCount, timeMs } = base;
  const starts: number[] = [];
  const memberOf = new Int32Array(barCount);
  for (let bar = 0; bar < barCount; bar++) {
    const startMs = timeframeStart(timeframe, timeMs[bar] as number);
    if (startMs !== starts.at(-1)) starts.push(startMs);
    memberOf[bar] = starts.length - 1;
  }
  const candles = emptyCandles(starts);
  for (let bar = 0; bar < barCount; bar++) {
    const at = memberOf[bar] as number;
    const isFirst = bar === 0 || at !== memberOf[bar - 1];
    if (isFirst) {
      candles.open[at] = base.open[bar] as number;
      candles.high[at] = base.high[bar] as number;
      candles.low[at] = base.low[bar] as number;
    }
    candles.high[at] = Math.max(candles.high[at] as number, base.high[bar] as number);
    candles.low[at] = Math.min(candles.low[at] as number, base.low[bar] as number);
    candles.close[at] = base.close[bar] as number;
    candles.volume[at] = (candles.volume[at] as number) + (base.volume[bar] as number);
  }
  const stepMs = shortestStepMs(timeMs);
  const lengthMs = timeframeMsOf(timeframe);
  const lastEnded = memberOf.map((member, bar) => {
    const hasEnded = (timeMs[bar] as number) + stepMs >= (starts[member] as number) + lengthMs;
    return hasEnded ? member : member - 1;
  });
  return { candles, lastEnded };
}

function emptyCandles(starts: readonly number[]): Candles {
  const column = (): Float64Array => new Float64Array(starts.length);
  return {
    barCount: starts.length,
    timeMs: Float64Array.from(starts),
    open: column(),
    high: column(),
    low: column(),
    close: column(),
    volume: column(),
  };
}

function shortestStepMs(timeMs: Float64Array): number {
  let shortest = Infinity;
  for (let bar = 1; bar < timeMs.length; bar++) {
    shortest = Math.min(shortest, (timeMs[bar] as number) - (timeMs[bar - 1] as number));
  }
  // One bar alone says nothing of its length.
  return shortest === Infinity ? 0 : shortest;
}
