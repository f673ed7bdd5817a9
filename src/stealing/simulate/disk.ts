// A peer's disk: an append-only journal with group commit, and the data of jobs. What was flushed survives
// everything but the loss of the disk; of what was not, a crash leaves some prefix, as a torn file would.
import type { JobId, PeerId } from '../ids.ts';
import type { JobEnding, JobHeader, RowBatch } from '../job.ts';
import type { PersistEntry } from '../output.ts';
import type { Rng } from '../rng.ts';
import type { VirtualClock } from './clock.ts';
import { between, whole } from './draw.ts';
import type { DiskPlan } from './scenario.ts';

/** The two facts with which a disk answers the order to persist. */
export type DiskFact =
  | { readonly kind: 'persisted'; readonly id: number }
  | { readonly kind: 'persistFailed'; readonly id: number; readonly reason: string };

export interface RecoveredJob {
  readonly header: JobHeader;
  batches: RowBatch[];
  ending: JobEnding | undefined;
  round: number;
  readonly liars: PeerId[];
}

interface Unflushed {
  readonly id: number;
  readonly entry: PersistEntry;
}

export class VirtualDisk {
  readonly #clock: VirtualClock;
  readonly #rng: Rng;
  readonly #plan: DiskPlan;
  readonly #tell: (fact: DiskFact) => void;
  /** Jobs whose spec and datasets are here, whole. */
  readonly data = new Set<JobId>();
  #journal: PersistEntry[] = [];
  #waiting: Unflushed[] = [];
  #inFlush: Unflushed[] = [];
  /** Rises when the process dies: a flush of an earlier life answers nobody. */
  #life = 0;
  #fullUntilMs = 0;
  #slow = { untilMs: 0, flushMs: 0 };

  constructor(
    clock: VirtualClock,
    rng: Rng,
    options: { plan: DiskPlan; tell: (fact: DiskFact) => void },
  ) {
    this.#clock = clock;
    this.#rng = rng;
    this.#plan = options.plan;
    this.#tell = options.tell;
  }

  /** What is safe: flushed, or left whole by a crash. */
  get journal(): readonly PersistEntry[] {
    return this.#journal;
  }

  write(id: number, entry: PersistEntry): void {
    this.#waiting.push({ id, entry });
    if (this.#inFlush.length === 0) this.#flush();
  }

  fillUp(forMs: number): void {
    this.#fullUntilMs = Math.max(this.#fullUntilMs, this.#clock.nowMs + forMs);
  }

  slowDown(flushMs: number, forMs: number): void {
    this.#slow = { untilMs: this.#clock.nowMs + forMs, flushMs };
  }

  /** The process is gone. After a kill the system still writes most of what it was given; a power loss leaves
   * any prefix of it. */
  crash(how: 'kill' | 'powerLoss'): void {
    this.#life++;
    const tail = [...this.#inFlush, ...this.#waiting];
    const kept =
      how === 'kill' ? tail.length - whole(this.#rng, 0, 1) : whole(this.#rng, 0, tail.length);
    this.#journal.push(...tail.slice(0, Math.max(0, kept)).map(({ entry }) => entry));
    this.#inFlush = [];
    this.#waiting = [];
  }

  /** The disk itself is gone. */
  lose(): void {
    this.#life++;
    this.#journal = [];
    this.#inFlush = [];
    this.#waiting = [];
    this.data.clear();
  }

  /** What a new process finds, jobs in the order in which they came. An end may lie before the record of its job:
   * that one is written when rows come. */
  recover(): RecoveredJob[] {
    const jobs = new Map<JobId, RecoveredJob>();
    for (const entry of this.#journal) {
      if (entry.kind === 'job' && !jobs.has(entry.header.job)) {
        jobs.set(entry.header.job, {
          header: entry.header,
          batches: [],
          ending: undefined,
          round: 0,
          liars: [],
        });
      }
    }
    for (const entry of this.#journal) {
      if (entry.kind === 'job') continue;
      const found = jobs.get(entry.job);
      if (found === undefined) continue;
      if (entry.kind === 'rows') found.batches.push(entry.batch);
      else if (entry.kind === 'quarantined') {
        const { peer } = entry;
        found.liars.push(peer);
        found.batches.splice(0, Infinity, ...found.batches.filter(({ maker }) => maker !== peer));
      } else if (entry.kind === 'retried') retried(found, entry.round);
      else if (found.ending?.state !== 'done') found.ending = entry.ending;
    }
    return [...jobs.values()];
  }

  #flush(): void {
    this.#inFlush = this.#waiting;
    this.#waiting = [];
    const life = this.#life;
    const usualMs = between(this.#rng, ...this.#plan.flushMs);
    const isSlow = this.#clock.nowMs < this.#slow.untilMs;
    this.#clock.after(isSlow ? this.#slow.flushMs : usualMs, () => {
      if (life === this.#life) this.#flushed();
    });
  }

  #flushed(): void {
    const written = this.#inFlush;
    this.#inFlush = [];
    const isFull = this.#clock.nowMs < this.#fullUntilMs;
    if (!isFull) this.#journal.push(...written.map(({ entry }) => entry));
    if (this.#waiting.length > 0) this.#flush();
    for (const { id } of written) {
      this.#tell(
        isFull
          ? { kind: 'persistFailed', id, reason: 'no space left on device' }
          : { kind: 'persisted', id },
      );
    }
  }
}

function retried(found: RecoveredJob, round: number): void {
  found.round = round;
  found.batches = found.batches.filter(({ kind }) => kind !== 'failures');
  if ((found.ending?.round ?? 0) < round) found.ending = undefined;
}
