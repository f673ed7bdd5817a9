// Values of flags, read once and the same way everywhere. A value that cannot be read ends as USAGE and names its
// flag.
import { PRIORITY_MAX, PRIORITY_MIN, WEIGHT_MAX } from '../../stealing/turns.ts';
import { MeshError } from '../errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;
/** Longer waits are a mistake, and timers of Node end at 2^31 ms. */
const DURATION_MS_MAX = 7 * 24 * 3_600_000;

/** 90s 10m 1h30m 250ms; a bare number means seconds. */
export function parseDuration(text: string, flag: string): number {
  const withUnit = /^\d+(?:\.\d+)?$/.test(text) ? `${text}s` : text;
  if (!DURATION.test(withUnit)) throw badValue(flag, text, 'a duration such as 90s, 10m or 1h30m');
  let ms = 0;
  for (const [, digits, unit] of withUnit.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    ms += Number(digits) * (UNIT_MS[unit ?? ''] ?? NaN);
  }
  if (!(ms <= DURATION_MS_MAX)) throw badValue(flag, text, 'at most seven days');
  return Math.round(ms);
}

/** Whole number within bounds; 1_000_000 is fine. */
export function parseWhole(
  text: string,
  flag: string,
  bounds: { min: number; max: number },
): number {
  const digits = text.replaceAll('_', '');
  const value = Number(digits);
  if (!/^\d+$/.test(digits) || value < bounds.min || value > bounds.max) {
    throw badValue(flag, text, `a whole number from ${bounds.min} to ${bounds.max}`);
  }
  return value;
}

export function parseNumber(text: string, flag: string): number {
  const value = text.trim() === '' ? NaN : Number(text.replaceAll('_', ''));
  if (!Number.isFinite(value)) throw badValue(flag, text, 'a number');
  return value;
}

export function parseChoice<T extends string>(
  text: string,
  flag: string,
  choices: readonly T[],
): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw badValue(flag, text, `one of ${choices.join(', ')}`);
  return found;
}

function badValue(flag: string, text: string, expected: string): MeshError {
  return new MeshError('USAGE', `${flag} must be ${expected}, not "${text.slice(0, 60)}"`);
}

/** Whole number with a sign. */
export function parsePriority(text: string): number {
  const value = /^[+-]?\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= PRIORITY_MIN && value <= PRIORITY_MAX)) {
    throw badValue('--priority', text, `a whole number from ${PRIORITY_MIN} to ${PRIORITY_MAX}`);
  }
  return value;
}

/** ms. A loop that never ends is noticed after some tenths of a second, so less than a second means little. */
export function parseTaskTimeout(text: string): number {
  const ms = parseDuration(text, '--task-timeout');
  if (ms < 1_000) throw badValue('--task-timeout', text, 'at least 1s');
  return ms;
}

export function parseWeight(text: string): number {
  return parseWhole(text, '--weight', { min: 1, max: WEIGHT_MAX });
}

const UNIT_BYTES: Readonly<Record<string, number>> = { M: 2 ** 20, G: 2 ** 30 };
/** Less does not hold a year of five-minute candles and what is computed of them. */
const MEMORY_BYTES_MIN = 16 * 2 ** 20;

/** 512M or 4G, in bytes. */
export function parseMemory(text: string, flag = '--memory'): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([MG])i?B?$/.exec(text) ?? [];
  const bytes = Math.round(Number(digits) * (UNIT_BYTES[unit] ?? Number.NaN));
  if (!(bytes >= MEMORY_BYTES_MIN)) {
    throw badValue(flag, text, 'a size such as 512M or 4G, 16M at least');
  }
  return bytes;
}

/** Slots of one peer: more than this on one machine is a typo. */
const SLOTS_MAX = 1024;

export function parseSlots(text: string): number {
  return parseWhole(text, '--slots', { min: 1, max: SLOTS_MAX });
}
