// How far apart a file's bars are, and what is missing between them.

import type { Candles } from '../../kernel/job.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = {
  m: MINUTE_MS,
  h: 60 * MINUTE_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
};

/** Longest pause of a market that closes at weekends: Thursday evening to Tuesday morning. */
const HOLIDAY_MS = 5 * DAY_MS;

/** `5m`, `1h`, `1d`, `1w` in milliseconds. */
export function timeframeMs(timeframe: string): number {
  return Number(timeframe.slice(0, -1)) * (UNIT_MS[timeframe.slice(-1)] ?? NaN);
}

/** The most common distance of two bars, in milliseconds. */
export function commonStepMs({ timeMs, barCount }: Candles): number {
  const counts = new Map<number, number>();
  let best = 0;
  for (let bar = 1; bar < barCount; bar++) {
    const step = (timeMs[bar] as number) - (timeMs[bar - 1] as number);
    const count = (counts.get(step) ?? 0) + 1;
    counts.set(step, count);
    if (count > (counts.get(best) ?? 0)) best = step;
    // Irregular times must not fill memory; the common step has shown itself long before.
    if (counts.size > 10_000) break;
  }
  return best;
}

/** Places where bars are missing. A market without weekend bars pauses at weekends and holidays: there only
 * longer pauses count. */
export function countGaps(candles: Candles): number {
  const { timeMs, barCount } = candles;
  const stepMs = commonStepMs(candles);
  let hasWeekend = false;
  for (let bar = 0; bar < barCount && !hasWeekend; bar++) {
    hasWeekend = [0, 6].includes(new Date(timeMs[bar] as number).getUTCDay());
  }
  const allowedMs = hasWeekend ? stepMs : Math.max(stepMs, HOLIDAY_MS);
  let gaps = 0;
  for (let bar = 1; bar < barCount; bar++) {
    if ((timeMs[bar] as number) - (timeMs[bar - 1] as number) > allowedMs) gaps++;
  }
  return gaps;
}
