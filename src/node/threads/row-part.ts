// The finished rows of a claim that have not been handed over yet.
import type { Interval } from '../../deque/interval-set.ts';

/** Rows per part: bounds one message, however many tasks a claim has. 4,096 rows of 20 values are 640 KiB. */
const PART_ROWS_MAX = 4096;

export class RowPart {
  readonly startedMs: number;
  readonly #values: Float64Array<ArrayBuffer>;
  readonly #rowWidth: number;
  readonly #rowsMax: number;
  readonly #intervals: [start: number, end: number][] = [];
  #rows = 0;

  constructor(rowWidth: number, tasksLeft: number, startedMs: number) {
    this.startedMs = startedMs;
    this.#rowWidth = rowWidth;
    this.#rowsMax = Math.min(tasksLeft, PART_ROWS_MAX);
    this.#values = new Float64Array(this.#rowsMax * rowWidth);
  }

  /** Where the next row is written. */
  get target(): Float64Array {
    return this.#values;
  }

  get offset(): number {
    return this.#rows * this.#rowWidth;
  }

  get isFull(): boolean {
    return this.#rows === this.#rowsMax;
  }

  /** The row at `offset` is that of `task`. */
  finished(task: number): void {
    const last = this.#intervals.at(-1);
    if (last?.[1] === task) last[1] = task + 1;
    else this.#intervals.push([task, task + 1]);
    this.#rows++;
  }

  get intervals(): readonly Interval[] {
    return this.#intervals;
  }

  /** The rows so far, in a buffer that holds nothing else. */
  values(): Float64Array<ArrayBuffer> {
    return this.isFull ? this.#values : this.#values.slice(0, this.offset);
  }
}
