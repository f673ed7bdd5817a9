// Rows of ended jobs lie on disk only. A peer keeps every job for weeks, and the rows of one may be 160 MB; what
// must stay in memory is which rows it has, a few numbers per job. A while after the end, and after the last
// reading, the rows that are on this disk are let go; whoever wants to read or send them asks for them first, and
// the shell brings them back from its disk.
import { type Interval, IntervalSet } from '../deque/interval-set.ts';
import type { PeerId } from './ids.ts';
import type { JobBook } from './job-book.ts';
import type { RowBatch } from './job.ts';
import type { Recording } from './recording.ts';
import type { CoreState } from './state.ts';

export class Archive {
  readonly #state: CoreState;
  readonly #recording: Recording;
  /** Jobs whose released rows other peers want, in the order in which they asked. */
  readonly #wanted = new Set<JobBook>();

  constructor(state: CoreState, recording: Recording) {
    this.#state = state;
    this.#recording = recording;
  }

  /** Lets go of rows that nobody has read for a while. */
  tidy(): void {
    const { nowMs, limits, lent } = this.#state;
    for (const job of this.#state.jobs.values()) {
      if (job.isActive || job.isRecalling || !job.hasRowsInMemory || job === lent) continue;
      if (nowMs - job.rowsUsedMs >= limits.rowsIdleMs) this.#release(job);
    }
    this.lend();
  }

  /** Somebody here reads the job's rows, or runs it again: they are brought back, and stay for a while. Peers that wait
   * for them are served with it. */
  read(job: JobBook): void {
    job.rowsUsedMs = this.#state.nowMs;
    this.#wanted.delete(job);
    if (this.#state.lent === job) this.#state.lent = undefined;
    if (!job.ledger.released.isEmpty) this.#state.recallRows(job);
  }

  /** Another peer lacks rows that are on this disk: sends them, now or when they are back. */
  sendWanted(job: JobBook, to: PeerId, tasks: IntervalSet): void {
    if (job.ledger.released.intersect(tasks).isEmpty) {
      this.#recording.sendRows(job, to, tasks);
      return;
    }
    job.wantedOnRecall.set(to, (job.wantedOnRecall.get(to) ?? new IntervalSet()).union(tasks));
    this.#wanted.add(job);
    this.lend();
  }

  /** Others get the rows of one job at a time: a peer that starts may ask for those of a long life at once, which
   * would fill the memory. Goes on to the next job when the last one's rows have arrived. */
  lend(): void {
    const state = this.#state;
    const { lent } = state;
    if (lent !== undefined && !lent.isRecalling && !this.#recording.isDelivering(lent)) {
      state.lent = undefined;
      this.#release(lent);
    }
    while (state.lent === undefined) {
      const [next] = this.#wanted;
      if (next === undefined) return;
      this.#wanted.delete(next);
      state.lend(next);
    }
  }

  /** The shell read them. What is not among them could not be read: it is no longer on this disk. */
  recalled(job: JobBook, batches: readonly RowBatch[]): void {
    const state = this.#state;
    job.isRecalling = false;
    job.hasRowsInMemory = true;
    if (state.lent !== job) job.rowsUsedMs = state.nowMs;
    for (const batch of batches) job.ledger.restore(batch);
    const lost = job.ledger.released.intervals();
    if (lost.length > 0) this.#forget(job, lost);
    for (const [to, tasks] of job.wantedOnRecall) {
      this.#recording.sendRows(job, to, tasks.intersect(job.ledger.present));
    }
    job.wantedOnRecall.clear();
    this.#recording.deliverOwed(job);
    state.emit({ kind: 'jobChanged', job: job.header.job });
  }

  /** The job leaves this peer. */
  expire(job: JobBook): void {
    this.#state.jobs.delete(job);
    this.#wanted.delete(job);
    if (this.#state.lent === job) this.#state.lent = undefined;
  }

  #release(job: JobBook): void {
    job.ledger.release(job.ledger.onDiskOf(this.#state.self));
    // What this disk has not taken yet stays, and is looked at again later.
    job.hasRowsInMemory = !job.ledger.present.subtract(job.ledger.released).isEmpty;
    if (job.hasRowsInMemory) job.rowsUsedMs = this.#state.nowMs;
  }

  #forget(job: JobBook, lost: readonly Interval[]): void {
    job.ledger.forget(lost);
    this.#state.log('warn', 'rows of a job are not readable on this disk', {
      job: job.header.job,
      tasks: lost.reduce((sum, [start, end]) => sum + end - start, 0),
    });
  }
}
