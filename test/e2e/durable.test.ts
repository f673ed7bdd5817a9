// What a peer keeps on its disk, seen by the people at its command line.
import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobSummary, ResultsView } from '../../src/node/control/api.ts';
import { LOOPBACK, MachineRoom } from './harness/machine-room.ts';
import { PEER_ENVIRONMENT, PEER_FLAGS } from '../../src/node/peer-flags.ts';
import { until } from './harness/until.ts';
import type { FailuresView, RetryView } from '../../src/node/control/failure-api.ts';

const JOB = resolve(import.meta.dirname, '../../examples/aapl.json');

let room: MachineRoom;

beforeEach(async () => {
  room = await MachineRoom.open();
});

afterEach(() => room.close());

test('an ended job is read from the disk of a peer that starts again, until it has been kept for long enough', async () => {
  const ada = room.machine('ada');
  await ada.join(LOOPBACK);
  expect((await ada.mesh(['submit', JOB, '--detach', '-q'])).status).toBe(0);
  const before = await ada.summaryOf('last');
  const rows = await ada.json<ResultsView>(['results', 'last']);
  expect((await ada.status()).disk).toMatchObject({
    state: 'ok',
    safety: 'power-safe',
    keep: { ms: 30 * 86_400_000, bytes: 20e9 },
    refuses: null,
  });

  // The node in the background makes no code of what it is told.
  const { pid } = (await ada.status()).self;
  expect(execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })).toContain(
    PEER_FLAGS.join(' '),
  );
  if (process.platform === 'linux') {
    expect((await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0')).toEqual(
      expect.arrayContaining(Object.entries(PEER_ENVIRONMENT).map((pair) => pair.join('='))),
    );
  }

  await ada.kill();
  await ada.join(LOOPBACK);
  expect(await ada.json<ResultsView>(['results', 'last'])).toEqual(rows);
  expect((await ada.summaryOf('last')).resultsSha256).toBe(before.resultsSha256);

  // The same file again: nothing is computed, and the rows, read back from the disk, are the same.
  const again = await ada.json<JobSummary>(['submit', JOB]);
  expect(again).toMatchObject({ tasks: before.tasks, done: before.tasks, cached: before.tasks });
  expect(again.resultsSha256).toBe(before.resultsSha256);
  expect(again.peers.reduce((sum, { done }) => sum + done, 0)).toBe(0);
  const fresh = await ada.json<JobSummary>(['submit', JOB, '--fresh']);
  expect(fresh).toMatchObject({ cached: 0, resultsSha256: before.resultsSha256 });

  await ada.kill();
  await ada.join([...LOOPBACK, '--keep', '0m']);
  await until('the job has left', async () => (await ada.jobs()).jobs.length === 0);
  await ada.kill();
  await ada.join(LOOPBACK);
  // Its records lie in the segment that is still written: they are dead, and leave again.
  expect(await readdir(join(ada.home, 'journal'))).toEqual(['00000001.segment']);
});

test('a backtest that never ends costs itself and nothing else, is named with its input, and can be tried again', async () => {
  const ada = room.machine('ada');
  await ada.join([...LOOPBACK, '--slots', '2']);
  const endless = 3_600_000;
  const job = {
    version: 1,
    kernel: 'spin',
    tasks: 40,
    mode: 'sleep',
    seed: 5,
    costMs: costs(40, 17, endless),
  };
  const file = await room.file('endless.json', job);
  const { status } = await ada.mesh(['submit', file, '--task-timeout', '1s', '-q']);
  expect(status).toBe(4);
  expect(await ada.summaryOf('last')).toMatchObject({ tasks: 40, done: 39, failed: 1 });
  const failed = await ada.json<FailuresView>(['results', 'last', '--failed']);
  expect(failed.failures).toMatchObject([
    { task: 17, params: { costMs: endless }, code: 92, mayRetry: true, attempts: 3 },
  ]);
  expect(failed.failures[0]?.reason).toContain('took longer than 1000 ms');

  expect(await ada.json<RetryView>(['retry', 'last'])).toMatchObject({ tasks: 1 });
  // Under the same job, to an end of its own: it fails again.
  await until('it runs again', async () => (await ada.jobs()).jobs[0]?.state === 'running');
  await until('it has ended again', async () => (await ada.jobs()).jobs[0]?.state === 'done');
  expect(await ada.summaryOf('last')).toMatchObject({ tasks: 40, done: 39, failed: 1 });
  expect((await ada.jobs()).jobs).toHaveLength(1);
});

/** 5 ms each, but for one. */
function costs(tasks: number, at: number, costMs: number): number[] {
  return Array.from({ length: tasks }, (_, task) => (task === at ? costMs : 5));
}
