// Tasks that kill whatever runs them: found, given up after few attempts, and nobody else suffers.
import { describe, expect, test } from 'vitest';
import type { JobEnding } from '../../src/stealing/job.ts';
import { judge } from '../../src/stealing/simulate/judge.ts';
import type { JobPlan } from '../../src/stealing/simulate/scenario.ts';
import type { Check } from '../../src/stealing/simulate/watch.ts';
import { calmScenario, type Machine, REAL } from './scenarios.ts';

type Poison = NonNullable<JobPlan['poison']>;

const THREE: readonly Machine[] = [
  { slots: 4, speed: 1 },
  { slots: 3, speed: 1 },
  { slots: 2, speed: 1 },
];

/** Deaths of slots, by peer, and of those the ones over one task alone. */
class Deaths {
  readonly byPeer = new Map<string, number>();
  readonly alone = new Map<number, Set<string>>();
  readonly incarnations = new Map<string, number>();

  readonly check: Check = {
    name: 'deaths',
    stepped: ({ peer, input, incarnation }) => {
      this.incarnations.set(peer, incarnation);
      if (input.kind !== 'slotDied') return undefined;
      this.byPeer.set(peer, (this.byPeer.get(peer) ?? 0) + 1);
      const [first, ...rest] = input.intervals;
      if (first !== undefined && rest.length === 0 && first[1] === first[0] + 1) {
        this.alone.set(first[0], (this.alone.get(first[0]) ?? new Set()).add(peer));
      }
      return undefined;
    },
  };

  get crashes(): number {
    return [...this.incarnations.values()].reduce((sum, life) => sum + life - 1, 0);
  }
}

function run(
  machines: readonly Machine[],
  runs: JobPlan['runs'],
  poison: Poison,
  seed = 1,
): { ending: JobEnding; deaths: Deaths } {
  const deaths = new Deaths();
  const { violations, world } = judge(calmScenario(machines, { runs, poison }, { seed }), {
    ...REAL,
    more: [deaths.check],
  });
  // A crash is a fault that the scenario does not list.
  const broken = violations.filter(({ check }) => poison[0]?.kills === 'slot' || !/S6/.test(check));
  expect(broken).toEqual([]);
  const ended = world.peers.flatMap(({ journal }) => journal).find(({ kind }) => kind === 'ended');
  if (ended?.kind !== 'ended') throw new Error('the job did not end');
  return { ending: ended.ending, deaths };
}

describe('a task that kills its slot', () => {
  test('among short ones is found by bisection, tried on three peers, and its neighbours complete', () => {
    const { ending, deaths } = run(
      THREE,
      [{ tasks: 20_000, units: 50 }],
      [{ task: 12_345, kills: 'slot' }],
    );
    expect(ending).toMatchObject({ state: 'done', done: 19_999, failed: 1 });
    expect(deaths.alone.get(12_345)?.size).toBe(3);
    const all = [...deaths.byPeer.values()].reduce((sum, count) => sum + count, 0);
    // A claim of 60 tasks is bisected in six steps at most, then come the three attempts.
    expect(all).toBeLessThanOrEqual(6 + 3);
  });

  test('alone on its mesh gets three attempts, with two peers both try', () => {
    for (const [machines, peers] of [
      [THREE.slice(0, 1), 1],
      [THREE.slice(0, 2), 2],
    ] as const) {
      const runs = [{ tasks: 100, units: 5_000 }];
      const { ending, deaths } = run(machines, runs, [{ task: 40, kills: 'slot' }]);
      expect(ending).toMatchObject({ done: 99, failed: 1 });
      expect(deaths.alone.get(40)?.size).toBe(peers);
      expect([...deaths.byPeer.values()].reduce((sum, count) => sum + count, 0)).toBe(3);
    }
  });

  test('may have company: ten of them are all found', () => {
    const poison = Array.from({ length: 10 }, (_, i) => ({ task: 17 + 97 * i, kills: 'slot' }));
    const runs = [{ tasks: 2_000, units: 500 }];
    const { ending } = run(THREE, runs, poison as unknown as Poison);
    expect(ending).toMatchObject({ done: 1_990, failed: 10 });
  });
});

describe('a task that kills its whole peer', () => {
  // One that comes back, and may even be the owner then, hears that it died over it before.
  test.each([1, 2, 3, 4])(
    'is given up after three deaths, and the other long tasks complete (seed %i)',
    (seed) => {
      const machines = Array.from({ length: 5 }, () => ({ slots: 3, speed: 1 }));
      const runs = [{ tasks: 60, units: 1_500_000 }];
      const { ending, deaths } = run(machines, runs, [{ task: 30, kills: 'peer' }], seed);
      expect(ending).toMatchObject({ done: 59, failed: 1 });
      expect(deaths.crashes).toBe(3);
    },
  );
});
