// The end of a job, as its owner sees it: who ran which share, and how near the whole came to the best that
// these machines could do.
import { IntervalSet } from '../deque/interval-set.ts';
import { boundsOf, type Core, greedyMs } from './efficiency.ts';
import type { JobBook } from './job-book.ts';
import type { JobEfficiency, JobEnding, PeerShare } from './job.ts';
import type { CoreState } from './state.ts';

export function endingOf(state: CoreState, job: JobBook, outcome: JobEnding['state']): JobEnding {
  const shares = sharesOf(state, job);
  const elapsedMs = job.lastCountedMs - job.knownSinceMs;
  const counted = job.ledger.counted.count;
  let { steals, messages, resultMessages } = job;
  for (const told of job.told.values()) {
    steals += told.steals;
    messages += told.messages;
    resultMessages += told.resultMessages;
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
    resultMessages,
    efficiency: efficiencyOf(state, job, { shares, elapsedMs }),
    disputed: job.audit?.disputed.count ?? 0,
    lost: job.lostTasks,
    checked: job.audit?.verified.count ?? 0,
    ...(job.round === 0 ? {} : { round: job.round }),
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
    const all = makers.get(peer);
    const made = all === undefined ? undefined : job.computed(all);
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
  state: CoreState,
  job: JobBook,
  run: { readonly shares: readonly PeerShare[]; readonly elapsedMs: number },
): JobEfficiency {
  const { elapsedMs } = run;
  const cores = run.shares
    .filter((share) => share.slots > 0 && share.done > 0)
    .flatMap((share): Core[] => {
      const isHere = share.peer === job.header.submitter;
      const delayMs = isHere ? 0 : (state.beliefs.get(share.peer)?.rttMs ?? 0);
      const core = { speed: share.rate / share.slots, delayMs };
      return Array.from({ length: share.slots }, () => core);
    });
  if (elapsedMs <= 0 || cores.length === 0) return { bound: 1, greedy: 1 };
  // Rows of earlier jobs cost nothing: the bounds shrink by their part of the work.
  const everything = IntervalSet.from([[0, job.header.taskCount]]);
  const computed =
    job.costs.of(job.computed(everything).intervals()) / Math.max(1, job.costs.totalUnits);
  const part = (ms: number): number => Math.min(1, (computed * ms) / elapsedMs);
  const boundsMs = boundsOf(job.costs, cores);
  return {
    bound: part(Math.max(...Object.values(boundsMs))),
    greedy: part(greedyMs(job.costs, cores)),
    lpt: part(greedyMs(job.costs, cores, 'longestFirst')),
    boundsMs,
  };
}
