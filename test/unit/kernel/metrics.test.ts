// The metrics of a row, worked out by hand on small markets.
import { describe, expect, it } from 'vitest';
import { compileBacktest } from '../../../src/kernel/backtest.ts';
import { type Bar, LONG, backtest, candlesOf, resultOf, specOf } from './fixture.ts';

const flat = (price: number, volume = 0): Bar => [price, price, price, price, volume];

describe('a row', () => {
  // In at 100, out at 110; in at 110, out at 99: 5 units each time.
  const bars = [flat(100, 1), flat(100, 2), flat(110, 1), flat(110), flat(110, 2), flat(99)];
  const { row } = backtest(bars, { ...LONG, size: { kind: 'units', value: '5' } });

  it('holds money, trades and ratios', () => {
    const equities = [1000, 1000, 1050, 1050, 1050, 995];
    const returns = equities.slice(1).map((e, i) => e / (equities[i] ?? NaN) - 1);
    const mean = returns.reduce((a, b) => a + b, 0) / returns.length;
    const deviation = Math.sqrt(returns.reduce((s, r) => s + (r - mean) ** 2, 0) / 4);
    const downside = Math.sqrt(returns.reduce((s, r) => s + Math.min(r, 0) ** 2, 0) / 5);
    const cagr = 0.995 ** (365.25 / 5) - 1;
    const expected: Record<string, number> = {
      finalEquity: 995,
      totalReturn: -0.005,
      cagr,
      // The sixth bar is a Saturday: 365 days a year.
      volatility: deviation * Math.sqrt(365),
      sharpe: (mean / deviation) * Math.sqrt(365),
      sortino: (mean * 365) / (downside * Math.sqrt(365)),
      calmar: cagr / (55 / 1050),
      maxDrawdown: 55 / 1050,
      profitFactor: 50 / 55,
      winRate: 0.5,
      expectancy: -2.5,
      sqn: (Math.SQRT2 * -2.5) / Math.sqrt(2 * 52.5 ** 2),
      exposure: 3 / 6,
      trades: 2,
      avgBars: 1.5,
      fees: 0,
      buyHold: -0.01,
      ambiguousExits: 0,
      forcedExits: 0,
      error: 0,
    };
    expect(Object.keys(row)).toEqual(Object.keys(expected));
    for (const [name, value] of Object.entries(expected)) {
      expect(row[name], name).toBeCloseTo(value, 10);
    }
  });

  it('has no sqn when all trades gained the same, though their mean is rounded', () => {
    expect((0.1 + 0.1 + 0.1) / 3).not.toBe(0.1);
    const round = [flat(0.1, 1), flat(0.1, 2), flat(0.2)];
    const { row: equal } = backtest([...round, ...round, ...round], {
      ...LONG,
      size: { kind: 'units', value: '1' },
    });
    expect([equal['trades'], equal['winRate'], equal['sqn']]).toEqual([3, 1, NaN]);
  });

  it('marks what has no value as NaN', () => {
    const { row: idle } = backtest([flat(10), flat(10), flat(10)], LONG);
    for (const name of [
      'sharpe',
      'sortino',
      'calmar',
      'profitFactor',
      'winRate',
      'sqn',
      'avgBars',
    ]) {
      expect(idle[name], name).toBe(NaN);
    }
    expect(idle).toMatchObject({ finalEquity: 1000, trades: 0, maxDrawdown: 0, exposure: 0 });
  });

  it('has one bit pattern for NaN and none for negative zero', () => {
    const runner = compileBacktest(specOf([LONG]), candlesOf([flat(10), flat(10), flat(10)]));
    const values = new Float64Array(20);
    runner.run(0, values, 0);
    const bits = new BigUint64Array(values.buffer);
    for (const [i, value] of values.entries()) {
      if (Number.isNaN(value)) expect(bits[i]).toBe(0x7ff8_0000_0000_0000n);
      else expect(Object.is(value, -0)).toBe(false);
    }
  });

  it('samples equity once a UTC day and knows 252-day markets', () => {
    const hours = Array.from({ length: 72 }, (_, hour) =>
      flat(hour < 40 ? 10 : 11, hour === 0 ? 1 : 0),
    );
    const runner = compileBacktest(specOf([LONG]), candlesOf(hours, 3_600_000));
    const { row: hourly } = resultOf(runner, 0);
    // Closes of the three days: 1000, 1001, 1001.
    // Daily returns of 0.001 and 0.
    const deviation = Math.sqrt(2 * 0.0005 ** 2);
    expect(hourly['volatility']).toBeCloseTo(deviation * Math.sqrt(252), 12);
    expect(hourly['sharpe']).toBeCloseTo((0.0005 / deviation) * Math.sqrt(252), 8);
  });
});
