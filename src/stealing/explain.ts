// Where one task is, and why it is not further, from what this peer knows itself: mesh explain. What it holds it
// knows exactly; of others it knows their last word.
import type { Custody } from './custody.ts';
import { IntervalSet } from '../deque/interval-set.ts';
import type { JobId, PeerId } from './ids.ts';
import type { JobBook } from './job-book.ts';
import { taskMsHere } from './horizon.ts';
import { mayRunOn } from './places.ts';
import type { CoreState } from './state.ts';
import { inTurn, priorityOf } from './turns.ts';

type TaskPlace =
  /** Its row or final failure is known here. */
  | 'counted'
  | 'recorded'
  | 'running'
  /** In the open window: the next slot that is free takes from it. */
  | 'next'
  | 'queued'
  /** Suspicious, waits to run apart. */
  | 'apart'
  /** On its way to another peer. */
  | 'granted'
  /** Some peer that says so holds it. */
  | 'elsewhere'
  /** Nobody claims it. */
  | 'missing'
  /** The job ended without it. */
  | 'dropped';

export interface TaskExplained {
  readonly job: JobId;
  readonly task: number;
  readonly place: TaskPlace;
  /** Who has it: makers and disks of a row, holders of a task. */
  readonly peers: readonly PeerId[];
  /** Sentences, the most important first. */
  readonly why: readonly string[];
  readonly attempts: number;
  /** Tasks of this job that run before it here; undefined when it is not queued here. */
  readonly ahead: number | undefined;
  /** Predicted ms until it starts here. */
  readonly startsInMs: number | undefined;
}

export function explainTask(
  state: CoreState,
  custody: Custody,
  job: JobBook,
  task: number,
): TaskExplained {
  const found = placeOf(state, custody, job, task);
  const attempts = job.tries.total(task);
  const tried = job.tries.peers(task).map((peer) => nameOf(state, peer));
  const reason = job.failureReasons.get(task);
  const why = [...found.why];
  if (attempts > 0) why.push(`it was tried ${attempts} times, on ${tried.join(', ')}: ${reason}`);
  return { job: job.header.job, task, attempts, ...found, why };
}

type Found = Omit<TaskExplained, 'job' | 'task' | 'attempts'>;

function placeOf(state: CoreState, custody: Custody, job: JobBook, task: number): Found {
  const at = { ahead: undefined, startsInMs: undefined };
  if (job.ledger.present.has(task)) return recorded(state, job, task);
  if (!job.isActive) {
    const why = [`the job was ${job.ending?.state ?? 'ended'} before it ran`];
    return { ...at, place: 'dropped', peers: [], why };
  }
  const self = [state.self];
  if (job.running.has(task)) {
    const open = unclaimedOf(state, job);
    if (!open.has(task))
      return { ...at, place: 'running', peers: self, why: [runningText(job, task)] };
    const why = ['it is among the tasks that the slots take next', ...waiting(state, job)];
    return { ...at, place: 'next', peers: self, why };
  }
  if (job.retries.has(task)) {
    const why = ['a slot or a peer died over a batch that it was in, so it waits to run apart'];
    return { ...at, place: 'apart', peers: self, why: [...why, ...waiting(state, job)] };
  }
  if (job.queue.has(task)) return queued(state, job, task);
  const to = custody.holderOf(job, task);
  if (to !== undefined) {
    const why = [`it was given to ${nameOf(state, to)}, which has not confirmed it yet`];
    return { ...at, place: 'granted', peers: [to], why };
  }
  return elsewhere(state, job);
}

function recorded(state: CoreState, job: JobBook, task: number): Found {
  const { ledger } = job;
  const makers = ledger.makers().filter(([, made]) => made.has(task));
  const disks = [state.self, ...state.beliefs.live().map(({ face }) => face.peer)].filter((peer) =>
    ledger.onDiskOf(peer).has(task),
  );
  const isCounted = ledger.counted.has(task);
  const made = makers.map(([peer]) => nameOf(state, peer)).join(', ');
  const on = disks.length > 0 ? `on the disks of ${namesOf(state, disks)}` : 'on its way to a disk';
  const why = [`${ledger.isFailure(task) ? 'given up by' : 'computed by'} ${made}; ${on}`];
  if (!isCounted && job.isActive && state.isOwner(job)) {
    why.push('it counts when a second disk has it, or when no second peer lives');
  }
  return {
    place: isCounted || !job.isActive ? 'counted' : 'recorded',
    peers: [...new Set([...makers.map(([peer]) => peer), ...disks])],
    why,
    ahead: undefined,
    startsInMs: undefined,
  };
}

function runningText(job: JobBook, task: number): string {
  return job.apart.has(task)
    ? 'a slot runs it, apart from others, because something died over it before'
    : 'a slot runs the micro-batch that it is in';
}

function queued(state: CoreState, job: JobBook, task: number): Found {
  let ahead = unclaimedOf(state, job).count;
  for (const [start, end] of job.queue.intervals()) {
    if (task >= start && task < end) {
      ahead += task - start;
      break;
    }
    ahead += end - start;
  }
  const startsInMs = (ahead * taskMsHere(state, job)) / Math.max(1, state.face.slots);
  const why = [`it is queued here behind ${ahead} tasks of its job`, ...waiting(state, job)];
  return { place: 'queued', peers: [state.self], why, ahead, startsInMs };
}

/** What keeps the whole job waiting here. */
function waiting(state: CoreState, job: JobBook): string[] {
  const why: string[] = [];
  if (!mayRunOn(job.header, state.self)) why.push('its submitter does not allow it on this peer');
  else if (job.isUnloadable) why.push(`the job cannot run here: ${job.unloadableReason}`);
  else if (job.work === undefined) why.push('the data of the job is on its way here');
  if (state.isDraining) why.push('this peer drains and starts nothing');
  if (state.isSparing) why.push('this peer spares its battery and takes nothing from others');
  const before = inTurn(state).filter(
    (other) => other !== job && other.hasWaiting && priorityOf(other) > priorityOf(job),
  );
  for (const { header } of before) {
    why.push(`job ${header.name} goes first: its priority is ${header.priority ?? 0}`);
  }
  return why;
}

function elsewhere(state: CoreState, job: JobBook): Found {
  const holders = state.beliefs
    .live()
    .filter(({ progress }) => (progress.get(job.header.job)?.heldTasks ?? 0) > 0);
  const at = { ahead: undefined, startsInMs: undefined };
  const suspects = holders.filter((belief) => belief.state === 'suspect');
  const peers = holders.map(({ face }) => face.peer);
  if (holders.length > 0) {
    const why = [`it is not here; tasks of this job are held by ${namesOf(state, peers)}`];
    for (const { face } of suspects) why.push(`${face.name} is silent: its work may run again`);
    return { ...at, place: 'elsewhere', peers, why };
  }
  const asking = job.census !== undefined;
  const owner = nameOf(state, state.ownerOf(job));
  const why = [
    asking
      ? 'nobody claims it; a census is asking everybody'
      : `nobody is known to claim it; ${owner} takes a census when it sees no progress for a second`,
  ];
  return { ...at, place: 'missing', peers: [], why };
}

function unclaimedOf(state: CoreState, job: JobBook): IntervalSet {
  if (state.windowJob() !== job) return new IntervalSet();
  let claimed = new IntervalSet();
  for (let slot = 0; slot < state.face.slots; slot++) {
    const claim = state.cursor.claimOf(slot);
    if (claim?.jobNumber === job.jobNumber) claimed = claimed.union(claim.intervals);
  }
  return job.running.subtract(claimed);
}

function nameOf(state: CoreState, peer: PeerId): string {
  if (peer === state.self) return state.face.name;
  return state.beliefs.get(peer)?.face.name ?? peer.slice(-8);
}

function namesOf(state: CoreState, peers: readonly PeerId[]): string {
  return peers.map((peer) => nameOf(state, peer)).join(', ');
}
