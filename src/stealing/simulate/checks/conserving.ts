// L2: no slot stands still for long while another peer has work to give. Judged where nothing goes wrong and one job
// runs for all: with faults a slot may rightly wait for a suspect, and of several jobs it may lack the data of one.
import type { PeerId } from '../../ids.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import type { PeerPlan, Scenario } from '../scenario.ts';
import type { Check, Execution, PeerView, Step, WorldView } from '../watch.ts';

/** Round trips for which a slot may stand still: it asks, is refused by one who has little, and asks the next. */
const ROUND_TRIPS = 3;
/** ms beside them, for the messages between threads and a pause after a refusal. */
const SLACK_MS = 2 * DEFAULT_LIMITS.refusalPauseMs;
/** ms of virtual time between two looks. */
const LOOK_MS = 1;

/** Whether every peer may run all there is, and nothing ever stands in its way. */
export function everybodyCanAlwaysHelp({ faults, jobs, peers, seeding }: Scenario): boolean {
  const [job, ...others] = jobs;
  if (!seeding || job === undefined || others.length > 0 || faults.length > 0) return false;
  const isForAll = job.onlyPeers === undefined && job.notPeers === undefined;
  const isHonest =
    job.workError === undefined && peers.every(({ rateLie }) => rateLie === undefined);
  return isForAll && isHonest && job.poison === undefined && job.cancelAfterMs === undefined;
}

export function noSlotStandsStill(scenario: Scenario): Check {
  const rttMs = 2 * (scenario.network.latencyMs[1] + scenario.network.jitterMs);
  const longestMs = longestTaskMs(scenario);
  // What is nearer to its end than this is not worth the way, or is what the victim's own slots claim next.
  const worthMs =
    DEFAULT_LIMITS.grainRoundTrips * rttMs + 4 * Math.max(DEFAULT_LIMITS.microBatchMs, longestMs);
  const patienceMs = ROUND_TRIPS * rttMs + SLACK_MS;
  /** Who has run a task of the job has its data and its slots loaded, and its rate is known. */
  const hasRun = new Set<PeerId>();
  const idleSinceMs = new Map<PeerId, number>();
  let lookedMs = 0;
  return {
    name: 'L2 no slot stands still while another peer has work to give',
    ran({ peer }: Execution): undefined {
      hasRun.add(peer);
    },
    stepped({ atMs, world }: Step): string | undefined {
      if (atMs < lookedMs + LOOK_MS) return undefined;
      lookedMs = atMs;
      const most = mostWaiting(scenario, world);
      for (const peer of world.peers) {
        const isIdle =
          most.ms > worthMs && most.peer !== peer.id && hasRun.has(peer.id) && hasIdleSlot(peer);
        if (!isIdle) idleSinceMs.delete(peer.id);
        else if (!idleSinceMs.has(peer.id)) idleSinceMs.set(peer.id, atMs);
        const sinceMs = idleSinceMs.get(peer.id) ?? atMs;
        if (atMs - sinceMs > patienceMs)
          return `a slot of ${peer.id} stands still for ${(atMs - sinceMs).toFixed(1)} ms while ${most.peer} has ${most.ms.toFixed(1)} ms of work`;
      }
      return undefined;
    },
  };
}

function longestTaskMs({ jobs, peers }: Scenario): number {
  const units = Math.max(...jobs.flatMap(({ runs }) => runs.map((run) => run.units)));
  return units / Math.min(...peers.flatMap(speedsOf));
}

/** Units per ms of each slot. */
function speedsOf({ slots, unitsPerMs, slotSpeeds }: PeerPlan): number[] {
  return Array.from({ length: slots }, (_, slot) => unitsPerMs * (slotSpeeds?.[slot] ?? 1));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function hasIdleSlot({ core, localMs }: PeerView): boolean {
  const own = core?.status(localMs).peers[0];
  return own !== undefined && own.busySlots < own.face.slots;
}

/** The peer with the most work that none of its slots has claimed, at least. */
function mostWaiting(
  scenario: Scenario,
  world: WorldView,
): { peer: PeerId | undefined; ms: number } {
  const least = Math.min(...scenario.jobs.flatMap(({ runs }) => runs.map(({ units }) => units)));
  let most: { peer: PeerId | undefined; ms: number } = { peer: undefined, ms: 0 };
  for (const [i, { id, core, localMs }] of world.peers.entries()) {
    const own = core?.status(localMs).peers[0];
    const plan = scenario.peers[i];
    if (own === undefined || plan === undefined) continue;
    const { unitsPerMs } = plan;
    const claimed = own.busySlots * Math.ceil((DEFAULT_LIMITS.microBatchMs * unitsPerMs) / least);
    const ms = (Math.max(0, own.queuedTasks - claimed) * least) / sum(speedsOf(plan));
    if (ms > most.ms) most = { peer: id, ms };
  }
  return most;
}
