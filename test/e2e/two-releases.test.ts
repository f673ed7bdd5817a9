// Machines are not updated in one moment: peers of this release and of the next one are one mesh, whoever dials.
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobSummary } from '../../src/node/control/api.ts';
import type { Machine } from './harness/machine.ts';
import { LOOPBACK, MachineRoom } from './harness/machine-room.ts';
import { makeNextRelease, NEXT_VERSION, THIS_VERSION } from './harness/next-release.ts';
import { until } from './harness/until.ts';

const NAMES = ['early', 'middle', 'late'];
const JOB = { version: 1, kernel: 'spin', tasks: 900, costMs: 4, mode: 'sleep', seed: 3 };

let room: MachineRoom;

beforeEach(async () => {
  room = await MachineRoom.open();
});

afterEach(() => room.close());

test('two releases share work and rows, keep them for each other, and say which each is', async () => {
  const program = await makeNextRelease(join(room.path, 'next'));
  const early = room.machine('early');
  const middle = room.machine('middle', { program });
  const late = room.machine('late');
  await early.join([...LOOPBACK, '--slots', '2']);
  // The newer one dials the older, and the older one the newer.
  await middle.takeKeyFrom(early);
  await middle.join([...LOOPBACK, '--slots', '2', '--peer', await early.place()]);
  await late.takeKeyFrom(early);
  await late.join([...LOOPBACK, '--slots', '2', '--peer', await middle.place()]);
  for (const machine of [early, middle, late]) await machine.untilSees(NAMES);
  const { peers } = await early.peers();
  const versions = peers.map(({ name, version }) => `${name} ${version}`).toSorted();
  expect(versions).toEqual([
    `early ${THIS_VERSION}`,
    `late ${THIS_VERSION}`,
    `middle ${NEXT_VERSION}`,
  ]);

  const file = await room.file('spin.json', JOB);
  const truth = await room.machine('alone').json<JobSummary>(['submit', file]);
  for (const machine of [early, middle, late]) {
    const summary = await machine.json<JobSummary>(['submit', file, '--fresh']);
    expect(summary).toMatchObject({ state: 'done', done: 900, failed: 0, disputed: 0 });
    expect(summary.resultsSha256).toBe(truth.resultsSha256);
    const busy = summary.peers.filter(({ done }) => done > 0).map(({ name }) => name);
    expect(busy.toSorted()).toEqual(NAMES.toSorted());
  }

  const { stdout } = await middle.mesh(['submit', file, '--fresh', '-d', '-q']);
  const summary = await endsWithout(early, middle, stdout.trim());
  expect(summary).toMatchObject({ state: 'done', done: 900 });
  expect(summary.resultsSha256).toBe(truth.resultsSha256);
}, 90_000);

/** The submitter is killed while its job runs. */
async function endsWithout(here: Machine, submitter: Machine, job: string): Promise<JobSummary> {
  await until('the job has begun here', async () => {
    const { jobs } = await here.jobs();
    return jobs.some(({ id, done }) => id === job && done > 0);
  });
  await submitter.kill();
  return here.summaryOf(job);
}
