// How a job becomes known: offered to every live peer and to each that comes later, fetched and kept on
// their disks, loaded into their slots. The submit is answered when job and data lie here and on one more
// live peer; alone, on one disk, and the copy is made as soon as a second peer lives.
import type { Belief } from './beliefs.ts';
import { type JobId, type PeerId, ranked } from './ids.ts';
import type { JobBook } from './job-book.ts';
import type { JobHeader } from './job.ts';
import type { JobProgress } from './messages.ts';
import type { Recording } from './recording.ts';
import type { CoreState } from './state.ts';
import type { WorkModel } from './work.ts';

/** Peers of a group that say of a job that they keep it, beside whoever speaks for the group and the submitter. More: as
 * many messages at once at each member when a job comes, and at a peer that is a member of several meshes from each of
 * them; less: fewer may die at once before those who are left have to find out who has the job. */
const HEIRS_MAX = 4;

export class Greeting {
  readonly #state: CoreState;
  readonly #recording: Recording;
  /** Jobs on their way to this disk, by persist id. */
  readonly #keeping = new Map<number, JobBook>();
  /** Ends on their way to this disk, by persist id. */
  readonly #ending = new Map<number, JobBook>();
  #refused: { readonly job: JobBook; readonly what: 'job' | 'ending'; readonly atMs: number }[] =
    [];

  constructor(state: CoreState, recording: Recording) {
    this.#state = state;
    this.#recording = recording;
  }

  /** Tells a peer that (re)connected what it may have missed. */
  greet(peer: PeerId): void {
    const state = this.#state;
    const ended: JobBook[] = [];
    for (const job of state.jobs.values()) {
      const isStored = job.storedBy.has(state.self);
      // A job submitted here is offered though this disk refused its record so far: its data are here.
      if (!isStored && !job.owesAnswer) continue;
      const { header, ending } = job;
      if (ending !== undefined) {
        ended.push(job);
        // Whoever comes may have rows that nobody else has any more.
        job.fruitlessRounds = 0;
        continue;
      }
      this.#offerTo(peer, job);
      if (isStored) state.send(peer, { kind: 'jobStored', job: header.job });
    }
    for (const { header, ending } of ended.slice(-state.limits.endingsToldMax)) {
      if (ending !== undefined) state.send(peer, { kind: 'jobEnded', header, ending });
    }
  }

  /** A peer says that it runs a job: when it has ended, the news did not get there. */
  remind(peer: PeerId, job: JobBook): void {
    const { header, ending } = job;
    if (ending === undefined) return;
    const owner = this.#state.ownerOf(job);
    if (owner !== this.#state.self && owner !== peer) return;
    this.#state.send(peer, { kind: 'jobEnded', header, ending });
  }

  /** A peer names the jobs that it runs: one of ours that it has not heard of by now is offered again. So is one
   * that the peer itself should answer for: a submitter that died before its own disk had the record knows
   * nothing of it when it comes back. */
  offerUnheard(peer: PeerId, named: readonly JobProgress[]): void {
    const state = this.#state;
    for (const job of state.activeJobs()) {
      const isOld = state.nowMs - job.knownSinceMs > 4 * state.limits.heartbeatMs;
      const owner = state.ownerOf(job);
      const isConcerned = owner === state.self || owner === peer;
      if (!isOld || !isConcerned || !job.storedBy.has(state.self)) continue;
      if (named.some((progress) => progress.job === job.header.job)) continue;
      this.#offerTo(peer, job);
    }
  }

  #offerTo(peer: PeerId, { header, round }: JobBook): void {
    const offer = round === 0 ? ({ kind: 'jobOffered', header } as const) : undefined;
    this.#state.send(peer, offer ?? { kind: 'jobRetried', header, round });
  }

  offer(job: JobBook): void {
    this.#state.broadcast({ kind: 'jobOffered', header: job.header });
  }

  /** A peer offers a job: new ones are fetched, and passed on by nobody, for everybody greets everybody. */
  offered(from: PeerId, header: JobHeader): void {
    const job = this.#state.openBook(header);
    job.storedBy.add(from);
    this.load(job);
  }

  stored(from: PeerId, id: JobId): void {
    this.#state.jobs.get(id)?.storedBy.add(from);
  }

  load(job: JobBook): void {
    if (!job.isActive || job.isLoading || job.work !== undefined || job.isUnloadable) return;
    job.isLoading = true;
    const { header, jobNumber } = job;
    this.#state.emit({ kind: 'loadJob', header, jobNumber });
  }

  /** Spec and data are on this disk and the slots know the job. */
  loaded(job: JobBook, work: WorkModel): void {
    if (work.taskCount !== job.header.taskCount) {
      this.unloadable(job, 'its file has another number of tasks than its header says');
      return;
    }
    job.isLoading = false;
    job.hasData = true;
    job.work = work;
    job.reorder();
    if (job.owesOffer) this.offer(job);
    job.owesOffer = false;
    this.keep(job);
  }

  unloadable(job: JobBook, reason: string): void {
    job.isLoading = false;
    job.isUnloadable = true;
    job.unloadableReason = reason;
    this.#state.log('warn', 'a job cannot run here', { job: job.header.job, reason });
    this.#recording.deliverOwed(job);
  }

  /** Spec and data are here: the job's own record follows them to this disk. */
  keep(job: JobBook): void {
    if (job.record === 'kept' || job.record === 'writing') return;
    job.record = 'writing';
    this.#keeping.set(this.#state.persist({ kind: 'job', header: job.header }), job);
  }

  /** Rows came. Of a job that was over before its data were here this disk has no record, and needs none but for them. */
  keepRowsOf(job: JobBook): void {
    if (!job.isActive && job.record === 'none') this.keep(job);
  }

  /** The end goes to this disk, and from there, by its owner or whoever cancelled, to everybody. */
  tellEnding(job: JobBook): void {
    const { header, ending } = job;
    if (ending === undefined) return;
    const id = this.#state.persist({ kind: 'ended', job: header.job, ending });
    this.#ending.set(id, job);
    // Nothing is acknowledged by a cancel: it need not wait for this disk, and everybody stops within a message.
    if (ending.state === 'cancelled') this.#state.broadcast({ kind: 'jobEnded', header, ending });
    else if (this.#state.isOwner(job)) {
      this.#state.broadcast({ kind: 'jobEnded', header, ending }, id);
    }
  }

  persisted(id: number): void {
    this.#ending.delete(id);
    const job = this.#keeping.get(id);
    if (job === undefined) return;
    this.#keeping.delete(id);
    job.record = 'kept';
    this.#state.jobs.wake(job);
    this.#recording.writeMissing(job);
    if (!job.hasData) return;
    job.storedBy.add(this.#state.self);
    this.#tellStored(job);
  }

  /** In a group others say it when who said it before is gone. */
  tellStored(): void {
    if (!this.#state.isPart) return;
    for (const job of this.#state.activeJobs()) this.#tellStored(job);
  }

  #tellStored(job: JobBook): void {
    const { self } = this.#state;
    if (job.isStoredTold || !job.storedBy.has(self) || !this.#isHeir(job)) return;
    job.isStoredTold = true;
    this.#state.broadcast({ kind: 'jobStored', job: job.header.job });
  }

  /** Whether this peer may have to answer for a job: in a group of a larger mesh, the first few in a fixed order. */
  #isHeir(job: JobBook): boolean {
    const state = this.#state;
    if (!state.isPart || state.speaker === state.self) return true;
    const { job: id, submitter } = job.header;
    if (submitter === state.self) return true;
    const live = state.liveDisks();
    if (job.inheritance?.live !== live) job.inheritance = { live, order: ranked(id, live) };
    const able = job.inheritance.order.filter((peer) => {
      const belief = state.beliefs.get(peer);
      return belief === undefined || mayKeep(belief, job);
    });
    return able.slice(0, HEIRS_MAX).includes(state.self);
  }

  persistFailed(id: number): void {
    const job = this.#keeping.get(id) ?? this.#ending.get(id);
    if (job === undefined) return;
    const what = this.#keeping.delete(id) ? 'job' : 'ending';
    this.#ending.delete(id);
    this.#refused.push({ job, what, atMs: this.#state.nowMs });
    if (what === 'ending') return;
    job.record = 'refused';
    this.#recording.deliverOwed(job);
  }

  /** A job or its end that this disk refused is offered to it again. */
  retryDisk(): void {
    const { nowMs, limits } = this.#state;
    const due = this.#refused.filter(({ atMs }) => nowMs - atMs >= limits.deliveryRetryMs);
    if (due.length === 0) return;
    this.#refused = this.#refused.filter((entry) => !due.includes(entry));
    for (const { job, what } of due) {
      // It may have left this peer meanwhile.
      if (this.#state.jobs.get(job.header.job) !== job) continue;
      if (what === 'ending') this.tellEnding(job);
      else this.keep(job);
    }
  }

  /** Answers the submit once as many disks have the job as can be asked for. */
  answer(job: JobBook): void {
    const state = this.#state;
    if (!job.owesAnswer || !job.storedBy.has(state.self)) return;
    const others = state.beliefs.live().filter(({ face }) => job.storedBy.has(face.peer));
    const copies = 1 + others.length;
    const isAwaited = state.beliefs.ok().some((belief) => mayKeep(belief, job));
    if (others.length === 0 && isAwaited && job.isActive) return;
    job.owesAnswer = false;
    state.emit({ kind: 'answerSubmit', job: job.header.job, copies });
  }
}

/** A peer that cannot run the job will not fetch its data either; nobody waits for that copy. */
function mayKeep({ rates }: Belief, { header }: JobBook): boolean {
  return rates.get(header.rateKey) !== 0;
}
