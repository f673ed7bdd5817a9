// Operands of a longer timeframe: what the higher bars hold, and at which close each may first be seen.
import { describe, expect, it } from 'vitest';
import { higherTimeframe } from '../../../src/kernel/engine/higher.ts';
import { SeriesBook } from '../../../src/kernel/engine/series.ts';
import { parseExpression } from '../../../src/kernel/language/parse.ts';
import { syntheticCandles } from '../../../src/node/jobfile/synthetic.ts';
import { type Bar, backtest, candlesOf } from './fixture.ts';

const MINUTE_MS = 60_000;
/** Four bars of a quarter of an hour to the hour; closes 1, 2, 3, … */
const bars = Array.from({ length: 12 }, (_, i): Bar => [i + 1, i + 1.5, i + 0.5, i + 1, 1]);
const quarters = candlesOf(bars, 15 * MINUTE_MS);

const valuesOf = (rule: string, candles = quarters) => [
  ...new SeriesBook(candles, 1e6).series(parseExpression(rule), () => NaN).values,
];

describe('a longer timeframe', () => {
  it('holds the open, extremes, close and volume of its bars', () => {
    const { candles } = higherTimeframe(quarters, '1h');
    expect([...candles.open]).toEqual([1, 5, 9]);
    expect([...candles.high]).toEqual([4.5, 8.5, 12.5]);
    expect([...candles.low]).toEqual([0.5, 4.5, 8.5]);
    expect([...candles.close]).toEqual([4, 8, 12]);
    expect([...candles.volume]).toEqual([4, 4, 4]);
  });

  it('shows a bar at the close that ends it, and not before', () => {
    expect(valuesOf('close@1h')).toEqual([NaN, NaN, NaN, 4, 4, 4, 4, 8, 8, 8, 8, 12]);
    expect(valuesOf('sma(2)@1h')).toEqual([
      ...Array.from({ length: 7 }, () => NaN),
      6,
      6,
      6,
      6,
      10,
    ]);
  });

  it('counts offsets before the @ in its own bars, and after it in those of the data', () => {
    expect(valuesOf('close[1]@1h').slice(7)).toEqual([4, 4, 4, 4, 8]);
    expect(valuesOf('close@1h[1]').slice(3)).toEqual([NaN, 4, 4, 4, 4, 8, 8, 8, 8]);
  });

  it('whose last bar is missing in the data is seen at the next bar', () => {
    const { lastEnded } = higherTimeframe(without(quarters, 3), '1h');
    expect([...lastEnded].slice(0, 5)).toEqual([-1, -1, -1, 0, 0]);
    expect(valuesOf('close@1h', without(quarters, 3)).slice(0, 5)).toEqual([NaN, NaN, NaN, 3, 3]);
  });

  it('without any bar in the data does not exist', () => {
    const { candles } = higherTimeframe(without(quarters, 4, 5, 6, 7), '1h');
    expect([...candles.close]).toEqual([4, 12]);
  });

  it('of weeks begins on Monday, of days at midnight UTC', () => {
    const days = candlesOf(bars);
    // The first bar is a Monday.
    expect([...higherTimeframe(days, '1w').candles.close]).toEqual([7, 12]);
    expect([...higherTimeframe(quarters, '1d').candles.close]).toEqual([12]);
  });

  it('may stand inside another', () => {
    const candles = syntheticCandles({ seed: 3, bars: 400, stepMs: 15 * MINUTE_MS, startMs: 0 });
    const inside = valuesOf('sma(close@4h, 3)@1h', candles);
    const fours = valuesOf('close@4h', candles);
    // At the close of an hour the last three hours see the four-hour bars that had ended by then.
    const mean = ((fours[199] ?? NaN) + (fours[195] ?? NaN) + (fours[191] ?? NaN)) / 3;
    expect(inside[199]).toBeCloseTo(mean, 9);
  });

  it('decides when it is defined, and data too short for it is an error of the task', () => {
    const strategy = { long: { enter: ['close > close@1h'], exit: [] } };
    const days = Array.from({ length: 15 }, (_, i): Bar => [i + 1, i + 2, i + 1, i + 1, 0]);
    const weekly = { long: { enter: ['close > close@1w'], exit: [] } };
    // The week ends with the seventh close; the eighth is the first above it.
    expect(backtest(days, weekly).trades[0]?.entryBar).toBe(8);
    expect(backtest(days, strategy).row['error']).toBe(0);
    const long = { long: { enter: ['close > sma(9)@1w'], exit: [] } };
    expect(backtest(days, long).row['error']).toBe(5);
  });
});

function without(candles: typeof quarters, ...missing: number[]): typeof quarters {
  const cut = (column: Float64Array) => column.filter((_, bar) => !missing.includes(bar));
  const { timeMs, open, high, low, close, volume, barCount } = candles;
  return {
    barCount: barCount - missing.length,
    timeMs: cut(timeMs),
    open: cut(open),
    high: cut(high),
    low: cut(low),
    close: cut(close),
    volume: cut(volume),
  };
}
