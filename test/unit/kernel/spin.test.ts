// The spin kernel: costs as stated, rows that depend on seed and task only.
import { describe, expect, it } from 'vitest';
import { compileSpin } from '../../../src/kernel/spin.ts';
import type { SpinSpec } from '../../../src/kernel/spec.ts';

const spec = (part: Partial<SpinSpec>): SpinSpec => ({
  version: 1,
  kernel: 'spin',
  tasks: 10,
  costMs: 0.01,
  mode: 'spin',
  seed: 1,
  ...part,
});

const rowOf = (job: SpinSpec, task: number): number[] => {
  const row = new Float64Array(5).fill(-1);
  compileSpin(job).run(task, row, 1);
  return [...row];
};

describe('spin tasks', () => {
  it('write value, cost and no error, and differ by task and seed', () => {
    const [before, value, cost, error, after] = rowOf(spec({}), 3);
    expect([before, cost, error, after]).toEqual([-1, 0.01, 0, -1]);
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThan(1);
    expect(rowOf(spec({}), 3)).toEqual(rowOf(spec({}), 3));
    expect(rowOf(spec({}), 4)[1]).not.toBe(value);
    expect(rowOf(spec({ seed: 2 }), 3)[1]).not.toBe(value);
  });

  it('wait only in mode sleep, and then for their cost', () => {
    expect(compileSpin(spec({ costMs: 50 })).waitMs(0)).toBe(0);
    const sleeping = compileSpin(spec({ costMs: [50, 10], mode: 'sleep' }));
    expect([0, 1, 2].map((task) => sleeping.waitMs(task))).toEqual([50, 10, 50]);
  });

  it('state their work in microseconds, run-length encoded', () => {
    expect(compileSpin(spec({ costMs: 50 })).workRuns).toEqual([{ tasks: 10, units: 50_000 }]);
    expect(compileSpin(spec({ costMs: 0 })).workRuns).toEqual([{ tasks: 10, units: 1 }]);
    expect(compileSpin(spec({ tasks: 5, costMs: [1, 1, 2] })).workRuns).toEqual([
      { tasks: 2, units: 1000 },
      { tasks: 1, units: 2000 },
      { tasks: 2, units: 1000 },
    ]);
  });

  it('draw lognormal costs with the stated mean, the same for the same seed', () => {
    const costMs = { lognormal: { mean: 5, sigma: 1 } };
    const job = compileSpin(spec({ tasks: 20_000, costMs, mode: 'sleep' }));
    const costs = Array.from({ length: job.taskCount }, (_, task) => job.waitMs(task));
    const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
    expect(mean).toBeGreaterThan(4.6);
    expect(mean).toBeLessThan(5.4);
    // The median of a lognormal draw is e^mu, here 5 / sqrt(e).
    const median = costs.toSorted((a, b) => a - b)[10_000] ?? NaN;
    expect(median).toBeGreaterThan(2.9);
    expect(median).toBeLessThan(3.2);
    expect(job.workRuns.reduce((sum, { tasks }) => sum + tasks, 0)).toBe(20_000);
    expect(costs[0]).toBe(compileSpin(spec({ tasks: 20_000, costMs, mode: 'sleep' })).waitMs(0));
  });
});
