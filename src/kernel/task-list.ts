// Which task is which point of which grid. All grids follow each other; a sample takes some points out of that
// row, and task i of it is found without a list: the row is cut into as many even stretches as there are tasks,
// and a seeded draw that belongs to i picks one point of stretch i. So samples cover the whole row, hold no point
// twice and are in its order.

import { Random } from './random.ts';
import type { SampleSpec } from './spec.ts';

export class TaskList {
  /** Tasks that run. */
  readonly count: number;
  /** Points of all blocks. */
  readonly #total: number;
  /** Of each block, the point after its last. */
  readonly #ends: readonly number[];
  /** Block of the task that was located last. */
  #last = 0;
  /** Null: every point is a task. */
  readonly #sample: SampleSpec | null;

  /** `counts`: points of each block, in order. */
  constructor(counts: readonly number[], sample: SampleSpec | null) {
    let total = 0;
    this.#ends = counts.map((count) => (total += count));
    this.#total = total;
    this.#sample = sample !== null && sample.count < total ? sample : null;
    this.count = this.#sample?.count ?? total;
  }

  locate(task: number): { block: number; index: number } {
    if (!(task >= 0 && task < this.count)) throw new RangeError(`there is no task ${task}`);
    const point = this.#pointOf(task);
    // Tasks mostly come in their order: the next one is in the last one's block, or in the one behind.
    if (!this.#isIn(this.#last, point)) {
      const isNext = this.#isIn(this.#last + 1, point);
      const search = (): number =>
        firstWhere(this.#ends.length, (at) => point < (this.#ends[at] as number));
      this.#last = isNext ? this.#last + 1 : search();
    }
    return { block: this.#last, index: point - this.#startOf(this.#last) };
  }

  #startOf(block: number): number {
    return block === 0 ? 0 : (this.#ends[block - 1] as number);
  }

  #isIn(block: number, point: number): boolean {
    return point >= this.#startOf(block) && point < (this.#ends[block] ?? 0);
  }

  /** Tasks in each block. */
  tasksPerBlock(): number[] {
    let before = 0;
    return this.#ends.map((end) => {
      const tasksUpTo =
        this.#sample === null ? end : firstWhere(this.count, (task) => this.#pointOf(task) >= end);
      const tasks = tasksUpTo - before;
      before = tasksUpTo;
      return tasks;
    });
  }

  #pointOf(task: number): number {
    if (this.#sample === null) return task;
    const { count, seed } = this.#sample;
    const width = this.#total / count;
    const start = Math.floor(task * width);
    const end = task === count - 1 ? this.#total : Math.floor((task + 1) * width);
    const random = new Random(seed, task);
    // 53 bits: a stretch may be longer than one draw has values.
    const high = random.nextUint32();
    const part = (high * 2_097_152 + (random.nextUint32() >>> 11)) / 9_007_199_254_740_992;
    return start + Math.floor(part * Math.max(1, end - start));
  }
}

/** The first of 0 .. count - 1 at which `holds` becomes true, count if it never does. */
function firstWhere(count: number, holds: (at: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
