// What the demo counts itself, who plays in it, and the loop that checks the mesh.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { castFor, DOOMED, SUBMITTER } from '../../../src/node/demo/cast.ts';
import { RowTally, SpeedIntegral } from '../../../src/node/demo/observed.ts';
import { plainLoopSha256 } from '../../../src/node/demo/plain-loop.ts';
import { compiled, Workload } from '../../../src/node/demo/workload.ts';
import { prepareJob } from '../../../src/node/jobfile/prepare.ts';
import { sequentialResultsSha256 } from '../../independent/sequential.ts';

const AAPL = join(import.meta.dirname, '../../../examples/aapl.json');

describe('the tally of rows', () => {
  it('knows tasks that never came, that came twice, and that the job does not have', () => {
    const tally = new RowTally(4);
    tally.add([0, 1, 2]);
    expect({ tasks: tally.tasks, again: tally.again }).toEqual({ tasks: 3, again: 0 });
    tally.add([2, 3]);
    expect({ tasks: tally.tasks, again: tally.again }).toEqual({ tasks: 4, again: 1 });
    tally.add([4]);
    expect({ tasks: tally.tasks, again: tally.again }).toEqual({ tasks: 4, again: 2 });
  });
});

describe('the integral of speed', () => {
  it('counts a peer for the time that it lived, and every speed for the time that it held', () => {
    const speeds = new SpeedIntegral(1_000);
    speeds.sample(
      new Map([
        ['a', 10],
        ['b', 30],
      ]),
      1_500,
    );
    speeds.sample(new Map([['a', 20]]), 3_000);
    expect(speeds.shareOf('a')).toBeCloseTo(35 / 50, 12);
    expect(speeds.shareOf('b')).toBeCloseTo(15 / 50, 12);
    expect(speeds.shareOf('c')).toBe(0);
  });

  it('of nothing is nothing', () => {
    expect(new SpeedIntegral(0).shareOf('a')).toBe(0);
  });
});

describe('the cast', () => {
  it.each([1, 2, 3, 4, 12, 128])('leaves room beside itself on %i cores', (cores) => {
    const roles = castFor(cores);
    const sum = roles.reduce((total, { throttle }) => total + throttle, 0);
    expect(sum).toBeLessThanOrEqual(Math.max(0.5, cores - 1));
    expect(sum).toBeLessThanOrEqual(2.01);
    for (const { throttle } of roles) {
      expect(throttle).toBeGreaterThan(0);
      expect(throttle).toBeLessThanOrEqual(1);
    }
  });

  it('kills somebody else than the submitter', () => {
    const names = castFor(2).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([SUBMITTER, DOOMED]));
    expect(DOOMED).not.toBe(SUBMITTER);
  });
});

describe('the workload', () => {
  it('is as fine as the number of backtests that is wanted', async () => {
    const workload = await Workload.open();
    for (const tasks of [20_000, 100_000]) {
      const { taskCount } = await workload.sized('demo', tasks);
      expect(Math.abs(taskCount - tasks)).toBeLessThan(3_000);
    }
    expect((await workload.sized('demo', 1)).taskCount).toBeGreaterThan(1_000);
    expect((await workload.endless('demo')).taskCount).toBeGreaterThan(500_000);
  });
});

describe('the plain loop', () => {
  it('comes to the same hash as the independent one', async () => {
    const outcome = await prepareJob({
      fileName: AAPL,
      text: await readFile(AAPL, 'utf8'),
      readFile: (path) => readFile(join(AAPL, '..', path)),
    });
    if (!outcome.ok) throw new Error('the example is not sound');
    const hash = await plainLoopSha256(compiled(outcome.prepared), new AbortController().signal);
    expect(hash).toBe(await sequentialResultsSha256(AAPL));
  });

  it('stops when it is told to', async () => {
    const runner = compiled(await (await Workload.open()).endless('demo'));
    await expect(plainLoopSha256(runner, AbortSignal.timeout(50))).rejects.toThrow(/abort/);
  });
});
