// Poison: a task that kills the slot, or the whole peer, that runs it. Its neighbours are innocent and must not
// suffer more than a delay, so a dead slot's claim is bisected: each half runs in a window of its own until one
// task alone is left that kills. Deaths are counted per task, never per batch (a scheduler that counts per batch
// blames innocents). A task that killed goes to a peer that has not tried it; after three attempts, on as many
// peers as there are, it is a final failure, durable like a row.
//
// A peer that dies tells nobody over what. The others know from its last heartbeat what its slots were running;
// all of that is suspicious and from then on runs apart. A second death blames only what ran apart.
import { type Interval, IntervalSet, countTasks } from '../deque/interval-set.ts';
import type { Belief } from './beliefs.ts';
import type { Custody } from './custody.ts';
import { type PeerId, highestRanked } from './ids.ts';
import type { JobBook } from './job-book.ts';
import type { Message } from './messages.ts';
import type { Recording } from './recording.ts';
import type { CoreState } from './state.ts';

/** Error codes in the last place of a failed task's row. */
const FAILURE_CODES = {
  /** Its slot died in every attempt. */
  slotDied: 90,
  /** The same, for want of memory. */
  outOfMemory: 91,
  /** It took longer than its job allows, every time. */
  timedOut: 92,
  /** Whole peers died over it. */
  peerDied: 93,
} as const;

export class Attempts {
  readonly #state: CoreState;
  readonly #recording: Recording;
  readonly #custody: Custody;

  constructor(state: CoreState, recording: Recording, custody: Custody) {
    this.#state = state;
    this.#recording = recording;
    this.#custody = custody;
  }

  /** A slot of this peer died over these unfinished tasks of its claim. */
  slotDied(
    job: JobBook,
    death: { readonly intervals: readonly Interval[]; readonly reason: string },
  ): void {
    const state = this.#state;
    state.log('warn', 'a slot died; its claim is queued again', {
      job: job.header.job,
      tasks: countTasks(death.intervals),
      reason: death.reason,
    });
    const claim = job.running.intersect(death.intervals);
    for (const [start, end] of claim.intervals()) job.running.remove(start, end);
    const open = claim.subtract(job.ledger.present);
    if (!job.isActive || open.isEmpty) return;
    if (open.count > 1) return setApart(job, halves(open));
    const [task = 0] = open.intervals()[0] ?? [];
    const attempts = job.tries.by(task, state.self) + 1;
    const { reason } = death;
    this.#tried(job, { task, peer: state.self, attempts, reason });
    state.broadcast({
      kind: 'taskTried',
      job: job.header.job,
      task,
      attempts,
      reason: reason.slice(0, REASON_LENGTH_MAX),
    });
    if (job.tries.total(task) < state.limits.attemptsMax) return this.#passOn(job, task);
    this.#giveUp(job, task, codeOf(reason));
  }

  /** Another peer lost a slot over a task, or knows who did. */
  heard(from: PeerId, job: JobBook, tried: Extract<Message, { kind: 'taskTried' }>): void {
    const { task, peer = from, attempts, reason } = tried;
    if (task >= job.header.taskCount) return;
    this.#tried(job, { task, peer, attempts, reason });
  }

  /** A peer came that knows nothing of what died before, be it over its own earlier life. */
  tell(to: PeerId): void {
    for (const job of this.#state.activeJobs()) {
      const open = job.tries.tasks().filter((task) => !job.ledger.present.has(task));
      for (const task of open.slice(0, TOLD_TASKS_MAX)) {
        const reason = (job.failureReasons.get(task) ?? '').slice(0, REASON_LENGTH_MAX);
        for (const peer of job.tries.peers(task)) {
          const attempts = job.tries.by(task, peer);
          const tried = { job: job.header.job, task, peer, attempts, reason };
          this.#state.send(to, { kind: 'taskTried', ...tried });
        }
      }
    }
  }

  /** A peer's process ended: what it was running may have done it. */
  peerDied({ face, progress }: Belief): void {
    for (const job of this.#state.activeJobs()) {
      const known = progress.get(job.header.job);
      const blamed = known?.apart ?? known?.running ?? [];
      for (const [start, end] of IntervalSet.from(blamed)
        .subtract(job.ledger.present)
        .intersect([[0, job.header.taskCount]])
        .intervals()) {
        for (let task = start; task < end; task++) {
          const attempts = job.tries.by(task, face.peer) + 1;
          const reason = `${face.name} died`;
          this.#tried(job, { task, peer: face.peer, attempts, reason });
        }
      }
    }
  }

  /** Of tasks that nobody holds: those whose attempts are used up become failures; returns the others. */
  giveUpSpent(job: JobBook, missing: IntervalSet): IntervalSet {
    const { attemptsMax } = this.#state.limits;
    const spent = job.tries
      .tasks()
      .filter((task) => missing.has(task) && job.tries.total(task) >= attemptsMax);
    for (const task of spent) this.#giveUp(job, task, FAILURE_CODES.peerDied);
    return missing.subtract(spent.map((task): Interval => [task, task + 1]));
  }

  #tried(
    job: JobBook,
    tried: { task: number; peer: PeerId; attempts: number; reason: string },
  ): void {
    const { task, peer, attempts, reason } = tried;
    if (!job.tries.note(task, peer, attempts)) return;
    job.apart.add(task, task + 1);
    if (job.queue.removeAll([[task, task + 1]]) > 0) job.retries.add(task, task + 1);
    job.failureReasons.set(task, reason);
  }

  /** To the peer that tried it least; here, when nobody tried it less. */
  #passOn(job: JobBook, task: number): void {
    const state = this.#state;
    const others = state.beliefs
      .ok()
      .filter(({ draining, face }) => !draining && face.slots > 0)
      .filter((belief) => state.rateOn(belief, job) > 0)
      .map(({ face }) => face.peer);
    const least = Math.min(...others.map((peer) => job.tries.by(task, peer)));
    const able = others.filter((peer) => job.tries.by(task, peer) === least);
    const next = highestRanked(`${job.header.job}|${task}`, able);
    if (
      next === undefined ||
      (least >= job.tries.by(task, state.self) && !state.isDraining && !job.isBarred)
    ) {
      job.retries.add(task, task + 1);
      return;
    }
    this.#custody.grant(next, { request: 0, why: 'retry' }, job, [[task, task + 1]]);
  }

  #giveUp(job: JobBook, task: number, code: number): void {
    this.#state.log('warn', 'a task is given up: it killed whatever ran it', {
      job: job.header.job,
      task,
      attempts: job.tries.total(task),
      peers: job.tries.peers(task).length,
      reason: job.failureReasons.get(task) ?? '',
    });
    this.#recording.failed(job, [[task, task + 1]], code);
  }
}

function codeOf(reason: string): number {
  if (/memory/i.test(reason)) return FAILURE_CODES.outOfMemory;
  return /took longer/.test(reason) ? FAILURE_CODES.timedOut : FAILURE_CODES.slotDied;
}

/** Suspicious tasks of a job that a newcomer hears of: as many as a heartbeat names of what runs. */
const TOLD_TASKS_MAX = 256;

/** Characters of a reason that travel. */
const REASON_LENGTH_MAX = 200;

/** Each group runs in a window of its own. */
function setApart(job: JobBook, groups: readonly IntervalSet[]): void {
  for (const group of groups) {
    for (const [start, end] of group.intervals()) {
      job.apart.add(start, end);
      job.retries.add(start, end);
    }
    job.groups.push(group);
  }
}

function halves(tasks: IntervalSet): IntervalSet[] {
  const half = Math.ceil(tasks.count / 2);
  let left = half;
  const first: Interval[] = [];
  for (const [start, end] of tasks.intervals()) {
    const until = Math.min(end, start + left);
    if (until > start) first.push([start, until]);
    left -= Math.max(0, until - start);
  }
  return [IntervalSet.from(first), tasks.subtract(first)];
}
