// What the tasks of a job cost, as the kernel states it: integer units, the same on every peer. The core
// never sees a kernel; it sees this prefix sum and nothing else.
import type { Interval } from '../deque/interval-set.ts';
import { invariant } from '../invariant.ts';

/** `tasks` consecutive tasks of `units` each. */
export interface WorkRun {
  readonly tasks: number;
  readonly units: number;
}

/** Units of the longest task from which order matters: nominally a millisecond, below that a micro-batch has several. */
const ORDERED_UNITS_MIN = 1_000;
/** Runs that are put in order. More: longer lists in deques, grants and censuses, of 16 bytes a run. */
const ORDERED_RUNS_MAX = 4_096;

export class WorkModel {
  readonly taskCount: number;
  readonly totalUnits: number;
  /** Length runs + 1: first task of each run, then taskCount. */
  readonly #firstTask: readonly number[];
  /** Length runs + 1: units before each run, then the total. */
  readonly #unitsBefore: readonly number[];
  /** Its tasks differ so much that their order matters. */
  readonly isOrdered: boolean;

  constructor(runs: readonly WorkRun[]) {
    const firstTask = [0];
    const unitsBefore = [0];
    let tasks = 0;
    let units = 0;
    for (const run of runs) {
      invariant(run.tasks >= 1 && run.units >= 1, 'a work run has tasks and costs something');
      tasks += run.tasks;
      units += run.tasks * run.units;
      firstTask.push(tasks);
      unitsBefore.push(units);
    }
    // Lists and not typed arrays: a peer keeps one for every job of a month, most of one run.
    this.#firstTask = firstTask;
    this.#unitsBefore = unitsBefore;
    this.taskCount = tasks;
    this.totalUnits = units;
    const longest = runs.reduce((max, run) => Math.max(max, run.units), 0);
    this.isOrdered =
      runs.length > 1 && runs.length <= ORDERED_RUNS_MAX && longest >= ORDERED_UNITS_MIN;
  }

  /** Units of [start, end). */
  between(start: number, end: number): number {
    return this.#unitsUpTo(end) - this.#unitsUpTo(start);
  }

  of(intervals: readonly Interval[]): number {
    let units = 0;
    for (const [start, end] of intervals) units += this.between(start, end);
    return units;
  }

  /** Mean units of a task in [start, end); of the whole job when the range is empty. */
  meanUnits(start: number, end: number): number {
    if (end > start) return this.between(start, end) / (end - start);
    return this.taskCount > 0 ? this.totalUnits / this.taskCount : 1;
  }

  /**
   * The same tasks, the longest first, and equal ones as they were: the end of a job then waits for short ones (LPT,
   * Graham 1969). Where no task is long enough to be waited for, or where so many differ that lists of intervals would
   * weigh more than the order gives, they stay as they are.
   */
  longestFirst(intervals: readonly Interval[]): readonly Interval[] {
    if (!this.isOrdered) return intervals;
    return this.pieces(intervals)
      .toSorted((a, b) => b.units - a.units)
      .map(({ start, end }): Interval => [start, end]);
  }

  /** The same tasks, cut where costs change; `units` are of one task. */
  pieces(intervals: readonly Interval[]): { start: number; end: number; units: number }[] {
    return intervals.flatMap((interval) => this.#byRun(interval));
  }

  #byRun([start, end]: Interval): { start: number; end: number; units: number }[] {
    const pieces: { start: number; end: number; units: number }[] = [];
    for (let from = start; from < end; ) {
      const run = this.runOf(from);
      const past = Math.min(end, this.#firstTask[run + 1] ?? end);
      pieces.push({ start: from, end: past, units: this.meanUnits(from, past) });
      from = past;
    }
    return pieces;
  }

  /** The runs it was made of. */
  runs(): WorkRun[] {
    const runs: WorkRun[] = [];
    for (let i = 0; i + 1 < this.#firstTask.length; i++) {
      const tasks = (this.#firstTask[i + 1] ?? 0) - (this.#firstTask[i] ?? 0);
      const units = ((this.#unitsBefore[i + 1] ?? 0) - (this.#unitsBefore[i] ?? 0)) / tasks;
      runs.push({ tasks, units });
    }
    return runs;
  }

  /** Index of the run that holds `task`. */
  runOf(task: number): number {
    let low = 0;
    let high = this.#firstTask.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#firstTask[middle] ?? 0) <= task) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #unitsUpTo(task: number): number {
    if (task <= 0 || this.taskCount === 0) return 0;
    if (task >= this.taskCount) return this.totalUnits;
    const run = this.runOf(task);
    const first = this.#firstTask[run] ?? 0;
    const before = this.#unitsBefore[run] ?? 0;
    const tasksInRun = (this.#firstTask[run + 1] ?? first) - first;
    const unitsPerTask = ((this.#unitsBefore[run + 1] ?? before) - before) / tasksInRun;
    return before + (task - first) * unitsPerTask;
  }
}
