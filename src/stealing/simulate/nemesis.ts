// Draws a scenario from a seed: a few machines of different speed, a job or two, and trouble. After Groce,
// Zhang, Eide, Chen & Regehr, "Swarm Testing", ISSTA 2012, each seed gets a random subset of the kinds of fault:
// runs that have all of them at once never get far enough to show what one of them does.
import { Rng } from '../rng.ts';
import type { WorkRun } from '../work.ts';
import { between, chance, logBetween, pick, shuffled, whole } from './draw.ts';
import type {
  DiskPlan,
  Fault,
  FaultKind,
  JobPlan,
  NetworkPlan,
  PeerPlan,
  PlannedFault,
  Scenario,
} from './scenario.ts';

/** ms from the first machine's start until all have met, and the first job comes. */
const MEET_MS = 1_500;
/** Peer-level detection takes 10 s, a census and what it finds come on top, and so does a slow job itself. */
const PATIENCE_MS = 60_000;

const FAULT_KINDS: readonly FaultKind[] = [
  'kill',
  'powerLoss',
  'powerLossOfAll',
  'killSubmitterAtAnswer',
  'pause',
  'slowDown',
  'partition',
  'noise',
  'diskFull',
  'slotDeath',
];

/** A scenario of 2 to 6 machines; `only` leaves nothing but these kinds of fault. */
export function drawScenario(seed: number, only?: readonly FaultKind[]): Scenario {
  const rng = new Rng(seed ^ 0x5ca1ab1e);
  const peers = drawPeers(rng);
  const jobs = drawJobs(rng, peers);
  const network = drawNetwork(rng);
  const disk: DiskPlan = chance(rng, 0.5) ? { flushMs: [0.5, 4] } : { flushMs: [15, 25] };
  const workMs = idealMs(peers, jobs);
  const kinds = only ?? [
    ...shuffled(rng, FAULT_KINDS).slice(0, whole(rng, 1, 4)),
    // From a generator of its own: seeds drawn before peers could leave keep their faults.
    ...(chance(new Rng(seed ^ 0x1eaf), 0.15) ? (['leave'] as const) : []),
  ];
  const stormMs = Math.min(20_000, Math.max(2_000, workMs * between(rng, 0.5, 2)));
  const faults = drawFaults(rng, { kinds, peers, stormMs });
  const calmFromMs = Math.max(MEET_MS + stormMs, ...faults.map(endOf));
  return {
    seed,
    peers,
    jobs,
    network,
    disk,
    faults,
    calmFromMs,
    patienceMs: PATIENCE_MS + 3 * workMs,
    seeding: chance(rng, 0.8),
    strangers: strangersOf(seed),
  };
}

/** From a generator of its own: all else of a seed stays as it was before strangers could come. */
export function strangersOf(seed: number): number {
  const rng = new Rng(seed ^ 0x57a6);
  return chance(rng, 0.2) ? whole(rng, 1, 5) : 0;
}

/** ms that the jobs would take at the speed of the slowest machine alone: what a last survivor needs. */
function idealMs(peers: readonly PeerPlan[], jobs: readonly JobPlan[]): number {
  const units = jobs
    .flatMap(({ runs }) => runs)
    .reduce((sum, run) => sum + run.tasks * run.units, 0);
  return units / Math.min(...peers.map((peer) => peer.slots * peer.unitsPerMs));
}

function drawPeers(rng: Rng): PeerPlan[] {
  return Array.from({ length: whole(rng, 2, 6) }, (_, i) => ({
    name: `peer-${i + 1}`,
    slots: whole(rng, 1, 4),
    unitsPerMs: Math.round(logBetween(rng, 300, 2_000)),
    startMs: between(rng, 0, 300),
  }));
}

function drawJobs(rng: Rng, peers: readonly PeerPlan[]): JobPlan[] {
  const count = chance(rng, 0.8) ? 1 : 2;
  return Array.from({ length: count }, (_, i) => ({
    name: `job-${i + 1}`,
    submitter: rng.nextBelow(peers.length),
    submitMs: MEET_MS + i * between(rng, 0, 2_000),
    runs: drawRuns(rng),
    rowWidth: whole(rng, 1, 3),
    dataBytes: Math.round(logBetween(rng, 1e3, 1e7)),
  }));
}

/** 20 to 800 tasks, together some seconds of one reference slot. */
function drawRuns(rng: Rng): WorkRun[] {
  const tasks = Math.round(logBetween(rng, 20, 800));
  const meanUnits = logBetween(rng, 1_000, 10_000) * Math.min(5, 800 / tasks);
  if (chance(rng, 0.5)) return [{ tasks, units: Math.round(meanUnits) }];
  const runs: WorkRun[] = [];
  for (let left = tasks; left > 0; ) {
    const length = Math.min(left, whole(rng, 1, Math.ceil(tasks / 4)));
    runs.push({ tasks: length, units: Math.ceil(meanUnits * logBetween(rng, 0.2, 4)) });
    left -= length;
  }
  return runs;
}

function drawNetwork(rng: Rng): NetworkPlan {
  const highMs = pick(rng, [0.6, 3, 40]);
  return {
    latencyMs: [highMs / 3, highMs],
    jitterMs: pick(rng, [0.1, 2, 100]),
    breakAfterMs: between(rng, 3_000, 13_000),
    redialMs: between(rng, 100, 1_000),
    bytesPerMs: logBetween(rng, 1_000, 100_000),
  };
}

interface Storm {
  readonly kinds: readonly FaultKind[];
  readonly peers: readonly PeerPlan[];
  readonly stormMs: number;
}

export function drawFaults(rng: Rng, storm: Storm): PlannedFault[] {
  const faults: PlannedFault[] = [];
  // At least one machine stays, or there is nobody left to keep the promise.
  const losses = { left: storm.peers.length - 1 };
  for (const kind of storm.kinds) {
    const times =
      kind === 'killSubmitterAtAnswer' || kind === 'powerLossOfAll' ? 1 : whole(rng, 1, 4);
    for (let i = 0; i < times; i++) {
      const atMs = MEET_MS + between(rng, 0, storm.stormMs);
      faults.push({ atMs, fault: drawFault(rng, kind, { peers: storm.peers, losses }) });
    }
  }
  return faults.toSorted((a, b) => a.atMs - b.atMs);
}

interface FaultRoom {
  readonly peers: readonly PeerPlan[];
  readonly losses: { left: number };
}

function drawFault(rng: Rng, kind: FaultKind, room: FaultRoom): Fault {
  const peer = rng.nextBelow(room.peers.length);
  switch (kind) {
    case 'kill':
    case 'powerLoss':
      return { kind, peer, downMs: drawDownMs(rng, room.losses) };
    case 'killSubmitterAtAnswer':
      return { kind, downMs: drawDownMs(rng, room.losses) };
    case 'powerLossOfAll':
      return { kind, downMs: between(rng, 50, 3_000), spreadMs: between(rng, 0, 5_000) };
    case 'drain':
      return { kind, peer, forMs: logBetween(rng, 100, 10_000) };
    case 'leave':
      return { kind, peer, downMs: logBetween(rng, 20, 10_000) };
    case 'pause':
      return { kind, peer, forMs: logBetween(rng, 200, 40_000) };
    case 'slowDown':
      return { kind, peer, factor: between(rng, 2, 10), forMs: logBetween(rng, 500, 20_000) };
    case 'partition': {
      const order = shuffled(
        rng,
        room.peers.map((_, i) => i),
      );
      const side = order.slice(0, whole(rng, 1, Math.max(1, room.peers.length - 1)));
      return { kind, side, oneWay: chance(rng, 0.3), forMs: logBetween(rng, 200, 25_000) };
    }
    case 'noise': {
      const level = (): number => (chance(rng, 0.6) ? between(rng, 0.01, 0.3) : 0);
      const forMs = logBetween(rng, 500, 10_000);
      return { kind, forMs, loss: level(), duplicate: level(), reorder: level() };
    }
    case 'diskFull':
      return { kind, peer, forMs: logBetween(rng, 100, 10_000) };
    case 'diskSlow':
      return { kind, peer, flushMs: between(rng, 100, 500), forMs: between(rng, 500, 5_000) };
    case 'clockJump':
      return { kind, peer, byMs: logBetween(rng, 100, 3_600_000) };
    case 'killTogether': {
      const order = shuffled(
        rng,
        room.peers.map((_, i) => i),
      );
      const half = Math.ceil(room.peers.length / 2);
      return { kind, peers: order.slice(0, half), downMs: drawDownFor(rng) };
    }
    case 'flapping':
      return { kind, peer, times: whole(rng, 2, 5), everyMs: logBetween(rng, 100, 3_000) };
    case 'slotDeath':
      return { kind, peer, slot: rng.nextBelow(4) };
  }
}

function drawDownMs(rng: Rng, losses: { left: number }): number | 'for good' {
  if (losses.left > 0 && chance(rng, 0.25)) {
    losses.left--;
    return 'for good';
  }
  return drawDownFor(rng);
}

function drawDownFor(rng: Rng): number {
  return logBetween(rng, 20, 20_000);
}

/** When the fault has passed. */
export function endOf({ atMs, fault }: PlannedFault): number {
  switch (fault.kind) {
    case 'kill':
    case 'powerLoss':
    case 'killSubmitterAtAnswer':
      return atMs + (fault.downMs === 'for good' ? 0 : fault.downMs);
    case 'powerLossOfAll':
      return atMs + fault.downMs + fault.spreadMs;
    case 'leave':
      return atMs + fault.downMs;
    case 'drain':
    case 'pause':
    case 'slowDown':
    case 'partition':
    case 'noise':
    case 'diskFull':
    case 'diskSlow':
      return atMs + fault.forMs;
    case 'killTogether':
      return atMs + fault.downMs;
    case 'flapping':
      return atMs + fault.times * fault.everyMs;
    case 'clockJump':
    case 'slotDeath':
      return atMs;
  }
}
