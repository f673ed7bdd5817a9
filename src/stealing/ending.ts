// The end of a job, as its owner sees it: who ran which share, and how near the whole came to the best that
// these machines could do.
import { boundMs, greedyMs } from './efficiency.ts';
import type { JobBook } from './job-book.ts';
import type { JobEnding, PeerShare } from './job.ts';
import type { CoreState } from './state.ts';

export function endingOf(state: CoreState, job: JobBook, outcome: JobEnding['state']): JobEnding {
  const shares = sharesOf(state, job);
  const elapsedMs = job.lastCountedMs - job.knownSinceMs;
  const counted = job.ledger.counted.count;
  let { steals, messages } = job;
  for (const told of job.told.values()) {
    steals += told.steals;
    messages += told.messages;
  }
  return {
    state: outcome,
    endedAtMs: state.epochMs + state.nowMs,
    done: counted - Math.min(counted, job.ledger.failedCount),
    failed: Math.min(counted, job.ledger.failedCount),
    elapsedMs,
    shares,
    steals,
    messages,
    efficiency: efficiencyOf(job, shares, elapsedMs),
    disputed: job.audit?.disputed.count ?? 0,
  };
}

/** Everybody who made rows or could have, ascending by peer id. */
export function sharesOf(state: CoreState, job: JobBook): PeerShare[] {
  const { rateKey } = job.header;
  const faces = [
    { face: state.face, rate: state.ownRate(rateKey) },
    ...state.beliefs
      .all()
      .map((belief) => ({ face: belief.face, rate: state.beliefs.rateOf(belief, rateKey) })),
  ];
  const known = new Map(faces.map(({ face, rate }) => [face.peer, { face, rate }]));
  const makers = new Map(job.ledger.makers());
  const peers = [...new Set([...known.keys(), ...makers.keys()])].toSorted();
  return peers.map((peer) => {
    const made = makers.get(peer);
    const face = known.get(peer)?.face;
    return {
      peer,
      name: face?.name ?? peer.slice(-8),
      addr: face?.addr ?? '',
      slots: face?.slots ?? 0,
      done: made?.count ?? 0,
      units: made === undefined ? 0 : job.costs.of(made.intervals()),
      rate: known.get(peer)?.rate ?? 0,
    };
  });
}

function efficiencyOf(
  job: JobBook,
  shares: readonly PeerShare[],
  elapsedMs: number,
): JobEnding['efficiency'] {
  if (elapsedMs <= 0) return { bound: 1, greedy: 1 };
  const cores = shares
    .filter((share) => share.slots > 0 && share.done > 0)
    .flatMap((share) => Array.from({ length: share.slots }, () => share.rate / share.slots));
  if (cores.length === 0) return { bound: 1, greedy: 1 };
  return {
    bound: Math.min(1, boundMs(job.costs, cores) / elapsedMs),
    greedy: Math.min(1, greedyMs(job.costs, cores) / elapsedMs),
  };
}
