// kill -9 at the worst moments, on real processes: the job ends on those that are left, every task counts once,
// and the rows are bit for bit those of a plain loop that knows nothing of a mesh.
import { copyFile, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { JobSummary, JobView } from '../../src/node/control/api.ts';
import { sequentialResultsSha256 } from '../independent/sequential.ts';
import type { Machine } from './harness/machine.ts';
import { MachineRoom } from './harness/machine-room.ts';
import { until } from './harness/until.ts';

const EXAMPLES = resolve(import.meta.dirname, '../../examples');
const NAMES = ['ada', 'bo', 'cy'];
/** ms that the job takes on three slots: long enough to be killed in, whatever the machine's speed. */
const JOB_MS = 3_000;

/** The example on real candles with a finer grid, and its plain loop's hash. */
let shelf: MachineRoom;
let jobFile: string;
let expectedSha256: string;
let slots: string[];
let room: MachineRoom;

beforeAll(async () => {
  shelf = await MachineRoom.open();
  const job = JSON.parse(await readFile(join(EXAMPLES, 'aapl.json'), 'utf8')) as object;
  const vars = { sl: { from: 0.02, to: 0.09, step: 0.01 } };
  await copyFile(join(EXAMPLES, 'aapl.csv'), join(shelf.path, 'aapl.csv'));
  jobFile = await shelf.file('finer.json', { ...job, vars });
  const beforeMs = performance.now();
  expectedSha256 = await sequentialResultsSha256(jobFile);
  const aloneMs = performance.now() - beforeMs;
  const throttle = Math.min(1, aloneMs / (NAMES.length * JOB_MS));
  slots = ['--slots', '1', '--throttle', throttle.toFixed(4)];
});

beforeEach(async () => {
  room = await MachineRoom.open();
});

afterEach(() => room.close());

afterAll(() => shelf.close());

/** Three peers and a job that `bo` submitted to the mesh that `ada` began; a fifth of it is done. */
async function busyMesh(): Promise<{ machines: Machine[]; before: JobView }> {
  const machines = await room.mesh(NAMES, slots);
  const { status, stdout } = await machines[1]!.mesh(['submit', jobFile, '--detach', '--quiet']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^j-[0-9a-z]{4,}\n$/);
  const before = await until('a fifth of the job is done', async () => {
    const [job] = (await machines[1]!.jobs()).jobs;
    return job !== undefined && job.done > job.tasks / 5 && job;
  });
  expect(before.state).toBe('running');
  return { machines, before };
}

async function untilHasWork(machine: Machine): Promise<void> {
  await until(`${machine.name} has work`, async () => {
    const { queued, running } = await machine.self();
    return queued + running > 0;
  });
}

async function expectWhole(survivor: Machine): Promise<JobSummary> {
  const summary = await survivor.summaryOf('last');
  expect(summary).toMatchObject({ state: 'done', done: summary.tasks, failed: 0 });
  expect(summary.resultsSha256).toBe(expectedSha256);
  expect(summary.peers.reduce((sum, peer) => sum + peer.done, 0)).toBe(summary.tasks);
  return summary;
}

test('a thief that is killed with work in its hands costs nothing but its time', async () => {
  const { machines } = await busyMesh();
  const [ada, bo, cy] = machines as [Machine, Machine, Machine];
  await untilHasWork(cy);
  await cy.kill();
  const { peers } = await expectWhole(ada);
  expect(peers.map(({ name }) => name)).toContain('cy');
  expect((await bo.summaryOf('last')).resultsSha256).toBe(expectedSha256);
});

test('the peer that everybody named in --peer is no more important than the others', async () => {
  const { machines } = await busyMesh();
  const [ada, , cy] = machines as [Machine, Machine, Machine];
  await untilHasWork(ada);
  await ada.kill();
  await expectWhole(cy);
});

test('a job outlives the peer that it was submitted to', async () => {
  const { machines } = await busyMesh();
  const [ada, bo, cy] = machines as [Machine, Machine, Machine];
  await bo.kill();
  await expectWhole(cy);
  expect((await ada.summaryOf('last')).resultsSha256).toBe(expectedSha256);
});

test('when all are killed, the job goes on where it stopped as soon as they join again', async () => {
  const { machines, before } = await busyMesh();
  const [ada] = machines as [Machine, Machine, Machine];
  const places = await Promise.all(machines.map((machine) => machine.place()));
  await Promise.all(machines.map((machine) => machine.kill()));
  // One after the other, as machines come up: whoever is alone waits for the others that its disk names before it runs
  // what it lacks. Nobody is named here: they know each other.
  for (const [at, machine] of machines.entries())
    await machine.join([...slots, '--listen', places[at]!]);
  for (const machine of machines) await machine.untilSees(NAMES);
  const summary = await expectWhole(ada);
  const madeAfter = await Promise.all(machines.map(async (machine) => (await machine.self()).done));
  const again = madeAfter.reduce((sum, done) => sum + done, 0) - (summary.tasks - before.done);
  expect(again).toBeLessThanOrEqual(0);
});
