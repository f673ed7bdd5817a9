// Joins a group to the mesh that it is a member of. Upwards the group is one peer: what its window has goes to the group
// as jobs and tasks, what the group has counted is what that peer has finished. At a time work for a part of the time
// goes down that all groups still need, and a little at least: so most of it can still be stolen by other groups, and yet
// everybody in this one has something to do (guided self-scheduling: Polychronopoulos & Kuck, IEEE ToC C-36(12), 1987).
// That time is known to the highest tier, and told from speaker to speaker (`restMs`): else every tier would halve anew
// what the one above has halved, in ever smaller grants.
import { countTasks, type Interval, IntervalSet } from '../../deque/interval-set.ts';
import { invariant } from '../../invariant.ts';
import type { StealingCore } from '../core.ts';
import type { JobId, PeerId } from '../ids.ts';
import type { Input } from '../input.ts';
import type { JobBook } from '../job-book.ts';
import type { JobHeader, RowBatch } from '../job.ts';
import type { HandedWindow } from './handed-window.ts';

export interface LinkOptions {
  /** The group's own mesh, and the one that it is a member of. */
  readonly lower: StealingCore;
  readonly upper: StealingCore;
  readonly window: HandedWindow;
  /** The group, as a member up there. */
  readonly group: PeerId;
  /** Slots of the group as that member says. */
  readonly slots: number;
  /** When this link was made, by the cores' clock: older jobs may be known up there. */
  readonly sinceMs: number;
}

/** A fact for one side. */
export interface LinkFact {
  readonly to: 'lower' | 'upper';
  readonly input: Input;
}

/** ms of the group's work that is handed down ahead. More: a coarser end of the job; less: the group stands still while
 * rows come up and tasks go down, some 50 ms on a calm network. */
const LEAD_MS = 100;
/** The same in tasks of every slot, where they are long: one runs, and another waits where it ends. Three cost a
 * hundredth of the efficiency of 100 tasks a slot. */
const LEAD_TASKS = 2;
/** Of the time that all groups still need, work for which is handed down at a time. More: fewer grants (a half: 0.38
 * steal-path messages a task where each of 300 slots has 100 of them, two fifths 0.47, a third 0.50), but a group whose
 * speed nobody knew at first keeps too much (ten such groups end 6 % late with two fifths, 13 % with a half). */
const HANDED_PART = 0.4;
/** ms for which counted rows wait for company on their way up. More: results and rates are older; less: more messages at
 * the owner, one per group each time. */
const REPORT_MS = 250;
/** ms after which rows go up though more are to come, while the group has little left. */
const LAST_REPORT_MS = 10;

interface Passing {
  /** Counted down here and told up there. */
  reported: IntervalSet;
  /** Handed down and not counted yet. */
  open: IntervalSet;
  /** All that was ever handed down, as far as the other side knows. */
  handed: IntervalSet;
  /** Since when something counted waits to be told. */
  unreportedSinceMs: number | undefined;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #passing = new Map<JobId, Passing>();

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The next facts for both sides; none when both know what they must. */
  look(nowMs: number): LinkFact[] {
    const { lower, upper } = this.#options;
    const facts: LinkFact[] = [];
    for (const below of lower.activeBooks()) {
      const above = upper.book(below.header.job);
      facts.push(...(above === undefined ? this.#up(below) : this.#between(above, below, nowMs)));
    }
    for (const above of upper.activeBooks()) {
      const below = lower.book(above.header.job);
      if (below === undefined) facts.push(handDown(above));
      else if (below.ending !== undefined) facts.push(this.#over('upper', below));
    }
    return facts;
  }

  /** When `look` has something to do though nothing happened. */
  nextLookMs(): number | undefined {
    let at: number | undefined;
    for (const [id, passing] of this.#passing) {
      if (passing.unreportedSinceMs === undefined) continue;
      at = Math.min(at ?? Infinity, this.#reportDueMs(id, passing));
    }
    return at;
  }

  /** The other side of a job has ended. */
  #over(to: LinkFact['to'], { header, ending }: JobBook): LinkFact {
    invariant(ending !== undefined, 'what is over has an ending');
    this.#passing.delete(header.job);
    return { to, input: { kind: 'jobEndedBeyond', header, ending } };
  }

  /** A job of this group that nobody up there has told of. */
  #up(job: JobBook): LinkFact[] {
    const { sinceMs } = this.#options;
    if (job.work === undefined) return [];
    const header = toldBeyond(job.header);
    if (job.knownSinceMs >= sinceMs)
      return [{ to: 'upper', input: { kind: 'jobSubmitted', header } }];
    // The speaker before may have told of it: then its tasks are others' by now, and a census finds those that are not.
    const batches = this.#batches(job, job.ledger.counted);
    this.#passingOf(job).reported = IntervalSet.from(job.ledger.counted.intervals());
    const input: Input = { kind: 'jobRecovered', header, batches, ending: undefined };
    return [{ to: 'upper', input }];
  }

  #between(job: JobBook, below: JobBook, nowMs: number): LinkFact[] {
    const { header } = job;
    if (job.ending !== undefined) return [this.#over('lower', job)];
    if (job.work === undefined && below.work !== undefined && job.isLoading)
      return [{ to: 'upper', input: { kind: 'jobLoaded', job: header.job, work: below.work } }];
    if (job.isLoading && below.isUnloadable) {
      const reason = below.unloadableReason;
      return [{ to: 'upper', input: { kind: 'jobUnloadable', job: header.job, reason } }];
    }
    return [...this.#adopt(below), ...this.#report(below, nowMs), ...this.#fill(job, below)];
  }

  /** What the group was handed by way of who spoke for it before, as a census of it has found out. */
  #adopt(below: JobBook): LinkFact[] {
    const passing = this.#passingOf(below);
    if (below.scope.count === passing.handed.count) return [];
    const intervals = below.scope.subtract(passing.handed).subtract(below.ledger.counted);
    passing.handed = below.scope.union([]);
    passing.open = passing.open.union(intervals);
    const { job } = below.header;
    const adopted = { kind: 'tasksAdopted', job, intervals: intervals.intervals() } as const;
    return [{ to: 'upper', input: adopted }];
  }

  #passingOf(job: JobBook): Passing {
    const id = job.header.job;
    const known = this.#passing.get(id) ?? {
      reported: new IntervalSet(),
      open: new IntervalSet(),
      handed: new IntervalSet(),
      unreportedSinceMs: undefined,
    };
    this.#passing.set(id, known);
    return known;
  }

  #report(below: JobBook, nowMs: number): LinkFact[] {
    const { lower, slots } = this.#options;
    const passing = this.#passingOf(below);
    const { counted } = below.ledger;
    if (counted.count === passing.reported.count) return [];
    passing.unreportedSinceMs ??= nowMs;
    const { job } = below.header;
    if (nowMs < this.#reportDueMs(job, passing)) return [];
    const fresh = counted.subtract(passing.reported);
    passing.reported = IntervalSet.from(counted.intervals());
    passing.open = passing.open.subtract(fresh);
    passing.unreportedSinceMs = undefined;
    // Time that its slots would need for these at the speeds that all of them tell: what others reckon with is that.
    const busyMs = (below.costs.of(fresh.intervals()) * slots) / lower.wholeRate(job);
    const batches = this.#batches(below, fresh);
    return [{ to: 'upper', input: { kind: 'rowsCounted', job, batches, busyMs } }];
  }

  #reportDueMs(job: JobId, passing: Passing): number {
    const { lower } = this.#options;
    const book = lower.book(job);
    const rest = book === undefined ? 0 : passing.open.subtract(book.ledger.counted).count;
    if (rest === 0) return passing.unreportedSinceMs ?? 0;
    const isNearEnd = book !== undefined && this.#openMs(book) < 2 * this.#leadMs(book);
    return (passing.unreportedSinceMs ?? 0) + (isNearEnd ? LAST_REPORT_MS : REPORT_MS);
  }

  /** ms of the group's work that was handed down and is not counted. */
  #openMs(below: JobBook): number {
    const { ledger, costs, header } = below;
    const open = this.#passingOf(below).open.subtract(ledger.counted);
    const rate = this.#options.lower.wholeRate(header.job);
    return rate > 0 ? costs.of(open.intervals()) / rate : 0;
  }

  #leadMs({ costs, header }: JobBook): number {
    const { lower, slots } = this.#options;
    const taskMs = (costs.meanUnits(0, 0) * slots) / lower.wholeRate(header.job);
    return Math.max(LEAD_MS, LEAD_TASKS * taskMs);
  }

  #fill(job: JobBook, below: JobBook): LinkFact[] {
    const { lower, upper, window } = this.#options;
    const { header } = job;
    const isOpen = window.window()?.jobNumber === job.jobNumber;
    if (!isOpen || below.work === undefined) return [];
    const openMs = this.#openMs(below);
    const leadMs = this.#leadMs(below);
    if (openMs >= leadMs) return [];
    const rate = lower.wholeRate(header.job);
    const unclaimed = job.queue.taskCount + window.remaining();
    const mean = job.costs.meanUnits(0, 0);
    // What is handed down cannot be stolen by other groups.
    const restMs = upper.restMs(header.job);
    const most = ((restMs * rate) / mean) * HANDED_PART;
    const least = ((leadMs - openMs) * rate) / mean;
    const intervals = window.take(Math.ceil(Math.max(least, Math.min(unclaimed, most))));
    this.#handed(below, intervals);
    const facts: LinkFact[] = [
      { to: 'lower', input: { kind: 'tasksHanded', job: header.job, intervals, restMs } },
    ];
    if (window.remaining() === 0) facts.push({ to: 'upper', input: { kind: 'windowDry' } });
    return facts;
  }

  /** What has its row here already is told again. */
  #handed(below: JobBook, intervals: readonly Interval[]): void {
    const passing = this.#passingOf(below);
    passing.open = passing.open.union(intervals);
    passing.handed = passing.handed.union(intervals);
    passing.reported = passing.reported.subtract(intervals);
  }

  /** As rows of this group: who of it made them is its own business. */
  #batches({ ledger, header }: JobBook, tasks: IntervalSet): RowBatch[] {
    const maker = this.#options.group;
    const kinds = [
      { kind: 'rows', intervals: tasks.subtract(ledger.failures).intervals() },
      { kind: 'failures', intervals: tasks.intersect(ledger.failures).intervals() },
    ] as const;
    return kinds
      .filter(({ intervals }) => intervals.length > 0)
      .map(({ kind, intervals }) => {
        const values = new Float64Array(countTasks(intervals) * header.rowWidth);
        let offset = 0;
        for (const [start, end] of intervals) {
          ledger.readRows(start, end, values, offset);
          offset += (end - start) * header.rowWidth;
        }
        return { kind, maker, intervals, values };
      });
  }
}

/** A job from beyond that this group does not know yet. */
function handDown({ header }: JobBook): LinkFact {
  return { to: 'lower', input: { kind: 'jobHanded', header } };
}

/** Rows are audited within a group or not at all: beyond it nobody knows who made them. */
function toldBeyond(header: JobHeader): JobHeader {
  return { ...header, audit: undefined };
}
