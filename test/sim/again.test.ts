// What ran again, as the end of a job tells it.
import { expect, test } from 'vitest';
import { calmScenario, measure } from './scenarios.ts';

const TWO = [
  { slots: 4, speed: 1 },
  { slots: 4, speed: 1 },
];
const RUNS = [{ tasks: 400, units: 50_000 }];

test('without a loss no task changes hands twice, and some are run again to compare the rows', () => {
  const { outcome, ending } = measure(calmScenario(TWO, { runs: RUNS }));
  expect(outcome.violations).toEqual([]);
  expect(ending).toMatchObject({ done: 400, lost: 0 });
});

test('the tasks of a peer that died are counted: those that ran, and those that waited there', () => {
  const kill = { kind: 'kill', peer: 1, downMs: 'for good' } as const;
  const faults = [{ atMs: 2_200, fault: kill }];
  const { outcome, ending } = measure(calmScenario(TWO, { runs: RUNS }, { faults }));
  expect(outcome.violations).toEqual([]);
  expect(ending).toMatchObject({ done: 400, failed: 0 });
  expect(ending.lost).toBeGreaterThanOrEqual(4);
  expect(ending.lost).toBeLessThan(200);
});
