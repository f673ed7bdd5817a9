// Whether peers tell the truth. When all rows of a job are in, its owner draws some of each peer's at random and has
// them run again: those of others by itself, which is not on the wire, so that nobody can tell which rows are looked
// at; its own by another, which lacks them if there is one. Equal bits are what an honest peer gives, always. A row that
// differs is an alarm, and says only that one of two peers is wrong: a third one judges. The wrong one is quarantined:
// it counts as lost from here on, those of its rows that nobody verified are forgotten, and their tasks run again. Where
// there is no third peer, where it agrees with neither, or where the owner is the wrong one, the task is disputed, and
// the job says so at its end.
//
// After BOINC's adaptive replication (Anderson, 2004), with two changes: rows are drawn after the fact and not when
// work is handed out, and bits are compared, because a kernel gives every peer the same. A peer that lies on a share
// f of its rows goes unseen with (1 - f)^32: 3 % for a tenth. A job that ran on its owner alone, as one does that is
// too short for a round trip, is not worth one at its end either.
import { IntervalSet } from '../deque/interval-set.ts';
import { AuditBook, type Check } from './audit-book.ts';
import type { Custody } from './custody.ts';
import type { PeerId } from './ids.ts';
import type { PeerFace } from './input.ts';
import type { JobBook } from './job-book.ts';
import type { CoreState } from './state.ts';
import { mayRunOn } from './places.ts';

export class Audit {
  readonly #state: CoreState;
  readonly #custody: Custody;
  /** Told of a peer that counts as lost from here on. */
  readonly #onLost: (peer: PeerId) => void;

  constructor(state: CoreState, custody: Custody, onLost: (peer: PeerId) => void) {
    this.#state = state;
    this.#custody = custody;
    this.#onLost = onLost;
  }

  /** Owner only, when every task is counted. Returns whether the job may end. */
  isOver(job: JobBook): boolean {
    if (job.header.audit === undefined) return true;
    job.audit ??= new AuditBook();
    const book = job.audit;
    this.#draw(job, book);
    for (const { task, by, row } of book.takeAnswers())
      this.#answered(job, book, { task, by, row });
    for (const check of book.open.values()) this.#look(job, book, check);
    return job.ledger.isComplete && book.open.size === 0;
  }

  /** When `isOver` has to be asked again though nothing happened. */
  nextLookMs(job: JobBook): number | undefined {
    if (!job.isActive) return undefined;
    let next: number | undefined;
    // Never spread into one call, here and above: `--audit all` has as many checks as the job has tasks.
    for (const { untilMs } of job.audit?.open.values() ?? [])
      next = Math.min(next ?? untilMs, untilMs);
    return next;
  }

  /** The owner of a job has caught a liar: what lies here of its rows counts nowhere. */
  heard(job: JobBook, liar: PeerId): void {
    if (liar !== this.#state.self && !job.liars.has(liar)) this.#forget(job, liar);
  }

  /** Every maker once, when its rows are in; one that joins later, when the job is complete again. */
  #draw(job: JobBook, book: AuditBook): void {
    const { self, isDraining } = this.#state;
    if (job.work === undefined || isDraining) return;
    const others: Check[] = [];
    for (const [maker] of job.ledger.makers()) {
      if (book.drawn.has(maker)) continue;
      book.drawn.add(maker);
      const tasks = this.#sample(job, job.ledger.rowsOf(maker));
      if (maker === self) this.#examineOwn(job, book, tasks);
      else for (const task of tasks) others.push(checkOf(task, maker, this.#state.face));
    }
    const untilMs = this.#patienceMs(job, self, others.length);
    for (const check of others) {
      book.open.set(check.task, { ...check, untilMs });
      job.rechecks.add(check.task, check.task + 1);
    }
  }

  #sample(job: JobBook, rows: IntervalSet): number[] {
    const { limits, rng } = this.#state;
    const tasks = tasksOf(rows);
    const wanted = limits.auditRows;
    // All of them in their order: a set of intervals takes a million neighbours quickly, and scattered ones slowly.
    if (job.header.audit === 'all' || tasks.length <= wanted) return tasks;
    // The first steps of a shuffle.
    for (let i = 0; i < wanted; i++) {
      const other = i + rng.nextBelow(tasks.length - i);
      [tasks[i], tasks[other]] = [tasks[other]!, tasks[i]!];
    }
    return tasks.slice(0, wanted);
  }

  #examineOwn(job: JobBook, book: AuditBook, tasks: readonly number[]): void {
    const { self } = this.#state;
    const isAlone = job.ledger.makers().every(([maker, made]) => maker === self || made.isEmpty);
    if (tasks.length === 0 || (isAlone && job.header.audit !== 'all')) return;
    const sample = IntervalSet.from(tasks.map((task) => [task, task + 1] as const));
    const [first] = this.#able(job)
      .map((peer) => ({ peer, lacks: sample.subtract(job.ledger.onDiskOf(peer)).count }))
      .toSorted((a, b) => b.lacks - a.lacks);
    const face = first && this.#state.beliefs.get(first.peer)?.face;
    if (face === undefined) return;
    const untilMs = this.#patienceMs(job, face.peer, tasks.length);
    for (const task of tasks) book.open.set(task, { ...checkOf(task, self, face), untilMs });
    this.#ask(job, face.peer, sample);
  }

  #ask(job: JobBook, peer: PeerId, tasks: IntervalSet): void {
    const cause = { request: 0, why: 'judge', again: true } as const;
    this.#custody.grant(peer, cause, job, tasks.intervals());
  }

  #answered(
    job: JobBook,
    book: AuditBook,
    answer: { task: number; by: PeerId; row: Float64Array | undefined },
  ): void {
    const check = book.open.get(answer.task);
    if (check === undefined) return;
    const { self, nowMs } = this.#state;
    const { found, maker, examiner } = check;
    if (found === undefined) {
      if (answer.by !== examiner) return;
      if (answer.row === undefined) {
        book.open.delete(check.task);
        book.verified.add(check.task, check.task + 1);
        return;
      }
      check.found = answer.row;
      check.untilMs = nowMs;
      return;
    }
    if (check.judges.at(-1) !== answer.by) return;
    const isAsFound = answer.row?.every((value, i) => Object.is(value, found[i])) === true;
    const wrong = isAsFound ? maker : answer.row === undefined ? examiner : undefined;
    if (wrong !== undefined && wrong !== self) {
      this.#caught(job, book, wrong);
      return;
    }
    const what =
      wrong === self
        ? 'this machine computes another row than two of its peers'
        : 'three peers have three rows for one task';
    // The judgement stands for all that these two disagree about.
    for (const open of book.open.values())
      if (open.found !== undefined && isOfSamePair(open, check)) this.#dispute(job, open, what);
  }

  #look(job: JobBook, book: AuditBook, check: Check): void {
    const { nowMs } = this.#state;
    const isAwaited = check.found !== undefined || this.#isThere(check);
    if (nowMs < check.untilMs && isAwaited) return;
    if (check.found === undefined) {
      // Nobody got round to it; what is not known to be wrong counts.
      job.rechecks.remove(check.task, check.task + 1);
      book.open.delete(check.task);
      return;
    }
    // One judgement settles all that two peers disagree about.
    const other = [...book.open.values()].find(
      (open) => isOfSamePair(open, check) && open.judges.length > 0 && open.untilMs > nowMs,
    );
    if (other !== undefined) {
      check.untilMs = other.untilMs;
      return;
    }
    const judge = this.#able(job).find(
      (peer) => peer !== check.maker && peer !== check.examiner && !check.judges.includes(peer),
    );
    if (judge === undefined) {
      this.#dispute(job, check, 'two peers have two rows for one task, and no third can judge');
      return;
    }
    check.judges.push(judge);
    check.untilMs = this.#patienceMs(job, judge, 1);
    this.#ask(job, judge, IntervalSet.from([[check.task, check.task + 1]]));
  }

  /** Whether who was asked lives the same life as then. */
  #isThere({ examiner, incarnation }: Check): boolean {
    const { beliefs, self } = this.#state;
    const belief = beliefs.get(examiner);
    return examiner === self || (belief?.state === 'ok' && belief.face.incarnation === incarnation);
  }

  /** Others that can run a task of the job now. */
  #able(job: JobBook): PeerId[] {
    const { beliefs } = this.#state;
    return beliefs
      .ok()
      .filter(({ draining, face }) => !draining && face.slots > 0)
      .filter((belief) => mayRunOn(job.header, belief.face.peer))
      .filter((belief) => beliefs.rateOf(belief, job.header.rateKey) > 0)
      .map(({ face }) => face.peer);
  }

  #dispute(job: JobBook, check: Check, what: string): void {
    job.audit?.open.delete(check.task);
    job.audit?.disputed.add(check.task, check.task + 1);
    const { task, maker } = check;
    this.#state.log('warn', what, { job: job.header.job, task, peer: maker });
  }

  #caught(job: JobBook, book: AuditBook, liar: PeerId): void {
    const state = this.#state;
    for (const check of book.open.values()) {
      if (check.maker !== liar && check.examiner !== liar) continue;
      book.open.delete(check.task);
      job.rechecks.remove(check.task, check.task + 1);
    }
    const fields = { job: job.header.job, peer: liar };
    state.log('warn', 'a peer gave wrong rows: it is quarantined, and they run again', fields);
    this.#forget(job, liar);
    state.broadcast({ kind: 'quarantined', job: job.header.job, peer: liar });
    state.beliefs.quarantine(liar);
    this.#onLost(liar);
  }

  #forget(job: JobBook, liar: PeerId): void {
    const state = this.#state;
    const { job: id } = job.header;
    job.liars.add(liar);
    const verified = job.audit?.verified ?? new IntervalSet();
    const made = job.ledger.madeBy(liar);
    job.ledger.disown(made.subtract(verified));
    state.persist({ kind: 'quarantined', job: id, peer: liar });
    // Before the record of the job is there no row of it is.
    if (job.record !== 'kept') return;
    // What stays is written again: on this disk, the record of the quarantine ends all that came before it.
    for (const batch of job.ledger.batchesOf(made.intersect(verified), state.limits.rowsFlushCount))
      state.persist({ kind: 'rows', job: id, batch });
  }

  /** As for a holder that finishes nothing: five seconds, or four times what is predicted. */
  #patienceMs(job: JobBook, peer: PeerId, tasks: number): number {
    const { beliefs, limits, nowMs, self, face } = this.#state;
    const { rateKey } = job.header;
    const belief = beliefs.get(peer);
    const isSelf = peer === self || belief === undefined;
    const rate = isSelf ? this.#state.ownRate(rateKey) : beliefs.rateOf(belief, rateKey);
    const slots = isSelf ? face.slots : belief.face.slots;
    const units = job.costs.meanUnits(0, 0) * Math.max(tasks, slots);
    return nowMs + Math.max(limits.auditPatienceMs, (4 * units) / rate);
  }
}

function tasksOf(set: IntervalSet): number[] {
  return set
    .intervals()
    .flatMap(([start, end]) => Array.from({ length: end - start }, (_, i) => start + i));
}

function isOfSamePair(one: Check, other: Check): boolean {
  return one.maker === other.maker && one.examiner === other.examiner;
}

function checkOf(task: number, maker: PeerId, { peer, incarnation }: PeerFace): Check {
  const open = { found: undefined, judges: [], untilMs: Infinity };
  return { task, maker, examiner: peer, incarnation, ...open };
}
