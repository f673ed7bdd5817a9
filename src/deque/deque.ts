// A peer's queue of one job's tasks. Own slots work at the bottom, thieves take from the top, so the two meet
// only at the very end, and what a thief gets is what the owner would have run last.
import { invariant } from '../invariant.ts';
import { IntervalSet, type Interval } from './interval-set.ts';

/**
 * A deque of tasks, stored as intervals in *run order*: from the bottom (runs next) to the top (runs last).
 *
 * After the deque of Chase & Lev, "Dynamic Circular Work-Stealing Deque", SPAA 2005 (the owner at the bottom,
 * thieves at the top) and the steal-many of Hendler & Shavit, "Non-Blocking Steal-Half Work Queues", PODC 2002.
 * What we changed: the items are intervals of dense task indices instead of pointers, so a steal of 100,000
 * tasks moves two numbers; a thief takes the amount that it asks for, not half; and there is no lock-free
 * protocol, because thieves are other machines and only the main thread touches the deque (slots claim
 * through the cursor).
 *
 * A task is in the deque at most once: a push ignores what is queued already, since after a lost message or a
 * census the same task may honestly be handed over twice.
 */
export class IntervalDeque {
  /** Top first, bottom last: the end that changes most often is the cheap end of an array. */
  #order: Interval[] = [];
  #members = new IntervalSet();

  get taskCount(): number {
    return this.#members.count;
  }

  has(task: number): boolean {
    return this.#members.has(task);
  }

  /** Whether none of `tasks` is queued. */
  isApartFrom(tasks: IntervalSet): boolean {
    return this.#members.isApartFrom(tasks);
  }

  /** What is queued, in run order; the caller owns the list. */
  intervals(): Interval[] {
    return this.#order.toReversed();
  }

  /** Queues tasks to run before all others, in the order of the list; returns how many were new. */
  pushBottom(intervals: readonly Interval[]): number {
    const fresh = this.#admit(intervals);
    for (const [start, end] of fresh.toReversed()) {
      const below = this.#order.at(-1);
      if (below?.[0] === end) this.#order[this.#order.length - 1] = [start, below[1]];
      else this.#order.push([start, end]);
    }
    return fresh.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  /** Queues tasks to run after all others, in the order of the list; returns how many were new. */
  pushTop(intervals: readonly Interval[]): number {
    const fresh = this.#admit(intervals);
    const above = this.#order[0];
    const added = joinRuns(above === undefined ? fresh : [above, ...fresh]).toReversed();
    this.#order = added.concat(this.#order.slice(1));
    return fresh.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  /** Takes the next tasks to run, at most `maxTasks` in at most `maxIntervals` intervals, in run order. */
  popBottom(maxTasks: number, maxIntervals = Number.POSITIVE_INFINITY): Interval[] {
    let room = wholeCount(maxTasks);
    const taken: Interval[] = [];
    while (room > 0 && this.#order.length > 0 && taken.length < maxIntervals) {
      const [start, end] = this.#order.pop()!;
      const cut = Math.min(end, start + room);
      if (cut < end) this.#order.push([cut, end]);
      taken.push([start, cut]);
      room -= cut - start;
    }
    this.#forget(taken);
    return taken;
  }

  /** Takes the tasks that would run last, at most `maxTasks` in at most `maxIntervals` intervals: from the high
   * end of the top interval downward. They are returned in run order. */
  stealTop(maxTasks: number, maxIntervals = Number.POSITIVE_INFINITY): Interval[] {
    let room = wholeCount(maxTasks);
    let emptied = 0;
    const loot: Interval[] = [];
    while (room > 0 && emptied < this.#order.length && loot.length < maxIntervals) {
      const [start, end] = this.#order[emptied]!;
      const cut = Math.max(start, end - room);
      if (cut > start) this.#order[emptied] = [start, cut];
      else emptied++;
      loot.push([cut, end]);
      room -= end - cut;
    }
    this.#order.splice(0, emptied);
    this.#forget(loot);
    return loot.toReversed();
  }

  /** Drops tasks wherever they are queued (their rows came from elsewhere); returns how many were queued. */
  removeAll(intervals: Iterable<Interval>): number {
    const doomed = this.#members.intersect(IntervalSet.from(intervals));
    if (doomed.isEmpty) return 0;
    this.#members = this.#members.subtract(doomed);
    // A queued interval holds no task twice, so what of it is not doomed is what `doomed` leaves open in it.
    this.#order = this.#order.flatMap(([start, end]) => doomed.gaps(start, end).toReversed());
    return doomed.count;
  }

  /** Enters what is not queued yet into the membership and returns it, in the order of the list. */
  #admit(intervals: readonly Interval[]): Interval[] {
    const fresh: Interval[] = [];
    for (const [start, end] of intervals) {
      for (const gap of this.#members.gaps(start, end)) {
        this.#members.add(gap[0], gap[1]);
        fresh.push(gap);
      }
    }
    return joinRuns(fresh);
  }

  #forget(intervals: readonly Interval[]): void {
    for (const [start, end] of intervals) this.#members.remove(start, end);
  }
}

/** Melts neighbours in run order that are also neighbours in number. */
function joinRuns(intervals: readonly Interval[]): Interval[] {
  const joined: Interval[] = [];
  for (const [start, end] of intervals) {
    const last = joined.at(-1);
    if (last?.[1] === start) joined[joined.length - 1] = [last[0], end];
    else joined.push([start, end]);
  }
  return joined;
}

function wholeCount(maxTasks: number): number {
  invariant(maxTasks >= 0, `a number of tasks to take is not negative: ${maxTasks}`);
  return Math.floor(maxTasks);
}
