// The time column of a CSV file: ISO dates with or without a time, days before months with points between them, and
// epoch seconds, milliseconds, microseconds or nanoseconds. A time without a zone is UTC; nothing here depends on where the machine stands.

const ISO =
  /^(\d{4})[-/.](\d{2})[-/.](\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|z|UTC|[+-]\d{2}:?\d{2})?$/;
const COMPACT = /^(\d{4})(\d{2})(\d{2})(?:[T ](\d{2}):?(\d{2})(?::?(\d{2}))?)?$/;
/** `31.01.2024 10:05:00.000`: with points the day always comes first; with slashes nobody knows. */
const DAY_FIRST = /^(\d{2})\.(\d{2})\.(\d{4})(.*)$/;
/** CryptoDataDownload's older hours: `2020-01-01 01-PM`. */
const HALF_DAY = /^(\d{4}-\d{2}-\d{2}) (0\d|1[0-2])-([AP])M$/;
const EPOCH = /^\d{9,19}(?:\.\d+)?$/;

/** Epoch milliseconds; NaN when the cell is no time. */
export function parseTimeCell(cell: string): number {
  const plain = plainMs(cell);
  if (plain !== undefined) return plain;
  if (EPOCH.test(cell)) return epochMs(Number(cell));
  const half = HALF_DAY.exec(cell);
  if (half !== null) {
    const [, day = '', hour, letter] = half;
    // Twelve comes before one; there is no hour 0.
    if (hour === '00') return NaN;
    return parseTimeCell(day) + ((Number(hour) % 12) + (letter === 'P' ? 12 : 0)) * 3_600_000;
  }
  const parts = ISO.exec(cell.replace(DAY_FIRST, '$3.$2.$1$4')) ?? COMPACT.exec(cell);
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

/** The day of the last plain cell: rows of one day follow each other. */
let lastDay = '';
let lastDayMs = NaN;

/** `2024-01-31 10:05:00` and `2024-01-31T10:05:00Z`, what most files hold, a few times faster than by pattern;
 * undefined: look closer. */
function plainMs(cell: string): number | undefined {
  const isPlain = cell.length === 19 || (cell.length === 20 && cell.endsWith('Z'));
  if (!isPlain || cell[13] !== ':' || cell[16] !== ':') return undefined;
  if (cell[10] !== ' ' && cell[10] !== 'T') return undefined;
  if (cell[4] !== '-' || cell[7] !== '-') return undefined;
  const day = cell.slice(0, 10);
  if (day !== lastDay) {
    lastDayMs = parseTimeCell(day);
    lastDay = day;
  }
  const h = twoDigits(cell, 11);
  const m = twoDigits(cell, 14);
  const s = twoDigits(cell, 17);
  // NaN is no number up to a bound either.
  return h <= 23 && m <= 59 && s <= 59 ? lastDayMs + ((h * 60 + m) * 60 + s) * 1000 : undefined;
}

function twoDigits(cell: string, at: number): number {
  const tens = cell.charCodeAt(at) - ZERO;
  const ones = cell.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

const ZERO = 0x30;

/** The unit is told by the size: seconds reach 1e11 in the year 5138, milliseconds were there in 1973. */
export function epochMs(value: number): number {
  if (value < 1e11) return Math.round(value * 1000);
  if (value < 1e14) return Math.round(value);
  return Math.floor(value / (value < 1e17 ? 1000 : 1e6));
}

function zoneMs(zone: string | undefined): number {
  if (zone === undefined || !/^[+-]/.test(zone)) return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -1 : 1) * minutes * 60_000;
}
