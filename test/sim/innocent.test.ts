// The check of S11 itself: it must complain, and only where somebody could have known better.
import { expect, test } from 'vitest';
import { peerId } from '../../src/stealing/ids.ts';
import { onlyPoisonFails } from '../../src/stealing/simulate/checks/poison.ts';
import type { Step } from '../../src/stealing/simulate/watch.ts';
import { calmScenario } from './scenarios.ts';

const scenario = calmScenario([{ slots: 1, speed: 1 }], {
  runs: [{ tasks: 10, units: 1 }],
  poison: [{ task: 3, kills: 'slot' }],
});
const [plan] = scenario.jobs;
type Truth = ReturnType<Parameters<typeof onlyPoisonFails>[1]>;
const truth = { header: { name: plan?.name } } as Truth;

/** After so many processes have ended: slots die over these claims, then the task is given up. */
function verdict(task: number, ended: number, claims: readonly [number, number][]) {
  const check = onlyPoisonFails(scenario, () => truth);
  const peers = [{ incarnation: ended + 1, core: {} }];
  const common = { peer: peerId('peer-1'), world: { peers }, outputs: [] };
  for (const claim of claims) {
    const input = { kind: 'slotDied', job: 'j', intervals: [claim] };
    check.stepped?.({ ...common, input } as unknown as Step);
  }
  const batch = { kind: 'failures', intervals: [[task, task + 1]] };
  const outputs = [{ kind: 'persist', entry: { kind: 'rows', job: 'j', batch } }];
  return check.stepped?.({ ...common, outputs, input: { kind: 'wakeDue' } } as unknown as Step);
}

test('a task is innocent while fewer peers and slots have died over it alone than there are attempts', () => {
  expect(verdict(5, 0, [[5, 6]])).toBe('peer-1 gives up task 5, which harms nobody');
  expect(
    verdict(5, 0, [
      [5, 7],
      [5, 7],
      [4, 6],
    ]),
  ).toMatch('harms nobody');
  expect(verdict(5, 2, [])).toMatch('harms nobody');
  expect(verdict(5, 2, [[5, 6]])).toBeUndefined();
  expect(verdict(5, 3, [])).toBeUndefined();
  expect(verdict(3, 0, [])).toBeUndefined();
});
