// Luck and skill: the normal distribution, the Deflated Sharpe Ratio, the probability of backtest overfitting.
import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/kernel/random.ts';
import {
  deflatedSharpe,
  luckySharpe,
  momentsOf,
  type ReturnSums,
} from '../../../src/kernel/statistics/deflated-sharpe.ts';
import { normalCdf, normalQuantile } from '../../../src/kernel/statistics/normal.ts';
import { overfitProbability } from '../../../src/kernel/statistics/overfit-probability.ts';

describe('the normal distribution', () => {
  // Values of Abramowitz and Stegun, table 26.1, and of R's pnorm and qnorm.
  test.each([
    [0, 0.5],
    [1, 0.8413447460685429],
    [-1, 0.15865525393145705],
    [1.96, 0.9750021048517795],
    [-3, 0.0013498980316300933],
    [-3.0001, 0.001349454913260717],
    [-6, 9.865876450376946e-10],
    [-20, 2.7536241186062337e-89],
    [9, 1],
  ])('cdf(%d)', (x, p) => {
    expect(Math.abs(normalCdf(x) / p - 1)).toBeLessThan(1e-12);
  });

  test.each([
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.99, 2.3263478740408408],
    [0.001, -3.090232306167813],
    [1e-9, -5.997807015007687],
    [1e-100, -21.273453560965326],
  ])('quantile(%d)', (p, x) => {
    expect(Math.abs(normalQuantile(p) - x)).toBeLessThan(1e-9);
  });

  test('cdf and quantile undo each other, and their ends are the ends', () => {
    for (let x = -8; x <= 5; x += 0.037) {
      expect(Math.abs(normalQuantile(normalCdf(x)) - x)).toBeLessThan(1e-9);
    }
    expect([normalQuantile(0), normalQuantile(1), normalQuantile(1.1), normalCdf(NaN)]).toEqual([
      -Infinity,
      Infinity,
      NaN,
      NaN,
    ]);
    expect([normalCdf(-40), normalCdf(-Infinity), normalCdf(Infinity)]).toEqual([0, 0, 1]);
  });
});

/** The example of the paper: 5 years of 250 days, a Sharpe ratio of 2.5 a year, skewness -3, kurtosis 10. */
function exampleSums(sharpe: number, skewness: number, kurtosis: number): ReturnSums {
  const days = 1250;
  const m2 = (days - 1) / days;
  const mean = sharpe;
  const m3 = skewness * m2 * Math.sqrt(m2);
  const m4 = kurtosis * m2 * m2;
  return {
    days,
    sum: days * mean,
    sum2: days * (m2 + mean ** 2),
    sum3: days * (m3 + 3 * mean * m2 + mean ** 3),
    sum4: days * (m4 + 4 * mean * m3 + 6 * mean ** 2 * m2 + mean ** 4),
  };
}

describe('the Deflated Sharpe Ratio', () => {
  const yearly = 1 / 2 / 250;
  const sums = exampleSums(2.5 / Math.sqrt(250), -3, 10);

  test('is that of the paper’s example: 0.9004 after 100 trials, 0.9505 after 46', () => {
    expect(luckySharpe({ count: 100, variance: yearly })).toBeCloseTo(0.1132, 4);
    expect(deflatedSharpe(sums, { count: 100, variance: yearly })).toBeCloseTo(0.9004, 4);
    expect(deflatedSharpe(sums, { count: 46, variance: yearly })).toBeCloseTo(0.9505, 4);
  });

  test('falls with every trial, and one trial deflates nothing', () => {
    const at = (count: number): number => deflatedSharpe(sums, { count, variance: yearly });
    for (let count = 1; count < 1_000_000; count *= 3) {
      expect(at(count * 3)).toBeLessThan(at(count));
    }
    expect(luckySharpe({ count: 1, variance: yearly })).toBe(0);
  });

  test('moments are those of the returns themselves; equal returns have none', () => {
    const returns = [0.01, -0.02, 0.03, 0, -0.01, 0.05, -0.03];
    const power = (k: number): number => returns.reduce((sum, r) => sum + r ** k, 0);
    const sumsOf = { days: 7, sum: power(1), sum2: power(2), sum3: power(3), sum4: power(4) };
    const mean = power(1) / 7;
    const central = (k: number): number => returns.reduce((sum, r) => sum + (r - mean) ** k, 0) / 7;
    const { sharpe, skewness, kurtosis } = momentsOf(sumsOf);
    expect(sharpe).toBeCloseTo(mean / Math.sqrt((central(2) * 7) / 6), 12);
    expect(skewness).toBeCloseTo(central(3) / central(2) ** 1.5, 10);
    expect(kurtosis).toBeCloseTo(central(4) / central(2) ** 2, 10);
    const flat = { days: 3, sum: 0.3, sum2: 0.03, sum3: 0.003, sum4: 0.0003 };
    expect(momentsOf(flat).sharpe).toBeNaN();
    expect(
      deflatedSharpe({ ...flat, sum: 0, sum2: 0, sum3: 0, sum4: 0 }, { count: 2, variance: 1 }),
    ).toBeNaN();
  });
});

describe('the probability of backtest overfitting', () => {
  const SEGMENTS = 16;
  const DAYS = 60;

  /** Random walks; `edge` per day for the first of them. */
  function walks(seed: number, strategies: number, edge: number): Float64Array {
    const random = new Random(seed, 1);
    const sums = new Float64Array(strategies * SEGMENTS * 3);
    for (let at = 0; at < sums.length; at += 3) {
      for (let day = 0; day < DAYS; day++) {
        const draw = random.nextUint32() / 2 ** 32 - 0.5 + (at < SEGMENTS * 3 ? edge : 0);
        sums[at] = (sums[at] ?? 0) + 1;
        sums[at + 1] = (sums[at + 1] ?? 0) + draw;
        sums[at + 2] = (sums[at + 2] ?? 0) + draw * draw;
      }
    }
    return sums;
  }

  function pboOf(seed: number, strategies: number, edge: number): number {
    const sums = walks(seed, strategies, edge);
    const { combinations, pbo } = overfitProbability({ strategies, segments: SEGMENTS, sums });
    expect(combinations).toBe(12_870);
    return pbo;
  }

  test('is about a half for walks without skill, and near nothing where one has some', () => {
    const lucky = [1, 2, 3, 4, 5, 6].map((seed) => pboOf(seed, 20, 0));
    const mean = lucky.reduce((sum, pbo) => sum + pbo, 0) / lucky.length;
    expect(mean).toBeGreaterThan(0.3);
    expect(mean).toBeLessThan(0.7);
    expect(pboOf(7, 20, 0.15)).toBeLessThan(0.01);
  });

  test('is that of a plain count over halves that are written out day by day', () => {
    const random = new Random(5, 5);
    const segments = 6;
    const strategies = 4;
    const draw = (): number => Math.round((random.nextUint32() / 2 ** 32 - 0.5) * 8);
    const days = Array.from({ length: strategies }, () =>
      Array.from({ length: segments }, (_, at) => Array.from({ length: 2 + (at % 3) }, draw)),
    );
    // One stands still in the first half.
    days[3]?.slice(0, 3).forEach((segment) => segment.fill(0));
    const sums = Float64Array.from(
      days.flat().flatMap((segment) => {
        const squares = segment.map((r) => r * r);
        return [segment.length, total(segment), total(squares)];
      }),
    );
    let overfit = 0;
    let losses = 0;
    const halves = Array.from({ length: 2 ** segments }, (_, mask) =>
      Array.from({ length: segments }, (_, at) => (mask >> at) % 2 === 1),
    ).filter((half) => half.filter(Boolean).length === segments / 2);
    for (const half of halves) {
      const inside = days.map((own) => sharpe(own.flatMap((days, at) => (half[at] ? days : []))));
      const outside = days.map((own) => sharpe(own.flatMap((days, at) => (half[at] ? [] : days))));
      const there = outside[inside.indexOf(Math.max(...inside))] ?? NaN;
      const below = outside.filter((value) => value < there).length;
      const above = outside.filter((value) => value > there).length;
      if (below <= above) overfit++;
      if (there < 0) losses++;
    }
    expect(overfitProbability({ strategies, segments, sums })).toEqual({
      combinations: halves.length,
      pbo: overfit / halves.length,
      lossShare: losses / halves.length,
    });
  });
});

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function sharpe(returns: readonly number[]): number {
  const mean = total(returns) / returns.length;
  const variance = total(returns.map((r) => r * r)) / returns.length - mean * mean;
  return variance > 0 ? mean / Math.sqrt(variance) : 0;
}
