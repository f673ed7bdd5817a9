// One line of the log, and whether somebody who looks for something wants it. Pure.
import { MeshError } from '../errors.ts';

export interface LogLine {
  /** As pino counts: 30 info, 40 warn, 50 error. */
  readonly level: number;
  /** Epoch ms. */
  readonly time: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;
export type LogLevel = keyof typeof LEVELS;

export interface LogQuery {
  /** This level and worse. */
  readonly level?: LogLevel;
  /** Epoch ms. */
  readonly sinceMs?: number;
  /** A whole job id, or the beginning of one. */
  readonly job?: string;
  readonly task?: number;
  /** Only the last so many of the lines that are there. */
  readonly last?: number;
  /** Goes on with what comes. */
  readonly follow?: boolean;
}

export function parseLevel(text: string): LogLevel {
  const found = Object.keys(LEVELS).find((name) => name === text);
  if (found === undefined) {
    throw new MeshError('USAGE', `--level must be one of ${Object.keys(LEVELS).join(', ')}`);
  }
  return found as LogLevel;
}

export function levelName(level: number): string {
  const entries = Object.entries(LEVELS);
  return (entries.findLast(([, value]) => value <= level) ?? entries[0])?.[0] ?? 'info';
}

/** Undefined for half a line, and for what is none of ours. */
export function parseLogLine(text: string): LogLine | undefined {
  try {
    const value = JSON.parse(text) as Partial<LogLine> | null;
    const isOurs =
      typeof value?.level === 'number' &&
      typeof value.time === 'number' &&
      typeof value.msg === 'string';
    return isOurs ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

export function isWanted(line: LogLine, { level, sinceMs, job, task }: LogQuery): boolean {
  if (level !== undefined && line.level < LEVELS[level]) return false;
  if (sinceMs !== undefined && line.time < sinceMs) return false;
  if (job !== undefined && !namesJob(line, job)) return false;
  return task === undefined || namesTask(line, task);
}

function namesJob({ job }: LogLine, wanted: string): boolean {
  return typeof job === 'string' && bare(job).startsWith(bare(wanted));
}

function bare(id: string): string {
  return id.startsWith('j-') ? id.slice(2) : id;
}

/** A line is about a task by its number, or by intervals that hold it. */
function namesTask({ task, intervals }: LogLine, wanted: number): boolean {
  if (task === wanted) return true;
  if (!Array.isArray(intervals)) return false;
  return intervals.some(
    (interval: unknown) =>
      Array.isArray(interval) && Number(interval[0]) <= wanted && wanted < Number(interval[1]),
  );
}
