// Indicators against TA-Lib's own C code where series are unkind: ties, windows in which nothing moves, gaps, prices
// near 1e-8 and 1e9, bars without volume, periods of 1 and 2. And the few places where the definition is followed
// and not that code, each with its reason.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SeriesBook } from '../../../src/kernel/engine/series.ts';
import { indicatorDefinitions } from '../../../src/kernel/indicators/catalog.ts';
import type { Candles } from '../../../src/kernel/job.ts';
import { parseExpression } from '../../../src/kernel/language/parse.ts';
import { TaskFault } from '../../../src/kernel/task-fault.ts';
import { type Bar, candlesOf } from './fixture.ts';

interface Case {
  readonly candles: readonly Bar[];
  readonly expected: Readonly<Record<string, { lookback: number; values: number[] }>>;
}

const cases = JSON.parse(
  readFileSync(new URL('../../fixtures/talib/nasty.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, Case>>;

/** These go through the same steps as TA-Lib, bit for bit. */
const EXACT = /^(sma|ema|wma|volsma|rsi|cmo|roc|mom|macd|highest|lowest|trange|atr|obv|stoch\()/;

/** TA-Lib takes a variance below 1e-14 for none, which every variance of prices near 1e-8 is. */
const OF_TINY_PRICES = /^(stddev|bollinger)/;

describe.each(Object.entries(cases))(
  'on %s, indicators equal TA-Lib',
  (kind, { candles, expected }) => {
    const rules = Object.keys(expected).filter(
      (rule) => kind !== 'tiny' || !OF_TINY_PRICES.test(rule),
    );
    it.each(rules)('%s', (rule) => {
      const { lookback, values } = expected[rule] as { lookback: number; values: number[] };
      const { values: computed, start } = seriesOf(rule, candlesOf(candles));
      expect(start).toBe(lookback);
      expect([...computed.subarray(0, start)].every(Number.isNaN)).toBe(true);
      if (EXACT.test(rule)) {
        expect([...computed.subarray(start)]).toEqual(values);
        return;
      }
      // TA-Lib takes squares of whole prices from each other: the digits that are lost are those of a squared price.
      if (rule.startsWith('stddev')) {
        const squared = Math.max(...candles.map((bar) => bar[3])) ** 2;
        for (const [i, value] of values.entries()) {
          const variance = (computed[start + i] ?? NaN) ** 2;
          expect(Math.abs(variance - value * value)).toBeLessThanOrEqual(1e-14 * squared);
        }
        return;
      }
      const scale = Math.max(...values.map(Math.abs));
      for (const [i, value] of values.entries()) {
        expect(Math.abs((computed[start + i] ?? NaN) - value)).toBeLessThanOrEqual(1e-9 * scale);
      }
    });
  },
);

describe('after long stillness', () => {
  const prices = [10, 12, 11, 13, 12.5, ...Array.from({ length: 80 }, () => 12.5)];
  // Wilder's smoothing halves what moved with every bar: below TA-Lib's epsilon nothing has, a bar earlier all of it did.
  it.each([
    ['rsi(2)', 0],
    ['cmo(2)', 0],
  ])('%s is that of no movement, as in TA-Lib', (rule, still) => {
    const { values } = seriesOf(rule, flatBars(prices));
    const [last] = values.subarray(-1);
    expect(last).toBe(still);
    expect(values[20]).not.toBe(still);
  });
});

describe('an indicator on as many bars as it looks back', () => {
  const calls = indicatorDefinitions().map((indicator) => {
    const { name, parameters, outputs } = indicator;
    const given = parameters.map(({ fallback, isWhole }) => fallback ?? (isWhole ? 3 : 1));
    const call = `${name}(${given.join(', ')})`;
    const rule = outputs.length === 1 ? call : `${call}.${outputs[0]}`;
    return [rule, indicator.lookback(given)] as const;
  });
  it.each(calls)('%s has none, and on one more bar its first value', (rule, lookback) => {
    const { values, start } = seriesOf(rule, risingBars(lookback + 1));
    expect([start, Number.isFinite(values[lookback])]).toEqual([lookback, true]);
    if (lookback > 0) expect(() => seriesOf(rule, risingBars(lookback))).toThrow(TaskFault);
  });
});

describe('where the definition is followed and not TA-Lib’s code', () => {
  it('a spike leaves nothing behind once it has left the window', () => {
    const calm = Array.from({ length: 60 }, (_, i): Bar => {
      const price = 1 + ((i * 7) % 5) / 1000;
      return [price, price, price, price, 1];
    });
    const spiked = calm.map((bar, i): Bar => (i === 20 ? [1e9, 1e9, 1e9, 1e9, 1e9] : bar));
    for (const rule of ['stddev(5)', 'linreg(5)', 'linregslope(5)', 'mfi(5)', 'cci(5)']) {
      const without = seriesOf(rule, candlesOf(calm)).values;
      const after = seriesOf(rule, candlesOf(spiked)).values;
      for (let bar = 26; bar < 60; bar++) {
        const scale = Math.max(1e-3, Math.abs(without[bar] as number));
        const error = Math.abs((after[bar] as number) - (without[bar] as number));
        expect(error, `${rule} at ${bar}`).toBeLessThan(1e-12 * scale);
      }
    }
  });

  it('the deviation of tiny prices is a thousandth of that of prices a thousand times as high', () => {
    const small = [3, 5, 4, 7, 6].map((price) => price * 2 ** -40);
    const high = seriesOf('stddev(4)', flatBars([3, 5, 4, 7, 6])).values[4] as number;
    const tiny = seriesOf('stddev(4)', flatBars(small)).values[4] as number;
    expect(high).toBe(Math.sqrt(1.25));
    expect(tiny).toBe(high * 2 ** -40);
  });

  it('money flow stays between 0 and 100 on bars without volume', () => {
    const bars = Array.from({ length: 200 }, (_, i): Bar => {
      const price = 0.1 + ((i * 13) % 7) * 0.01;
      return [price, price, price, price, i % 3 === 0 ? 0.1 * i : 0];
    });
    const { values, start } = seriesOf('mfi(2)', candlesOf(bars));
    const range = values.subarray(start);
    expect([Math.min(...range), Math.max(...range)]).toEqual([0, 100]);
  });

  it('natr(1) is a percentage like every other natr', () => {
    const { values } = seriesOf(
      'natr(1)',
      candlesOf([
        [10, 10, 10, 10, 1],
        [10, 11, 9, 8, 1],
      ]),
    );
    expect(values[1]).toBe(25);
  });
});

describe('an indicator of a series with holes', () => {
  const doji: Bar = [10, 10, 10, 10, 0];
  const bar: Bar = [10, 12, 8, 11, 0];
  const place = '(close - low) / (high - low)';

  it('is undefined while its window has one and defined again behind', () => {
    const bars = [bar, bar, doji, bar, bar, bar];
    const { values } = seriesOf(`sma(${place}, 2)`, candlesOf(bars));
    expect([...values]).toEqual([NaN, 0.75, NaN, NaN, 0.75, 0.75]);
  });

  it('starts a recursive average afresh', () => {
    const bars = [bar, bar, doji, doji, bar, bar, bar];
    const { values } = seriesOf(`ema(${place}, 3)`, candlesOf(bars));
    expect([...values]).toEqual([NaN, NaN, NaN, NaN, NaN, NaN, 0.75]);
    expect([...seriesOf(`rsi(${place}, 2)`, candlesOf(bars)).values.subarray(0, 6)]).toEqual(
      Array(6).fill(NaN),
    );
  });

  it('takes an infinite value for a hole', () => {
    const { values } = seriesOf(
      'highest(close / (high - low), 2)',
      candlesOf([bar, doji, bar, bar]),
    );
    expect([...values]).toEqual([NaN, NaN, NaN, 2.75]);
  });
});

function seriesOf(rule: string, candles: Candles) {
  return new SeriesBook(candles, 1e7).series(parseExpression(rule), () => NaN);
}

function flatBars(prices: readonly number[]): Candles {
  return candlesOf(prices.map((price): Bar => [price, price, price, price, 1]));
}

function risingBars(count: number): Candles {
  return candlesOf(Array.from({ length: count }, (_, i): Bar => [9 + i, 12 + i, 8 + i, 10 + i, 5]));
}
