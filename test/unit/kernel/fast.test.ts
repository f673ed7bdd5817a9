// The fast engine against the reference: the same row bit for bit and the same trades, with cold caches and warm
// ones, whatever the strategy and however ugly the candles.
import { assert, constantFrom, integer, option, property, record, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileBacktest } from '../../../src/kernel/backtest.ts';
import { supports } from '../../../src/kernel/fast/supports.ts';
import type { Candles, TaskRunner } from '../../../src/kernel/job.ts';
import type { BacktestSpec, BrokerSpec } from '../../../src/kernel/spec.ts';
import { parseStrategy } from '../../../src/kernel/strategy.ts';
import { fastBrokers, fastStrategies, uglyCandles, uglyMarkets } from './fast-fixture.ts';
import { type Bar, LONG, SHORT, type StrategyPart, candlesOf, specOf } from './fixture.ts';

const TASKS = [0, 1, 2, 3, 4, 5];

describe('the fast engine', () => {
  it('gives the reference’s row and trades on any strategy and any candles', () => {
    let traded = 0;
    const cases = tuple(
      uglyMarkets(integer({ min: 8, max: 400 })),
      fastStrategies,
      fastBrokers,
      record({
        from: option(integer({ min: 0, max: 300 })),
        bars: option(integer({ min: 1, max: 300 })),
      }),
    );
    assert(
      property(cases, ([market, strategy, broker, { from, bars }]) => {
        const candles = uglyCandles(market);
        const time = (bar: number): number => candles.timeMs[bar] ?? 0;
        const spec = specOf([strategy], broker, {
          fromMs: from === null ? null : time(from % market.bars),
          toMs: bars === null ? null : time((from ?? 0) % market.bars) + bars * 3_600_000,
        });
        traded += compareEngines(spec, candles, TASKS.slice(0, 2));
      }),
      { numRuns: 2500 },
    );
    // Random rules do trade.
    expect(traded).toBeGreaterThan(10_000);
  });

  it('gives them on runs long enough to skip blocks of all sizes', () => {
    let traded = 0;
    const cases = tuple(
      uglyMarkets(constantFrom(5000, 9000, 4096, 8193)),
      fastStrategies,
      fastBrokers,
    );
    assert(
      property(cases, ([market, strategy, broker]) => {
        traded += compareEngines(specOf([strategy], broker), uglyCandles(market), [0]);
      }),
      { numRuns: 150 },
    );
    expect(traded).toBeGreaterThan(5_000);
  });

  it('gives them on trades that last for thousands of bars', () => {
    const rare = { enter: ['volume == 4', 'rsi(3) > 95'], exit: ['rsi(9) < 5'] };
    const cases = tuple(
      uglyMarkets(constantFrom(9000, 16_400)),
      constantFrom(null, '0.5', '0.9'),
      constantFrom(null, '2', '6'),
      constantFrom('1', '0.3'),
      constantFrom({}, { trailingStop: '0.5' }, { trailingStop: '0.4', breakeven: '0.6' }),
    );
    assert(
      property(cases, ([market, stopLoss, takeProfit, value, moving]) => {
        const size = { kind: 'equity', value } as const;
        const long = { long: rare, stopLoss, takeProfit, size, ...moving };
        const short = { ...long, long: null, short: rare };
        const spec = specOf([long, short, { ...long, short: rare, reverse: true }]);
        compareEngines(spec, uglyCandles(market), [0, 1, 2]);
      }),
      { numRuns: 60 },
    );
  });

  it('gives them with a cache too small for its conditions', () => {
    const candles = uglyCandles({ seed: 5, bars: 2000, stepHours: 1, tick: 1 });
    const strategy = {
      vars: [{ name: 'n', from: 2, step: 1, count: 30 }],
      long: { enter: ['rsi($n) < 40', 'close > sma($n)'], exit: [{ not: 'rsi($n) < 60' }] },
      short: { enter: ['close crosses below ema($n)'], exit: [] },
      stopLoss: '0.05',
    };
    const tasks = Array.from({ length: 30 }, (_, task) => task);
    const spec = specOf([strategy], { fee: 0.001 });
    for (const cacheBytes of [0, 5_000, 100_000]) {
      expect(rowsOf(compileBacktest(spec, candles, { cacheBytes }), [...tasks, ...tasks])).toEqual(
        rowsOf(reference(spec, candles), [...tasks, ...tasks]),
      );
    }
  });

  it('writes both crosses of two series at once for a strategy that has both', () => {
    // Bars behind the last whole word of bits count too.
    const candles = uglyCandles({ seed: 5, bars: 1013, stepHours: 1, tick: 0.1 });
    const spec = specOf(
      ['above', 'below'].map((side) => ({
        long: {
          enter: [`ema(3) crosses ${side} sma(8)`],
          exit: [`ema(3) crosses ${side === 'above' ? 'below' : 'above'} sma(8)`],
        },
      })),
    );
    for (const tasks of [
      [0, 1],
      [1, 0],
    ]) {
      expect(compareEngines(spec, candles, tasks)).toBeGreaterThan(100);
    }
  });

  it('leaves money beyond finite numbers to the reference', () => {
    const candles = candlesOf([1e-300, 1e-300, 1, 1e300, 1e300, 1, 1].map(motionless));
    const whole = { kind: 'equity', value: '1' } as const;
    const spec = specOf([
      { ...LONG, size: whole },
      { long: { enter: ['volume == 1'], exit: ['volume == 1'] }, size: whole, maxBars: '1' },
    ]);
    compareEngines(spec, candles, [0, 1]);
  });

  it('supports what it runs, and nothing that it has never heard of', () => {
    const known = parseStrategy(firstOf(specOf([{ ...LONG, ...SHORT, stopLoss: '0.1' }])));
    const { broker } = specOf([LONG]);
    expect(supports(known, broker)).toBe(true);
    const unknown: readonly [StrategyPart, Partial<BrokerSpec>][] = [[LONG, { fill: 'close' }]];
    for (const [strategy, brokerPart] of unknown) {
      const spec = specOf([strategy], brokerPart);
      expect(supports(parseStrategy(firstOf(spec)), spec.broker)).toBe(false);
    }
    expect(supports(Object.assign({ pyramiding: 3 }, known), broker)).toBe(false);
    expect(supports(known, Object.assign({ margin: 'portfolio' }, broker))).toBe(false);
    expect(supports(Object.assign({ pyramiding: null }, known), broker)).toBe(true);
  });

  it('falls back to the reference for the rest, with the same rows', () => {
    const candles = uglyCandles({ seed: 11, bars: 500, stepHours: 5, tick: 0.5 });
    const mixed = specOf([LONG, { ...SHORT, stopLoss: '0.1' }], { fill: 'close' });
    const tasks = [0, 1, 0];
    expect(rowsOf(compileBacktest(mixed, candles), tasks)).toEqual(
      rowsOf(reference(mixed, candles), tasks),
    );
  });
});

/** A bar that stays at one price and calls for a long. */
function motionless(price: number): Bar {
  return [price, price, price, price, 1];
}

/** Compares rows and trades of some tasks, cold and warm; returns the number of trades. */
function compareEngines(spec: BacktestSpec, candles: Candles, tasks: readonly number[]): number {
  for (const strategy of spec.strategies) {
    expect(supports(parseStrategy(strategy), spec.broker)).toBe(true);
  }
  const fast = compileBacktest(spec, candles, { engine: 'fast' });
  const twin = compileBacktest(spec, candles, { engine: 'twin' });
  const slow = reference(spec, candles);
  let trades = 0;
  for (const task of tasks) {
    const expected = rowsOf(slow, [task]);
    expect(rowsOf(fast, [task])).toEqual(expected);
    expect(rowsOf(twin, [task])).toEqual(expected);
    const story = slow.trades(task);
    expect(fast.trades(task)).toEqual(story);
    expect(rowsOf(fast, [task])).toEqual(expected);
    expect(rowsOf(twin, [task])).toEqual(expected);
    trades += story.length;
  }
  return trades;
}

function reference(spec: BacktestSpec, candles: Candles): TaskRunner {
  return compileBacktest(spec, candles, { engine: 'reference' });
}

function rowsOf(runner: TaskRunner, tasks: readonly number[]): string[] {
  return tasks.map((task) => {
    const row = new Float64Array(runner.columns.length);
    runner.run(task, row, 0);
    return new BigUint64Array(row.buffer).join();
  });
}

function firstOf({ strategies }: BacktestSpec): BacktestSpec['strategies'][number] {
  const [first] = strategies;
  if (first === undefined) throw new Error('no strategy');
  return first;
}
