// The jobs that a peer knows, in the order in which it came to know them. A peer keeps every job for weeks, so most
// have ended, and nothing changes for them: what is done after every fact is done for the jobs that are awake, which
// are those that run and those that something was said about.
import { invariant } from '../invariant.ts';
import type { JobId, PeerId } from './ids.ts';
import type { JobBook } from './job-book.ts';
import type { JobEnding } from './job.ts';

export class Jobs {
  readonly #books = new Map<JobId, JobBook>();
  readonly #isAwake = new Set<JobBook>();
  readonly #byNumber = new Map<number, JobBook>();
  /** Made anew when a job came, ended, was retried or left. */
  #active: readonly JobBook[] | undefined;
  #awake: readonly JobBook[] | undefined;
  #live: readonly PeerId[] = [];

  /** Whoever asks for a job may change it: it is awake from here on. */
  get(id: JobId): JobBook | undefined {
    const job = this.#books.get(id);
    if (job !== undefined) this.wake(job);
    return job;
  }

  /** All, the ended ones too. */
  values(): Iterable<JobBook> {
    return this.#books.values();
  }

  active(): readonly JobBook[] {
    this.#active ??= [...this.#books.values()].filter((job) => job.isActive);
    return this.#active;
  }

  /** Those at which there may be something to do. */
  awake(): readonly JobBook[] {
    this.#awake ??= [...this.#books.values()].filter((job) => this.#isAwake.has(job));
    return this.#awake;
  }

  byNumber(jobNumber: number): JobBook | undefined {
    return this.#byNumber.get(jobNumber);
  }

  add(job: JobBook): void {
    this.#books.set(job.header.job, job);
    this.#byNumber.set(job.jobNumber, job);
    this.#active = undefined;
    this.wake(job);
  }

  /** It ended, or runs again: undefined. */
  turned(job: JobBook, ending: JobEnding | undefined): void {
    job.ending = ending;
    this.#active = undefined;
    this.wake(job);
  }

  /** Slots that still run it under its old number are not heard any more. */
  renumber(job: JobBook, jobNumber: number): void {
    this.#byNumber.delete(job.jobNumber);
    job.jobNumber = jobNumber;
    this.#byNumber.set(jobNumber, job);
  }

  delete(job: JobBook): void {
    this.#books.delete(job.header.job);
    this.#byNumber.delete(job.jobNumber);
    this.#isAwake.delete(job);
    this.#active = undefined;
    this.#awake = undefined;
  }

  wake(job: JobBook): void {
    if (this.#isAwake.has(job)) return;
    this.#isAwake.add(job);
    this.#awake = undefined;
  }

  /** The same, all of them when somebody came or was lost: every job may have another owner then. */
  awakeGiven(live: readonly PeerId[]): readonly JobBook[] {
    if (live !== this.#live) for (const job of this.#books.values()) this.wake(job);
    this.#live = live;
    return this.awake();
  }

  /** Ended jobs that want nothing sleep until somebody names them. */
  rest(self: PeerId): void {
    if (this.awake().length === this.active().length) return;
    for (const job of this.awake()) {
      if (!isAtRest(job, self)) continue;
      this.#isAwake.delete(job);
      this.#awake = undefined;
    }
  }

  /** Throws when what is remembered differs from what a look at every job says. */
  check(): void {
    const known = this.active();
    let running = 0;
    for (const job of this.#books.values()) {
      if (!job.isActive) continue;
      invariant(known[running] === job, 'running jobs are known');
      invariant(this.#isAwake.has(job), 'jobs that run are looked at');
      running++;
    }
    invariant(running === known.length, 'running jobs are known');
  }
}

/** Its end is known here, and this peer neither runs, saves nor seeks anything of it. */
function isAtRest(job: JobBook, self: PeerId): boolean {
  if (job.isActive || job.owesAnswer || job.censusWanted || job.census !== undefined) return false;
  if (!job.unsaved.isEmpty || !job.running.isEmpty) return false;
  // An owner goes on looking for the rows that it lacks.
  const isWhole = job.ledger.isComplete && job.ledger.present.count === job.header.taskCount;
  return isWhole || (job.lastOwner !== undefined && job.lastOwner !== self);
}
