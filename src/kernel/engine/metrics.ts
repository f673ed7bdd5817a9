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

/** Columns before profitFactor. */
const RETURN_COLUMNS = 8;

/** Writes the row of a good task at `offset`, in the order of the columns. */
export function writeRow(
  outcome: Outcome,
  market: Market,
  cash: number,
  { rows, offset }: { rows: Float64Array; offset: number },
): void {
  writeReturns(outcome, market, cash, { rows, offset });
  writeTrading(outcome.pnls, rows, offset + RETURN_COLUMNS);
  const trades = outcome.pnls.length;
  rows[offset + 12] = outcome.exposedBars / (market.end - market.first);
  rows[offset + 13] = trades;
  rows[offset + 14] = outcome.heldBars / trades;
  rows[offset + 15] = outcome.fees;
  rows[offset + 16] = buyAndHold(market);
  rows[offset + 17] = outcome.ambiguousExits;
  rows[offset + 18] = outcome.forcedExits;
  rows[offset + 19] = 0;
  for (let at = offset; at < offset + BACKTEST_COLUMNS.length; at++) {
    rows[at] = canonical(rows[at] as number);
  }
}

/** Writes the row of a task that cannot be computed. */
export function writeErrorRow(code: number, rows: Float64Array, offset: number): void {
  const last = offset + BACKTEST_COLUMNS.length - 1;
  rows.fill(NaN, offset, last);
  rows[last] = code;
}

/** What is a power, or of one: completes a row that has all else. */
export function writeGrowth(
  { years }: Market,
  cash: number,
  { rows, offset }: { rows: Float64Array; offset: number },
): void {
  const cagr = annualGrowth((rows[offset] as number) / cash, years);
  const calmar = ratio(cagr, rows[offset + 7] as number);
  rows[offset + 2] = canonical(cagr);
  rows[offset + 6] = canonical(calmar);
}

function annualGrowth(growth: number, years: number): number {
  return years > 0 && growth > 0 ? pow(growth, 1 / years) - 1 : NaN;
}

/** One bit pattern for NaN and for zero; an overflow has no value either. */
function canonical(value: number): number {
  return value - value === 0 ? value + 0 : NaN;
}

/** finalEquity to maxDrawdown. */
function writeReturns(
  { finalEquity, maxDrawdown, dailyReturns }: Outcome,
  { years, annualDays }: Market,
  cash: number,
  { rows, offset }: { rows: Float64Array; offset: number },
): void {
  const growth = finalEquity / cash;
  const cagr = annualGrowth(growth, years);
  const mean = meanOf(dailyReturns);
  const deviation = sampleDeviation(dailyReturns, mean);
  const annual = Math.sqrt(annualDays);
  const downside = downsideDeviation(dailyReturns);
  rows[offset] = finalEquity;
  rows[offset + 1] = growth - 1;
  rows[offset + 2] = cagr;
  rows[offset + 3] = deviation * annual;
  rows[offset + 4] = ratio(mean, deviation) * annual;
  rows[offset + 5] = ratio(mean * annualDays, downside * annual);
  rows[offset + 6] = ratio(cagr, maxDrawdown);
  rows[offset + 7] = maxDrawdown;
}

/** profitFactor to sqn. */
function writeTrading(pnls: ArrayLike<number>, rows: Float64Array, offset: number): void {
  let won = 0;
  let lost = 0;
  let wins = 0;
  for (let i = 0; i < pnls.length; i++) {
    const pnl = pnls[i] as number;
    if (pnl > 0) {
      won += pnl;
      wins++;
    } else lost -= pnl;
  }
  const mean = meanOf(pnls);
  rows[offset] = ratio(won, lost);
  rows[offset + 1] = ratio(wins, pnls.length);
  rows[offset + 2] = mean;
  rows[offset + 3] = Math.sqrt(pnls.length) * ratio(mean, sampleDeviation(pnls, mean));
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

/** With n - 1; NaN below two values. Of equal values it is 0: their mean may be rounded, and what is left of that is no
 * deviation. */
function sampleDeviation(values: ArrayLike<number>, mean: number): number {
  if (values.length < 2) return NaN;
  let squares = 0;
  let differs = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const d = value - mean;
    squares += d * d;
    differs ||= value !== values[0];
  }
  return differs ? Math.sqrt(squares / (values.length - 1)) : 0;
}
