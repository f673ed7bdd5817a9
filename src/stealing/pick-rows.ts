// Some of a batch's rows, one behind the other.
import { countTasks, type Interval, IntervalSet } from '../deque/interval-set.ts';
import type { RowBatch } from './job.ts';

/** The rows of `tasks`, all of which are among `from.intervals`. */
export function pickRows(
  from: Pick<RowBatch, 'intervals' | 'values'>,
  tasks: readonly Interval[],
  rowWidth: number,
): Float64Array {
  const picked = new Float64Array(countTasks(tasks) * rowWidth);
  const wanted = IntervalSet.from(tasks);
  let row = 0;
  let to = 0;
  for (const [start, end] of from.intervals) {
    for (const [first, last] of wanted.intersect([[start, end]]).intervals()) {
      const at = (row + first - start) * rowWidth;
      const length = (last - first) * rowWidth;
      picked.set(from.values.subarray(at, at + length), to);
      to += length;
    }
    row += end - start;
  }
  return picked;
}
