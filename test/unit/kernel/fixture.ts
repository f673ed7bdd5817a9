// Small markets and jobs for the kernel's tests. The volume serves as the signal: a rule `volume == 1` makes the
// bar at which something is decided visible in the table itself.
import { expect } from 'vitest';
import { compileBacktest } from '../../../src/kernel/backtest.ts';
import type { Candles, TaskRunner, Trade } from '../../../src/kernel/job.ts';
import type {
  BacktestSpec,
  BrokerSpec,
  DatasetSpec,
  StrategySpec,
} from '../../../src/kernel/spec.ts';

export const DAY_MS = 86_400_000;
/** A Monday. */
const START_MS = 1_704_067_200_000;

export type Bar = readonly [open: number, high: number, low: number, close: number, volume: number];

export function candlesOf(bars: readonly Bar[], stepMs = DAY_MS): Candles {
  const column = (index: number) => Float64Array.from(bars, (bar) => bar[index] ?? NaN);
  return {
    barCount: bars.length,
    timeMs: Float64Array.from(bars, (_, bar) => START_MS + bar * stepMs),
    open: column(0),
    high: column(1),
    low: column(2),
    close: column(3),
    volume: column(4),
  };
}

export type StrategyPart = Partial<StrategySpec>;

/** Long on volume 1, out on 2; short on 3, out on 4. */
export const LONG = { long: { enter: ['volume == 1'], exit: ['volume == 2'] } };
export const SHORT = { short: { enter: ['volume == 3'], exit: ['volume == 4'] } };

export function specOf(
  strategies: readonly StrategyPart[],
  broker: Partial<BrokerSpec> = {},
  dataset: Partial<DatasetSpec> = {},
): BacktestSpec {
  return {
    version: 1,
    kernel: 'backtest',
    datasets: [{ sha256: '0'.repeat(64), symbol: null, fromMs: null, toMs: null, ...dataset }],
    broker: {
      cash: 1000,
      fee: 0,
      slippage: 0,
      lot: 0,
      fill: 'nextOpen',
      stopReference: 'fill',
      sameBar: 'stopFirst',
      ...broker,
    },
    strategies: strategies.map((strategy, index) => ({
      name: `s${index}`,
      vars: [],
      where: [],
      long: null,
      short: null,
      stopLoss: null,
      takeProfit: null,
      trailingStop: null,
      breakeven: null,
      maxBars: null,
      cooldown: null,
      reverse: false,
      size: { kind: 'units', value: '1' },
      ...strategy,
    })),
    sample: null,
    rank: 'sharpe',
  };
}

export interface Result {
  readonly row: Readonly<Record<string, number>>;
  readonly trades: readonly Trade[];
  /** side, entry bar and price, exit bar and price, reason. */
  readonly story: readonly string[];
}

/** By the reference, and the same by every other engine. */
export function backtest(
  bars: readonly Bar[],
  strategy: StrategyPart,
  broker: Partial<BrokerSpec> = {},
  dataset: Partial<DatasetSpec> = {},
): Result {
  const spec = specOf([strategy], broker, dataset);
  const candles = candlesOf(bars);
  const [plain, ...others] = (['reference', 'fast', 'twin'] as const).map((engine) =>
    resultOf(compileBacktest(spec, candles, { engine }), 0),
  );
  // Object.is of every number: the row of each engine, its trades and what they are called.
  for (const other of others) expect(other).toEqual(plain);
  return plain as Result;
}

export function resultOf(runner: TaskRunner, task: number): Result {
  const values = new Float64Array(runner.columns.length);
  runner.run(task, values, 0);
  const row = Object.fromEntries(runner.columns.map((name, i) => [name, values[i] ?? NaN]));
  const trades = runner.trades(task);
  const story = trades.map(
    ({ side, entryBar, entryPrice, exitBar, exitPrice, exitReason }) =>
      `${side} ${entryBar}@${entryPrice} ${exitBar}@${exitPrice} ${exitReason}`,
  );
  return { row, trades, story };
}
