// Which bars a split leaves to a job, and what happens at the edges.
import { describe, expect, it } from 'vitest';
import { compileBacktest } from '../../../src/kernel/backtest.ts';
import { decodeCandles } from '../../../src/kernel/candles.ts';
import type { Trade } from '../../../src/kernel/job.ts';
import type { BacktestSpec } from '../../../src/kernel/spec.ts';
import { accepted, fileWith, refused } from './fixture.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2024-01-01');
const BARS = 20;

/** Twenty days; the close of bar i is 100 + i. */
const RISING = [
  'time,open,high,low,close,volume',
  ...Array.from({ length: BARS }, (_, bar) => {
    const time = new Date(START_MS + bar * DAY_MS).toISOString().slice(0, 10);
    return [time, 99.5 + bar, 101 + bar, 99 + bar, 100 + bar, 10].join(',');
  }),
  '',
].join('\n');

const FOLDS = { mode: 'walkForward', folds: 3, train: 0.4, test: 0.2 };

describe('a split leaves to a job', () => {
  it.each([
    ['all bars where there is none', { mode: 'none' }, undefined, [0, 20]],
    ['what train leaves', { mode: 'holdout', train: 0.7 }, undefined, [14, 20]],
    ['seventy percent to train where nothing is said', { mode: 'holdout' }, undefined, [14, 20]],
    ['no more than test', { mode: 'holdout', train: 0.5, test: 0.2 }, undefined, [10, 14]],
    ['the end, when only test is given', { mode: 'holdout', test: 0.25 }, undefined, [15, 20]],
    ['the train part on request', { mode: 'holdout' }, 'inSample', [0, 14]],
    ['train without the embargo', { mode: 'holdout', embargo: 3 }, 'inSample', [0, 11]],
    ['the test as it is beside an embargo', { mode: 'holdout', embargo: 3 }, 'test-1', [14, 20]],
    ['all tests, end to end', FOLDS, undefined, [8, 20]],
    ['all tests, by name', FOLDS, 'outOfSample', [8, 20]],
    ['one test', FOLDS, 'test-2', [12, 16]],
    ['an anchored train part', FOLDS, 'train-3', [0, 16]],
    ['a rolling train part', { ...FOLDS, anchored: false }, 'train-3', [8, 16]],
    [
      'a rolling train part without the embargo',
      { ...FOLDS, anchored: false, embargo: 2 },
      'train-2',
      [4, 10],
    ],
    ['equal tests, when only train is given', { ...FOLDS, test: undefined }, 'test-1', [8, 12]],
    ['the bars before the tests', { ...FOLDS, train: undefined }, 'inSample', [0, 8]],
  ] as const)('%s', async (_, split, part, bars) => {
    expect(await barsOf({ split }, part)).toEqual(bars);
  });

  it.each([
    [{ mode: 'none' }, undefined, []],
    [{ mode: 'holdout' }, undefined, ['out of sample: 2024-01-15 to 2024-01-20 (6 of 20 bars)']],
    [FOLDS, undefined, ['out of sample: 2024-01-09 to 2024-01-20 (12 of 20 bars)']],
    [{ ...FOLDS, embargo: 2 }, 'train-2', ['train-2: 2024-01-01 to 2024-01-10 (10 of 20 bars)']],
  ] as const)('and says which: %j %s', async (split, part, notes) => {
    const overrides = part === undefined ? {} : { part };
    expect((await accepted(fileWith({ split }), { data: RISING, overrides })).notes).toEqual(notes);
  });

  it('and, out of sample, where its folds begin', async () => {
    expect(await edgesOf(FOLDS)).toEqual([12, 16].map((bar) => START_MS + bar * DAY_MS));
    expect(await edgesOf({ ...FOLDS, embargo: 2 }, 'outOfSample')).toHaveLength(2);
    expect(await edgesOf(FOLDS, 'test-2')).toBeUndefined();
    expect(await edgesOf({ mode: 'holdout' })).toBeUndefined();
  });

  it.each([3, 7])('%i folds without a bar in common, and all of them together', async (folds) => {
    const split = { mode: 'walkForward', folds, train: 0.3 };
    const parts = Array.from({ length: folds }, (_, fold) => `test-${fold + 1}`);
    const tests = await Promise.all(parts.map((part) => barsOf({ split }, part)));
    const [from, to] = (await barsOf({ split })) as [number, number];
    expect([tests[0]?.[0], tests.at(-1)?.[1]]).toEqual([from, to]);
    for (const [index, [first]] of tests.entries()) {
      if (index > 0) expect(first).toBe(tests[index - 1]?.[1]);
      const train = await barsOf({ split: { ...split, embargo: 1 } }, `train-${index + 1}`);
      expect(train[1]).toBe((first ?? NaN) - 1);
    }
  });

  it('counts bars within the date range only', async () => {
    const data = { file: 'candles.csv', from: '2024-01-05', to: '2024-01-15' };
    const split = { mode: 'holdout', train: 0.5 };
    expect(await barsOf({ data, split })).toEqual([9, 14]);
    expect(await barsOf({ data, split }, 'inSample')).toEqual([4, 9]);
  });
});

describe('at an edge of a split', () => {
  it('a position open between two tests stays open out of sample', async () => {
    const trades = await tradesOf({ split: FOLDS, strategies: [buyOnce(9)] });
    expect(trades.map(placeOf)).toEqual([[10, 19, 'end']]);
  });

  it('a position open at the end of a part is closed at its last close', async () => {
    const trades = await tradesOf({ split: FOLDS, strategies: [buyOnce(9)] }, 'test-1');
    expect(trades.map(placeOf)).toEqual([[10, 11, 'end']]);
    expect(trades[0]?.exitPrice).toBe(111);
  });

  it('the next part begins flat', async () => {
    expect(await tradesOf({ split: FOLDS, strategies: [buyOnce(9)] }, 'test-2')).toEqual([]);
  });

  it('a signal before the part fills nothing in it', async () => {
    expect(await tradesOf({ split: FOLDS, strategies: [buyOnce(7)] })).toEqual([]);
  });

  it('indicators are warm from the first row of the file', async () => {
    const strategies = [{ long: { enter: ['close > sma(8)'] } }];
    const trades = await tradesOf({ split: FOLDS, strategies });
    expect(trades.map(placeOf)).toEqual([[9, 19, 'end']]);
  });

  it('both engines give the same row', async () => {
    const file = fileWith({ split: FOLDS, strategies: [buyOnce(9)] });
    const { spec, datasets } = await accepted(file, { data: RISING });
    const rows = (['fast', 'reference'] as const).map((engine) => {
      const candles = decodeCandles(datasets[0]?.bytes as Uint8Array);
      const runner = compileBacktest(spec as BacktestSpec, candles, { engine });
      const row = new Float64Array(runner.columns.length);
      runner.run(0, row, 0);
      return [...row];
    });
    expect(rows[0]).toEqual(rows[1]);
  });
});

describe('a split is refused', () => {
  it.each([
    [{ mode: 'holdout', train: 1 }, undefined, /^split\.train: must be a fraction/],
    [{ mode: 'holdout', test: -0.1 }, undefined, /^split\.test: must be a fraction/],
    [{ mode: 'holdout', folds: 2 }, undefined, /^split\.folds: a holdout has one fold/],
    [{ mode: 'walkForward' }, undefined, /^split\.mode: "walkForward" needs "folds"/],
    [{ ...FOLDS, train: 0.5 }, undefined, /^split\.test: .* more than all bars/],
    [
      { mode: 'walkForward', folds: 4, test: 0.25 },
      undefined,
      /^split\.test: the tests leave no bars to train/,
    ],
    [{ mode: 'holdout', embargoes: 1 }, undefined, /unknown key "embargoes" .*"embargo"/],
    [{ mode: 'holdout', train: 0.99 }, undefined, /^split: fewer than two bars of candles\.csv/],
    [{ mode: 'holdout', embargo: 99 }, 'inSample', /^split: fewer than two bars of .* inSample/],
    [FOLDS, 'test-4', /^split: no part "test-4" \(parts: outOfSample, inSample, train-1/],
    [{ mode: 'none' }, 'inSample', /without a split there are no parts/],
  ] as const)('%j, part %s', async (split, part, message) => {
    const overrides = part === undefined ? {} : { part };
    const problems = await refused(fileWith({ split }), { data: RISING, overrides });
    expect(problems).toEqual([expect.stringMatching(message)]);
  });
});

/** Buys at the open after the close of `bar`, and holds. */
function buyOnce(bar: number): object {
  return { long: { enter: [`close > ${99.9 + bar}`, `close < ${100.1 + bar}`] } };
}

function placeOf({ entryBar, exitBar, exitReason }: Trade): unknown {
  return [entryBar, exitBar, exitReason];
}

async function prepared(file: object, part?: string) {
  const overrides = part === undefined ? {} : { part };
  const { spec, datasets } = await accepted(fileWith(file), { data: RISING, overrides });
  return { spec: spec as BacktestSpec, bytes: datasets[0]?.bytes as Uint8Array };
}

async function tradesOf(file: object, part?: string): Promise<readonly Trade[]> {
  const { spec, bytes } = await prepared(file, part);
  return compileBacktest(spec, decodeCandles(bytes)).trades(0);
}

/** The job's first bar and the one after its last. */
async function barsOf(file: object, part?: string): Promise<number[]> {
  const { spec } = await prepared(file, part);
  const { fromMs = null, toMs = null } = spec.datasets[0] ?? {};
  return [fromMs === null ? 0 : barAt(fromMs), toMs === null ? BARS : barAt(toMs)];
}

async function edgesOf(split: object, part?: string): Promise<unknown> {
  const { spec } = await prepared({ split }, part);
  return spec.datasets[0]?.foldEdgesMs;
}

function barAt(timeMs: number): number {
  return (timeMs - START_MS) / DAY_MS;
}
