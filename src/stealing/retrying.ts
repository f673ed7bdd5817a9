// New attempts for tasks that used up theirs. An end is final, so a retry is a fact of its own that only grows: the
// round of the job. Whoever hears of a higher round opens the job again, forgets the failures of the rounds before,
// and what is missing then runs as it always does. Ends and failures carry their round; those of an older one, from
// a peer that was away, say nothing any more.
import type { JobBook } from './job-book.ts';
import type { JobEnding, JobHeader } from './job.ts';
import type { Archive } from './archive.ts';
import type { Census } from './census.ts';
import type { Greeting } from './greeting.ts';
import type { PeerId } from './ids.ts';
import type { CoreState } from './state.ts';
import { Tries } from './tries.ts';

export class Retrying {
  readonly #state: CoreState;
  readonly #rooms: {
    readonly archive: Archive;
    readonly census: Census;
    readonly greeting: Greeting;
  };

  constructor(
    state: CoreState,
    rooms: { readonly archive: Archive; readonly census: Census; readonly greeting: Greeting },
  ) {
    this.#state = state;
    this.#rooms = rooms;
  }

  /** A person asks. A job that runs, or of which nothing failed for good, stays as it is. */
  requested(job: JobBook): void {
    if (job.isActive || job.ledger.failures.isEmpty) return;
    this.#open(job, job.round + 1);
    const { header, round } = job;
    const id = this.#state.persist({ kind: 'retried', job: header.job, round });
    this.#state.broadcast({ kind: 'jobRetried', header, round }, id);
  }

  heard(from: PeerId, header: JobHeader, round: number): void {
    const job = this.#state.openBook(header);
    job.storedBy.add(from);
    if (round > job.round) {
      this.#open(job, round);
      this.#state.persist({ kind: 'retried', job: header.job, round });
    }
    this.#rooms.greeting.load(job);
  }

  /** An end of a later round than this peer knows: the failures here are of an older one. */
  caughtUp(job: JobBook, { round = 0 }: JobEnding): void {
    if (round <= job.round) return;
    job.round = round;
    job.ledger.forget(job.ledger.failures.intervals());
    this.#state.persist({ kind: 'retried', job: job.header.job, round });
  }

  #open(job: JobBook, round: number): void {
    const { self } = this.#state;
    job.round = round;
    this.#state.jobs.turned(job, undefined);
    job.ledger.forget(job.ledger.failures.intervals());
    job.tries = new Tries();
    job.failureReasons.clear();
    job.isUnloadable = false;
    // Whatever a slot still runs of it comes under the old number, and counts for nothing.
    for (const [start, end] of job.running.intervals()) job.running.remove(start, end);
    // The slots have forgotten it, and know jobs by numbers that are never used again.
    job.work = undefined;
    job.isLoading = false;
    this.#state.jobs.renumber(job, this.#state.nextJobNumber());
    job.fruitlessRounds = 0;
    job.lastCountedMs = this.#state.nowMs;
    this.#rooms.archive.read(job);
    if (job.storedBy.has(self)) this.#rooms.greeting.load(job);
    this.#rooms.census.wantSoon(job);
    this.#state.emit({ kind: 'jobChanged', job: job.header.job });
  }
}
