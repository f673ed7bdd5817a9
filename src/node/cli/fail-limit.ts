// --max-fails N or P%: how many failed backtests a job may have before it is not worth going on.
import { MeshError } from '../errors.ts';

export interface FailLimit {
  /** As it was typed. */
  readonly text: string;
  readonly count: number | undefined;
  /** 0..1 of the job's tasks. */
  readonly fraction: number | undefined;
}

export function parseFailLimit(text: string): FailLimit {
  const [, digits = '', percent] = /^([\d_]+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const value = Number(digits.replaceAll('_', ''));
  const isPercent = percent === '%';
  const fits = isPercent ? value <= 100 : Number.isSafeInteger(value);
  if (digits === '' || !fits) {
    throw new MeshError('USAGE', `--max-fails must be 20 or 5%, not "${text.slice(0, 60)}"`);
  }
  return isPercent
    ? { text, count: undefined, fraction: value / 100 }
    : { text, count: value, fraction: undefined };
}

/** So many may fail; one more is too many. */
export function failLimitOf({ count, fraction }: FailLimit, tasks: number): number {
  return count ?? Math.floor((fraction ?? 1) * tasks);
}
