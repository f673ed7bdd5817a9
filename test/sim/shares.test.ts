// Without faults: each machine gets the work that its speed earns, and the whole takes as long as it must.
import { describe, expect, test } from 'vitest';
import { greedyMs } from '../../src/stealing/efficiency.ts';
import { peerId } from '../../src/stealing/ids.ts';
import { Rng } from '../../src/stealing/rng.ts';
import { judge } from '../../src/stealing/simulate/judge.ts';
import { referenceValue } from '../../src/stealing/simulate/reference-row.ts';
import { lan } from '../../src/stealing/simulate/scenario.ts';
import { WorkModel, type WorkRun } from '../../src/stealing/work.ts';
import {
  calmScenario,
  coresOf,
  type Machine,
  measure,
  REAL,
  speedShares,
  TEN_MACS,
} from './scenarios.ts';

const TWO_MACS: readonly Machine[] = [
  { slots: 12, speed: 1 },
  { slots: 10, speed: 1 },
];
const EQUAL_50_MS = [{ tasks: 300, units: 50_000 }];

/** Single tasks of a lognormal distribution with a sigma of 1: the longest of 300 is some 12 times the mean. */
function lognormal(tasks: number, meanUnits: number, seed: number): { tasks: 1; units: number }[] {
  const rng = new Rng(seed);
  const normal = (): number =>
    Array.from({ length: 12 }, () => rng.nextFloat()).reduce((sum, x) => sum + x, -6);
  return Array.from({ length: tasks }, () => ({
    tasks: 1,
    units: Math.max(1, Math.round(meanUnits * Math.exp(normal() - 0.5))),
  }));
}

const fast = (slots: number): number[] => Array.from({ length: slots }, () => 1);
const slow = (slots: number): number[] => Array.from({ length: slots }, () => 0.4);
const EIGHT_FOUR = [...fast(8), ...slow(4)];

describe('without faults', () => {
  test.each([1, 2, 3, 4, 5])(
    '300 tasks of 50 ms on 12 and 10 slots: both finish in the optimal 14 rounds (seed %i)',
    (seed) => {
      const { outcome, tasks, ending } = measure(
        calmScenario(TWO_MACS, { runs: EQUAL_50_MS }, { seed }),
      );
      expect(outcome.violations).toEqual([]);
      expect(tasks[0]! + tasks[1]!).toBe(300);
      expect(tasks[0]).toBeGreaterThanOrEqual(160);
      expect(tasks[0]).toBeLessThanOrEqual(168);
      expect(ending.elapsedMs).toBeLessThanOrEqual(1.05 * 700);
    },
  );

  test('the second machine submits: the shares are the same', () => {
    const { outcome, tasks } = measure(calmScenario(TWO_MACS, { runs: EQUAL_50_MS, submitter: 1 }));
    expect(outcome.violations).toEqual([]);
    expect(tasks[0]).toBeGreaterThanOrEqual(158);
    expect(tasks[0]).toBeLessThanOrEqual(170);
  });

  test('a machine of unknown, lower speed gets what that speed earns', () => {
    const machines = [
      { slots: 1, speed: 1 },
      { slots: 1, speed: 1 / 3 },
    ];
    const { outcome, shares, ending } = measure(
      calmScenario(machines, { runs: [{ tasks: 600, units: 5_000 }] }),
    );
    expect(outcome.violations).toEqual([]);
    expect(shares[0]).toBeCloseTo(0.75, 1);
    expect(Math.abs(shares[0]! - 0.75)).toBeLessThan(0.02);
    expect(ending.elapsedMs).toBeLessThan(1.03 * 2_250);
  });

  test('a machine that is throttled in the middle of a job hands the rest over', () => {
    const throttled = calmScenario(
      [
        { slots: 1, speed: 1 },
        { slots: 1, speed: 1 },
      ],
      { runs: [{ tasks: 3_000, units: 3_000 }] },
      {
        faults: [
          { atMs: 1_000 + 1_500, fault: { kind: 'slowDown', peer: 1, factor: 3, forMs: 60_000 } },
        ],
      },
    );
    const { outcome, shares, ending } = measure(throttled);
    expect(outcome.violations).toEqual([]);
    // 9,000 ms of work: 3,000 done in the first 1,500 ms, the other 6,000 at a speed of 4/3.
    const idealMs = 1_500 + 6_000 / (4 / 3);
    expect(Math.abs(shares[1]! - (1_500 + 1_500) / 9_000)).toBeLessThan(0.03);
    expect(ending.elapsedMs).toBeLessThan(1.08 * idealMs);
  });

  test('stealing alone, with all work at one machine, comes near the seeded time', () => {
    const job = { runs: EQUAL_50_MS };
    const seeded = measure(calmScenario(TWO_MACS, job)).ending.elapsedMs;
    const stolen = measure(calmScenario(TWO_MACS, job, { seeding: false }));
    expect(stolen.outcome.violations).toEqual([]);
    expect(stolen.ending.elapsedMs).toBeLessThanOrEqual(1.15 * seeded);
    expect(stolen.ending.steals).toBeGreaterThan(0);
  });

  test('ten machines: each share of a long job is within a point of the speeds', () => {
    const machines = Array.from({ length: 10 }, (_, i) => ({
      slots: i % 2 === 0 ? 12 : 10,
      speed: [1, 1, 0.8, 1.3, 0.5][i % 5]!,
    }));
    const { outcome, shares } = measure(
      calmScenario(machines, { runs: [{ tasks: 20_000, units: 5_000 }] }),
    );
    expect(outcome.violations).toEqual([]);
    const ideal = speedShares(machines);
    for (const [i, share] of shares.entries()) {
      expect(Math.abs(share - ideal[i]!)).toBeLessThan(0.01);
    }
  });

  test('unequal tasks: the shares of work follow the speeds, not the counts', () => {
    const machines = [
      { slots: 4, speed: 1 },
      { slots: 4, speed: 0.5 },
      { slots: 2, speed: 2 },
    ];
    const runs = Array.from({ length: 200 }, (_, i) => ({
      tasks: 1 + (i % 7),
      units: 2_000 + ((i * 7_919) % 97) * 1_000,
    }));
    const { outcome, shares, ending } = measure(calmScenario(machines, { runs }));
    expect(outcome.violations).toEqual([]);
    const ideal = speedShares(machines);
    for (const [i, share] of shares.entries()) {
      expect(Math.abs(share - ideal[i]!)).toBeLessThan(0.03);
    }
    expect(ending.efficiency.bound).toBeGreaterThan(0.93);
  });

  test.each<[name: string, machines: readonly Machine[], tasks: number, atLeast: number]>([
    ['two machines, 300 tasks', TWO_MACS, 300, 0.97],
    ['two machines, 2,000 tasks', TWO_MACS, 2_000, 0.97],
    ['ten machines, 2,000 tasks', TEN_MACS, 2_000, 0.95],
  ])(
    'lognormal tasks of 50 ms end as a queue with the longest first would: %s',
    (_, machines, tasks, atLeast) => {
      const cores = coresOf(machines);
      for (const seed of [1, 2, 3]) {
        const runs = lognormal(tasks, 50_000, seed);
        const { outcome, spanMs } = measure(calmScenario(machines, { runs }, { seed }));
        expect(outcome.violations).toEqual([]);
        const lptMs = greedyMs(new WorkModel(runs), cores, 'longestFirst');
        expect(lptMs / spanMs).toBeGreaterThan(atLeast);
      }
    },
  );

  test.each<[name: string, machines: readonly Machine[], tasksEach: number, atLeast: number]>([
    ['two machines, 300 tasks', TWO_MACS, 15, 0.92],
    ['two machines, 2,000 tasks', TWO_MACS, 100, 0.98],
    ['ten machines, 2,000 tasks', TEN_MACS, 100, 0.9],
  ])(
    'strategies that take up to twice or half of what they state end nearly as from a queue that knew: %s',
    (_, machines, tasksEach, atLeast) => {
      const runs = Array.from({ length: 20 }, () => ({ tasks: tasksEach, units: 50_000 }));
      const workError = { times: 2, of: 'run' } as const;
      const cores = coresOf(machines);
      for (const seed of [1, 2]) {
        const { outcome, ending } = measure(calmScenario(machines, { runs, workError }, { seed }));
        expect(outcome.violations).toEqual([]);
        const job = outcome.world.jobs[0]!;
        const real = new WorkModel(
          runs.map(({ tasks, units }, run) => {
            return {
              tasks,
              units: Math.round(units * 2 ** (2 * referenceValue(job.seed, run, 19) - 1)),
            };
          }),
        );
        expect(greedyMs(real, cores) / ending.elapsedMs).toBeGreaterThan(atLeast);
      }
    },
  );

  test.each<[name: string, runs: readonly WorkRun[], atLeast: number]>([
    ['300 tasks of 50 ms', EQUAL_50_MS, 0.9],
    ['5,000 tasks of 5 ms', [{ tasks: 5_000, units: 5_000 }], 0.99],
  ])(
    'efficiency cores beside performance cores in one machine each take what they can: %s',
    (_, runs, atLeast) => {
      const ofPeer = [
        [...fast(10), ...slow(2)],
        [...fast(6), ...slow(4)],
      ];
      const machines = ofPeer.map((speeds) => ({ slots: speeds.length, speed: 1 }));
      const cores = ofPeer.flat().map((speed) => ({ speed: 1_000 * speed, delayMs: 0 }));
      for (const seed of [1, 2, 3]) {
        const scenario = calmScenario(machines, { runs }, { seed });
        const peers = scenario.peers.map((peer, i) => ({ ...peer, slotSpeeds: ofPeer[i]! }));
        const { outcome, spanMs } = measure({ ...scenario, peers });
        expect(outcome.violations).toEqual([]);
        expect(greedyMs(new WorkModel(runs), cores) / spanMs).toBeGreaterThan(atLeast);
      }
    },
  );

  test.each<[name: string, ofPeer: number[][], runs: readonly WorkRun[]]>([
    ['60 tasks of 500 ms on one', [EIGHT_FOUR], [{ tasks: 60, units: 500_000 }]],
    ['60 tasks of 500 ms on two', [EIGHT_FOUR, EIGHT_FOUR], [{ tasks: 60, units: 500_000 }]],
    [
      '60 tasks of 500 ms on one and 12 equal slots',
      [EIGHT_FOUR, fast(12)],
      [{ tasks: 60, units: 500_000 }],
    ],
    ['24 tasks of 2 s on one', [EIGHT_FOUR], [{ tasks: 24, units: 2_000_000 }]],
    ['300 tasks of 50 ms on two', [EIGHT_FOUR, EIGHT_FOUR], EQUAL_50_MS],
    ['300 tasks of 50 ms on one and 12 equal slots', [EIGHT_FOUR, fast(12)], EQUAL_50_MS],
  ])(
    'long tasks end as if each went to the slot that ends it first, efficiency core or not: %s',
    (_, ofPeer, runs) => {
      const machines = ofPeer.map((speeds) => ({ slots: speeds.length, speed: 1 }));
      const cores = ofPeer.flat().map((speed) => ({ speed: 1_000 * speed, delayMs: 0 }));
      const scenario = calmScenario(machines, { runs });
      const peers = scenario.peers.map((peer, i) => ({ ...peer, slotSpeeds: ofPeer[i]! }));
      const { outcome, ending } = measure({ ...scenario, peers });
      expect(outcome.violations).toEqual([]);
      expect(greedyMs(new WorkModel(runs), cores) / ending.elapsedMs).toBeGreaterThan(0.97);
    },
  );

  test('a machine that joins in the middle of a job takes part within a second', () => {
    const scenario = calmScenario(TWO_MACS, { runs: [{ tasks: 20_000, units: 5_000 }] });
    const late = { name: 'peer-3', slots: 11, unitsPerMs: 1_000, startMs: 2_500 };
    const { outcome, tasks, ending } = measure({
      ...scenario,
      peers: [...scenario.peers, late],
      calmFromMs: 2_600,
    });
    expect(outcome.violations).toEqual([]);
    // At 1,500 ms 33,000 of 100,000 ms of work are done; from 2,500 ms on three of them share the rest.
    const idealMs = 1_500 + (100_000 - 1_500 * 22) / 33;
    expect(tasks[2]! * 5).toBeGreaterThan(11 * (idealMs - 1_500 - 1_000));
    expect(ending.elapsedMs).toBeLessThan(idealMs + 1_000);
  });

  test.each([1, 2, 3])(
    'a machine that joins in the middle of a job works within a heartbeat and a round trip (seed %i)',
    (seed) => {
      const scenario = calmScenario(
        TWO_MACS,
        { runs: [{ tasks: 20_000, units: 5_000 }] },
        {
          seed,
        },
      );
      const late = { name: 'peer-3', slots: 11, unitsPerMs: 1_000, startMs: 2_500 };
      let firstMs: number | undefined;
      const outcome = judge(
        { ...scenario, peers: [...scenario.peers, late], calmFromMs: 2_600 },
        {
          ...REAL,
          more: [
            {
              name: 'when it began',
              ran: ({ peer, atMs, units }) => {
                if (peer === peerId(late.name)) firstMs ??= atMs - units / late.unitsPerMs;
                return undefined;
              },
            },
          ],
        },
      );
      expect(outcome.violations).toEqual([]);
      expect(firstMs).toBeLessThan(late.startMs + 250 + 2 * lan.latencyMs[1]);
    },
  );

  test('one task, no other peer, and more slots than tasks are no special case', () => {
    for (const tasks of [1, 2, 21, 23]) {
      const runs = [{ tasks, units: 10_000 }];
      expect(measure(calmScenario(TWO_MACS, { runs })).outcome.violations).toEqual([]);
      expect(measure(calmScenario([TWO_MACS[0]!], { runs })).outcome.violations).toEqual([]);
    }
  });

  test.each([1, 2, 3])(
    'ten machines, 300 tasks of 50 ms: whole rounds on whole slots, within 5 %% of a central queue (seed %i)',
    (seed) => {
      const { outcome, spanMs, ending } = measure(
        calmScenario(TEN_MACS, { runs: EQUAL_50_MS }, { seed }),
      );
      expect(outcome.violations).toEqual([]);
      // Three rounds on the slower slots; the rows' way to two disks comes on top.
      expect(spanMs).toBeLessThan((3 * 50) / 0.9 / 0.95);
      expect(ending.messages).toBeLessThan(60);
    },
  );

  test.each([1, 2, 3])(
    'the same with speeds that nobody knows: nobody fetches a task to let it wait (seed %i)',
    (seed) => {
      const machines = [12, 10, 12, 10, 12, 10, 12, 10, 10, 10].map((slots, i) => ({
        slots,
        speed: [1, 1, 0.8, 1.3, 0.5][i % 5]!,
      }));
      const { outcome, spanMs } = measure(calmScenario(machines, { runs: EQUAL_50_MS }, { seed }));
      expect(outcome.violations).toEqual([]);
      // The slow ones have begun their second round, of 100 ms, before anybody can know that they are slow.
      expect(spanMs).toBeLessThan(200 + 10);
    },
  );
});
