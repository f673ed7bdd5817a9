// Indicators by their definitions, written out plainly and slowly, on series that are not TA-Lib's; and what they
// say of windows in which nothing moves.
import { describe, expect, it } from 'vitest';
import { SeriesBook } from '../../../src/kernel/engine/series.ts';
import { indicatorDefinitions } from '../../../src/kernel/indicators/catalog.ts';
import type { Candles } from '../../../src/kernel/job.ts';
import { parseExpression } from '../../../src/kernel/language/parse.ts';
import { syntheticCandles } from '../../../src/node/jobfile/synthetic.ts';
import { type Bar, candlesOf } from './fixture.ts';

const market = syntheticCandles({ seed: 7, bars: 5000, stepMs: 900_000, startMs: 0 });
const { high, low, close, volume } = market;
const at = (x: Float64Array, bar: number): number => x[bar] ?? NaN;
const typical = close.map((c, bar) => (at(high, bar) + at(low, bar) + c) / 3);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

const PLAIN: readonly [rule: string, valueAt: (bar: number) => number][] = [
  ['sma(50)', (bar) => mean(windowOf(close, bar, 50))],
  ['wma(7)', (bar) => sum(windowOf(close, bar, 7).map((v, i) => (v * (i + 1)) / 28))],
  ['linreg(30)', (bar) => lineOf(windowOf(close, bar, 30)).end],
  ['linregslope(30)', (bar) => lineOf(windowOf(close, bar, 30)).slope],
  [
    'stddev(25)',
    (bar) => {
      const values = windowOf(close, bar, 25);
      return Math.sqrt(mean(values.map((v) => (v - mean(values)) ** 2)));
    },
  ],
  [
    'cci(20)',
    (bar) => {
      const values = windowOf(typical, bar, 20);
      const spread = mean(values.map((v) => Math.abs(v - mean(values))));
      return (at(typical, bar) - mean(values)) / (0.015 * spread);
    },
  ],
  [
    'willr(14)',
    (bar) => {
      const top = Math.max(...windowOf(high, bar, 14));
      return (-100 * (top - at(close, bar))) / (top - Math.min(...windowOf(low, bar, 14)));
    },
  ],
  [
    'mfi(14)',
    (bar) => {
      const bars = Array.from({ length: 14 }, (_, i) => bar - i);
      const flow = (sign: number) =>
        sum(
          bars
            .filter((b) => Math.sign(at(typical, b) - at(typical, b - 1)) === sign)
            .map((b) => at(typical, b) * at(volume, b)),
        );
      return (100 * flow(1)) / (flow(1) + flow(-1));
    },
  ],
  [
    'vwap()',
    (bar) => {
      // 96 bars of a quarter of an hour are a day.
      const today = Array.from({ length: (bar % 96) + 1 }, (_, i) => bar - i);
      return (
        sum(today.map((b) => at(typical, b) * at(volume, b))) / sum(today.map((b) => at(volume, b)))
      );
    },
  ],
];

describe('indicators follow their definitions', () => {
  it.each(PLAIN)('%s', (rule, valueAt) => {
    const { values, start } = seriesOf(rule, market);
    for (let bar = start; bar < market.barCount; bar += 37) {
      const expected = valueAt(bar);
      const tolerance = 1e-9 * Math.max(1, Math.abs(expected));
      expect(Math.abs(at(values, bar) - expected), `bar ${bar}`).toBeLessThan(tolerance);
    }
  });

  it('where nothing moves, each is one quiet number from its first bar on', () => {
    // 0.1 summed twenty times is not 2: what only rounding moves must not look like a signal.
    const bars = Array.from({ length: 80 }, (): Bar => [0.1, 0.1, 0.1, 0.1, 3]);
    for (const { name, parameters, outputs } of indicatorDefinitions()) {
      const given = parameters.map(({ fallback, isWhole }) => fallback ?? (isWhole ? 5 : 1));
      for (const output of outputs) {
        const call = `${name}(${given.join(', ')})`;
        const rule = outputs.length === 1 ? call : `${call}.${output}`;
        const { values, start } = seriesOf(rule, candlesOf(bars));
        expect([...values.subarray(0, start)].every(Number.isNaN), rule).toBe(true);
        const quiet = /^(volsma|obv)/.test(name) ? 3 : 0.1;
        const rest = [...values.subarray(start)];
        const isQuiet = (value: number) =>
          Math.abs(value) < 1e-12 || Math.abs(value - quiet) < 1e-12;
        expect(rest.every(isQuiet), `${rule}: ${rest.slice(0, 3).join()}`).toBe(true);
      }
    }
  });

  it('vwap is undefined until the day has volume', () => {
    const bars: Bar[] = [
      [10, 12, 8, 10, 0],
      [10, 12, 8, 10, 5],
      [20, 22, 18, 20, 0],
    ];
    const { values } = seriesOf('vwap()', candlesOf(bars));
    expect([...values]).toEqual([NaN, 10, NaN]);
  });
});

function seriesOf(rule: string, candles: Candles) {
  return new SeriesBook(candles, 1e7).series(parseExpression(rule), () => NaN);
}

/** The `period` values that end at `bar`, oldest first. */
function windowOf(x: Float64Array, bar: number, period: number): number[] {
  return [...x.subarray(bar - period + 1, bar + 1)];
}

function lineOf(values: readonly number[]): { end: number; slope: number } {
  const centre = (values.length - 1) / 2;
  const rise = sum(values.map((v, i) => (i - centre) * (v - mean(values))));
  const slope = rise / sum(values.map((_, i) => (i - centre) ** 2));
  return { end: mean(values) + slope * centre, slope };
}
