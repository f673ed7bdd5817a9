// What a kernel must offer the rest of the mesh. A job's file is compiled once per slot into a TaskRunner;
// after that a task is nothing but an index, and its result nothing but a row of Float64.

/** Candles of one dataset, oldest first, all columns `barCount` long; views over one shared buffer. */
export interface Candles {
  readonly barCount: number;
  /** Bar start, epoch milliseconds UTC, strictly rising. */
  readonly timeMs: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
}

/** `tasks` consecutive tasks that cost `units` of work each. A unit is about a microsecond of one slot. */
export interface WorkRun {
  readonly tasks: number;
  /** Whole number >= 1, the same on every peer. */
  readonly units: number;
}

/** What people call a task: its strategy's name and the values of its variables. */
export interface TaskLabel {
  readonly name: string;
  readonly params: Readonly<Record<string, number | string>>;
}

export interface Trade {
  readonly side: 'long' | 'short';
  /** Bars count from the first row of the data file. */
  readonly entryBar: number;
  readonly exitBar: number;
  readonly entryTimeMs: number;
  readonly exitTimeMs: number;
  readonly size: number;
  /** Prices after slippage. */
  readonly entryPrice: number;
  readonly exitPrice: number;
  /** Net of fees. */
  readonly pnl: number;
  readonly exitReason: 'signal' | 'stop' | 'target' | 'trailing' | 'breakeven' | 'maxBars' | 'end';
}

export interface TaskRunner {
  readonly taskCount: number;
  /** Names of a row's values, in order; at most 20. The row of a failed task is all NaN but for its last
   * value, the error code. */
  readonly columns: readonly string[];
  /** The column that puts the best task first; undefined for kernels whose tasks nobody ranks. */
  readonly rankBy: string | undefined;
  /** Conditions on columns that a task must fulfil to be among the best, as the job file writes them. */
  readonly filter?: readonly string[] | undefined;
  /** Of each dataset the bars that count: from and before these instants, epoch ms; null: no bound. */
  readonly ranges?: readonly {
    readonly symbol: string | null;
    readonly fromMs: number | null;
    readonly toMs: number | null;
  }[];
  /** How many of the best the job calls winners. */
  readonly keep?: number | undefined;
  /** Costs of all tasks in order, run-length encoded; the runs' `tasks` add up to `taskCount`. */
  readonly workRuns: readonly WorkRun[];
  /** Writes the row of `task` to `rows[offset .. offset + columns.length)`. Depends on the job and the task
   * only, bit for bit. */
  run(task: number, rows: Float64Array, offset: number): void;
  /** Time that the slot must let pass before the row of `task` is out (kernel `spin`, mode `sleep`), in
   * milliseconds; 0 for everything that computes. */
  waitMs(task: number): number;
  label(task: number): TaskLabel;
  /** The trades behind a row; empty for kernels without trades. */
  trades(task: number): readonly Trade[];
}
