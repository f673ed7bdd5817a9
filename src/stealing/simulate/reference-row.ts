// The row that a simulated task has, a function of (job seed, task, column) only: what a sequential loop on
// one machine would compute, against which every row found anywhere is compared.
import type { Interval } from '../../deque/interval-set.ts';
import { countTasks } from '../../deque/interval-set.ts';

/** In [0, 1), never NaN: a NaN in a result is a row that went wrong. */
export function referenceValue(jobSeed: number, task: number, column: number): number {
  let z = (Math.imul(jobSeed + 1, 0x9e3779b1) ^ Math.imul(task + 1, 0x85ebca6b)) >>> 0;
  z = (z + Math.imul(column + 1, 0xc2b2ae35)) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
}

/** Rows of the tasks in the order of `intervals`, row-major. */
export function referenceRows(
  jobSeed: number,
  rowWidth: number,
  intervals: readonly Interval[],
): Float64Array {
  const values = new Float64Array(countTasks(intervals) * rowWidth);
  let at = 0;
  for (const [start, end] of intervals) {
    for (let task = start; task < end; task++) {
      for (let column = 0; column < rowWidth; column++) {
        values[at++] = referenceValue(jobSeed, task, column);
      }
    }
  }
  return values;
}
