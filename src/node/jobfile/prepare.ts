// From a user's job file to what the mesh carries: a spec blob and dataset blobs, addressed by their hashes.
// Everything is checked before anything is submitted, and all that is wrong is reported at once.

import { createHash } from 'node:crypto';
import { encodeCandles } from '../../kernel/candles.ts';
import { describeMarket } from '../../kernel/engine/market.ts';
import type { Candles } from '../../kernel/job.ts';
import type { JobSpec } from '../../kernel/spec.ts';
import { buildBacktestSpec, buildSpinSpec, dataOf } from './build-spec.ts';
import { parseCandleFile } from './candle-file.ts';
import { formFindings } from './form-findings.ts';
import { type GenomesTranslated, translateGenomes } from './genome-file.ts';
import { firstTooDeep } from './nesting.ts';
import { type Finding, type Path, locateFindings, problemAt, syntaxProblems } from './place.ts';
import type { Problem } from './problem.ts';
import { ruleFindings } from './rule-findings.ts';
import { type BacktestInput, backtestSchema, spinSchema } from './schema.ts';
import { SPEC_BYTES_MAX, specFault, taskCountOf, writeSpec } from './spec-blob.ts';
import { commonStepMs, countGaps, timeframeMs } from './timeframe.ts';

export { formatProblems } from './problem.ts';

export interface PrepareInput {
  /** As the user named it; only shown. */
  readonly fileName: string;
  readonly text: string;
  /** Gets paths as they stand in the file, relative to it. Rejects with a sentence. */
  readFile(path: string): Promise<Uint8Array>;
  /** From the command line; they win over the file. */
  readonly overrides?: {
    readonly dataFile?: string;
    readonly cash?: number;
    readonly fee?: number;
  };
}

export interface PreparedJob {
  readonly name: string;
  readonly kernel: 'backtest' | 'spin';
  readonly spec: JobSpec;
  /** Canonical JSON of `spec`: the job blob. */
  readonly specBytes: Uint8Array;
  readonly datasets: readonly PreparedDataset[];
  readonly taskCount: number;
  readonly warnings: readonly string[];
}

interface PreparedDataset {
  /** Of `bytes`, in hex. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly barCount: number;
}

export type Prepared =
  | { readonly ok: true; readonly prepared: PreparedJob }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export async function prepareJob(input: PrepareInput): Promise<Prepared> {
  const text = input.text.startsWith('\uFEFF') ? input.text.slice(1) : input.text;
  const { fileName } = input;
  const tooDeep = firstTooDeep(text);
  if (tooDeep !== undefined) {
    return { ok: false, problems: [problemAt(fileName, text, tooDeep, 'nested too deeply')] };
  }
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return { ok: false, problems: syntaxProblems(fileName, text) };
  }
  const genomes = translateGenomes(file);
  const outcome = await prepareParsed(withOverrides(genomes.file, input.overrides), genomes, input);
  if (outcome.prepared !== undefined) return { ok: true, prepared: outcome.prepared };
  const located = locateFindings(fileName, text, outcome.findings);
  return { ok: false, problems: [...located, ...outcome.problems] };
}

interface Outcome {
  readonly prepared?: PreparedJob;
  readonly findings: readonly Finding[];
  /** In data files. */
  readonly problems: readonly Problem[];
}

async function prepareParsed(
  file: unknown,
  genomes: GenomesTranslated,
  input: PrepareInput,
): Promise<Outcome> {
  return fieldOf(file, 'kernel') === 'spin'
    ? prepareSpin(file, input)
    : prepareBacktest(file, genomes, input);
}

function prepareSpin(file: unknown, input: PrepareInput): Outcome {
  const form = spinSchema.safeParse(file);
  if (!form.success) return faulty(formFindings(form.error.issues, file));
  const spec = buildSpinSpec(form.data);
  const fault = specFault(spec);
  if (fault !== undefined) return faulty([{ path: ['tasks'], message: fault }]);
  return finish(spec, { name: form.data.name, input, datasets: [], warnings: [] });
}

async function prepareBacktest(
  file: unknown,
  genomes: GenomesTranslated,
  input: PrepareInput,
): Promise<Outcome> {
  if (genomes.isBare && fieldOf(file, 'data') === undefined) {
    const hint = 'mesh submit FILE --data candles.csv';
    return faulty([{ path: [], message: 'genomes name no candles', hint }]);
  }
  const outcome = await checkBacktest(file, genomes, input);
  if (outcome.prepared !== undefined) return outcome;
  const findings = outcome.findings.map((finding) => ({
    ...finding,
    path: genomes.originalPath(finding.path),
  }));
  return { findings: [...genomes.findings, ...findings], problems: outcome.problems };
}

async function checkBacktest(
  file: unknown,
  genomes: GenomesTranslated,
  input: PrepareInput,
): Promise<Outcome> {
  const form = backtestSchema.safeParse(file);
  const findings: Finding[] = form.success ? [] : formFindings(form.error.issues, file);
  const problems: Problem[] = [];
  const data = await loadData(file, input, findings, problems);
  const rules = ruleFindings(file, data?.candles.barCount);
  // What the form refuses already needs no second complaint.
  const refused = new Set(findings.map(({ path }) => path.join('.')));
  findings.push(...rules.findings.filter(({ path }) => !refused.has(path.join('.'))));
  const isSound = findings.length === 0 && genomes.findings.length === 0;
  if (!form.success || data === undefined || !isSound) return { findings, problems };
  findings.push(...dataFindings(form.data, data), ...timeframeFindings(genomes, data));
  if (findings.length > 0) return faulty(findings);
  const bytes = encodeCandles(data.candles);
  const dataset = { sha256: sha256(bytes), bytes, file: data.file };
  const spec = buildBacktestSpec(form.data, dataset.sha256);
  const fault = specFault(spec);
  if (fault !== undefined) return faulty([{ path: [], message: fault }]);
  return finish(spec, {
    name: form.data.name,
    input,
    datasets: [{ ...dataset, barCount: data.candles.barCount }],
    warnings: [...genomes.warnings, ...rules.warnings, ...data.warnings],
  });
}

interface LoadedData {
  readonly file: string;
  /** Of the file as it is on disk. */
  readonly fileSha256: string;
  readonly candles: Candles;
  readonly warnings: readonly string[];
}

/** Reads the data file if the job file names one, however faulty the rest of it is. */
async function loadData(
  file: unknown,
  input: PrepareInput,
  findings: Finding[],
  problems: Problem[],
): Promise<LoadedData | undefined> {
  const data = fieldOf(file, 'data');
  if (Array.isArray(data) && data.length > 1) {
    // The form complains of the length; this says why.
    const index = findings.findIndex(({ path }) => path.join('.') === 'data');
    const message = 'several datasets in one job are known but not built yet';
    findings.splice(index < 0 ? findings.length : index, index < 0 ? 0 : 1, {
      path: ['data'],
      message,
    });
    return undefined;
  }
  const named: unknown = Array.isArray(data) ? data[0] : data;
  const path: Path =
    typeof named === 'string'
      ? ['data']
      : Array.isArray(data)
        ? ['data', 0, 'file']
        : ['data', 'file'];
  const dataFile = typeof named === 'string' ? named : fieldOf(named, 'file');
  if (typeof dataFile !== 'string' || dataFile === '') return undefined;
  let bytes: Uint8Array;
  try {
    bytes = await input.readFile(dataFile);
  } catch (error) {
    findings.push({ path, message: readFault(dataFile, error) });
    return undefined;
  }
  const parsed = parseCandleFile(dataFile, bytes);
  if (!parsed.ok) {
    problems.push(...parsed.problems);
    return undefined;
  }
  const gaps = countGaps(parsed.candles);
  const warnings = [...parsed.warnings];
  if (gaps > 0) warnings.push(`bars are missing in ${gaps} places`);
  return {
    file: dataFile,
    fileSha256: sha256(bytes),
    candles: parsed.candles,
    warnings: warnings.map((warning) => `${dataFile}: ${warning}`),
  };
}

/** Whether the data is what the job file says of it. */
function dataFindings(file: BacktestInput, { candles, fileSha256 }: LoadedData): Finding[] {
  const data = dataOf(file);
  const base: Path = Array.isArray(file.data) ? ['data', 0] : ['data'];
  const findings: Finding[] = [];
  if (data.sha256 !== undefined && data.sha256 !== fileSha256) {
    const message = `the file's SHA-256 is ${fileSha256}`;
    findings.push({ path: [...base, 'sha256'], message });
  }
  const stepMs = commonStepMs(candles);
  if (data.timeframe !== undefined && timeframeMs(data.timeframe) !== stepMs) {
    const message = `the file's bars are ${stepMs / 60_000} minutes apart`;
    findings.push({ path: [...base, 'timeframe'], message });
  }
  const fromMs = data.from === undefined ? null : Date.parse(data.from);
  const toMs = data.to === undefined ? null : Date.parse(data.to);
  const { first, end } = describeMarket(candles, fromMs, toMs);
  if (end - first < 2) {
    const at = (bar: number): string => new Date(candles.timeMs[bar] ?? NaN).toISOString();
    const message = `fewer than two bars in this range; the file goes from ${at(0)} to ${at(candles.barCount - 1)}`;
    findings.push({ path: [...base, data.from === undefined ? 'to' : 'from'], message });
  }
  return findings;
}

/** Genomes of another timeframe would run, and mean nothing. */
function timeframeFindings({ timeframes }: GenomesTranslated, { candles }: LoadedData): Finding[] {
  const stepMs = commonStepMs(candles);
  const other = timeframes.find(({ ms }) => ms !== stepMs);
  if (other === undefined) return [];
  const message = `made for bars of ${other.ms / 60_000} minutes; the file's are ${stepMs / 60_000} minutes apart`;
  return [{ path: other.path, message }];
}

function finish(
  spec: JobSpec,
  more: {
    name: string | undefined;
    input: PrepareInput;
    datasets: readonly PreparedDataset[];
    warnings: readonly string[];
  },
): Outcome {
  const specBytes = writeSpec(spec);
  if (specBytes.byteLength > SPEC_BYTES_MAX) {
    return faulty([{ path: [], message: 'the job is larger than 8 MiB; use vars for a grid' }]);
  }
  const prepared: PreparedJob = {
    name: more.name ?? baseName(more.input.fileName),
    kernel: spec.kernel,
    spec,
    specBytes,
    datasets: more.datasets,
    taskCount: taskCountOf(spec),
    warnings: more.warnings,
  };
  return { prepared, findings: [], problems: [] };
}

function faulty(findings: readonly Finding[]): Outcome {
  return { findings, problems: [] };
}

function withOverrides(file: unknown, overrides: PrepareInput['overrides']): unknown {
  const isObject = typeof file === 'object' && file !== null && !Array.isArray(file);
  if (overrides === undefined || !isObject || fieldOf(file, 'kernel') === 'spin') return file;
  const { dataFile, cash, fee } = overrides;
  const changed: Record<string, unknown> = { ...file };
  if (dataFile !== undefined) {
    const data = fieldOf(file, 'data');
    const isForm = typeof data === 'object' && data !== null && !Array.isArray(data);
    changed['data'] = isForm ? { ...data, file: dataFile } : dataFile;
  }
  if (cash === undefined && fee === undefined) return changed;
  const broker = fieldOf(file, 'broker') ?? {};
  if (typeof broker === 'object') {
    changed['broker'] = {
      ...broker,
      ...(cash === undefined ? {} : { cash }),
      ...(fee === undefined ? {} : { fee }),
    };
  }
  return changed;
}

function readFault(file: string, error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'ENOENT') return `there is no file "${file}"`;
  return error instanceof Error ? error.message : `cannot read "${file}"`;
}

function baseName(fileName: string): string {
  return fileName.split(/[\\/]/).at(-1) || fileName;
}

function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
