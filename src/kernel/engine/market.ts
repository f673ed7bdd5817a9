// What all tasks of a job share about its data: the bars that count, where UTC days end, and how many trading
// days make a year.

import type { Candles } from '../job.ts';

export interface Market {
  readonly candles: Candles;
  /** First bar of the date range, and the bar after its last. */
  readonly first: number;
  readonly end: number;
  /** 1 at the last bar of each UTC day. */
  readonly isDayEnd: Uint8Array;
  /** UTC days in the range that have bars. */
  readonly dayCount: number;
  /** 365 when the file has bars on a Saturday or Sunday, else 252. */
  readonly annualDays: 252 | 365;
  /** From the range's first bar to its last, in years of 365.25 days. */
  readonly years: number;
}

const DAY_MS = 86_400_000;

export function describeMarket(
  candles: Candles,
  fromMs: number | null,
  toMs: number | null,
): Market {
  const { timeMs, barCount } = candles;
  const first = fromMs === null ? 0 : lowerBound(timeMs, fromMs);
  const end = Math.max(first, toMs === null ? barCount : lowerBound(timeMs, toMs));
  const isDayEnd = new Uint8Array(barCount);
  let hasWeekend = false;
  for (let bar = 0; bar < barCount; bar++) {
    const day = Math.floor((timeMs[bar] as number) / DAY_MS);
    const next = bar + 1 < barCount ? Math.floor((timeMs[bar + 1] as number) / DAY_MS) : NaN;
    isDayEnd[bar] = day === next ? 0 : 1;
    // 1970-01-01 was a Thursday: day 2 a Saturday, day 3 a Sunday.
    const weekday = (((day + 4) % 7) + 7) % 7;
    hasWeekend ||= weekday === 0 || weekday === 6;
  }
  let dayCount = 0;
  for (let bar = first; bar < end; bar++) {
    if (isDayEnd[bar] === 1 || bar === end - 1) dayCount++;
  }
  const spanMs = end > first ? (timeMs[end - 1] as number) - (timeMs[first] as number) : 0;
  return {
    candles,
    first,
    end,
    isDayEnd,
    dayCount,
    annualDays: hasWeekend ? 365 : 252,
    years: spanMs / (365.25 * DAY_MS),
  };
}

/** Index of the first time at or after `wantedMs`. */
function lowerBound(timeMs: Float64Array, wantedMs: number): number {
  let low = 0;
  let high = timeMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timeMs[middle] as number) < wantedMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
