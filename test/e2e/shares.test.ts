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
      let trial = await throttleTrial(group, 1);
      for (let round = 2; round <= 3 && !trial.isFair; round++) {
        trial = await throttleTrial(group, round);
      }
      expect(Math.abs(trial.share - trial.predicted)).toBeLessThanOrEqual(0.06);
    } finally {
      group.limit(1);
      await room.close();
      await group.remove();
    }
  }, 240_000);
});

const SPIN = { costMs: 5, mode: 'spin' } as const;

interface Speeds {
  /** Tasks per ms, alone: untouched, and throttled. */
  readonly full: number;
  readonly throttled: number;
}

/** One job whose second peer is throttled after a third. `isFair`: that peer is as fast alone after the job as
 * before it; when something else on this computer came or went meanwhile, the prediction means nothing. */
async function throttleTrial(
  group: CpuGroup,
  round: number,
): Promise<{ share: number; predicted: number; isFair: boolean }> {
  const slow = room.machine(`slow-${round}`);
  await slow.join([...LOOPBACK, '--slots', '1']);
  group.add((await slow.status()).self.pid);
  await run(slow, { ...SPIN, tasks: 100 });
  const before = await speedsAlone(slow, group);

  const steady = room.machine(`steady-${round}`);
  await steady.takeKeyFrom(slow);
  await steady.join([...LOOPBACK, '--slots', '1', '--peer', await slow.place()]);
  await steady.untilSees([slow.name, steady.name]);
  await run(steady, { ...SPIN, tasks: 100 });
  const tasks = Math.round(before.full * 2 * 4_000);
  const running = run(steady, { ...SPIN, tasks });
  await until('a third is done', async () => {
    const newest = (await steady.jobs()).jobs.at(-1);
    return newest?.tasks === tasks && newest.done >= tasks / 3;
  });
  group.limit(1 / 3);
  const summary = await running;
  expect(summary.done).toBe(tasks);
  await steady.mesh(['stop']);
  const after = await speedsAlone(slow, group);
  await slow.mesh(['stop']);

  // Equal speeds for a third of the job, then the rest in proportion.
  const rest = (2 / 3) * (before.throttled / (before.full + before.throttled));
  return {
    share: doneBy(summary, slow) / tasks,
    predicted: 1 / 6 + rest,
    isFair: isNear(before.full, after.full) && isNear(before.throttled, after.throttled),
  };
}

async function speedsAlone(machine: Machine, group: CpuGroup): Promise<Speeds> {
  group.limit(1);
  const full = await run(machine, { ...SPIN, tasks: 300 });
  group.limit(1 / 3);
  const throttled = await run(machine, { ...SPIN, tasks: 100 });
  group.limit(1);
  return { full: 300 / full.elapsedMs, throttled: 100 / throttled.elapsedMs };
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a / b - 1) < 0.08;
}

/** Needs root and the cpu controller; where CI demands it, its absence fails the suite. */
async function canMakeGroups(): Promise<boolean> {
  const group = CpuGroup.make('mesh-probe');
  await group?.remove();
  if (group === undefined && process.env['MESH_TEST_NAMESPACES'] === 'required') {
    throw new Error('no cpu cgroup can be made here, and MESH_TEST_NAMESPACES=required');
  }
  return group !== undefined;
}
