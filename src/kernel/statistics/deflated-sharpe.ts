// The Deflated Sharpe Ratio (Bailey and Lopez de Prado, J. Portfolio Management 40(5), 2014): how likely a strategy's true
// Sharpe ratio is above what the best of so many trials without any skill would have shown.
import { normalCdf, normalQuantile } from './normal.ts';

/** Sums of a strategy's daily returns and of their powers. */
export interface ReturnSums {
  readonly days: number;
  readonly sum: number;
  readonly sum2: number;
  readonly sum3: number;
  readonly sum4: number;
}

export interface Moments {
  /** Per day. */
  readonly sharpe: number;
  readonly skewness: number;
  /** 3 for a normal distribution. */
  readonly kurtosis: number;
}

export interface Trials {
  /** Strategies that were tried, of all generations. */
  readonly count: number;
  /** Variance of their Sharpe ratios per day. */
  readonly variance: number;
}

const EULER = 0.5772156649015329;

/** Sharpe ratio with n - 1, as the rows have it; the others of the population. NaN where nothing varies. */
export function momentsOf({ days, sum, sum2, sum3, sum4 }: ReturnSums): Moments {
  const mean = sum / days;
  const square = mean * mean;
  const m2 = sum2 / days - square;
  // What rounding leaves of equal values is no deviation.
  if (!(m2 > 1e-12 * (sum2 / days))) return { sharpe: NaN, skewness: NaN, kurtosis: NaN };
  const m3 = sum3 / days - 3 * mean * (sum2 / days) + 2 * square * mean;
  const m4 =
    sum4 / days - 4 * mean * (sum3 / days) + 6 * square * (sum2 / days) - 3 * square * square;
  return {
    sharpe: mean / Math.sqrt((m2 * days) / (days - 1)),
    skewness: m3 / (m2 * Math.sqrt(m2)),
    kurtosis: m4 / (m2 * m2),
  };
}

/** The best Sharpe ratio per day that so many trials are expected to show by luck alone; 0 for a single trial. */
export function luckySharpe({ count, variance }: Trials): number {
  if (count <= 1) return 0;
  const best = normalQuantile(1 - 1 / count);
  const next = normalQuantile(1 - 1 / (count * Math.E));
  return Math.sqrt(variance) * ((1 - EULER) * best + EULER * next);
}

/** 0..1; NaN where the Sharpe ratio is undefined. */
export function deflatedSharpe(sums: ReturnSums, trials: Trials): number {
  const { sharpe, skewness, kurtosis } = momentsOf(sums);
  const spread = 1 - skewness * sharpe + ((kurtosis - 1) / 4) * sharpe * sharpe;
  if (!(spread > 0)) return NaN;
  const above = (sharpe - luckySharpe(trials)) * Math.sqrt(sums.days - 1);
  return normalCdf(above / Math.sqrt(spread));
}
