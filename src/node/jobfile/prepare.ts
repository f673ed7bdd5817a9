// From a user's job file to what the mesh carries: a spec blob and dataset blobs, addressed by their hashes.
// Everything is checked before anything is submitted, and all that is wrong is reported at once.

import { createHash } from 'node:crypto';
import { encodeCandles } from '../../kernel/candles.ts';
import { describeMarket } from '../../kernel/engine/market.ts';
import { RuleError } from '../../kernel/language/token.ts';
import type { JobSpec } from '../../kernel/spec.ts';
import { buildBacktestSpec, buildSpinSpec } from './build-spec.ts';
import { filterFindings } from './filter.ts';
import { formFindings } from './form-findings.ts';
import { type GenomesTranslated, translateGenomes } from './genome-file.ts';
import { type LoadedData, dataEntries, dataFindings, loadData, rangeOf } from './load-data.ts';
import { firstTooDeep } from './nesting.ts';
import {
  type Finding,
  locateFindings,
  problemAt,
  repeatedProblems,
  syntaxProblems,
} from './place.ts';
import type { Problem } from './problem.ts';
import { repeatedKeys } from './repeated-keys.ts';
import { type DataExtent, ruleFindings } from './rule-findings.ts';
import { backtestSchema, spinSchema } from './schema.ts';
import { SPEC_BYTES_MAX, specFault, taskCountOf, writeSpec } from './spec-blob.ts';
import { type DateRange, narrow, splitFindings, stretchText } from './split.ts';
import { commonStepMs } from './timeframe.ts';

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
    /** Of the file's split: rows about this part, not about the bars out of sample. */
    readonly part?: string;
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
  /** The best are to be told by the Deflated Sharpe Ratio, which is known only when all have run. */
  readonly isDeflated: boolean;
  readonly warnings: readonly string[];
  /** What its rows are about, where that is not the whole file. */
  readonly notes: readonly string[];
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
  // What bytes of UTF-16, or of no text at all, become when they are read as UTF-8.
  if (text.startsWith('\uFFFD') || text.includes('\0')) {
    const message =
      'the file is not UTF-8 text; of UTF-16, write it anew: iconv -f UTF-16 -t UTF-8';
    return { ok: false, problems: [problemAt(fileName, '', 0, message)] };
  }
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
  const repeated = repeatedKeys(text);
  if (repeated.length > 0)
    return { ok: false, problems: repeatedProblems(fileName, text, repeated) };
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
  if (input.overrides?.part !== undefined) {
    return faulty([{ path: ['kernel'], message: 'a spin job has no split and no parts' }]);
  }
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
  const faults = { findings, problems };
  const loaded = await loadData(fieldOf(file, 'data'), (path) => input.readFile(path), faults);
  const rules = ruleFindings(file, loaded && extentOf(loaded));
  // What the form refuses already needs no second complaint.
  const refused = new Set(findings.map(({ path }) => path.join('.')));
  findings.push(...rules.findings.filter(({ path }) => !refused.has(path.join('.'))));
  const isSound = findings.length === 0 && genomes.findings.length === 0;
  if (!form.success || loaded === undefined || !isSound) return { findings, problems };
  for (const [index, { path, data }] of dataEntries(form.data.data).entries()) {
    const one = loaded[index] as LoadedData;
    findings.push(...dataFindings(path, data, one), ...timeframeFindings(genomes, one));
  }
  const part = input.overrides?.part;
  findings.push(...splitFindings(form.data.split, part));
  findings.push(...filterFindings(form.data.filter ?? []));
  if (findings.length > 0) return faulty(findings);
  const ranges = dataEntries(form.data.data).map(({ data }, index) =>
    narrow(form.data.split, part, (loaded[index] as LoadedData).candles, rangeOf(data)),
  );
  findings.push(...tooShort(ranges, loaded, part));
  if (findings.length > 0) return faulty(findings);
  const entries = dataEntries(form.data.data);
  const notes = entries.map(({ data }, index) => {
    const { candles } = loaded[index] as LoadedData;
    const symbol = entries.length > 1 ? (data.symbol ?? data.file) : undefined;
    return stretchText(form.data.split, part, { candles, range: rangeOf(data), symbol });
  });
  const datasets = encodeDatasets(loaded);
  const sha256s = loaded.map((one) => (datasets.get(one) as PreparedDataset).sha256);
  const spec = buildBacktestSpec(form.data, sha256s, ranges);
  const fault = fullFormFault(spec);
  if (fault !== undefined) return faulty([{ path: [], message: fault }]);
  return finish(spec, {
    name: form.data.name,
    input,
    isDeflated: form.data.rank === 'dsr',
    datasets: [...new Map([...datasets.values()].map((one) => [one.sha256, one])).values()],
    warnings: [
      ...genomes.warnings,
      ...rules.warnings,
      ...[...datasets.keys()].flatMap(({ warnings }) => warnings),
      ...[...datasets.keys()].flatMap((one) => lotWarnings(form.data.broker, one)),
    ],
    notes: notes.filter((note) => note !== undefined),
  });
}

function extentOf(loaded: readonly LoadedData[]): DataExtent {
  return {
    barCount: Math.min(...loaded.map(({ candles }) => candles.barCount)),
    stepMs: Math.max(...loaded.map(({ candles }) => commonStepMs(candles))),
  };
}

/** A part of a split may be too short to trade in, where the range that it is a part of is not. */
function tooShort(
  ranges: readonly DateRange[],
  loaded: readonly LoadedData[],
  part: string | undefined,
): Finding[] {
  return loaded.flatMap(({ candles, file }, index) => {
    const { fromMs = null, toMs = null } = ranges[index] ?? {};
    const { first, end } = describeMarket(candles, fromMs, toMs);
    if (end - first >= 2) return [];
    const message = `fewer than two bars of ${file} are in ${part ?? 'the part out of sample'}`;
    return [{ path: ['split'], message }];
  });
}

/** Rows without a trade would not say that the money was too little for one. */
function lotWarnings(
  { cash, lot }: { readonly cash: number; readonly lot: number },
  { file, candles }: LoadedData,
): string[] {
  if (lot === 0) return [];
  const least = lot * candles.low.reduce((low, price) => Math.min(low, price), Infinity);
  if (!(least > cash)) return [];
  return [
    `${file}: one lot (${lot}) is never worth less than ${least.toPrecision(6)}, and the cash is ${cash}: nothing can be bought`,
  ];
}

/** A rule that is sound as written may be too long or too deep with all of its names and parentheses. */
function fullFormFault(spec: JobSpec): string | undefined {
  try {
    return specFault(spec);
  } catch (error) {
    if (error instanceof RuleError) return `a rule in its full form: ${error.message}`;
    throw error;
  }
}

/** With the candles that it holds, for as long as anybody has them. */
const encodedBefore = new WeakMap<LoadedData, PreparedDataset>();

function encode({ file, candles }: LoadedData): PreparedDataset {
  const bytes = encodeCandles(candles);
  return { sha256: sha256(bytes), bytes, file, barCount: candles.barCount };
}

/** One blob for each file, however often the job names it. */
function encodeDatasets(loaded: readonly LoadedData[]): Map<LoadedData, PreparedDataset> {
  const datasets = new Map<LoadedData, PreparedDataset>();
  for (const data of new Set(loaded)) {
    const known = encodedBefore.get(data) ?? encode(data);
    encodedBefore.set(data, known);
    datasets.set(data, known);
  }
  return datasets;
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
    isDeflated?: boolean;
    warnings: readonly string[];
    notes?: readonly string[];
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
    isDeflated: more.isDeflated ?? false,
    warnings: more.warnings,
    notes: more.notes ?? [],
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
