// A set of task indices, kept as sorted, disjoint, half-open intervals. Everything that the mesh says about
// tasks (queued, held, done, missing) is such a set: 100,000 neighbouring tasks are two numbers. The set is
// canonical: intervals never touch, so equal sets have equal lists.
import { invariant } from '../invariant.ts';

/** Tasks start, start + 1, .. end - 1. */
export type Interval = readonly [start: number, end: number];

/** Whether `list`, which came from outside, is a list of disjoint, non-empty intervals inside [0, taskCount).
 * Order is free, because a batch travels in the order in which it shall run. */
export function validIntervals(list: unknown, taskCount: number): list is Interval[] {
  // Disjoint and non-empty means at most one interval per task: checked before anything is copied.
  if (!Array.isArray(list) || list.length > taskCount) return false;
  if (!list.every((entry) => isIntervalWithin(entry, taskCount))) return false;
  const sorted = (list as Interval[]).toSorted(byStart);
  return sorted.every((interval, i) => i === 0 || sorted[i - 1]![1] <= interval[0]);
}

/** Number of tasks in a list of disjoint intervals. */
export function countTasks(intervals: readonly Interval[]): number {
  let tasks = 0;
  for (let i = 0; i < intervals.length; i++) tasks += intervals[i]![1] - intervals[i]![0];
  return tasks;
}

/** Lookups are O(log n). Changes are O(log n + intervals touched), plus the move of the tail of one array. */
export class IntervalSet {
  #list: Interval[] = [];
  #count = 0;

  /** Intervals may overlap and come in any order; empty ones are ignored. */
  static from(intervals: Iterable<Interval>): IntervalSet {
    const set = new IntervalSet();
    const list = [...intervals];
    if (list.length > 1) list.sort(byStart);
    for (const [start, end] of list) set.add(start, end);
    return set;
  }

  /** Number of tasks. */
  get count(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** A fresh list, ascending; the caller owns it. */
  intervals(): Interval[] {
    return this.#list.slice();
  }

  /** What `intervals` copies, to be read before the set changes. */
  get list(): readonly Interval[] {
    return this.#list;
  }

  clone(): IntervalSet {
    const copy = new IntervalSet();
    copy.#list = this.#list.slice();
    copy.#count = this.#count;
    return copy;
  }

  has(task: number): boolean {
    const interval = this.#list[this.#firstEndingAt(task + 1)];
    return interval !== undefined && interval[0] <= task;
  }

  /** Returns how many of the tasks were not in the set before. */
  add(start: number, end: number): number {
    checkRange(start, end);
    if (start === end) return 0;
    // Whoever ends at `start` or begins at `end` only touches, and melts into the new interval too.
    const first = this.#firstEndingAt(start);
    let past = first;
    let mergedStart = start;
    let mergedEnd = end;
    let covered = 0;
    for (; past < this.#list.length && this.#list[past]![0] <= end; past++) {
      const [oldStart, oldEnd] = this.#list[past]!;
      mergedStart = Math.min(mergedStart, oldStart);
      mergedEnd = Math.max(mergedEnd, oldEnd);
      covered += oldEnd - oldStart;
    }
    this.#list.splice(first, past - first, [mergedStart, mergedEnd]);
    const added = mergedEnd - mergedStart - covered;
    this.#count += added;
    return added;
  }

  /** Returns how many of the tasks were in the set before. */
  remove(start: number, end: number): number {
    checkRange(start, end);
    if (start === end) return 0;
    const first = this.#firstEndingAt(start + 1);
    const remnants: Interval[] = [];
    let past = first;
    let removed = 0;
    for (; past < this.#list.length && this.#list[past]![0] < end; past++) {
      const [oldStart, oldEnd] = this.#list[past]!;
      if (oldStart < start) remnants.push([oldStart, start]);
      if (oldEnd > end) remnants.push([end, oldEnd]);
      removed += Math.min(oldEnd, end) - Math.max(oldStart, start);
    }
    if (removed > 0) this.#list.splice(first, past - first, ...remnants);
    this.#count -= removed;
    return removed;
  }

  /** The parts of [start, end) that are not in the set, ascending. */
  gaps(start: number, end: number): Interval[] {
    checkRange(start, end);
    const gaps: Interval[] = [];
    let from = start;
    for (let i = this.#firstEndingAt(start + 1); i < this.#list.length; i++) {
      const [nextStart, nextEnd] = this.#list[i]!;
      if (nextStart >= end) break;
      if (nextStart > from) gaps.push([from, nextStart]);
      from = nextEnd;
    }
    if (from < end) gaps.push([from, end]);
    return gaps;
  }

  union(other: IntervalSet | readonly Interval[]): IntervalSet {
    const [a, b] = [this.#list, canonical(other).#list];
    const all = new IntervalSet();
    for (let i = 0, j = 0; i < a.length || j < b.length; ) {
      const isMine = j >= b.length || (i < a.length && a[i]![0] <= b[j]![0]);
      const [start, end] = isMine ? a[i++]! : b[j++]!;
      const last = all.#list.at(-1);
      if (last === undefined || last[1] < start) all.#append(start, end);
      else if (last[1] < end) {
        all.#list[all.#list.length - 1] = [last[0], end];
        all.#count += end - last[1];
      }
    }
    return all;
  }

  subtract(other: IntervalSet | readonly Interval[]): IntervalSet {
    const rest = new IntervalSet();
    if (this.#count === 0) return rest;
    const doomed = canonical(other).#list;
    let cut = 0;
    for (const [start, end] of this.#list) {
      let from = start;
      while (cut < doomed.length && doomed[cut]![1] <= from) cut++;
      for (let i = cut; i < doomed.length && doomed[i]![0] < end; i++) {
        if (doomed[i]![0] > from) rest.#append(from, doomed[i]![0]);
        from = doomed[i]![1];
        // An interval that reaches past `end` may cut the next one of ours too.
        if (from < end) cut = i + 1;
      }
      if (from < end) rest.#append(from, end);
    }
    return rest;
  }

  intersect(other: IntervalSet | readonly Interval[]): IntervalSet {
    const both = new IntervalSet();
    if (this.#count === 0) return both;
    const kept = canonical(other).#list;
    let mine = 0;
    let theirs = 0;
    while (mine < this.#list.length && theirs < kept.length) {
      const [start, end] = this.#list[mine]!;
      const [otherStart, otherEnd] = kept[theirs]!;
      const from = Math.max(start, otherStart);
      const to = Math.min(end, otherEnd);
      if (from < to) both.#append(from, to);
      if (end < otherEnd) mine++;
      else theirs++;
    }
    return both;
  }

  /** The first `count` tasks; to be read only. */
  first(count: number): IntervalSet {
    if (this.count <= count) return this;
    const first = new IntervalSet();
    let left = count;
    for (const [start, end] of this.intervals()) {
      if (left <= 0) break;
      const until = Math.min(end, start + left);
      first.add(start, until);
      left -= until - start;
    }
    return first;
  }

  /** Whether all of it is in `other`: asked far more often than which part is not. */
  isWithin(other: IntervalSet): boolean {
    if (this.#count > other.#count) return false;
    let at = 0;
    for (const [start, end] of this.#list) {
      while (at < other.#list.length && other.#list[at]![1] < end) at++;
      const around = other.#list[at];
      if (around === undefined || around[0] > start) return false;
    }
    return true;
  }

  /** Whether no task is in both. */
  isApartFrom(other: IntervalSet): boolean {
    if (this.#count === 0 || other.#count === 0) return true;
    return this.intersect(other).isEmpty;
  }

  /** For intervals that come in ascending order and do not touch. */
  #append(start: number, end: number): void {
    this.#list.push([start, end]);
    this.#count += end - start;
  }

  /** Index of the first interval whose end is `task` or later; the list's length when there is none. */
  #firstEndingAt(task: number): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#list[middle]![1] >= task) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function canonical(other: IntervalSet | readonly Interval[]): IntervalSet {
  return other instanceof IntervalSet ? other : IntervalSet.from(other);
}

function byStart(a: Interval, b: Interval): number {
  return a[0] - b[0];
}

function checkRange(start: number, end: number): void {
  const isRange =
    Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end;
  // Every change of every set comes by: the words are made only for whoever reads them.
  if (!isRange) invariant(false, `[${start}, ${end}) is an interval of tasks`);
}

function isIntervalWithin(entry: unknown, taskCount: number): boolean {
  if (!Array.isArray(entry) || entry.length !== 2) return false;
  const [start, end] = entry as unknown[];
  return (
    Number.isSafeInteger(start) &&
    Number.isSafeInteger(end) &&
    0 <= (start as number) &&
    (start as number) < (end as number) &&
    (end as number) <= taskCount
  );
}
