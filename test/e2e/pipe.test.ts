// `mesh submit` between other programs: rows on a pipe, readers that have enough, signals, a job that is cancelled.
import { Ajv, type ValidateFunction } from 'ajv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobSummary } from '../../src/node/control/api.ts';
import { MESH, startMesh } from './cli-process.ts';
import type { Machine } from './harness/machine.ts';
import { MachineRoom } from './harness/machine-room.ts';
import { until } from './harness/until.ts';

let room: MachineRoom;
let ada: Machine;
let bo: Machine;

beforeAll(async () => {
  room = await MachineRoom.open();
  [ada, bo] = (await room.mesh(['ada', 'bo'], ['--slots', '2'])) as [Machine, Machine];
});

afterAll(() => room.close());

function spinFile(tasks: number, costMs: number): Promise<string> {
  const spin = { version: 1, kernel: 'spin', tasks, costMs, mode: 'sleep', seed: 1 };
  return room.file(`spin-${tasks}-${costMs}.json`, spin);
}

test('on a pipe every task is one line, whichever peer ran it, and the summary is the last', async () => {
  const file = await spinFile(500, 4);
  const { status, stdout } = await ada.mesh(['submit', file]);
  expect(status).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  const objects = lines.map((line) => JSON.parse(line) as { type: string; task: number });
  const summary = objects.pop() as unknown as JobSummary & { type: string };
  expect(summary).toMatchObject({ type: 'summary', state: 'done', done: 500, failed: 0 });
  expect(summary.peers.filter(({ done }) => done > 0)).toHaveLength(2);
  expect(objects.every(({ type }) => type === 'result')).toBe(true);
  const tasks = objects.map(({ task }) => task).toSorted((a, b) => a - b);
  expect(tasks).toEqual(Array.from({ length: 500 }, (_, task) => task));
});

test('what is printed fits the schemas that mesh schema prints', async () => {
  const validators = await Promise.all(
    ['events', 'peers'].map(async (which) => {
      const { stdout } = await ada.mesh(['schema', which]);
      return new Ajv({ strict: true, allowUnionTypes: true }).compile(JSON.parse(stdout) as object);
    }),
  );
  const [isEvent, isPeers] = validators as [ValidateFunction, ValidateFunction];
  const lines = (await ada.mesh(['watch', 'last'])).stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(501);
  expect(lines.filter((line) => !isEvent(JSON.parse(line)))).toEqual([]);
  const peers = await ada.peers();
  expect([isPeers(peers), isPeers.errors]).toEqual([true, null]);
  expect(isEvent({ type: 'result', task: -1, metrics: {} })).toBe(false);
  expect(isPeers({ ...peers, totals: undefined })).toBe(false);
});

test('who watches later still gets every task once', async () => {
  const { stdout } = await bo.mesh(['watch', 'last']);
  const tasks = stdout.split('\n').flatMap((line) => /"task":(\d+)/.exec(line)?.[1] ?? []);
  expect(new Set(tasks).size).toBe(500);
  expect(tasks).toHaveLength(500);
});

test('`| head -1` takes one line, exits 0, and leaves the job alone', async () => {
  const file = await spinFile(200, 10);
  const piped = startShell(`{ "$0" "$1" submit "$2"; echo "exit $?" >&2; } | head -n 1`, file);
  const { stdout, stderr } = await piped.finished;
  expect(JSON.parse(stdout)).toMatchObject({ type: 'result' });
  expect(stderr).toContain('exit 0');
  expect(stderr).not.toMatch(/EPIPE|error/i);
  expect(await ada.summaryOf('last')).toMatchObject({ state: 'done', tasks: 200, done: 200 });
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s detaches with exit %d, and the job goes on', async (signal, exit) => {
  const running = ada.start(['submit', await spinFile(150, 20)]);
  await until('a row is out', () => running.stdout().includes('\n'));
  running.child.kill(signal);
  const { status, stderr } = await running.finished;
  expect(status).toBe(exit);
  expect(stderr).toMatch(/detached; job j-\w+ goes on/);
  expect(stderr).toMatch(/mesh watch j-\w+ .*mesh cancel j-\w+/);
  expect(await bo.summaryOf('last')).toMatchObject({ state: 'done', tasks: 150, done: 150 });
});

test('a cancelled job ends its submitter and its watchers with exit 5, wherever it is cancelled', async () => {
  const submit = ada.start(['submit', await spinFile(10_000, 50), '--json']);
  const job = await until('the job is known', async () => {
    const running = (await bo.jobs()).jobs.find(({ state }) => state === 'running');
    return running !== undefined && running.done > 0 && running;
  });
  const watch = bo.start(['watch', job.id, '--json']);
  expect(await bo.mesh(['cancel', job.id])).toMatchObject({ status: 0, stderr: '' });
  for (const command of [submit, watch]) {
    const { status, stdout } = await command.finished;
    expect(status).toBe(5);
    const summary = JSON.parse(stdout) as JobSummary;
    expect(summary).toMatchObject({ state: 'cancelled', job: job.id });
    expect(summary.done).toBeLessThan(10_000);
  }
  for (const machine of [ada, bo]) {
    await until(`${machine.name} has stopped working`, async () => {
      const { running, queued } = await machine.self();
      return running + queued === 0;
    });
  }
});

test('a node that is killed under its watcher ends the watcher with exit 3 and the way back', async () => {
  const cy = room.machine('cy');
  await cy.join(['--listen', '127.0.0.1', '--port', '0', '--slots', '1']);
  const submit = cy.start(['submit', await spinFile(150, 20)]);
  await until('a row is out', () => submit.stdout().includes('\n'));
  await cy.kill();
  const { status, stderr } = await submit.finished;
  expect(status).toBe(3);
  const back = /try: mesh join && mesh watch (j-\w+)\n/.exec(stderr)?.[1] ?? '';
  await cy.join(['--listen', '127.0.0.1', '--port', '0', '--slots', '1']);
  expect(await cy.summaryOf(back)).toMatchObject({ state: 'done', tasks: 150, done: 150 });
});

/** In `script` $0 is node, $1 the program, $2 the file; the shell's own pipe is between. */
function startShell(script: string, file: string): ReturnType<typeof startMesh> {
  const through = ['sh', '-c', script, process.execPath, MESH, file];
  return startMesh([], { home: ada.home, through });
}
