// Disasters in a tenth of the time: 4 to 6 machines, a few dozen tasks, and every time-out of the cores ten times
// shorter, with the faults shortened alike. What may happen is the same; three quarters of a long schedule are
// heartbeats that wait for a loss of ten seconds. A schedule here is at most two seconds of faults, the time
// until all has ended, and two seconds in which it must go quiet.
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { Rng } from '../rng.ts';
import type { WorkRun } from '../work.ts';
import { between, chance, logBetween, pick, shuffled, whole } from './draw.ts';
import { drawFaults, endOf, strangersOf } from './nemesis.ts';
import type { Fault, FaultKind, JobPlan, PeerPlan, PlannedFault, Scenario } from './scenario.ts';

const BRIEF_LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  heartbeatMs: 60,
  suspectMs: 240,
  lostMs: 1_000,
  stealTimeoutMs: 100,
  grantResendMs: 100,
  confirmedNamedMs: 200,
  rowsFlushMs: 20,
  deliveryRetryMs: 500,
  keeperPauseMs: 1_000,
  censusPauseMs: 150,
  reviveWaitMs: 500,
  seekAfterMs: 500,
  loadPatienceMs: 200,
};

const MEET_MS = 200;
const PATIENCE_MS = 20_000;

const DRAWN: readonly FaultKind[] = [
  'kill',
  'powerLoss',
  'powerLossOfAll',
  'killSubmitterAtAnswer',
  'killTogether',
  'flapping',
  'leave',
  'pause',
  'slowDown',
  'clockJump',
  'partition',
  'noise',
  'diskFull',
  'diskSlow',
  'slotDeath',
];
export const EVERY_KIND: readonly FaultKind[] = [...DRAWN, 'drain'];

export function drawBrief(seed: number, only?: readonly FaultKind[]): Scenario {
  const rng = new Rng(seed ^ 0x0b51efed);
  const peers = drawPeers(rng);
  const jobs = drawJobs(rng, peers.length).map((job, i) => sometimesCancelled(job, seed + i));
  const kinds = only ?? [
    ...shuffled(rng, DRAWN).slice(0, whole(rng, 1, 4)),
    ...(chance(new Rng(seed ^ 0xd4a14), 0.1) ? (['drain'] as const) : []),
  ];
  const latencyMs = pick(rng, [0.6, 3, 20]);
  const network = {
    latencyMs: [latencyMs / 3, latencyMs] as const,
    jitterMs: pick(rng, [0.1, 2, 30]),
    breakAfterMs: between(rng, 300, 1_300),
    redialMs: between(rng, 20, 150),
    bytesPerMs: logBetween(rng, 1_000, 100_000),
  };
  const drawn = drawFaults(rng, { kinds, peers, stormMs: 10_000 });
  const faults = drawn.map(hastened).toSorted((a, b) => a.atMs - b.atMs);
  return {
    seed,
    peers,
    jobs,
    network,
    disk: { flushMs: chance(rng, 0.5) ? [0.5, 4] : [15, 25] },
    faults,
    calmFromMs: Math.max(MEET_MS, ...faults.map(endOf)),
    patienceMs: PATIENCE_MS,
    seeding: chance(rng, 0.8),
    limits: BRIEF_LIMITS,
    strangers: strangersOf(seed),
  };
}

function drawPeers(rng: Rng): PeerPlan[] {
  return Array.from({ length: whole(rng, 4, 6) }, (_, i) => ({
    name: `peer-${i + 1}`,
    slots: whole(rng, 1, 3),
    unitsPerMs: Math.round(logBetween(rng, 300, 2_000)),
    startMs: between(rng, 0, 50),
    ...(chance(rng, 0.1) ? { rateLie: pick(rng, [0.1, 10]) } : {}),
  }));
}

function drawJobs(rng: Rng, peers: number): JobPlan[] {
  return Array.from({ length: chance(rng, 0.8) ? 1 : 2 }, (_, i) => ({
    name: `job-${i + 1}`,
    submitter: rng.nextBelow(peers),
    submitMs: MEET_MS + i * between(rng, 0, 300),
    runs: drawRuns(rng),
    rowWidth: whole(rng, 1, 3),
    dataBytes: Math.round(logBetween(rng, 1e3, 1e5)),
    ...(chance(rng, 0.1) ? { workError: { times: pick(rng, [3, 10]), of: 'task' } } : {}),
  }));
}

/** From a generator of its own, as for a drain: seeds drawn before jobs could be cancelled keep their faults. */
function sometimesCancelled(job: JobPlan, seed: number): JobPlan {
  const rng = new Rng(seed ^ 0xca9ce1);
  return chance(rng, 0.1) ? { ...job, cancelAfterMs: logBetween(rng, 1, 500) } : job;
}

/** 1 to 80 tasks, together half a second of one reference slot or a little more. */
function drawRuns(rng: Rng): WorkRun[] {
  const tasks = whole(rng, 1, 80);
  const meanUnits = logBetween(rng, 100_000, 800_000) / tasks;
  switch (whole(rng, 0, 4)) {
    case 0:
      // As good as nothing to do.
      return [{ tasks, units: 1 }];
    case 1:
      // One task is half of all.
      return [
        { tasks, units: Math.ceil(meanUnits / 2) },
        { tasks: 1, units: Math.ceil((meanUnits * tasks) / 2) },
      ];
    case 2: {
      const pareto = (): number => Math.min(50, (1 - rng.nextFloat()) ** (-1 / 1.1)) / 4;
      return Array.from({ length: tasks }, () => ({
        tasks: 1,
        units: Math.ceil(meanUnits * pareto()),
      }));
    }
    default:
      return [{ tasks, units: Math.ceil(meanUnits) }];
  }
}

function hastened({ atMs, fault }: PlannedFault): PlannedFault {
  return { atMs: MEET_MS + Math.max(0, atMs - 10 * MEET_MS) / 10, fault: shortened(fault) };
}

/** Everything with a duration takes a tenth of it. */
function shortened(fault: Fault): Fault {
  return {
    ...fault,
    ...('forMs' in fault ? { forMs: fault.forMs / 10 } : {}),
    ...('everyMs' in fault ? { everyMs: fault.everyMs / 10 } : {}),
    ...('spreadMs' in fault ? { spreadMs: fault.spreadMs / 10 } : {}),
    ...('downMs' in fault && fault.downMs !== 'for good' ? { downMs: fault.downMs / 10 } : {}),
  };
}
