// Luck or skill, asked of two real peers: the segments are a job of the mesh, and no other job is mistaken for it.
import { copyFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobsView, ResultsView } from '../../src/node/control/api.ts';
import type { OverfitReport } from '../../src/node/cli/output/overfit.ts';
import { LOOPBACK, MachineRoom } from './harness/machine-room.ts';

const CANDLES = resolve(import.meta.dirname, '../../examples/aapl.csv');

let room: MachineRoom;

beforeEach(async () => {
  room = await MachineRoom.open();
});

afterEach(() => room.close());

test('the winners of a job are judged by a job of the mesh, whose rows are found again', async () => {
  const [ada, bo] = [room.machine('ada'), room.machine('bo')];
  await ada.join(LOOPBACK);
  await bo.takeKeyFrom(ada);
  await bo.join([...LOOPBACK, '--peer', await ada.place()]);
  await ada.untilSees(['ada', 'bo']);
  await copyFile(CANDLES, join(room.path, 'aapl.csv'));
  const file = join(room.path, 'job.json');
  const enter = 'ema($fast) crosses above ema($slow)';
  const job = {
    version: 1,
    data: { file: 'aapl.csv' },
    vars: { fast: { from: 3, to: 22 }, slow: { from: 25, to: 85, step: 5 } },
    strategies: [{ long: { enter: [enter], exit: ['ema($fast) < ema($slow)'] } }],
    rank: 'dsr',
    keep: 5,
    filter: ['trades >= 20'],
  };
  await writeFile(file, JSON.stringify(job));
  expect((await ada.mesh(['submit', file, '--quiet'])).status).toBe(0);
  const winners = await bo.json<ResultsView>(['results', 'last', '--winners']);
  const trades = winners.rows.map((row) => row[winners.columns.indexOf('trades')] ?? 0);
  expect(trades).toHaveLength(5);
  expect(Math.min(...trades)).toBeGreaterThanOrEqual(20);

  const report = await ada.json<OverfitReport>(['results', 'last', '--overfit']);
  expect(report).toMatchObject({ trials: 260, segments: 16, drawn: 260, combinations: 12_870 });
  const tasks = winners.rows.map(([task]) => task);
  expect(new Set(report.winners.map(({ task }) => task))).toEqual(new Set(tasks));
  const chances = report.winners.map(({ dsr }) => dsr ?? -1);
  expect(chances).toEqual(chances.toSorted((a, b) => b - a));
  for (const chance of [...chances, report.pbo ?? -1, report.lossShare ?? -1]) {
    expect(chance).toBeGreaterThanOrEqual(0);
    expect(chance).toBeLessThanOrEqual(1);
  }

  // The same question has the same answer, from the other peer too, and it is nobody's last job.
  expect(await bo.json<OverfitReport>(['results', 'last', '--overfit'])).toEqual(report);
  const { jobs } = await ada.json<JobsView>(['jobs']);
  expect(jobs.map(({ name }) => name)).toEqual(['job.json', 'segments of job.json']);
  const more = await ada.json<OverfitReport>(['results', 'last', '--overfit', '--trials', '99999']);
  expect(more.winners[0]?.dsr).toBeLessThan(report.winners[0]?.dsr ?? 0);
});

test('what has no returns, no winners or too few days says so', async () => {
  const ada = room.machine('ada');
  await ada.join(LOOPBACK);
  const file = join(room.path, 'spin.json');
  await writeFile(file, '{"version":1,"kernel":"spin","tasks":3,"costMs":0,"mode":"spin"}');
  expect((await ada.mesh(['submit', file, '--quiet'])).status).toBe(0);
  const spun = await ada.mesh(['results', 'last', '--overfit']);
  expect(spun.status).toBe(2);
  expect(spun.stderr).toContain('only backtests can be overfit');

  const days = Array.from({ length: 20 }, (_, i) => {
    const date = new Date(1_704_067_200_000 + i * 86_400_000).toISOString().slice(0, 10);
    return `${date},${100 + i},${102 + i},${99 + i},${101 + i},1`;
  });
  await writeFile(
    join(room.path, 'few.csv'),
    `date,open,high,low,close,volume\n${days.join('\n')}\n`,
  );
  const few = join(room.path, 'few.json');
  await writeFile(few, shortJob([]));
  expect((await ada.mesh(['submit', few, '--quiet'])).status).toBe(0);
  const report = await ada.json<OverfitReport>(['results', 'last', '--overfit']);
  expect(report).toMatchObject({ pbo: null, why: expect.stringContaining('fewer than 32 days') });

  await writeFile(few, shortJob(['trades > 99']));
  expect((await ada.mesh(['submit', few, '--quiet'])).status).toBe(0);
  const none = await ada.mesh(['results', 'last', '--overfit']);
  expect(none.status).toBe(2);
  expect(none.stderr).toContain('no task passes its filter');
});

/** On data of a few days. */
function shortJob(filter: readonly string[]): string {
  return JSON.stringify({
    version: 1,
    data: 'few.csv',
    vars: { n: [2, 3, 4] },
    strategies: [{ long: { enter: ['close > sma($n)'] } }],
    filter,
  });
}
