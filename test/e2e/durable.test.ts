// What a peer keeps on its disk, seen by the people at its command line.
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ResultsView } from '../../src/node/control/api.ts';
import { LOOPBACK, MachineRoom } from './harness/machine-room.ts';
import { until } from './harness/until.ts';

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

  await ada.kill();
  await ada.join(LOOPBACK);
  expect(await ada.json<ResultsView>(['results', 'last'])).toEqual(rows);
  expect((await ada.summaryOf('last')).resultsSha256).toBe(before.resultsSha256);

  await ada.kill();
  await ada.join([...LOOPBACK, '--keep', '0m']);
  await until('the job has left', async () => (await ada.jobs()).jobs.length === 0);
  await ada.kill();
  await ada.join(LOOPBACK);
  // Its records lie in the segment that is still written: they are dead, and leave again.
  expect(await readdir(join(ada.home, 'journal'))).toEqual(['00000001.segment']);
});
