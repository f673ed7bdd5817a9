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

  constructor(state: CoreState, recording: Recording) {
    this.#state = state;
    this.#recording = recording;
  }

  /** Lets go of rows that nobody has read for a while. */
  tidy(): void {
    const { nowMs, limits, self } = this.#state;
    for (const job of this.#state.jobs.values()) {
      if (job.isActive || job.isRecalling || !job.hasRowsInMemory) continue;
      const isIdle = nowMs - job.rowsUsedMs >= limits.rowsIdleMs;
      const isCopied = job.isRecalledForCopies && !this.#recording.isDelivering(job);
      if (!isIdle && !isCopied) continue;
      job.isRecalledForCopies = false;
      job.ledger.release(job.ledger.onDiskOf(self));
      // What this disk has not taken yet stays, and is looked at again later.
      job.hasRowsInMemory = !job.ledger.present.subtract(job.ledger.released).isEmpty;
      job.rowsUsedMs = nowMs;
    }
  }

  /** Somebody here reads the job's rows: they are brought back, and stay for a while. */
  read(job: JobBook): void {
    this.#used(job);
    if (!job.ledger.released.isEmpty) this.#state.recallRows(job);
  }

  /** Another peer lacks rows that are on this disk: sends them, now or when they are back. */
  sendWanted(job: JobBook, to: PeerId, tasks: IntervalSet): void {
    this.#used(job);
    if (job.ledger.released.intersect(tasks).isEmpty) {
      this.#recording.sendRows(job, to, tasks);
      return;
    }
    job.wantedOnRecall.set(to, (job.wantedOnRecall.get(to) ?? new IntervalSet()).union(tasks));
    this.#state.recallRows(job);
  }

  /** The shell read them. What is not among them could not be read: it is no longer on this disk. */
  recalled(job: JobBook, batches: readonly RowBatch[]): void {
    const state = this.#state;
    job.isRecalling = false;
    job.hasRowsInMemory = true;
    job.rowsUsedMs = state.nowMs;
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

  /** Somebody reads: the rows stay, also when they came back for a copy. */
  #used(job: JobBook): void {
    job.rowsUsedMs = this.#state.nowMs;
    job.isRecalledForCopies = false;
  }

  #forget(job: JobBook, lost: readonly Interval[]): void {
    job.ledger.forget(lost);
    this.#state.log('warn', 'rows of a job are not readable on this disk', {
      job: job.header.job,
      tasks: lost.reduce((sum, [start, end]) => sum + end - start, 0),
    });
  }
}
