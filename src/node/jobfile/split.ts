// A split of the bars into parts that a strategy is chosen on and parts that it is judged on. A task's row is about
// one stretch of bars, so a split narrows each dataset's date range before the job is made: by default to the bars
// out of sample, or to the one part that was asked for. A part is a job of its own, its tasks have rows of their own.
//
// A strategy's parameters are the same in every fold, so the folds' test parts, which lie end to end, are one
// stretch: a position that is open at the edge between two of them stays open. Every stretch begins flat, with
// indicators known from the first row of the file, and a position that is open at its end is closed at its last
// close as a forced exit.

import { type Market, describeMarket } from '../../kernel/engine/market.ts';
import type { Candles } from '../../kernel/job.ts';
import type { Finding } from './place.ts';
import type { SplitInput } from './schema.ts';

/** Bars of the file: `first` counts, `end` is the one after the last. */
interface Stretch {
  readonly first: number;
  readonly end: number;
}

const OUT_OF_SAMPLE = 'outOfSample';
const HOLDOUT_TRAIN = 0.7;
/** 0.5 + 5 * 0.1 is the whole, although the sum may be a hair above 1. */
const ROUNDING = 1e-9;

/** What `part` names: outOfSample, or train-K and test-K of the folds 1..K. inSample is train-1. */
function partNames(split: SplitInput): string[] {
  const folds = foldCount(split);
  const names = Array.from({ length: folds }, (_, fold) => [
    `train-${fold + 1}`,
    `test-${fold + 1}`,
  ]);
  return [OUT_OF_SAMPLE, 'inSample', ...names.flat()];
}

/** What is wrong with a split in itself, whatever the data. */
export function splitFindings(split: SplitInput, part: string | undefined): Finding[] {
  const { mode, folds, train, test } = split;
  if (mode === 'none') {
    return part === undefined ? [] : [findingAt('mode', 'without a split there are no parts')];
  }
  const findings: Finding[] = [];
  for (const [key, value] of Object.entries({ train, test })) {
    if (value !== undefined && !(value > 0 && value < 1)) {
      findings.push(findingAt(key, 'must be a fraction of the bars, above 0 and below 1'));
    }
  }
  if (mode === 'holdout' && folds !== undefined && folds !== 1) {
    findings.push(findingAt('folds', 'a holdout has one fold; "walkForward" has several'));
  }
  if (mode === 'walkForward' && folds === undefined) {
    findings.push(findingAt('mode', '"walkForward" needs "folds"'));
  }
  if (findings.length > 0) return findings;
  const { trainShare, testShare } = shares(split);
  if (trainShare + testShare * foldCount(split) > 1 + ROUNDING) {
    const key = test === undefined ? 'train' : 'test';
    findings.push(findingAt(key, 'train and the tests of all folds are more than all bars'));
  }
  if (trainShare < ROUNDING) findings.push(findingAt('test', 'the tests leave no bars to train'));
  if (part !== undefined && !partNames(split).includes(part)) {
    const named = partNames(split).slice(0, 8).join(', ');
    findings.push({ path: ['split'], message: `no part "${part}"`, hint: `parts: ${named}, …` });
  }
  return findings;
}

/** The stretch that a part is; fewer than two bars where the data is too short for it. */
function stretchOf(split: SplitInput, part: string, { first, end }: Market): Stretch {
  const bars = end - first;
  const folds = foldCount(split);
  const { trainShare, testShare } = shares(split);
  const edge = (fold: number): number => {
    const share = trainShare + testShare * fold;
    return first + Math.min(bars, Math.floor(bars * share + ROUNDING * bars));
  };
  if (part === OUT_OF_SAMPLE) return { first: edge(0), end: edge(folds) };
  const [kind, number] = part === 'inSample' ? ['train', '1'] : part.split('-');
  const fold = Number(number) - 1;
  if (kind === 'test') return { first: edge(fold), end: edge(fold + 1) };
  const start = split.anchored ? first : first + (edge(fold) - edge(0));
  return { first: start, end: Math.max(start, edge(fold) - split.embargo) };
}

/** The date range of a part within the one that is given; times in epoch ms, null: the file's own edge. */
export function narrow(
  split: SplitInput,
  part: string | undefined,
  candles: Candles,
  range: DateRange,
): DateRange {
  if (split.mode === 'none') return range;
  const market = describeMarket(candles, range.fromMs, range.toMs);
  const { first, end } = stretchOf(split, part ?? OUT_OF_SAMPLE, market);
  const folds = part === undefined || part === OUT_OF_SAMPLE ? foldCount(split) : 1;
  const foldEdgesMs = Array.from({ length: folds - 1 }, (_, fold) => {
    const bar = stretchOf(split, `test-${fold + 2}`, market).first;
    return candles.timeMs[bar] ?? (candles.timeMs[candles.barCount - 1] ?? 0) + 1;
  });
  return {
    ...(folds > 1 ? { foldEdgesMs } : {}),
    fromMs: first === market.first ? range.fromMs : (candles.timeMs[first] ?? Infinity),
    toMs: end === market.end ? range.toMs : (candles.timeMs[end] as number),
  };
}

/** What the rows of a split are about, in a sentence; undefined: the file has none. */
export function stretchText(
  split: SplitInput,
  part: string | undefined,
  { candles, range, symbol }: { candles: Candles; range: DateRange; symbol: string | undefined },
): string | undefined {
  if (split.mode === 'none') return undefined;
  const whole = describeMarket(candles, range.fromMs, range.toMs);
  const { first, end } = stretchOf(split, part ?? OUT_OF_SAMPLE, whole);
  const what = part === undefined || part === OUT_OF_SAMPLE ? 'out of sample' : part;
  const [from, to] = [first, end - 1].map((bar) => timeText(candles.timeMs[bar] ?? Number.NaN));
  const bars = `${end - first} of ${whole.end - whole.first} bars`;
  return `${what}: ${symbol === undefined ? '' : `${symbol} `}${from} to ${to} (${bars})`;
}

/** A date where the bar begins with the day, else the minute too; UTC. */
function timeText(timeMs: number): string {
  const text = new Date(timeMs).toISOString();
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : `${text.slice(0, 16)}Z`;
}

export interface DateRange {
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Where the folds of a walk-forward begin that are all in the range, without the first one's. */
  readonly foldEdgesMs?: readonly number[] | undefined;
}

function findingAt(key: string, message: string): Finding {
  return { path: ['split', key], message };
}

function foldCount({ mode, folds }: SplitInput): number {
  return mode === 'walkForward' ? (folds ?? 1) : 1;
}

function shares(split: SplitInput): { trainShare: number; testShare: number } {
  const { train, test } = split;
  const folds = foldCount(split);
  const trainShare = train ?? (test === undefined ? HOLDOUT_TRAIN : 1 - test * folds);
  return { trainShare, testShare: test ?? (1 - trainShare) / folds };
}
