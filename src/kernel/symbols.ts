// A job over several datasets: a task is a strategy on one of them. All tasks of the first dataset come first, so
// a slot works through one symbol after the other and keeps the series of two at most.

import type { WorkRun } from './job.ts';
import type { BacktestRunner } from './segments.ts';
import type { SampleSpec } from './spec.ts';
import { TaskList } from './task-list.ts';
import { mergeRuns } from './work-runs.ts';

/** Datasets whose compiled strategies and series a slot keeps: the one at work, and the one that an interval of
 * tasks reaches into. */
export const SYMBOLS_KEPT = 2;

export interface SymbolPart {
  readonly symbol: string | null;
  /** The job on this dataset alone, with all of its grid. */
  readonly compile: () => BacktestRunner;
}

export function joinSymbols(
  parts: readonly SymbolPart[],
  sample: SampleSpec | null,
): BacktestRunner {
  // Names and values are the same on all datasets. This one runs nothing, so it holds no series.
  const first = (parts[0] as SymbolPart).compile();
  // Each part is compiled once to learn its costs, and again when its tasks come.
  const runsOf = parts.map(({ compile }, at) => (at === 0 ? first : compile()).workRuns);
  const tasks = new TaskList(
    runsOf.map((runs) => runs.reduce((sum, run) => sum + run.tasks, 0)),
    sample,
  );
  const kept = new Map<number, BacktestRunner>();
  const runner = (at: number): BacktestRunner => {
    const known = kept.get(at);
    if (known !== undefined) return known;
    const made = (parts[at] as SymbolPart).compile();
    for (const oldest of kept.keys()) {
      if (kept.size < SYMBOLS_KEPT) break;
      kept.delete(oldest);
    }
    kept.set(at, made);
    return made;
  };
  return {
    taskCount: tasks.count,
    columns: first.columns,
    rankBy: first.rankBy,
    filter: first.filter,
    keep: first.keep,
    workRuns: workRunsOf(runsOf.flat(), sample),
    run(task, rows, offset) {
      const { block, index } = tasks.locate(task);
      runner(block).run(index, rows, offset);
    },
    dailyReturns(task) {
      const { block, index } = tasks.locate(task);
      return runner(block).dailyReturns(index);
    },
    waitMs: () => 0,
    label(task) {
      const { block, index } = tasks.locate(task);
      const { name, params } = first.label(index);
      const symbol = parts[block]?.symbol ?? String(block);
      return { name, params: { symbol, ...params } };
    },
    trades(task) {
      const { block, index } = tasks.locate(task);
      return runner(block).trades(index);
    },
  };
}

function workRunsOf(all: readonly WorkRun[], sample: SampleSpec | null): WorkRun[] {
  const sampled = new TaskList(
    all.map(({ tasks }) => tasks),
    sample,
  ).tasksPerBlock();
  return mergeRuns(all.map(({ units }, at) => ({ units, tasks: sampled[at] ?? 0 })));
}
