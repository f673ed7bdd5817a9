// Work that changes hands. A grant counts as held by the victim until the thief confirms it; a grant sent
// twice is the same grant, so a lost message can at worst make both sides hold the work: run twice, never
// lost. There is no lease and no time-out of custody: what nobody holds is found by a census.
import { type Interval, IntervalSet, countTasks } from '../deque/interval-set.ts';
import type { PeerId } from './ids.ts';
import type { JobBook } from './job-book.ts';
import { intervalParts } from './message-parts.ts';
import type { Batch } from './messages.ts';
import type { StealReason } from './steal-log.ts';
import type { CoreState } from './state.ts';

interface Grant {
  readonly to: PeerId;
  readonly request: number;
  readonly batches: readonly Batch[];
  readonly again: boolean;
  readonly copy: boolean;
  sentMs: number;
}

/** Why a grant is made. */
interface Cause {
  /** 0: nobody asked. */
  readonly request: number;
  readonly why: StealReason;
  /** They run there though they have rows. */
  readonly again?: boolean;
}

/** Accepted grant ids remembered per victim: more than can be on their way at once. */
const REMEMBERED_GRANTS = 256;

export class Custody {
  readonly #state: CoreState;
  readonly #granted = new Map<number, Grant>();
  /** Confirmed a moment ago: still named in a census, because the thief may have answered before it got them. */
  #confirmed: { readonly grant: Grant; readonly atMs: number }[] = [];
  readonly #accepted = new Map<PeerId, { incarnation: number; ids: Set<number> }>();
  #nextGrant = 1;

  constructor(state: CoreState) {
    this.#state = state;
  }

  get hasUnconfirmed(): boolean {
    return this.#granted.size > 0;
  }

  /** `intervals` have left queue and window already. More of them than a message takes go in several grants. */
  grant(to: PeerId, cause: Cause, job: JobBook, intervals: readonly Interval[]): void {
    const state = this.#state;
    const { request, why, again = false } = cause;
    const tasks = countTasks(intervals);
    const work = job.costs.of(intervals);
    const entry = { thief: to, victim: state.self, outcome: 'granted', why } as const;
    state.steals.add({ atMs: state.nowMs, ...entry, job: job.header.job, tasks, work });
    state.gave += tasks;
    const belief = state.beliefs.get(to);
    if (belief !== undefined) belief.armed = false;
    for (const part of intervalParts(intervals)) {
      const batches = [{ job: job.header.job, intervals: part }];
      const grant = { to, request, batches, again, copy: why === 'copy', sentMs: state.nowMs };
      const id = this.#nextGrant++;
      this.#granted.set(id, grant);
      this.#send(id, grant);
    }
  }

  confirmed(from: PeerId, id: number): void {
    const grant = this.#granted.get(id);
    if (grant === undefined || grant.to !== from) return;
    this.#granted.delete(id);
    for (const { job } of grant.batches) {
      const book = this.#state.jobs.get(job);
      // Counted where the work came from: the owner knows of its own gifts without waiting for a heartbeat.
      if (book !== undefined) book.steals++;
    }
    this.#confirmed.push({ grant, atMs: this.#state.nowMs });
  }

  /** Thief's side: whether this grant is new; a known one only wants its confirmation again. */
  accept(from: PeerId, incarnation: number, id: number): boolean {
    let seen = this.#accepted.get(from);
    if (seen === undefined || seen.incarnation !== incarnation) {
      seen = { incarnation, ids: new Set() };
      this.#accepted.set(from, seen);
    }
    if (seen.ids.has(id)) return false;
    seen.ids.add(id);
    if (seen.ids.size > REMEMBERED_GRANTS) {
      const [oldest] = seen.ids;
      if (oldest !== undefined) seen.ids.delete(oldest);
    }
    return true;
  }

  /** The peer is lost, or lives a new life: what it did not confirm is ours again. */
  takeBack(from: PeerId): void {
    for (const [id, grant] of this.#granted) {
      if (grant.to !== from) continue;
      this.#granted.delete(id);
      for (const { job, intervals } of grant.batches) {
        const book = this.#state.jobs.get(job);
        if (book?.isActive) book.enqueue(intervals, 'top');
      }
    }
    this.#confirmed = this.#confirmed.filter(({ grant }) => grant.to !== from);
  }

  /** Sends again what was not confirmed in time, and forgets what no census can race any more. */
  tick(): void {
    if (this.#granted.size === 0 && this.#confirmed.length === 0) return;
    const { nowMs, limits, beliefs } = this.#state;
    const patienceMs = Math.max(limits.grantResendMs, 4 * beliefs.rttMs());
    for (const [id, grant] of this.#granted) {
      if (nowMs - grant.sentMs < patienceMs) continue;
      grant.sentMs = nowMs;
      const { to, batches } = grant;
      // Who does not know the job cannot confirm it; its offer may have been lost on the way. An offer says
      // that the job lies here, so only who has it makes one.
      for (const { job } of batches) {
        const book = this.#state.jobs.get(job);
        if (book?.storedBy.has(this.#state.self) !== true) continue;
        this.#state.send(to, { kind: 'jobOffered', header: book.header });
      }
      this.#send(id, grant);
    }
    const namedMs = Math.max(limits.confirmedNamedMs, 4 * beliefs.rttMs());
    this.#confirmed = this.#confirmed.filter(({ atMs }) => nowMs - atMs < namedMs);
  }

  #send(id: number, { to, request, batches, again, copy }: Grant): void {
    const grant = { kind: 'grant', grant: id, request, batches } as const;
    this.#state.send(to, { ...grant, ...(again ? { again } : {}), ...(copy ? { copy } : {}) });
  }

  /** Who was given a task and has not confirmed it. */
  holderOf(job: JobBook, task: number): PeerId | undefined {
    for (const grant of this.#granted.values()) {
      if (IntervalSet.from(intervalsOf(job, [grant])).has(task)) return grant.to;
    }
    return undefined;
  }

  /** Tasks of a job that are granted and not confirmed. */
  unconfirmedOf(job: JobBook): Interval[] {
    return intervalsOf(job, this.#granted.values());
  }

  /** The same, and those confirmed a moment ago: what a census must hear. */
  namedOf(job: JobBook): IntervalSet {
    const recent = this.#confirmed.map(({ grant }) => grant);
    return IntervalSet.from([...this.unconfirmedOf(job), ...intervalsOf(job, recent)]);
  }
}

function intervalsOf(job: JobBook, grants: Iterable<Grant>): Interval[] {
  const intervals: Interval[] = [];
  for (const grant of grants) {
    for (const batch of grant.batches) {
      if (batch.job === job.header.job) intervals.push(...batch.intervals);
    }
  }
  return intervals;
}
