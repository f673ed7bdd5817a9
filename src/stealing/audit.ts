// Whether peers tell the truth. When all rows of a job are in, its owner draws some of each other peer's at random
// and runs them again itself: nothing of that is on the wire, so nobody can tell which rows are looked at. Equal
// bits are what an honest peer gives, always. A row that differs is an alarm, and says only that one of two peers
// is wrong: a third one judges, by a grant like any other. The wrong one is quarantined: it counts as lost from here
// on, those of its rows that nobody verified are forgotten, and their tasks run again. Where there is no third peer,
// or where it agrees with neither, the task is disputed, and the job says so at its end.
//
// After BOINC's adaptive replication (Anderson, 2004), with two changes: rows are drawn after the fact and not when
// work is handed out, and bits are compared, because a kernel gives every peer the same. A peer that lies on a share
// f of its rows goes unseen with (1 - f)^32: 3 % for a tenth. The owner's own rows are not looked at: whoever they
// would deceive is the one who asks.
import { IntervalSet } from '../deque/interval-set.ts';
import { AuditBook, type Check } from './audit-book.ts';
import type { Custody } from './custody.ts';
import type { PeerId } from './ids.ts';
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
    const open = job.isActive ? [...(job.audit?.open.values() ?? [])] : [];
    return open.length === 0 ? undefined : Math.min(...open.map(({ untilMs }) => untilMs));
  }

  /** The owner of a job has caught a liar: what lies here of its rows counts nowhere. */
  heard(job: JobBook, liar: PeerId): void {
    if (liar !== this.#state.self && !job.liars.has(liar)) this.#forget(job, liar);
  }

  /** Every maker once, when its rows are in; one that joins later, when the job is complete again. */
  #draw(job: JobBook, book: AuditBook): void {
    const { limits, rng, self, isDraining } = this.#state;
    if (job.work === undefined || isDraining) return;
    for (const [maker] of job.ledger.makers()) {
      if (maker === self || book.drawn.has(maker)) continue;
      book.drawn.add(maker);
      const rows = tasksOf(job.ledger.rowsOf(maker));
      const wanted = job.header.audit === 'all' ? rows.length : limits.auditRows;
      // The first steps of a shuffle.
      for (let i = 0; i < Math.min(wanted, rows.length); i++) {
        const other = i + rng.nextBelow(rows.length - i);
        [rows[i], rows[other]] = [rows[other]!, rows[i]!];
        const task = rows[i]!;
        book.open.set(task, { task, maker, mine: undefined, judges: [], untilMs: Infinity });
        job.rechecks.add(task, task + 1);
      }
    }
    const untilMs = this.#patienceMs(job, self, book.open.size);
    for (const check of book.open.values()) check.untilMs = Math.min(check.untilMs, untilMs);
  }

  #answered(
    job: JobBook,
    book: AuditBook,
    answer: { task: number; by: PeerId; row: Float64Array | undefined },
  ): void {
    const check = book.open.get(answer.task);
    if (check === undefined) return;
    const { self, nowMs } = this.#state;
    if (answer.by === self) {
      if (check.mine !== undefined) return;
      check.mine = answer.row;
      if (answer.row !== undefined) check.untilMs = nowMs;
      else {
        book.open.delete(check.task);
        book.verified.add(check.task, check.task + 1);
      }
      return;
    }
    if (check.mine === undefined || check.judges.at(-1) !== answer.by) return;
    const { mine } = check;
    const agreesWithUs = answer.row?.every((value, i) => Object.is(value, mine[i])) === true;
    if (agreesWithUs) this.#caught(job, book, check.maker);
    else if (answer.row === undefined)
      this.#dispute(job, check, 'this machine computes another row than two of its peers');
    else this.#dispute(job, check, 'three peers have three rows for one task');
  }

  #look(job: JobBook, book: AuditBook, check: Check): void {
    const { nowMs } = this.#state;
    if (nowMs < check.untilMs) return;
    if (check.mine === undefined) {
      // The slots did not get round to it; what is not known to be wrong counts.
      job.rechecks.remove(check.task, check.task + 1);
      book.open.delete(check.task);
      return;
    }
    // One judgement settles all that a maker is suspected of.
    const other = [...book.open.values()].find(
      ({ maker, judges, untilMs }) => maker === check.maker && judges.length > 0 && untilMs > nowMs,
    );
    if (other !== undefined) {
      check.untilMs = other.untilMs;
      return;
    }
    const judge = this.#judgeOf(job, check);
    if (judge === undefined) {
      this.#dispute(job, check, 'two peers have two rows for one task, and no third can judge');
      return;
    }
    check.judges.push(judge);
    check.untilMs = this.#patienceMs(job, judge, 1);
    const intervals = [[check.task, check.task + 1]] as const;
    this.#custody.grant(judge, { request: 0, why: 'judge' }, [{ job: job.header.job, intervals }]);
  }

  #judgeOf(job: JobBook, check: Check): PeerId | undefined {
    const { beliefs } = this.#state;
    return beliefs
      .ok()
      .filter(({ draining, face }) => !draining && face.slots > 0)
      .filter((belief) => mayRunOn(job.header, belief.face.peer))
      .filter((belief) => beliefs.rateOf(belief, job.header.rateKey) > 0)
      .map(({ face }) => face.peer)
      .find((peer) => peer !== check.maker && !check.judges.includes(peer));
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
      if (check.maker !== liar) continue;
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
