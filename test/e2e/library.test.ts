// The library against a running node: results once each, errors by their codes, and two users at a time.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Mesh, MeshError, type MeshResult } from '../../src/index.ts';
import type { Machine } from './harness/machine.ts';
import { LOOPBACK, MachineRoom } from './harness/machine-room.ts';

let room: MachineRoom;
let box: Machine;
let mesh: Mesh;

beforeAll(async () => {
  room = await MachineRoom.open();
  box = room.machine('box');
  await box.join([...LOOPBACK, '--slots', '2']);
  mesh = await connect({ home: box.home });
});

afterAll(async () => {
  await mesh.close();
  await room.close();
});

function spin(tasks: number, costMs = 1): object {
  return { version: 1, kernel: 'spin', tasks, costMs, mode: 'sleep', seed: 1 };
}

test('every result comes once, named, and the same as the results of the job', async () => {
  const run = mesh.submit(spin(300), { name: 'from a program' });
  const results: MeshResult[] = [];
  for await (const result of run) results.push(result);
  const { rows, columns } = await mesh.results(await run.job);
  const byTask = results.toSorted((a, b) => a.task - b.task);
  expect(byTask.map(({ task }) => task)).toEqual(rows.map((row) => row[0]));
  expect(byTask.map(({ metrics }) => columns.slice(1).map((name) => metrics[name]))).toEqual(
    rows.map((row) => row.slice(1)),
  );
  expect(byTask[0]).toMatchObject({ name: 'sleep', params: { costMs: 1 } });
  expect(await run.summary).toMatchObject({ done: 300, failed: 0, name: 'from a program' });
});

test('jobs of one connection run side by side; a wait for the summary needs no loop', async () => {
  const runs = [mesh.submit(spin(50)), mesh.submit(spin(60)), mesh.submit(spin(70))];
  const summaries = await Promise.all(runs.map((run) => run.summary));
  expect(summaries.map(({ done }) => done)).toEqual([50, 60, 70]);
});

test('who leaves the loop leaves the job running; cancel ends it', async () => {
  const run = mesh.submit(spin(100_000, 5));
  for await (const result of run) {
    expect(result.task).toBeGreaterThanOrEqual(0);
    break;
  }
  await run.cancel();
  expect(await run.summary).toMatchObject({ state: 'cancelled' });
});

test('a signal ends the iteration with its reason', async () => {
  const gone = new AbortController();
  const run = mesh.submit(spin(100_000, 5), { signal: gone.signal });
  const reading = (async () => {
    for await (const _ of run) gone.abort(new Error('enough'));
  })();
  await expect(reading).rejects.toThrow('enough');
  await run.cancel();
});

test('mistakes are MeshErrors with the codes of the command line', async () => {
  const wrong = mesh.submit({ version: 1, kernel: 'spin', tasks: -1 });
  await expect(wrong.summary).rejects.toBeInstanceOf(MeshError);
  await expect(wrong.job).rejects.toMatchObject({ code: 'BAD_INPUT', exitCode: 65 });
  await expect(mesh.submit('/no/such/file.json').job).rejects.toMatchObject({ code: 'BAD_INPUT' });
  await expect(mesh.summary('nope')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const nobody = connect({ home: `${room.path}/empty`, embed: 'never' });
  await expect(nobody).rejects.toMatchObject({ code: 'NO_NODE', hint: 'mesh join' });
});

test('without a node the program is one until it closes', async () => {
  const alone = await connect({ home: `${room.path}/alone`, slots: 1 });
  const { summary } = alone.submit(spin(20));
  expect(await summary).toMatchObject({ done: 20 });
  await alone.close();
  await expect(connect({ home: `${room.path}/alone`, embed: 'never' })).rejects.toThrow('no mesh');
});
