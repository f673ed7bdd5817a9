// From what happened to a row. Every formula is fixed here, sums run in order of time, and what has no value
// (a ratio of no trades, a Sharpe ratio of a flat line) is NaN. docs/strategies-file.md states the formulas.

import { pow } from '../math.ts';
import type { Market } from './market.ts';
import type { Outcome } from './reference.ts';

export const BACKTEST_COLUMNS = [
  'finalEquity',
  'totalReturn',
  'cagr',
  'volatility',
  'sharpe',
  'sortino',
  'calmar',
  'maxDrawdown',
  'profitFactor',
  'winRate',
  'expectancy',
  'sqn',
  'exposure',
  'trades',
  'avgBars',
  'fees',
  'buyHold',
  'ambiguousExits',
  'forcedExits',
  'error',
] as const;

export type BacktestColumn = (typeof BACKTEST_COLUMNS)[number];

/** Writes the row of a good task at `offset`. */
export function writeRow(
  outcome: Outcome,
  market: Market,
  cash: number,
  { rows, offset }: { rows: Float64Array; offset: number },
): void {
  const values: Record<BacktestColumn, number> = {
    ...returnMetrics(outcome, market, cash),
    ...tradeMetrics(outcome.pnls),
    exposure: outcome.exposedBars / (market.end - market.first),
    avgBars: outcome.heldBars / outcome.pnls.length,
    fees: outcome.fees,
    buyHold: buyAndHold(market),
    ambiguousExits: outcome.ambiguousExits,
    forcedExits: outcome.forcedExits,
    error: 0,
  };
  for (const [index, column] of BACKTEST_COLUMNS.entries()) {
    const value = values[column];
    // One bit pattern for NaN and for zero; an overflow has no value either.
    rows[offset + index] = value - value === 0 ? value + 0 : NaN;
  }
}

/** Writes the row of a task that cannot be computed. */
export function writeErrorRow(code: number, rows: Float64Array, offset: number): void {
  const last = offset + BACKTEST_COLUMNS.length - 1;
  rows.fill(NaN, offset, last);
  rows[last] = code;
}

function returnMetrics(
  { finalEquity, maxDrawdown, dailyReturns }: Outcome,
  { years, annualDays }: Market,
  cash: number,
) {
  const growth = finalEquity / cash;
  const cagr = years > 0 && growth > 0 ? pow(growth, 1 / years) - 1 : NaN;
  const mean = meanOf(dailyReturns);
  const deviation = sampleDeviation(dailyReturns, mean);
  const annual = Math.sqrt(annualDays);
  const downside = Math.sqrt(meanOf(dailyReturns.map((r) => (r < 0 ? r * r : 0))));
  return {
    finalEquity,
    totalReturn: growth - 1,
    cagr,
    volatility: deviation * annual,
    sharpe: ratio(mean, deviation) * annual,
    sortino: ratio(mean * annualDays, downside * annual),
    calmar: ratio(cagr, maxDrawdown),
    maxDrawdown,
  };
}

function tradeMetrics(pnls: readonly number[]) {
  let won = 0;
  let lost = 0;
  let wins = 0;
  for (const pnl of pnls) {
    if (pnl > 0) {
      won += pnl;
      wins++;
    } else lost -= pnl;
  }
  const mean = meanOf(pnls);
  return {
    trades: pnls.length,
    profitFactor: ratio(won, lost),
    winRate: ratio(wins, pnls.length),
    expectancy: mean,
    sqn: Math.sqrt(pnls.length) * ratio(mean, sampleDeviation(pnls, mean)),
  };
}

/** Close to close over the date range, before fees. */
function buyAndHold({ candles, first, end }: Market): number {
  return (candles.close[end - 1] as number) / (candles.close[first] as number) - 1;
}

/** NaN where the divisor is zero: a ratio to nothing has no value, not an infinite one. */
function ratio(dividend: number, divisor: number): number {
  return divisor === 0 ? NaN : dividend / divisor;
}

function meanOf(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** With n - 1; NaN below two values. */
function sampleDeviation(values: readonly number[], mean: number): number {
  if (values.length < 2) return NaN;
  let squares = 0;
  for (const value of values) {
    const d = value - mean;
    squares += d * d;
  }
  return Math.sqrt(squares / (values.length - 1));
}
