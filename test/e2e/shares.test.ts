// Who runs how much, on real processes: each peer the share that its real speed earns, whatever its core count
// says, and also when that speed changes in the middle of a job.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CpuGroup } from '../../scripts/cpu-group.ts';
import type { JobSummary } from '../../src/node/control/api.ts';
import type { Machine } from './harness/machine.ts';
import { LOOPBACK, MachineRoom } from './harness/machine-room.ts';
import { until } from './harness/until.ts';

let room: MachineRoom;

beforeEach(async () => {
  room = await MachineRoom.open();
});

afterEach(() => room.close());

interface SpinJob {
  readonly tasks: number;
  readonly costMs: number;
  readonly mode: 'sleep' | 'spin';
}

async function run(machine: Machine, job: SpinJob): Promise<JobSummary> {
  const file = await room.file('job.json', { version: 1, kernel: 'spin', seed: 1, ...job });
  return machine.json<JobSummary>(['submit', file]);
}

function doneBy(summary: JobSummary, machine: Machine): number {
  return summary.peers.find((peer) => peer.name === machine.name)?.done ?? 0;
}

test('equal tasks on 12 and 10 slots go out in as few rounds as can be', async () => {
  const twelve = room.machine('twelve');
  await twelve.join([...LOOPBACK, '--slots', '12']);
  const ten = room.machine('ten');
  await ten.takeKeyFrom(twelve);
  await ten.join([...LOOPBACK, '--slots', '10', '--peer', await twelve.place()]);
  await ten.untilSees(['twelve', 'ten']);
  await run(ten, { tasks: 44, costMs: 50, mode: 'sleep' });
  const summary = await run(ten, { tasks: 300, costMs: 50, mode: 'sleep' });
  // 14 rounds of 50 ms are needed; 160..168 tasks on the twelve slots fit into them.
  expect(doneBy(summary, twelve)).toBeGreaterThanOrEqual(158);
  expect(doneBy(summary, twelve)).toBeLessThanOrEqual(170);
  expect(summary.done).toBe(300);
});

const canThrottle = await canMakeGroups();

describe.runIf(canThrottle)('a peer that becomes slower in the middle of a job', () => {
  test('ends with the share that its own throughput predicts', async () => {
    const group = CpuGroup.make('mesh-shares');
    if (group === undefined) throw new Error('the cpu cgroup went away');
    try {
      const slow = room.machine('slow');
      await slow.join([...LOOPBACK, '--slots', '1']);
      group.add((await slow.status()).self.pid);
      const spin = { costMs: 5, mode: 'spin' } as const;
      await run(slow, { ...spin, tasks: 100 });
      const full = await run(slow, { ...spin, tasks: 300 });
      group.limit(1 / 3);
      const throttled = await run(slow, { ...spin, tasks: 100 });
      group.limit(1);
      const fullRate = 300 / full.elapsedMs;
      const throttledRate = 100 / throttled.elapsedMs;

      const steady = room.machine('steady');
      await steady.takeKeyFrom(slow);
      await steady.join([...LOOPBACK, '--slots', '1', '--peer', await slow.place()]);
      await steady.untilSees(['slow', 'steady']);
      await run(steady, { ...spin, tasks: 100 });
      const tasks = Math.round(fullRate * 2 * 4_000);
      const running = run(steady, { ...spin, tasks });
      await until('a third is done', async () => {
        const newest = (await steady.jobs()).jobs.at(-1);
        return newest?.tasks === tasks && newest.done >= tasks / 3;
      });
      group.limit(1 / 3);
      const summary = await running;
      // Equal speeds for a third of the job, then the rest in proportion.
      const rest = (2 / 3) * (throttledRate / (fullRate + throttledRate));
      const predicted = 1 / 6 + rest;
      expect(Math.abs(doneBy(summary, slow) / tasks - predicted)).toBeLessThanOrEqual(0.06);
      expect(summary.done).toBe(tasks);
    } finally {
      group.limit(1);
      await room.close();
      await group.remove();
    }
  });
});

/** Needs root and the cpu controller; where CI demands it, its absence fails the suite. */
async function canMakeGroups(): Promise<boolean> {
  const group = CpuGroup.make('mesh-probe');
  await group?.remove();
  if (group === undefined && process.env['MESH_TEST_NAMESPACES'] === 'required') {
    throw new Error('no cpu cgroup can be made here, and MESH_TEST_NAMESPACES=required');
  }
  return group !== undefined;
}
