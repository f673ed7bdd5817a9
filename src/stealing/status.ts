// A snapshot of the core for people: screens and APIs are drawn from this and from nothing else, so that no
// screen can change anything.
import { busySlots } from './heartbeat.ts';
import { sharesOf } from './ending.ts';
import type { JobId, PeerId } from './ids.ts';
import type { PeerFace } from './input.ts';
import type { JobEnding, JobHeader, PeerShare } from './job.ts';
import type { JobBook } from './job-book.ts';
import type { CoreState } from './state.ts';

export interface PeerStatus {
  readonly face: PeerFace;
  readonly isSelf: boolean;
  readonly state: 'ok' | 'suspect' | 'draining' | 'lost';
  readonly busySlots: number;
  readonly queuedTasks: number;
  readonly donePerSec: number;
  /** Units finished in the last 30 s. */
  readonly recentUnits: number;
  /** Units per ms, newest known rate; 0 when none is known. */
  readonly rate: number;
  readonly done: number;
  readonly failed: number;
  readonly stole: number;
  readonly gave: number;
  readonly rttMs: number;
}

export interface JobStatus {
  readonly header: JobHeader;
  readonly owner: PeerId;
  readonly copies: number;
  readonly isActive: boolean;
  /** Why no live peer can run it, as far as this one knows; undefined: some can. */
  readonly stuck: string | undefined;
  readonly ending: JobEnding | undefined;
  /** Tasks counted as far as this peer knows; exact at the owner. */
  readonly counted: number;
  readonly failed: number;
  readonly heldHere: number;
  readonly elapsedMs: number;
  /** Exact at the owner only; elsewhere what this peer has seen. */
  readonly shares: readonly PeerShare[];
}

export interface CoreStatus {
  readonly self: PeerId;
  /** Why this peer takes no work of others; undefined: it does. */
  readonly stepsBack: 'leaving' | 'drained' | 'sparing' | undefined;
  readonly peers: readonly PeerStatus[];
  /** Drawn when it is first read: a peer remembers thousands of jobs, and most questions are about one or none. */
  readonly jobs: readonly JobStatus[];
  job(id: JobId): JobStatus | undefined;
}

/** To be read before the next fact. */
export function statusOf(state: CoreState): CoreStatus {
  let jobs: readonly JobStatus[] | undefined;
  return {
    self: state.self,
    stepsBack: stepsBack(state),
    peers: [ownStatus(state), ...state.beliefs.all().map((belief) => peerStatus(belief))],
    get jobs() {
      jobs ??= [...state.jobs.values()].map((book) => jobStatus(state, book));
      return jobs;
    },
    job(id) {
      const book = state.jobs.get(id);
      return book === undefined ? undefined : jobStatus(state, book);
    },
  };
}

function ownStatus(state: CoreState): PeerStatus {
  const rates = state.rates.told();
  return {
    face: state.face,
    isSelf: true,
    state: state.takesWork ? 'ok' : 'draining',
    busySlots: busySlots(state),
    queuedTasks: state.activeJobs().reduce((sum, job) => sum + job.heldCount, 0),
    donePerSec: state.recent.donePerSec(state.nowMs),
    recentUnits: state.recent.units(state.nowMs),
    rate: rates.at(-1)?.unitsPerMs ?? 0,
    done: state.done,
    failed: state.failed,
    stole: state.stole,
    gave: state.gave,
    rttMs: 0,
  };
}

function peerStatus(belief: ReturnType<CoreState['beliefs']['all']>[number]): PeerStatus {
  const { beat } = belief;
  // What a lost peer did last is no news; what it did in its life still counts.
  const present = belief.state === 'lost' ? undefined : beat;
  const isDraining = belief.draining && belief.state === 'ok';
  return {
    face: belief.face,
    isSelf: false,
    state: isDraining ? 'draining' : belief.state,
    busySlots: present?.busySlots ?? 0,
    queuedTasks: present?.jobs.reduce((sum, job) => sum + job.heldTasks, 0) ?? 0,
    donePerSec: present?.donePerSec ?? 0,
    recentUnits: present?.recentUnits ?? 0,
    rate: beat?.rates.at(-1)?.unitsPerMs ?? 0,
    done: beat?.done ?? 0,
    failed: beat?.failed ?? 0,
    stole: beat?.stole ?? 0,
    gave: beat?.gave ?? 0,
    rttMs: belief.rttMs,
  };
}

function jobStatus(state: CoreState, job: JobBook): JobStatus {
  const owner = state.ownerOf(job);
  const live = state.beliefs.live().filter(({ face }) => job.storedBy.has(face.peer));
  const isKeptHere = job.storedBy.has(state.self);
  return {
    header: job.header,
    owner,
    copies: live.length + (isKeptHere ? 1 : 0),
    isActive: job.isActive,
    stuck: stuckReason(state, job),
    ending: job.ending,
    counted: countedTasks(state, job),
    failed: job.ending?.failed ?? job.ledger.failedCount,
    heldHere: job.heldCount,
    elapsedMs: job.ending?.elapsedMs ?? state.nowMs - job.knownSinceMs,
    shares: job.ending?.shares ?? sharesOf(state, job),
  };
}

function stuckReason(state: CoreState, job: JobBook): string | undefined {
  if (!job.isActive || !job.isStranded || job.ledger.isComplete) return undefined;
  const canRun = state.beliefs.live().some((belief) => state.rateOn(belief, job) > 0);
  if (canRun) return undefined;
  return job.isUnloadable ? job.unloadableReason : 'no peer that may run it is here';
}

function countedTasks(state: CoreState, job: JobBook): number {
  if (job.ending !== undefined) return job.ending.done + job.ending.failed;
  const owner = state.ownerOf(job);
  if (owner === state.self) return job.ledger.counted.count;
  return state.beliefs.get(owner)?.progress.get(job.header.job)?.countedTasks ?? 0;
}

function stepsBack(state: CoreState): CoreStatus['stepsBack'] {
  if (state.isLeaving) return 'leaving';
  if (state.isDraining) return 'drained';
  return state.isSparing ? 'sparing' : undefined;
}
