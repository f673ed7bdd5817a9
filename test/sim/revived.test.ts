// A peer that starts again with an unfinished job first waits for whom the rows on its disk name: what is missing
// here may lie there.
import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/stealing/limits.ts';
import { judge } from '../../src/stealing/simulate/judge.ts';
import type { PlannedFault } from '../../src/stealing/simulate/scenario.ts';
import type { Check, WorldView } from '../../src/stealing/simulate/watch.ts';
import { calmScenario, REAL } from './scenarios.ts';

const TWO = [
  { slots: 4, speed: 1 },
  { slots: 4, speed: 1 },
];
const JOB = { runs: [{ tasks: 600, units: 20_000 }] };
/** ms of virtual time. */
const OFF_AT = 2_000;
const FIRST_BACK_AT = OFF_AT + 500;

interface Seen {
  /** Tasks that ran more than once. */
  again: number;
  /** Those whose row lay on a disk when they ran. */
  inVain: number;
  /** When the end of the job went to a disk first. */
  endedMs: number;
}

/** `secondBack`: when the peer that comes last is back. Rows that it made while it was cut off are on its disk only. */
function afterPowerLoss(
  first: 0 | 1,
  secondBackMs: number | 'for good',
  reviveWaitMs: number,
): Seen {
  const second = 1 - first;
  const secondDownMs = secondBackMs === 'for good' ? secondBackMs : secondBackMs - OFF_AT;
  const faults: PlannedFault[] = [
    { atMs: 1_400, fault: { kind: 'partition', side: [0], oneWay: false, forMs: 700 } },
    { atMs: OFF_AT, fault: { kind: 'powerLoss', peer: first, downMs: FIRST_BACK_AT - OFF_AT } },
    { atMs: OFF_AT, fault: { kind: 'powerLoss', peer: second, downMs: secondDownMs } },
  ];
  const limits = { ...DEFAULT_LIMITS, reviveWaitMs };
  const seen: Seen = { again: 0, inVain: 0, endedMs: 0 };
  const scenario = calmScenario(TWO, JOB, { faults, limits, calmFromMs: 6_000 });
  const { violations } = judge(scenario, { ...REAL, more: [watch(seen)] });
  expect(violations).toEqual([]);
  return seen;
}

function watch(seen: Seen): Check {
  const ran = new Set<number>();
  let world: WorldView | undefined;
  return {
    name: 'what runs again',
    stepped(step): undefined {
      world = step.world;
      const isEnd = step.outputs.some((o) => o.kind === 'persist' && o.entry.kind === 'ended');
      if (isEnd && seen.endedMs === 0) seen.endedMs = step.atMs;
    },
    ran({ intervals }): undefined {
      for (const [start, end] of intervals) {
        for (let task = start; task < end; task++) {
          if (ran.has(task)) seen.again++;
          if (world !== undefined && isOnDisk(world, task)) seen.inVain++;
          ran.add(task);
        }
      }
    },
  };
}

function isOnDisk({ peers }: WorldView, task: number): boolean {
  return peers.some(({ journal }) =>
    journal.some(
      (entry) =>
        entry.kind === 'rows' &&
        entry.batch.intervals.some(([start, end]) => start <= task && task < end),
    ),
  );
}

test.each([
  ['the submitter', 0],
  ['the other one', 1],
] as const)('%s is back 3 s before the other: only what no disk has runs again', (_, first) => {
  const back = FIRST_BACK_AT + 3_000;
  const hasty = afterPowerLoss(first, back, DEFAULT_LIMITS.censusPauseMs);
  expect(hasty.inVain).toBeGreaterThan(100);
  const patient = afterPowerLoss(first, back, DEFAULT_LIMITS.reviveWaitMs);
  // What eight slots were at when the power went.
  expect(patient).toMatchObject({ inVain: 0, again: 8 });
  expect(patient.endedMs - hasty.endedMs).toBeLessThan(DEFAULT_LIMITS.reviveWaitMs);
});

test('who never comes back is not waited for without end', () => {
  const patient = afterPowerLoss(0, 'for good', DEFAULT_LIMITS.reviveWaitMs);
  const hasty = afterPowerLoss(0, 'for good', DEFAULT_LIMITS.censusPauseMs);
  const { reviveWaitMs, censusPauseMs, heartbeatMs } = DEFAULT_LIMITS;
  const longerMs = reviveWaitMs - censusPauseMs + heartbeatMs;
  expect(patient.endedMs - hasty.endedMs).toBeLessThan(longerMs);
  expect(patient.endedMs).toBeGreaterThan(FIRST_BACK_AT + reviveWaitMs);
});
