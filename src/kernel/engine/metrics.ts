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

type BacktestColumn = (typeof BACKTEST_COLUMNS)[number];

/** Writes the row of a good task at `offset`. */
export function writeRow(
  outcome: Outcome,
  market: Market,
  cash: number,
  { rows, offset }: { rows: Float64Array; offset: number },
): void {
  const returns = returnMetrics(outcome, market, cash);
  const trading = tradeMetrics(outcome.pnls);
  const values: Record<BacktestColumn, number> = {
    ...returns,
    ...trading,
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
  const downside = downsideDeviation(dailyReturns);
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

function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** Root of the mean square of the losses; days without one count as 0. */
function downsideDeviation(returns: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < returns.length; i++) {
    const r = returns[i] as number;
    if (r < 0) squares += r * r;
  }
  return Math.sqrt(squares / returns.length);
}

/** With n - 1; NaN below two values. */
function sampleDeviation(values: ArrayLike<number>, mean: number): number {
  if (values.length < 2) return NaN;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const d = (values[i] as number) - mean;
    squares += d * d;
  }
  return Math.sqrt(squares / (values.length - 1));
}
