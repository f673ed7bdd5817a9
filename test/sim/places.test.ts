// Where work may be: machines that drain, and jobs that name the machines that may run them.
import { describe, expect, test } from 'vitest';
import type { StealingCore } from '../../src/stealing/core.ts';
import { judge } from '../../src/stealing/simulate/judge.ts';
import { drawScenario } from '../../src/stealing/simulate/nemesis.ts';
import type { Scenario } from '../../src/stealing/simulate/scenario.ts';
import type { Check } from '../../src/stealing/simulate/watch.ts';
import { calmScenario, measure, REAL } from './scenarios.ts';

const THREE = [
  { slots: 4, speed: 1 },
  { slots: 3, speed: 1 },
  { slots: 2, speed: 1 },
];
const RUNS = [{ tasks: 9_000, units: 3_000 }];

/** L6: so long after it began to drain a peer holds nothing, and takes nothing before it ends. */
function drainsEmpty(peer: string, fromMs: number, untilMs: number): Check {
  return {
    name: 'L6 a draining peer holds nothing',
    stepped: ({ atMs, peer: id, core }) => {
      if (id !== peer || atMs < fromMs || atMs >= untilMs) return undefined;
      const held = (core as StealingCore).status(0).jobs.map(({ heldHere }) => heldHere);
      return held.some((tasks) => tasks > 0) ? `holds ${held.join(' ')} tasks` : undefined;
    },
  };
}

describe('a peer that drains', () => {
  test.each([0, 1])(
    'is empty within a micro-batch and a round trip, and works again after (peer %i)',
    (peer) => {
      const faults = [{ atMs: 2_000, fault: { kind: 'drain', peer, forMs: 1_000 } as const }];
      const scenario = calmScenario(THREE, { runs: RUNS }, { faults, calmFromMs: 3_000 });
      const { violations, world } = judge(scenario, {
        ...REAL,
        more: [drainsEmpty(`peer-${peer + 1}`, 2_020, 3_000)],
      });
      expect(violations).toEqual([]);
      const ended = world.peers.flatMap(({ journal }) => journal).find((e) => e.kind === 'ended');
      // 27 s of work on nine slots are three seconds; one second without three or four of them.
      const lostMs = ((peer === 0 ? 4 : 3) / 9) * 1_000;
      expect(ended?.kind === 'ended' ? ended.ending.elapsedMs : 0).toBeLessThan(
        3_000 + lostMs + 100,
      );
    },
  );

  test('may be in the middle of any disaster, 15 seeds', () => {
    for (let seed = 1; seed <= 15; seed++) {
      const drawn = drawScenario(seed);
      const drain = { kind: 'drain', peer: seed % drawn.peers.length, forMs: 2_500 } as const;
      const atMs = 1_000 + (seed % 7) * 200;
      const faults = [...drawn.faults, { atMs, fault: drain }];
      const scenario: Scenario = {
        ...drawn,
        faults: faults.toSorted((a, b) => a.atMs - b.atMs),
        calmFromMs: Math.max(drawn.calmFromMs, atMs + 2_500),
      };
      expect(judge(scenario, REAL).violations, `seed ${seed}`).toEqual([]);
    }
  });
});

describe('a job that names its machines', () => {
  test('runs on those alone, though another submits it', () => {
    const { outcome, tasks } = measure(calmScenario(THREE, { runs: RUNS, onlyPeers: [1, 2] }));
    expect(outcome.violations).toEqual([]);
    expect(tasks[0]).toBe(0);
    expect(Math.abs(tasks[1]! - 5_400)).toBeLessThan(90);
  });

  test('and never on one that it excludes, whatever happens', () => {
    const faults = [{ atMs: 2_000, fault: { kind: 'kill', peer: 2, downMs: 500 } as const }];
    const plan = { runs: RUNS, notPeers: [1], submitter: 2 };
    const count = measure(calmScenario(THREE, plan, { faults, calmFromMs: 2_600 }));
    expect(count.outcome.violations).toEqual([]);
    expect(count.tasks[1]).toBe(0);
  });

  test('leaves the other machines to another job', () => {
    const scenario = calmScenario(THREE, { runs: RUNS, onlyPeers: [0], priority: 5 });
    const other = { ...scenario.jobs[0]!, name: 'other', onlyPeers: [], priority: 0 };
    const jobs = [scenario.jobs[0]!, { ...other, submitMs: 1_500 }];
    const { outcome, tasks } = measure({ ...scenario, jobs, calmFromMs: 1_500 });
    expect(outcome.violations).toEqual([]);
    // 27 s of work on the four slots of the first; the five others do all of the second in less time.
    expect(Math.abs(tasks[0]! - 9_000)).toBeLessThan(1_600);
  });
});
