// The data files that a job file names: read, checked row by row, and compared with what the job file says of them.

import { createHash } from 'node:crypto';
import { describeMarket } from '../../kernel/engine/market.ts';
import type { Candles } from '../../kernel/job.ts';
import { isParquet, parseCandleFile } from './candle-file.ts';
import type { Finding, Path } from './place.ts';
import type { Problem } from './problem.ts';
import type { BacktestInput, DataInput } from './schema.ts';
import type { DateRange } from './split.ts';
import { commonStepMs, countGaps, timeframeMs } from './timeframe.ts';

export interface LoadedData {
  readonly file: string;
  /** Of the file as it is on disk. */
  readonly fileSha256: string;
  readonly candles: Candles;
  readonly warnings: readonly string[];
}

/** Who hands in the very same bytes again, as a loop over generations does, need not wait for them to be read again. */
const loadedBefore = new WeakMap<Uint8Array, LoadedData>();

export interface Faults {
  readonly findings: Finding[];
  /** In data files. */
  readonly problems: Problem[];
}

/** What stands under `data`, one entry for each dataset. */
export function dataEntries(data: BacktestInput['data']): { path: Path; data: DataInput }[] {
  if (!Array.isArray(data)) return [{ path: ['data'], data: entryOf(data) }];
  return data.map((one, index) => ({ path: ['data', index], data: entryOf(one) }));
}

function entryOf(data: string | DataInput): DataInput {
  return typeof data === 'string' ? { file: data } : data;
}

/** Reads the data files that the job file names, however faulty the rest of it is. Undefined when one is amiss. */
export async function loadData(
  data: unknown,
  readFile: (path: string) => Promise<Uint8Array>,
  faults: Faults,
): Promise<LoadedData[] | undefined> {
  const isList = Array.isArray(data);
  const named: readonly unknown[] = isList ? data : [data];
  const loaded: LoadedData[] = [];
  const byFile = new Map<string, LoadedData>();
  for (const [index, one] of named.entries()) {
    const base: Path = isList ? ['data', index] : ['data'];
    const file = typeof one === 'string' ? one : fileOf(one);
    if (typeof file !== 'string' || file === '') continue;
    const path = typeof one === 'string' ? base : [...base, 'file'];
    const known = byFile.get(file) ?? (await loadOne(file, path, readFile, faults));
    if (known === undefined) continue;
    byFile.set(file, known);
    loaded.push(known);
  }
  return loaded.length === named.length && named.length > 0 ? loaded : undefined;
}

async function loadOne(
  file: string,
  path: Path,
  readFile: (path: string) => Promise<Uint8Array>,
  { findings, problems }: Faults,
): Promise<LoadedData | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    findings.push({ path, message: readFault(file, error) });
    return undefined;
  }
  const known = loadedBefore.get(bytes);
  if (known?.file === file) return known;
  // The reader of Parquet is loaded for such files only.
  const parsed = isParquet(bytes)
    ? await (await import('./candle-parquet.ts')).parseCandleParquet(file, bytes)
    : parseCandleFile(file, bytes);
  if (!parsed.ok) {
    problems.push(...parsed.problems);
    return undefined;
  }
  const gaps = countGaps(parsed.candles);
  const warnings = [...parsed.warnings];
  if (gaps > 0) warnings.push(`bars are missing in ${gaps} places`);
  const loaded: LoadedData = {
    file,
    fileSha256: createHash('sha256').update(bytes).digest('hex'),
    candles: parsed.candles,
    warnings: warnings.map((warning) => `${file}: ${warning}`),
  };
  loadedBefore.set(bytes, loaded);
  return loaded;
}

/** Whether the data is what the job file says of it. */
export function dataFindings(
  path: Path,
  data: DataInput,
  { candles, fileSha256 }: LoadedData,
): Finding[] {
  const findings: Finding[] = [];
  if (data.sha256 !== undefined && data.sha256 !== fileSha256) {
    findings.push({ path: [...path, 'sha256'], message: `the file's SHA-256 is ${fileSha256}` });
  }
  const stepMs = commonStepMs(candles);
  if (data.timeframe !== undefined && timeframeMs(data.timeframe) !== stepMs) {
    const message = `the file's bars are ${stepMs / 60_000} minutes apart`;
    findings.push({ path: [...path, 'timeframe'], message });
  }
  const { fromMs, toMs } = rangeOf(data);
  const { first, end } = describeMarket(candles, fromMs, toMs);
  if (end - first < 2) {
    const at = (bar: number): string => new Date(candles.timeMs[bar] ?? NaN).toISOString();
    const message = `fewer than two bars in this range; the file goes from ${at(0)} to ${at(candles.barCount - 1)}`;
    findings.push({ path: [...path, data.from === undefined ? 'to' : 'from'], message });
  }
  return findings;
}

/** The bars that count, as the job file says. */
export function rangeOf({ from, to }: DataInput): DateRange {
  return {
    fromMs: from === undefined ? null : Date.parse(from),
    toMs: to === undefined ? null : Date.parse(to),
  };
}

function fileOf(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null && 'file' in entry ? entry.file : undefined;
}

function readFault(file: string, error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'ENOENT') return `there is no file "${file}"`;
  if (code === 'EISDIR') return `"${file}" is a directory: name a file of candles in it`;
  return error instanceof Error ? error.message : `cannot read "${file}"`;
}
