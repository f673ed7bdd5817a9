// Kernel `backtest`: a job's strategies over its dataset, one task per grid point. Compiling parses every rule
// once; a task then is a decode of its index, a handful of cache look-ups and one pass over the bars.

import { type Market, describeMarket } from './engine/market.ts';
import { BACKTEST_COLUMNS, writeErrorRow, writeRow } from './engine/metrics.ts';
import { planTask } from './engine/plan.ts';
import { type Outcome, simulate } from './engine/reference.ts';
import { SeriesBook } from './engine/series.ts';
import { dayEnds } from './fast/days.ts';
import { FastEngine } from './fast/engine.ts';
import { type Workbench, ownWorkbench } from './fast/workbench.ts';
import type { Candles, TaskLabel, Trade } from './job.ts';
import { SERIES_CACHE_BYTES } from './limits.ts';
import type { BacktestRunner } from './segments.ts';
import type { BacktestSpec, DatasetSpec } from './spec.ts';
import { type Strategy, comparisonCount, parseStrategies } from './strategy.ts';
import { TaskFault } from './task-fault.ts';
import { TaskList } from './task-list.ts';
import { mergeRuns } from './work-runs.ts';

/** What a task costs: microseconds for itself, nanoseconds per bar, and nanoseconds per bar and comparison. They only weigh
 * tasks against each other; real speed is measured by the mesh. scripts/bench-work.ts on 600 tasks of three lengths:
 * with new indicators some 4 us a unit, with indicators in memory 0.06. Ranks agree with the length of the data (0.94
 * over all lengths, new indicators) and less within one: 0.6, because kinds and periods of indicators are not counted,
 * and none once they are in memory, where the time goes with the trades, which no rule tells beforehand. */
const TASK_US = 20;
const BAR_NS = 6;
const COMPARISON_NS = 1;

export interface EngineOptions {
  /** The fast engine gives the same rows bit for bit and leaves to the reference what it does not support; its twin
   * is the fast engine without WebAssembly. */
  readonly engine?: 'fast' | 'twin' | 'reference';
  /** Budget for indicator series and conditions that are not in the workbench's memory. */
  readonly cacheBytes?: number;
  /** Where the fast engine works; default: one of this thread's own. */
  readonly workbench?: Workbench | undefined;
  /** Names the candles' content, so that jobs on equal candles share what is computed of them; default: a name that
   * no other candles have. */
  readonly dataset?: string;
}

/** The job on the candles of its one dataset. Throws an Error (a RuleError for a rule) when it cannot run on them. */
export function compileBacktest(
  spec: BacktestSpec,
  candles: Candles,
  options: EngineOptions = {},
): BacktestRunner {
  const dataset = onlyDataset(spec);
  const strategies = parseStrategies(spec.strategies);
  const tasks = new TaskList(
    strategies.map((strategy) => strategy.grid.count),
    spec.sample,
  );
  const market = describeMarket(candles, dataset.fromMs, dataset.toMs);
  let foldStarts: readonly number[] | undefined;
  const engine = new Engines({ spec, candles, strategies, market }, options);
  const locate = (task: number): { strategy: Strategy; values: Float64Array } => {
    const { block, index } = tasks.locate(task);
    const strategy = strategies[block] as Strategy;
    return { strategy, values: strategy.grid.valuesAt(index) };
  };
  const compute = (task: number, trades?: Trade[]): Outcome => {
    const { block, index } = tasks.locate(task);
    return engine.outcome(block, index, trades);
  };
  return {
    taskCount: tasks.count,
    columns: BACKTEST_COLUMNS,
    rankBy: spec.rank,
    filter: spec.filter,
    keep: spec.keep,
    workRuns: mergeRuns(
      tasks.tasksPerBlock().map((count, block) => ({
        tasks: count,
        units: unitsOf(strategies[block] as Strategy, market),
      })),
    ),
    run(task, rows, offset) {
      try {
        const { block, index } = tasks.locate(task);
        if (engine.writeRow(block, index, rows, offset)) return;
        const outcome = engine.outcome(block, index);
        writeRow(outcome, market, spec.broker.cash, { rows, offset });
      } catch (fault) {
        if (!(fault instanceof TaskFault)) throw fault;
        writeErrorRow(fault.code, rows, offset);
      }
    },
    dailyReturns: (task) => ({
      returns: compute(task).dailyReturns,
      annualDays: market.annualDays,
      foldStarts: (foldStarts ??= foldStartsOf(market, dataset.foldEdgesMs ?? [])),
    }),
    waitMs: () => 0,
    label(task) {
      const { strategy, values } = locate(task);
      return labelOf(strategy, values);
    },
    trades(task) {
      const trades: Trade[] = [];
      try {
        compute(task, trades);
      } catch (fault) {
        if (!(fault instanceof TaskFault)) throw fault;
      }
      return trades;
    },
  };
}

interface Compiled {
  readonly spec: BacktestSpec;
  readonly candles: Candles;
  readonly strategies: readonly Strategy[];
  readonly market: Market;
}

/** Whichever engine is for a task. They are made with the first task: a peer's main thread compiles jobs that it never
 * runs. */
class Engines {
  readonly #job: Compiled;
  readonly #options: EngineOptions;
  #book: SeriesBook | undefined;
  #fast: FastEngine | undefined;

  constructor(job: Compiled, options: EngineOptions) {
    this.#job = job;
    this.#options = options;
  }

  /** Whether the native kernel has run grid point `index` of the strategy at `block` and written its row; otherwise
   * that is for `outcome`. Throws a TaskFault. */
  writeRow(block: number, index: number, rows: Float64Array, offset: number): boolean {
    return this.#fastEngine()?.writeRow(block, index, rows, offset) ?? false;
  }

  /** Throws a TaskFault. */
  outcome(block: number, index: number, trades?: Trade[]): Outcome {
    const outcome = this.#fastEngine()?.run(block, index, trades);
    if (outcome !== undefined) return outcome;
    const { candles, market, spec, strategies } = this.#job;
    const strategy = strategies[block] as Strategy;
    const values = strategy.grid.valuesAt(index);
    const { names: variables } = strategy.grid;
    const valueOf = (name: string): number => values[variables.indexOf(name)] ?? NaN;
    this.#book ??= new SeriesBook(candles, this.#options.cacheBytes ?? SERIES_CACHE_BYTES);
    const plan = planTask(strategy, valueOf, this.#book, market);
    return simulate(market, spec.broker, plan, trades);
  }

  #fastEngine(): FastEngine | undefined {
    const { engine = 'fast', cacheBytes = SERIES_CACHE_BYTES, dataset, workbench } = this.#options;
    if (engine === 'reference') return undefined;
    const { candles, market, spec, strategies } = this.#job;
    return (this.#fast ??= new FastEngine(spec.broker, strategies, {
      market,
      dataset: dataset ?? uniqueName(candles),
      workbench: engine === 'twin' ? undefined : (workbench ?? ownWorkbench()),
      budgetBytes: cacheBytes,
    }));
  }
}

const names = new WeakMap<Candles, string>();
let named = 0;

/** Two objects with the same content get two names. */
function uniqueName(candles: Candles): string {
  const known = names.get(candles);
  if (known !== undefined) return known;
  const name = `own ${++named}`;
  names.set(candles, name);
  return name;
}

function onlyDataset({ datasets }: BacktestSpec): DatasetSpec {
  const [dataset, ...others] = datasets;
  if (dataset === undefined || others.length > 0) throw new Error('one dataset at a time');
  return dataset;
}

function labelOf({ name, grid }: Strategy, values: Float64Array): TaskLabel {
  const params = grid.names.map((variable, i) => [variable, values[i] ?? NaN] as const);
  return { name, params: Object.fromEntries(params) };
}

/** A day's return is the later day's: a day in which a fold begins is all of that fold. */
function foldStartsOf(market: Market, edgesMs: readonly number[]): number[] {
  const { timeMs } = market.candles;
  const { bars } = dayEnds(market);
  return edgesMs.map((edgeMs) => {
    const day = bars.findIndex((bar) => (timeMs[bar] as number) >= edgeMs);
    return Math.max(0, (day < 0 ? market.dayCount : day) - 1);
  });
}

function unitsOf(strategy: Strategy, market: Market): number {
  const nsPerBar = BAR_NS + COMPARISON_NS * comparisonCount(strategy);
  return TASK_US + Math.round(((market.end - market.first) * nsPerBar) / 1000);
}
