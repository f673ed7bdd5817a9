// The tail: long tasks on a machine that became slow are run a second time where somebody is idle, within bounds.
import { describe, expect, test } from 'vitest';
import { drawBrief } from '../../src/stealing/simulate/brief.ts';
import { judge } from '../../src/stealing/simulate/judge.ts';
import { calmScenario, measure, REAL, TEN_MACS } from './scenarios.ts';

const TWO = [
  { slots: 4, speed: 1 },
  { slots: 4, speed: 1 },
];
const RUNS = [{ tasks: 24, units: 1_000_000 }];

describe('tail copies', () => {
  test.each([1, 2, 3])(
    'rescue what a machine holds that became ten times slower (seed %i)',
    (seed) => {
      // Both run three rounds; in the middle of the second the other machine slows down.
      const slowDown = { kind: 'slowDown', peer: 1, factor: 10, forMs: 60_000 } as const;
      const faults = [{ atMs: 2_500, fault: slowDown }];
      const { outcome, ending } = measure(calmScenario(TWO, { runs: RUNS }, { seed, faults }));
      expect(outcome.violations).toEqual([]);
      expect(ending).toMatchObject({ done: 24, failed: 0 });
      // Without copies the four tasks of its third round end after 3 + 10 s.
      expect(ending.elapsedMs).toBeLessThan(6_500);
    },
  );

  test('are not made of long tasks, which are long everywhere', () => {
    const runs = [
      { tasks: 7, units: 200_000 },
      { tasks: 1, units: 3_000_000 },
    ];
    const { outcome, tasks } = measure(calmScenario(TWO, { runs }));
    expect(outcome.violations).toEqual([]);
    expect(tasks[0]! + tasks[1]!).toBe(8);
  });

  test('help a fast machine beside a slow one, within 5 % extra work or one task per slot', () => {
    const machines = [
      { slots: 4, speed: 1 },
      { slots: 4, speed: 0.2 },
    ];
    const { outcome, ending, tasks } = measure(calmScenario(machines, { runs: RUNS }));
    expect(outcome.violations).toEqual([]);
    expect(ending).toMatchObject({ done: 24 });
    expect(tasks[0]! + tasks[1]!).toBeLessThanOrEqual(24 + 8);
    // 24 s of work at 4.8 are five seconds; whole tasks on whole slots make it six.
    expect(ending.elapsedMs).toBeLessThan(7_500);
  });

  test.each([1, 4, 5])(
    'stay where they were sent to, whoever waits there (strategies of unknown cost, seed %i)',
    (seed) => {
      const runs = Array.from({ length: 20 }, () => ({ tasks: 15, units: 50_000 }));
      const workError = { times: 5, of: 'run' } as const;
      const { outcome } = measure(calmScenario(TEN_MACS, { runs, workError }, { seed }));
      expect(outcome.violations).toEqual([]);
    },
  );

  // Found by check S6: whoever got a copy gave one of it to the next idle peer.
  test.each([12, 14, 32, 143])(
    'are not made of copies (brief disaster %i without faults)',
    (seed) => {
      expect(judge(drawBrief(seed, []), REAL).violations).toEqual([]);
    },
  );
});
