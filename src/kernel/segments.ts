// What says how a strategy fared over time: the sums of its daily returns in equal stretches of the days, from which the
// Deflated Sharpe Ratio and the probability of overfitting come without an equity curve (statistics/). A task is one
// stretch of one task of the job that it looks back at; all stretches of a task follow each other, so a slot
// backtests it once.
import type { TaskRunner, WorkRun } from './job.ts';
import { TaskFault } from './task-fault.ts';
import { mergeRuns } from './work-runs.ts';

/** Even, so that halves can be made of them: 12,870 ways. */
export const SEGMENTS = 16;

/** The sums of the returns' powers, and the trading days of a year. */
export const SEGMENT_COLUMNS = [
  'days',
  'sum',
  'sum2',
  'sum3',
  'sum4',
  'annualDays',
  'error',
] as const;
const WIDTH = SEGMENT_COLUMNS.length;

export interface BacktestRunner extends TaskRunner {
  /** From each UTC day's last close to the next's; the array is good until the next task. Throws a TaskFault. */
  dailyReturns(task: number): { readonly returns: Float64Array; readonly annualDays: number };
}

/** `of`: tasks of `whole`. */
export function cutIntoSegments(whole: BacktestRunner, of: readonly number[]): TaskRunner {
  const rows = new Float64Array(SEGMENTS * WIDTH);
  let known = -1;
  const place = (task: number): { at: number; segment: number } => {
    const at = Math.floor(task / SEGMENTS);
    return { at, segment: task - at * SEGMENTS };
  };
  return {
    taskCount: of.length * SEGMENTS,
    columns: SEGMENT_COLUMNS,
    rankBy: undefined,
    workRuns: workRunsOf(whole.workRuns, of),
    run(task, target, offset) {
      const { at, segment } = place(task);
      if (at !== known) {
        writeSums(whole, of[at] as number, rows);
        known = at;
      }
      target.set(rows.subarray(segment * WIDTH, (segment + 1) * WIDTH), offset);
    },
    waitMs: () => 0,
    label(task) {
      const { at, segment } = place(task);
      const { name, params } = whole.label(of[at] as number);
      return { name, params: { ...params, segment: segment + 1 } };
    },
    trades: (task) => whole.trades(of[place(task).at] as number),
  };
}

function writeSums(whole: BacktestRunner, task: number, rows: Float64Array): void {
  try {
    const { returns, annualDays } = whole.dailyReturns(task);
    for (let segment = 0; segment < SEGMENTS; segment++) {
      const from = Math.floor((segment * returns.length) / SEGMENTS);
      const to = Math.floor(((segment + 1) * returns.length) / SEGMENTS);
      const offset = segment * WIDTH;
      rows.fill(0, offset, offset + WIDTH);
      rows[offset] = to - from;
      for (let day = from; day < to; day++) addPowers(rows, offset + 1, returns[day] as number);
      rows[offset + 5] = annualDays;
    }
  } catch (fault) {
    if (!(fault instanceof TaskFault)) throw fault;
    rows.fill(NaN);
    for (let end = WIDTH; end <= rows.length; end += WIDTH) rows[end - 1] = fault.code;
  }
}

function addPowers(rows: Float64Array, at: number, value: number): void {
  let power = value;
  for (let k = 0; k < 4; k++) {
    rows[at + k] = (rows[at + k] as number) + power;
    power *= value;
  }
}

/** A stretch costs a part of its task. */
function workRunsOf(runs: readonly WorkRun[], of: readonly number[]): WorkRun[] {
  return mergeRuns(
    of.map((task) => ({ tasks: SEGMENTS, units: Math.ceil(unitsOf(runs, task) / SEGMENTS) })),
  );
}

function unitsOf(runs: readonly WorkRun[], task: number): number {
  let end = 0;
  for (const { tasks, units } of runs) {
    end += tasks;
    if (task < end) return units;
  }
  throw new RangeError(`there is no task ${task}`);
}
