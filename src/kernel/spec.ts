// The validated, normalised job: what a job blob holds and what every peer compiles. Plain JSON-able content:
// no defaults left open, no paths, no position in a file. Rules stay text, in the language's canonical form,
// because text is small, bounded by its length and parsed by the same code on every peer.

export type JobSpec = BacktestSpec | SpinSpec;

export interface BacktestSpec {
  readonly version: 1;
  readonly kernel: 'backtest';
  /** At least one; a task is a strategy on one of them, the first one's tasks come first. */
  readonly datasets: readonly DatasetSpec[];
  readonly broker: BrokerSpec;
  /** At least one; a task index counts through their grids in this order. */
  readonly strategies: readonly StrategySpec[];
  /** Null: every combination is a task. */
  readonly sample: SampleSpec | null;
  /** Column that puts the best task first; for people, it changes no row. */
  readonly rank: string;
  /** Conditions on columns that the best tasks fulfil, such as `trades >= 30`; they change no row either. */
  readonly filter?: readonly string[] | undefined;
  /** How many of the best are the winners. */
  readonly keep?: number | undefined;
  /** Instead of rows about whole backtests: these tasks' returns, cut into segments of time (segments.ts). */
  readonly segments?: { readonly of: readonly number[] } | undefined;
}

/** So many of all tasks, drawn with a seed. */
export interface SampleSpec {
  readonly count: number;
  /** Whole number, 0..2^32-1. */
  readonly seed: number;
}

export interface DatasetSpec {
  /** Of the dataset's binary form (candles.ts), in hex. */
  readonly sha256: string;
  readonly symbol: string | null;
  /** First bar that counts: the first that starts at or after this, epoch ms; null: the file's first. */
  readonly fromMs: number | null;
  /** Bars that start at or after this do not count; null: to the file's end. */
  readonly toMs: number | null;
  /** Where the bars are the folds of a walk-forward split, end to end: the time of the first bar of each but the first,
   * ascending. Changes no row of a whole backtest. */
  readonly foldEdgesMs?: readonly number[] | undefined;
}

export interface BrokerSpec {
  readonly cash: number;
  /** Fraction of traded value, each side. */
  readonly fee: number;
  /** Fraction, against us, on market and stop fills. */
  readonly slippage: number;
  /** Quantities are whole multiples of this; 0: any fraction. */
  readonly lot: number;
  /** A signal fills at the next open, or (unsafe) at the close that gave it. */
  readonly fill: 'nextOpen' | 'close';
  /** What stop and target are measured from: the price of the fill, or the close that gave the signal. */
  readonly stopReference: 'fill' | 'signalClose';
  /** Which counts as first where one bar reaches both stop and target. */
  readonly sameBar: 'stopFirst' | 'targetFirst';
}

export interface StrategySpec {
  readonly name: string;
  /** The last one varies fastest from task to task. */
  readonly vars: readonly VariableSpec[];
  /** Conditions on variables; a combination is a task only where all hold. */
  readonly where: readonly string[];
  readonly long: SideSpec | null;
  readonly short: SideSpec | null;
  /** Distance expressions; null: none. */
  readonly stopLoss: string | null;
  readonly takeProfit: string | null;
  readonly trailingStop: string | null;
  readonly breakeven: string | null;
  /** Constant expression; null: no bound. */
  readonly maxBars: string | null;
  /** Constant expression; null: no pause after a trade. */
  readonly cooldown: string | null;
  readonly reverse: boolean;
  readonly size: SizeSpec;
}

export type VariableSpec =
  | { readonly name: string; readonly values: readonly number[] }
  | {
      readonly name: string;
      readonly from: number;
      readonly step: number;
      readonly count: number;
    }
  | {
      readonly name: string;
      readonly from: number;
      readonly to: number;
      readonly count: number;
      readonly log: boolean;
    };

export interface SideSpec {
  readonly enter: readonly RuleSpec[];
  readonly exit: readonly RuleSpec[];
}

export type RuleSpec =
  | string
  | { readonly any: readonly RuleSpec[] }
  | { readonly all: readonly RuleSpec[] }
  | { readonly not: RuleSpec };

export interface SizeSpec {
  readonly kind: 'equity' | 'cash' | 'units' | 'risk';
  /** Constant expression. */
  readonly value: string;
}

export interface SpinSpec {
  readonly version: 1;
  readonly kernel: 'spin';
  readonly tasks: number;
  /** One cost for all, a list that repeats, or a seeded draw per task. */
  readonly costMs:
    | number
    | readonly number[]
    | { readonly lognormal: { readonly mean: number; readonly sigma: number } };
  readonly mode: 'sleep' | 'spin';
  /** Whole number, 0..2^32-1. */
  readonly seed: number;
}
