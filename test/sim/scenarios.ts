// Scenarios without faults, for what is measured: shares, makespans, messages.
import type { JobEnding } from '../../src/stealing/job.ts';
import { decodeMessage, encodeMessage } from '../../src/node/wire/codec.ts';
import { WorkCount } from '../../src/stealing/simulate/checks/duplicates.ts';
import { judge, type JudgeOptions } from '../../src/stealing/simulate/judge.ts';
import { realCore } from '../../src/stealing/simulate/real-core.ts';
import {
  fastDisk,
  lan,
  type JobPlan,
  type PeerPlan,
  type Scenario,
} from '../../src/stealing/simulate/scenario.ts';
import type { Outcome } from '../../src/stealing/simulate/world.ts';

/** The real core, and real bytes between its copies. */
export const REAL: JudgeOptions = {
  makeCore: realCore,
  codec: { encode: encodeMessage, decode: decodeMessage },
};

export interface Machine {
  readonly slots: number;
  /** 1 is the reference machine. */
  readonly speed: number;
}

export const TEN_MACS: readonly Machine[] = [12, 10, 12, 10, 12, 10, 12, 10, 10, 10].map(
  (slots) => ({
    slots,
    speed: slots === 12 ? 1 : 0.9,
  }),
);

/** As the bounds of `efficiency.ts` take them. */
export function coresOf(machines: readonly Machine[]): { speed: number; delayMs: number }[] {
  return machines.flatMap(({ slots, speed }) =>
    Array.from({ length: slots }, () => ({ speed: 1_000 * speed, delayMs: 0 })),
  );
}

export function calmScenario(
  machines: readonly Machine[],
  job: Pick<JobPlan, 'runs'> & Partial<JobPlan>,
  more: Partial<Scenario> = {},
): Scenario {
  const peers: PeerPlan[] = machines.map(({ slots, speed }, i) => ({
    name: `peer-${i + 1}`,
    slots,
    unitsPerMs: 1_000 * speed,
    startMs: 10 * i,
  }));
  const plan: JobPlan = {
    name: 'job-1',
    submitter: 0,
    submitMs: 1_000,
    rowWidth: 2,
    dataBytes: 20_000,
    ...job,
  };
  return {
    seed: 1,
    peers,
    jobs: [plan],
    network: lan,
    disk: fastDisk,
    faults: [],
    calmFromMs: 1_000,
    patienceMs: 600_000,
    seeding: true,
    ...more,
  };
}

/** One run, with what its makers did counted apart. */
export function measure(scenario: Scenario): {
  outcome: Outcome;
  /** Tasks and share of the work of each peer, in the order of the scenario. */
  tasks: number[];
  shares: number[];
  ending: JobEnding;
  /** From the submit of the first job to the end of the last task, without the rows' way to disks. */
  spanMs: number;
} {
  const count = new WorkCount();
  const outcome = judge(scenario, { ...REAL, more: [count.check] });
  const total = [...count.units.values()].reduce((sum, units) => sum + units, 0);
  const ending = outcome.world.peers
    .flatMap(({ journal }) => journal)
    .find((entry) => entry.kind === 'ended')?.ending;
  if (ending === undefined) throw new Error(`no ending: ${JSON.stringify(outcome.violations)}`);
  return {
    outcome,
    tasks: outcome.world.peers.map(({ id }) => count.tasks.get(id) ?? 0),
    shares: outcome.world.peers.map(({ id }) => (count.units.get(id) ?? 0) / total),
    ending,
    spanMs: count.lastMs - (scenario.jobs[0]?.submitMs ?? 0),
  };
}

/** Each machine's part of the speed of all. */
export function speedShares(machines: readonly Machine[]): number[] {
  const total = machines.reduce((sum, { slots, speed }) => sum + slots * speed, 0);
  return machines.map(({ slots, speed }) => (slots * speed) / total);
}
