// Several jobs at once: who goes first, and who gets which part of the slots' time.
import { describe, expect, test } from 'vitest';
import { judge } from '../../src/stealing/simulate/judge.ts';
import type { JobPlan } from '../../src/stealing/simulate/scenario.ts';
import type { Check, Execution } from '../../src/stealing/simulate/watch.ts';
import type { Outcome } from '../../src/stealing/simulate/world.ts';
import { calmScenario, type Machine, REAL } from './scenarios.ts';

const MACHINES = [
  { slots: 12, speed: 1 },
  { slots: 10, speed: 1 },
  { slots: 8, speed: 0.5 },
];
const FEW_SLOTS = [
  { slots: 4, speed: 1 },
  { slots: 3, speed: 1 },
  { slots: 2, speed: 0.5 },
];
const SPEED = 12 + 10 + 4;
const TEN_MS = { units: 10_000 };

function job(
  name: string,
  submitMs: number,
  tasks: number,
  more: Partial<JobPlan> & { readonly units?: number } = {},
): JobPlan {
  const { units = 1_000, ...plan } = more;
  const runs = [{ tasks, units }];
  return { name, submitMs, submitter: 0, runs, rowWidth: 2, dataBytes: 20_000, ...plan };
}

function run(
  jobs: readonly JobPlan[],
  more: readonly Check[] = [],
  machines: readonly Machine[] = MACHINES,
): Outcome {
  const scenario = { ...calmScenario(machines, jobs[0]!), jobs, calmFromMs: jobs.at(-1)!.submitMs };
  return judge(scenario, { ...REAL, more });
}

function elapsedMs(outcome: Outcome, name: string): number {
  const entries = outcome.world.peers.flatMap(({ journal }) => journal);
  const header = entries.find((entry) => entry.kind === 'job' && entry.header.name === name);
  if (header?.kind !== 'job') throw new Error(`no job ${name}`);
  const ended = entries.find((entry) => entry.kind === 'ended' && entry.job === header.header.job);
  if (ended?.kind !== 'ended') throw new Error(`${name} has not ended`);
  return ended.ending.elapsedMs;
}

/** Units of each job that were finished between two moments. */
class Meter {
  readonly units = new Map<string, number>();
  readonly #fromMs: number;
  readonly #untilMs: number;

  constructor(fromMs: number, untilMs: number) {
    this.#fromMs = fromMs;
    this.#untilMs = untilMs;
  }

  readonly check: Check = {
    name: 'units per job',
    ran: ({ atMs, job: id, units }: Execution) => {
      if (atMs < this.#fromMs || atMs >= this.#untilMs) return undefined;
      this.units.set(id, (this.units.get(id) ?? 0) + units);
      return undefined;
    },
  };

  shares(): number[] {
    const total = [...this.units.values()].reduce((sum, units) => sum + units, 0);
    return [...this.units].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, u]) => u / total);
  }
}

describe('a job of a higher priority', () => {
  test.each([0, 1, 2])(
    'overtakes a sweep on every peer, whoever submits it (peer %i)',
    (submitter) => {
      const sweep = job('sweep', 1_000, 12_000, TEN_MS);
      const units = 20_000;
      const urgent = { priority: 5, submitter, units };
      const outcome = run([sweep, job('urgent', 3_000, 50, urgent)]);
      expect(outcome.violations).toEqual([]);
      // 50 tasks of 20 ms are two rounds on the slow slots; a micro-batch of 20 ms and loading come on top.
      expect(elapsedMs(outcome, 'urgent')).toBeLessThan(80 + 20 + 45);
      // And the sweep lost no more than that.
      expect(elapsedMs(outcome, 'sweep')).toBeLessThan(
        1.02 * (200_000 / SPEED + (50 * 20) / SPEED),
      );
    },
  );

  test('leaves a lower one nothing while it lasts, and then everything', () => {
    const meter = new Meter(2_500, 4_000);
    const low = job('low', 1_000, 10_000, { ...TEN_MS, priority: -3 });
    const outcome = run([low, job('high', 2_000, 10_000, TEN_MS)], [meter.check]);
    expect(outcome.violations).toEqual([]);
    expect(meter.units.size).toBe(1);
    expect(elapsedMs(outcome, 'high')).toBeLessThan(1.02 * (100_000 / SPEED) + 50);
    expect(elapsedMs(outcome, 'low')).toBeLessThan(1.02 * (200_000 / SPEED));
  });
});

describe('jobs of one priority', () => {
  test('share ten seconds equally, to 5 %, wherever they were submitted', () => {
    const meter = new Meter(3_000, 13_000);
    const jobs = [
      job('a', 1_000, 10_000, TEN_MS),
      job('b', 2_000, 10_000, { ...TEN_MS, submitter: 1 }),
    ];
    const outcome = run(jobs, [meter.check], FEW_SLOTS);
    expect(outcome.violations).toEqual([]);
    for (const share of meter.shares()) expect(Math.abs(share - 0.5)).toBeLessThan(0.05);
  });

  test('share by weight, to 5 %', () => {
    const meter = new Meter(3_000, 13_000);
    const jobs = [
      job('a', 1_000, 7_500, TEN_MS),
      job('b', 2_000, 10_000, { ...TEN_MS, weight: 3 }),
    ];
    const outcome = run(jobs, [meter.check], FEW_SLOTS);
    expect(outcome.violations).toEqual([]);
    const [a = 0, b = 0] = meter.shares();
    expect(Math.abs(a - 0.25)).toBeLessThan(0.05);
    expect(Math.abs(b - 0.75)).toBeLessThan(0.05);
  });

  test('share by the time that they take, not by tasks', () => {
    const meter = new Meter(3_000, 13_000);
    const long = { units: 100_000 };
    const jobs = [job('short', 1_000, 10_000, TEN_MS), job('long', 2_000, 1_000, long)];
    const outcome = run(jobs, [meter.check], FEW_SLOTS);
    expect(outcome.violations).toEqual([]);
    for (const share of meter.shares()) expect(Math.abs(share - 0.5)).toBeLessThan(0.05);
  });

  test('let a short one go first: it does not stand in line behind a sweep', () => {
    const units = 20_000;
    const short = { submitter: 2, units };
    const outcome = run([job('sweep', 1_000, 12_000, TEN_MS), job('short', 3_000, 50, short)]);
    expect(outcome.violations).toEqual([]);
    expect(elapsedMs(outcome, 'short')).toBeLessThan(80 + 20 + 45);
  });
});
