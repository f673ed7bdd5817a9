// What the demo counts itself, who plays in it, and the loop that checks the mesh.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { castFor, SUBMITTER } from '../../../src/node/demo/cast.ts';
import { RowTally, SpeedIntegral } from '../../../src/node/demo/observed.ts';
import { plainLoopSha256 } from '../../../src/node/demo/plain-loop.ts';
import { compiled, Workload } from '../../../src/node/demo/workload.ts';
import { Rates } from '../../../src/stealing/rates.ts';
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
  it('counts a peer for the time that it lived', () => {
    const rates = new Map([
      ['a', 10],
      ['b', 30],
    ]);
    const speeds = new SpeedIntegral({ memoryMs: 3_000, bornMs: 0 }, rates, 4_000);
    speeds.sample(rates, 4_500);
    speeds.sample(new Map([['a', 10]]), 6_000);
    expect(speeds.shareOf('a')).toBeCloseTo(20 / 35, 12);
    expect(speeds.shareOf('b')).toBeCloseTo(15 / 35, 12);
    expect(speeds.shareOf('c')).toBe(0);
  });

  it('sees through the averages that peers tell, old or young', () => {
    for (const bornMs of [-60_000, -1_500]) {
      const averages = new Rates({ memoryMs: 3_000, priorMs: 3_000 }, 1);
      for (let ms = bornMs; ms < 0; ms += 5) averages.measured('k', 5 * 100, 5);
      const told = (): number => averages.perSlotMs('k') ?? 0;
      const rates = (): Map<string, number> =>
        new Map([
          ['a', told()],
          ['b', 100],
        ]);
      const speeds = new SpeedIntegral({ memoryMs: 3_000, bornMs }, rates(), 0);
      // Half as fast from the second second on: 2 x 100 + 2 x 50 against 4 x 100.
      for (let ms = 0; ms < 4_000; ms += 5) {
        averages.measured('k', 5 * (ms < 2_000 ? 100 : 50), 5);
        if (ms % 250 === 245) speeds.sample(rates(), ms + 5);
      }
      expect(speeds.shareOf('a')).toBeCloseTo(300 / 700, 2);
    }
  });

  it('of nothing is nothing', () => {
    const speeds = new SpeedIntegral({ memoryMs: 3_000, bornMs: 0 }, new Map(), 0);
    expect(speeds.shareOf('a')).toBe(0);
  });
});

describe('the cast', () => {
  it.each([1, 2, 3, 4, 12, 128])('leaves room beside itself on %i cores', (cores) => {
    const roles = castFor(cores);
    const sum = roles.reduce((total, { throttle }) => total + throttle.share, 0);
    expect(sum).toBeLessThanOrEqual(Math.max(0.5, cores - 1));
    expect(sum).toBeLessThanOrEqual(2.01);
    for (const { throttle } of roles) {
      expect(throttle.share).toBeGreaterThan(0);
      expect(throttle.share).toBeLessThanOrEqual(1);
    }
  });

  it('has the submitter in it', () => {
    expect(castFor(2).map(({ name }) => name)).toContain(SUBMITTER);
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
