// The bar lengths that rules may name: `15m`, `1h`, `1d`, `1w`.

const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Longest that a rule may name, in milliseconds: a year of 366 days. */
const LONGEST_MS = 366 * 86_400_000;

/** In the largest unit that it is a whole number of, but for weeks: `60m` is `1h`, while `7d` counts from the
 * first of January 1970 and `1w` from Monday. Undefined: no timeframe, or too long a one. */
export function canonicalTimeframe(text: string): string | undefined {
  const [, digits, unit = ''] = /^([1-9][0-9]{0,6})([mhdw])$/.exec(text.toLowerCase()) ?? [];
  let count = Number(digits);
  const ms = count * (UNIT_MS[unit] ?? NaN);
  if (!(ms <= LONGEST_MS)) return undefined;
  if (unit === 'm' && count % 60 === 0) return canonicalTimeframe(`${count / 60}h`);
  if (unit === 'h' && count % 24 === 0) count /= 24;
  return unit === 'h' && ms === count * 86_400_000 ? `${count}d` : `${count}${unit}`;
}

/** `timeframe` is canonical. */
export function timeframeMsOf(timeframe: string): number {
  return Number(timeframe.slice(0, -1)) * (UNIT_MS[timeframe.slice(-1)] ?? NaN);
}

const FIRST_MONDAY_MS = 4 * 86_400_000;

/** Start of the bar of `timeframe` that `timeMs` falls into; UTC, weeks from Monday. */
export function timeframeStart(timeframe: string, timeMs: number): number {
  const lengthMs = timeframeMsOf(timeframe);
  const originMs = timeframe.endsWith('w') ? FIRST_MONDAY_MS : 0;
  return Math.floor((timeMs - originMs) / lengthMs) * lengthMs + originMs;
}
