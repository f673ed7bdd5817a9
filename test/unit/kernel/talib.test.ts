// Indicators against TA-Lib's own C code on its 252 bars: look-backs equal, NaN before them, SMA, EMA and RSI
// (and what shares their steps) bit for bit, the others within 1e-9.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SeriesBook } from '../../../src/kernel/engine/series.ts';
import type { Candles } from '../../../src/kernel/job.ts';
import { parseExpression } from '../../../src/kernel/language/parse.ts';

interface Reference {
  readonly fn: string;
  readonly params: readonly (number | string)[];
  readonly lookback: number;
  readonly values: Readonly<Record<string, readonly number[]>>;
}

const folder = new URL('../../fixtures/talib/', import.meta.url);
const references = JSON.parse(
  readFileSync(new URL('expected_talib252.json', folder), 'utf8'),
) as readonly Reference[];

const CASES: readonly [fn: string, params: string, rule: string, output: string, exact: boolean][] =
  [
    ['SMA', '20', 'sma(20)', 'out', true],
    ['SMA', '200', 'sma(200)', 'out', true],
    ['EMA', '20', 'ema(20)', 'out', true],
    ['EMA', '200', 'ema(200)', 'out', true],
    ['WMA', '20', 'wma(20)', 'out', false],
    ['RSI', '2', 'rsi(2)', 'out', true],
    ['RSI', '14', 'rsi(14)', 'out', true],
    ['ROC', '10', 'roc(10)', 'out', false],
    ['MOM', '10', 'mom(10)', 'out', true],
    ['STDDEV', '20,1', 'stddev(20)', 'out', false],
    ['MAX(high)', '20', 'highest(20)', 'out', true],
    ['MIN(low)', '20', 'lowest(20)', 'out', true],
    ['MAX(high)', '20', 'donchian(20).upper', 'out', true],
    ['MIN(low)', '20', 'donchian(20).lower', 'out', true],
    ['MACD', '12,26,9', 'macd(12,26,9).macd', 'macd', false],
    ['MACD', '12,26,9', 'macd().signal', 'signal', false],
    ['MACD', '12,26,9', 'macd(26,12).hist', 'hist', false],
    ['BBANDS', '20,2,2,SMA', 'bollinger(20,2).upper', 'upper', false],
    ['BBANDS', '20,2,2,SMA', 'bbands(20).middle', 'middle', true],
    ['BBANDS', '20,2,2,SMA', 'bollinger(20).lower', 'lower', false],
    ['TRANGE', '', 'trange()', 'out', true],
    ['ATR', '14', 'atr(14)', 'out', true],
    ['NATR', '14', 'natr(14)', 'out', false],
    ['DEMA', '10', 'dema(10)', 'out', false],
    ['TEMA', '10', 'tema(10)', 'out', false],
    ['TRIX', '10', 'trix(10)', 'out', false],
    ['KAMA', '10', 'kama(10)', 'out', false],
    ['ADX', '14', 'adx(14)', 'out', false],
    ['PLUS_DI', '14', 'plus_di(14)', 'out', false],
    ['MINUS_DI', '14', 'minus_di(14)', 'out', false],
    ['SAR', '0.02,0.2', 'sar(0.02, 0.2)', 'out', false],
    ['SAR', '0.02,0.2', 'sar()', 'out', false],
    ['STOCH', '14,3,SMA,3,SMA', 'stoch(14, 3, 3).k', 'slowK', false],
    ['STOCH', '14,3,SMA,3,SMA', 'stoch().d', 'slowD', false],
    ['STOCHRSI', '14,5,3,SMA', 'stochrsi(14, 5, 3).k', 'fastK', false],
    ['STOCHRSI', '14,5,3,SMA', 'stochrsi().d', 'fastD', false],
    ['CCI', '20', 'cci(20)', 'out', false],
    ['CMO', '14', 'cmo(14)', 'out', false],
    ['WILLR', '14', 'willr(14)', 'out', false],
    ['MFI', '14', 'mfi(14)', 'out', false],
    ['OBV', '', 'obv()', 'out', true],
    ['LINEARREG', '14', 'linreg(14)', 'out', false],
    ['LINEARREG_SLOPE', '14', 'linregslope(14)', 'out', false],
  ];

describe('indicators equal TA-Lib', () => {
  const candles = readCandles();
  it.each(CASES)('%s(%s) is %s', (fn, params, rule, output, isExact) => {
    const reference = references.find((r) => r.fn === fn && r.params.join() === params);
    const expected = reference?.values[output] ?? [];
    expect(expected.length).toBeGreaterThan(50);
    const book = new SeriesBook(candles, 1e6);
    const { values, start } = book.series(parseExpression(rule), () => NaN);
    expect(start).toBe(reference?.lookback);
    expect([...values.subarray(0, start)].every(Number.isNaN)).toBe(true);
    const computed = [...values.subarray(start)];
    if (isExact) expect(computed).toEqual(expected);
    expect(computed).toHaveLength(expected.length);
    for (const [i, value] of expected.entries()) {
      // The histogram passes through zero: there the size of its two terms is the scale.
      const scale = Math.max(Math.abs(value), output === 'hist' ? 1 : 0);
      expect(Math.abs((computed[i] ?? NaN) - value)).toBeLessThanOrEqual(1e-9 * scale);
    }
  });
});

function readCandles(): Candles {
  const rows = readFileSync(new URL('ohlcv_252.csv', folder), 'utf8').trim().split('\n').slice(1);
  const cells = rows.map((row) => row.split(',').map(Number));
  const column = (index: number) => Float64Array.from(cells, (row) => row[index] ?? NaN);
  return {
    barCount: cells.length,
    timeMs: Float64Array.from(cells, (_, bar) => bar * 86_400_000),
    open: column(1),
    high: column(2),
    low: column(3),
    close: column(4),
    volume: column(5),
  };
}
