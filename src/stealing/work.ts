// What the tasks of a job cost, as the kernel states it: integer units, the same on every peer. The core
// never sees a kernel; it sees this prefix sum and nothing else.
import type { Interval } from '../deque/interval-set.ts';
import { invariant } from '../invariant.ts';

/** `tasks` consecutive tasks of `units` each. */
export interface WorkRun {
  readonly tasks: number;
  readonly units: number;
}

export class WorkModel {
  readonly taskCount: number;
  readonly totalUnits: number;
  /** Length runs + 1: first task of each run, then taskCount. */
  readonly #firstTask: Float64Array;
  /** Length runs + 1: units before each run, then the total. */
  readonly #unitsBefore: Float64Array;

  constructor(runs: readonly WorkRun[]) {
    this.#firstTask = new Float64Array(runs.length + 1);
    this.#unitsBefore = new Float64Array(runs.length + 1);
    let tasks = 0;
    let units = 0;
    for (const [i, run] of runs.entries()) {
      invariant(run.tasks >= 1 && run.units >= 1, 'a work run has tasks and costs something');
      tasks += run.tasks;
      units += run.tasks * run.units;
      this.#firstTask[i + 1] = tasks;
      this.#unitsBefore[i + 1] = units;
    }
    this.taskCount = tasks;
    this.totalUnits = units;
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
  #runOf(task: number): number {
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
    const run = this.#runOf(task);
    const first = this.#firstTask[run] ?? 0;
    const before = this.#unitsBefore[run] ?? 0;
    const tasksInRun = (this.#firstTask[run + 1] ?? first) - first;
    const unitsPerTask = ((this.#unitsBefore[run + 1] ?? before) - before) / tasksInRun;
    return before + (task - first) * unitsPerTask;
  }
}
