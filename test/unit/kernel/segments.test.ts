// Returns cut into segments of time: what is summed where, and that the sums are the row's own backtest.
import { describe, expect, it } from 'vitest';
import { compileJob } from '../../../src/kernel/compile.ts';
import type { TaskRunner } from '../../../src/kernel/job.ts';
import { SEGMENT_COLUMNS } from '../../../src/kernel/segments.ts';
import { momentsOf } from '../../../src/kernel/statistics/deflated-sharpe.ts';
import { blocksOf } from '../../../src/node/jobfile/blocks.ts';
import { syntheticCandles } from '../../../src/node/jobfile/synthetic.ts';
import { candlesOf, DAY_MS, LONG, specOf } from './fixture.ts';

const strategy = {
  vars: [{ name: 'n', values: [3, 5, 8, 13] }],
  long: { enter: ['close > sma($n)'], exit: ['close < sma($n)'] },
  size: { kind: 'equity', value: '1' } as const,
};
const SEGMENTS = 16;
const SHA256 = '0'.repeat(64);
const candles = syntheticCandles({ seed: 1, bars: 4_000, stepMs: 3_600_000, startMs: 0 });
const whole = specOf([strategy, { ...strategy, name: 'other' }], { fee: 0.001 });

function rowsOf(runner: TaskRunner, order: readonly number[]): number[][] {
  return order.map((task) => {
    const row = new Float64Array(runner.columns.length);
    runner.run(task, row, 0);
    return [...row];
  });
}

function inOrder({ taskCount }: TaskRunner): number[] {
  return Array.from({ length: taskCount }, (_, task) => task);
}

describe('segments of tasks', () => {
  const datasets = new Map([[SHA256, candles]]);
  const of = [5, 0, 3];
  const cut = compileJob({ ...whole, segments: { of } }, datasets);

  it('are sixteen tasks each, of as many days give or take one, called by their task', () => {
    expect(cut.taskCount).toBe(48);
    expect(cut.columns).toEqual(SEGMENT_COLUMNS);
    const days = rowsOf(cut, inOrder(cut)).map(([count]) => count ?? 0);
    expect(Math.max(...days) - Math.min(...days)).toBeLessThanOrEqual(1);
    // 4,000 hours are 167 days, between which there are 166 returns.
    expect(days.slice(0, SEGMENTS).reduce((sum, count) => sum + count, 0)).toBe(166);
    expect(cut.label(15)).toEqual({ name: 'other', params: { n: 5, segment: 16 } });
    expect(cut.label(16)).toEqual({ name: 's0', params: { n: 3, segment: 1 } });
  });

  it('add up to the Sharpe ratio of the task’s own row', () => {
    const rows = rowsOf(cut, inOrder(cut));
    const own = compileJob(whole, datasets);
    for (const [at, task] of of.entries()) {
      const [row] = rowsOf(own, [task]);
      const sums = rows
        .slice(at * SEGMENTS, (at + 1) * SEGMENTS)
        .reduce((total, one) => total.map((value, i) => value + (one[i] ?? 0)), Array(7).fill(0));
      const [days = 0, sum = 0, sum2 = 0, sum3 = 0, sum4 = 0] = sums as number[];
      const { sharpe } = momentsOf({ days, sum, sum2, sum3, sum4 });
      const annual = Math.sqrt(rows[at * SEGMENTS]?.[5] ?? NaN);
      expect(sharpe * annual).toBeCloseTo(row?.[own.columns.indexOf('sharpe')] ?? NaN, 9);
    }
  });

  it('are the same bits in any order, by every engine', () => {
    const forward = rowsOf(cut, inOrder(cut));
    const backward = rowsOf(cut, inOrder(cut).toReversed()).toReversed();
    expect(backward).toEqual(forward);
    for (const engine of ['reference', 'twin'] as const) {
      const other = compileJob({ ...whole, segments: { of } }, datasets, { engine });
      expect(rowsOf(other, inOrder(other))).toEqual(forward);
    }
  });

  it('sum the powers of each day’s return where the day lies', () => {
    // 17 days, 16 returns: one per segment. The only trade earns 10 on 1,000 on the third day.
    const bars = Array.from({ length: 17 }, (_, day) => {
      const signal = day === 1 ? 1 : day === 2 ? 2 : 0;
      const close = day >= 2 ? 110 : 100;
      return [day === 3 ? 110 : 100, 110, 100, close, signal] as const;
    });
    const sha256 = '1'.repeat(64);
    const spec = { ...specOf([LONG], {}, { sha256 }), segments: { of: [0] } };
    const runner = compileJob(spec, new Map([[sha256, candlesOf(bars, DAY_MS)]]));
    const rows = rowsOf(runner, inOrder(runner));
    const flat = [1, 0, 0, 0, 0, 365, 0];
    const r = 1010 / 1000 - 1;
    const gain = [1, r, r * r, r * r * r, r * r * r * r, 365, 0];
    expect(rows).toEqual(rows.map((_, segment) => (segment === 1 ? gain : flat)));
  });

  it('have the edges of a walk-forward split’s folds among theirs', () => {
    // 13 days from a Monday on; the second fold begins on the fifth day, the third on the tenth.
    const start = candlesOf([[1, 1, 1, 1, 0]]).timeMs[0] as number;
    const bars = Array.from({ length: 13 }, () => [100, 100, 100, 100, 0] as const);
    const sha256 = '1'.repeat(64);
    const foldEdgesMs = [4, 9].map((day) => start + day * DAY_MS);
    const spec = { ...specOf([LONG], {}, { sha256, foldEdgesMs }), segments: { of: [0] } };
    const runner = compileJob(spec, new Map([[sha256, candlesOf(bars, DAY_MS)]]));
    // Four stretches a fold: 3 returns before the fifth day's, then 5, then 4.
    const days = rowsOf(runner, inOrder(runner)).map(([count]) => count);
    expect(days).toEqual([0, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]);
  });

  it('of a task that cannot be computed fail with its code', () => {
    const faulty = specOf([{ ...LONG, stopLoss: '-1' }]);
    const runner = compileJob({ ...faulty, segments: { of: [0] } }, datasets);
    const failed = [NaN, NaN, NaN, NaN, NaN, NaN, 2];
    expect(rowsOf(runner, [0, 15])).toEqual([failed, failed]);
  });

  it('of tasks on several datasets are those of each dataset', () => {
    const [dataset] = whole.datasets;
    const others = ['a', 'b'].map((letter) => ({ ...dataset, sha256: letter.repeat(64) }));
    const markets = new Map(others.map(({ sha256 }, i) => [sha256, market(i + 1)] as const));
    const joined = { ...whole, datasets: others } as typeof whole;
    const runner = compileJob({ ...joined, segments: { of: [10, 1] } }, markets);
    const alone = compileJob(
      { ...joined, datasets: others.slice(1) as never, segments: { of: [2] } },
      markets,
    );
    expect(rowsOf(runner, [0, 7])).toEqual(rowsOf(alone, [0, 7]));
  });

  it('of other folds are other rows, and rows of whole backtests are the same', () => {
    expect(keysOf([DAY_MS], [0])).not.toEqual(keysOf([2 * DAY_MS], [0]));
    expect(keysOf([DAY_MS])).toEqual(keysOf([2 * DAY_MS]));
  });

  it('are found again as a whole only: their rows say nothing about single strategies', () => {
    const spec = { ...whole, segments: { of: [0] } };
    // As many segments as the job has tasks, so that the counts alone do not tell.
    const one = { ...spec, strategies: spec.strategies.slice(0, 1) };
    expect(blocksOf(spec, 'k@1', 16)).toHaveLength(1);
    expect(blocksOf(one, 'k@1', 4)).toHaveLength(1);
  });
});

/** By which rows are found again: of whole backtests, or of the segments of tasks. */
function keysOf(foldEdgesMs: readonly number[], of?: readonly number[]): string[] {
  const spec = specOf([strategy], {}, { foldEdgesMs });
  const asked = of === undefined ? spec : { ...spec, segments: { of } };
  return blocksOf(asked, 'k@1', of === undefined ? 4 : 16).map(({ key }) => key);
}

function market(seed: number): typeof candles {
  return syntheticCandles({ seed, bars: 1_000, stepMs: 3_600_000, startMs: 0 });
}
