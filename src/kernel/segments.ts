// What says how a strategy fared over time: the sums of its daily returns in stretches of the days, from which the
// Deflated Sharpe Ratio and the probability of overfitting come without an equity curve (statistics/). A task is one
// stretch of one task of the job that it looks back at; all stretches of a task follow each other, so a slot
// backtests it once.
import type { TaskRunner, WorkRun } from './job.ts';
import { segmentCount, segmentStarts } from './segment-edges.ts';
import type { BacktestSpec } from './spec.ts';
import { TaskFault } from './task-fault.ts';
import { mergeRuns } from './work-runs.ts';

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

interface DailyReturns {
  /** From each UTC day's last close to the next's; good until the next task. */
  readonly returns: Float64Array;
  readonly annualDays: number;
  /** The first return of every fold of a walk-forward split but the first one's; none without such a split. */
  readonly foldStarts: readonly number[];
}

export interface BacktestRunner extends TaskRunner {
  /** Throws a TaskFault. */
  dailyReturns(task: number): DailyReturns;
}

/** Stretches per task; all datasets have the same number of folds. */
export function segmentsOf({ datasets: [first] }: BacktestSpec): number {
  return segmentCount((first?.foldEdgesMs?.length ?? 0) + 1);
}

/** `of`: tasks of `whole`, each cut into `segments`. */
export function cutIntoSegments(
  whole: BacktestRunner,
  of: readonly number[],
  segments: number,
): TaskRunner {
  const rows = new Float64Array(segments * WIDTH);
  let known = -1;
  const place = (task: number): { at: number; segment: number } => {
    const at = Math.floor(task / segments);
    return { at, segment: task - at * segments };
  };
  return {
    taskCount: of.length * segments,
    columns: SEGMENT_COLUMNS,
    rankBy: undefined,
    workRuns: workRunsOf(whole.workRuns, of, segments),
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
    const { returns, annualDays, foldStarts } = whole.dailyReturns(task);
    const starts = segmentStarts(returns.length, foldStarts);
    for (let segment = 0; segment < starts.length - 1; segment++) {
      const [from = 0, to = 0] = starts.slice(segment, segment + 2);
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
function workRunsOf(runs: readonly WorkRun[], of: readonly number[], segments: number): WorkRun[] {
  return mergeRuns(
    of.map((task) => ({ tasks: segments, units: Math.ceil(unitsOf(runs, task) / segments) })),
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
