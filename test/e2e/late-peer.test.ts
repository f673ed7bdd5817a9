// A peer that comes in the middle of a job: it fetches the candles, steals, and works at once.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { candleCsv, FIVE_MINUTE_YEAR } from '../../src/node/jobfile/candle-csv.ts';
import { syntheticCandles } from '../../src/node/jobfile/synthetic.ts';
import type { Machine } from './harness/machine.ts';
import { LOOPBACK, MachineRoom } from './harness/machine-room.ts';
import { until } from './harness/until.ts';

/** Two and a half megabytes of candles: no offer carries them. */
const BARS = 50_000;
const JOB = {
  version: 1,
  data: { file: 'candles.csv', symbol: 'SYNTHETIC', timeframe: '5m' },
  broker: { cash: 10_000, fee: 0.0004, slippage: 0.0002 },
  strategies: [
    {
      name: 'cross',
      vars: {
        fast: { from: 10, to: 54, step: 2 },
        slow: { from: 60, to: 240, step: 10 },
        k: { from: 2, to: 9, step: 1 },
      },
      long: { enter: ['ema($fast) crosses above ema($slow)'] },
      short: { enter: ['ema($fast) crosses below ema($slow)'] },
      reverse: true,
      stopLoss: '$k * atr(48)',
    },
  ],
};

let room: MachineRoom;

beforeEach(async () => {
  room = await MachineRoom.open();
});

afterEach(() => room.close());

test('a third peer works on the job within a second of having its data', async () => {
  await room.file('candles.csv', candleCsv(syntheticCandles({ ...FIVE_MINUTE_YEAR, bars: BARS })));
  const file = await room.file('job.json', JOB);
  // So slow that the third peer comes long before the end, and then ends it sooner.
  const slow = ['--slots', '1', '--throttle', '0.1'];
  const [ada, bo] = (await room.mesh(['ada', 'bo'], slow)) as [Machine, Machine];
  expect(await bo.mesh(['submit', file, '--detach', '--quiet'])).toMatchObject({ status: 0 });
  await until('both work', async () => (await ada.self()).done > 0 && (await bo.self()).done > 0);

  const cy = room.machine('cy');
  await cy.takeKeyFrom(ada);
  const hasData = untilHasLargestOf(bo, cy);
  await cy.join([...LOOPBACK, '--slots', '1', '--peer', await ada.place()]);
  const hasDataMs = await hasData;
  await until('cy has done a task', async () => (await cy.self()).done > 0);
  expect(performance.now() - hasDataMs).toBeLessThan(1000);

  const summary = await ada.summaryOf('last');
  expect(summary).toMatchObject({ state: 'done', done: summary.tasks, failed: 0 });
  expect(summary.peers.find(({ name }) => name === 'cy')?.done).toBeGreaterThan(0);
  expect((await cy.self()).stole).toBeGreaterThan(0);
});

/** When the largest blob of `from`, whole, is on the disk of `to`. */
async function untilHasLargestOf(from: Machine, to: Machine): Promise<number> {
  const blobs = await readdir(join(from.home, 'blobs'));
  const sizes = await Promise.all(
    blobs.map(async (name) => ({ name, bytes: await sizeOf(from, name) })),
  );
  const [largest] = sizes.toSorted((a, b) => b.bytes - a.bytes);
  expect(largest?.bytes).toBeGreaterThan(2_000_000);
  await until('the candles have come', async () => (await sizeOf(to, largest!.name)) > 0);
  return performance.now();
}

async function sizeOf({ home }: Machine, blob: string): Promise<number> {
  return stat(join(home, 'blobs', blob)).then(
    ({ size }) => size,
    () => 0,
  );
}
