// Which rows of earlier jobs answer a new one.
import { expect, test } from 'vitest';
import type { StrategySpec } from '../../../src/kernel/spec.ts';
import { blocksOf } from '../../../src/node/jobfile/blocks.ts';
import { KnownRows } from '../../../src/node/jobs/known-rows.ts';
import { Ledger } from '../../../src/stealing/ledger.ts';
import { peerId } from '../../../src/stealing/ids.ts';
import { batchOf, header, rowsOf } from '../stealing/rig.ts';

const side = { enter: ['close > sma($n)'], exit: ['close < sma($n)'] };

function strategy(name: string, values: readonly number[]): StrategySpec {
  return {
    name,
    vars: [{ name: 'n', values }],
    where: [],
    long: side,
    short: null,
    stopLoss: null,
    takeProfit: null,
    trailingStop: null,
    breakeven: null,
    maxBars: null,
    cooldown: null,
    reverse: false,
    size: { kind: 'equity', value: '1' },
  };
}

function spec(
  strategies: readonly StrategySpec[],
  change: object = {},
): Parameters<typeof blocksOf>[0] {
  const dataset = { symbol: null, fromMs: null, toMs: null };
  return {
    version: 1,
    kernel: 'backtest',
    datasets: ['a', 'b'].map((letter) => ({ sha256: letter.repeat(64), ...dataset })),
    broker: {
      cash: 1,
      fee: 0,
      slippage: 0,
      lot: 0,
      fill: 'nextOpen',
      stopReference: 'fill',
      sameBar: 'stopFirst',
    },
    strategies,
    sample: null,
    rank: 'sharpe',
    ...change,
  };
}

const three = strategy('three', [1, 2, 3]);
const two = strategy('two', [5, 6]);

function keys(...from: Parameters<typeof blocksOf>): string[] {
  return blocksOf(...from).map(({ key }) => key);
}

test('a block is a strategy with its whole grid on one dataset, in the order of the tasks', () => {
  const places = blocksOf(spec([three, two]), 'k@1', 10).map(({ start, tasks }) => [start, tasks]);
  expect(places).toEqual([
    [0, 3],
    [3, 2],
    [5, 3],
    [8, 2],
  ]);
});

test('names and the order of the list change no block; rules, grids, broker, data and kernel do', () => {
  const known = new Set(keys(spec([three, two]), 'k@1', 10));
  const shared = (other: string[]): number => other.filter((key) => known.has(key)).length;
  expect(known.size).toBe(4);
  expect(shared(keys(spec([two, { ...three, name: 'other' }], { rank: 'cagr' }), 'k@1', 10))).toBe(
    4,
  );
  expect(shared(keys(spec([three, strategy('two', [5, 7])]), 'k@1', 10))).toBe(2);
  expect(shared(keys(spec([three, two], { broker: { cash: 2 } }), 'k@1', 10))).toBe(0);
  expect(shared(keys(spec([three, two]), 'k@2', 10))).toBe(0);
  expect(shared(keys(spec([three, two], { somethingNew: true }), 'k@1', 10))).toBe(0);
});

test('a sampled job is one block, which only the very same job shares', () => {
  const sampled = spec([three, two], { sample: { count: 4, seed: 1 } });
  expect(blocksOf(sampled, 'k@1', 4)).toMatchObject([{ start: 0, tasks: 4 }]);
  expect(keys(sampled, 'k@1', 4)).toEqual(keys(sampled, 'k@1', 4));
  const other = spec([three, two], { sample: { count: 4, seed: 2 } });
  expect(keys(other, 'k@1', 4)).not.toEqual(keys(sampled, 'k@1', 4));
});

test('rows are found by block, newest job first, under their new numbers; what used up its attempts runs again', async () => {
  const data = [{ sha256: 'd', bytes: 1 }];
  const [old, newer, fresh] = ['old', 'newer', 'fresh'].map((job) => ({
    ...header(job, 10),
    datasets: data,
  }));
  const blocks: Record<string, { key: string; start: number; tasks: number }[]> = {
    old: [
      { key: 'x', start: 0, tasks: 4 },
      { key: 'y', start: 4, tasks: 3 },
    ],
    newer: [{ key: 'y', start: 2, tasks: 3 }],
    fresh: [
      { key: 'z', start: 0, tasks: 2 },
      { key: 'y', start: 2, tasks: 3 },
      { key: 'x', start: 5, tasks: 4 },
    ],
  };
  const asked: string[] = [];
  const known = new KnownRows({
    self: peerId('me'),
    done: () => [old!, newer!],
    blocks: ({ job }) => Promise.resolve(blocks[job] ?? []),
    ledger: ({ job }) => {
      asked.push(job);
      const ledger = new Ledger(10, 2);
      ledger.add(batchOf('a', [0, 3], [4, 10]));
      ledger.add({ ...batchOf('a', [3, 4]), kind: 'failures' });
      return Promise.resolve(ledger);
    },
  });
  expect(await known.find(fresh!)).toEqual([
    { kind: 'rows', maker: 'me', intervals: [[2, 3]], values: rowsOf([[2, 3]]) },
    { kind: 'rows', maker: 'me', intervals: [[4, 5]], values: rowsOf([[4, 5]]) },
    { kind: 'rows', maker: 'me', intervals: [[5, 8]], values: rowsOf([[0, 3]]) },
  ]);
  expect(asked).toEqual(['newer', 'old']);
  expect(await known.find({ ...fresh!, kernel: 'other' })).toEqual([]);
});

test('a submit reads each older job once, so many at most, and forgets those that went', async () => {
  const data = [{ sha256: 'd', bytes: 1 }];
  const all = Array.from({ length: 5 }, (_, at) => ({ ...header(`job-${at}`, 2), datasets: data }));
  let done = all;
  const read: string[] = [];
  const known = new KnownRows({
    self: peerId('me'),
    done: () => done,
    blocks: ({ job }) => {
      read.push(job);
      // Two of them fill what one submit may learn.
      const blocks = Array.from({ length: 10_000 }, (_, at) => `${job}-${at}`);
      return Promise.resolve(blocks.map((key) => ({ key, start: 0, tasks: 0 })));
    },
    ledger: () => Promise.reject(new Error('nothing is shared')),
  });
  const fresh = { ...header('fresh', 2), datasets: data };
  const reads = async (): Promise<string[]> => {
    await known.find(fresh);
    return read.splice(0).filter((job) => job !== 'fresh');
  };
  expect(await reads()).toEqual(['job-4', 'job-3']);
  expect(await reads()).toEqual(['job-2', 'job-1']);
  expect(await reads()).toEqual(['job-0']);
  expect(await reads()).toEqual([]);
  done = all.filter(({ job }) => job !== 'job-2');
  expect(await reads()).toEqual([]);
  done = all;
  expect(await reads()).toEqual(['job-2']);
});

test('the file of a job that was submitted here is not read again when it has ended', async () => {
  const data = [{ sha256: 'd', bytes: 1 }];
  const [first, second] = ['first', 'second'].map((job) => ({ ...header(job, 2), datasets: data }));
  const read: string[] = [];
  let done: NonNullable<typeof first>[] = [];
  const ledger = new Ledger(2, 2);
  ledger.add(batchOf('a', [0, 2]));
  const known = new KnownRows({
    self: peerId('me'),
    done: () => done,
    blocks: ({ job }) => {
      read.push(job);
      return Promise.resolve([{ key: 'x', start: 0, tasks: 2 }]);
    },
    ledger: () => Promise.resolve(ledger),
  });
  expect(await known.find(first!)).toEqual([]);
  done = [first!];
  expect(await known.find(second!)).toHaveLength(1);
  expect(read).toEqual(['first', 'second']);
});
