// The time column of a CSV file: ISO dates with or without a time, and epoch seconds, milliseconds or
// microseconds. A time without a zone is UTC; nothing here depends on where the machine stands.

const ISO =
  /^(\d{4})[-/.](\d{2})[-/.](\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|z|UTC|[+-]\d{2}:?\d{2})?$/;
const COMPACT = /^(\d{4})(\d{2})(\d{2})$/;
const EPOCH = /^\d{9,17}(?:\.\d+)?$/;

/** Epoch milliseconds; NaN when the cell is no time. */
export function parseTimeCell(cell: string): number {
  if (EPOCH.test(cell)) return epochMs(Number(cell));
  const parts = ISO.exec(cell) ?? COMPACT.exec(cell);
  if (parts === null) return NaN;
  const [, year, month, day, hour, minute, second, fraction, zone] = parts;
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // Date.UTC rolls 31 April over to 1 May: such a date is none.
  if (new Date(date).getUTCDate() !== Number(day) || Number(month) > 12) return NaN;
  const h = Number(hour ?? 0);
  const m = Number(minute ?? 0);
  const s = Number(second ?? 0);
  if (h > 23 || m > 59 || s > 59) return NaN;
  const ms = fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1000 + 1e-6);
  return date + ((h * 60 + m) * 60 + s) * 1000 + ms - zoneMs(zone);
}

/** The unit is told by the size: seconds reach 1e11 in the year 5138, milliseconds were there in 1973. */
function epochMs(value: number): number {
  if (value < 1e11) return Math.round(value * 1000);
  if (value < 1e14) return Math.round(value);
  return Math.floor(value / 1000);
}

function zoneMs(zone: string | undefined): number {
  if (zone === undefined || !/^[+-]/.test(zone)) return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -1 : 1) * minutes * 60_000;
}
