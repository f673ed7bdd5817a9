// A compiled job: tasks decoded from their index, rows that depend on the task only, errors as rows.
import { array, assert, double, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileBacktest } from '../../../src/kernel/backtest.ts';
import { compileJob } from '../../../src/kernel/compile.ts';
import { LeastRecentMap } from '../../../src/kernel/least-recent.ts';
import { syntheticCandles } from '../../../src/node/jobfile/synthetic.ts';
import type { Candles, TaskRunner } from '../../../src/kernel/job.ts';
import { DAY_MS, LONG, candlesOf, resultOf, specOf } from './fixture.ts';

const market = (bars: number, seed = 1): Candles =>
  syntheticCandles({ seed, bars, stepMs: DAY_MS / 24, startMs: 0 });

const GRID = {
  name: 'grid',
  vars: [
    { name: 'n', values: [3, 5, 8] },
    { name: 'x', from: 20, step: 5, count: 5 },
    { name: 'sl', from: 0.01, to: 0.04, count: 3, log: true },
  ],
  long: { enter: ['rsi($n) < $x', 'close > sma(20)'], exit: ['rsi($n) > 60'] },
  short: { enter: ['close crosses below ema($n)'], exit: [] },
  stopLoss: '$sl',
  takeProfit: '$sl * 2',
  maxBars: '40',
  reverse: true,
  size: { kind: 'equity', value: '0.5' } as const,
};

describe('a compiled backtest', () => {
  it('decodes a task index: the last variable is the fastest, blocks follow each other', () => {
    const runner = compileBacktest(specOf([LONG, GRID, LONG]), market(100));
    const label = (task: number) => runner.label(task);
    expect(runner.taskCount).toBe(1 + 45 + 1);
    expect(label(0)).toEqual({ name: 's0', params: {} });
    expect(label(1)).toEqual({ name: 'grid', params: { n: 3, x: 20, sl: 0.01 } });
    expect(label(2).params).toEqual({ n: 3, x: 20, sl: 0.02 });
    expect(label(1 + 3 + 2).params).toEqual({ n: 3, x: 25, sl: 0.04 });
    expect(label(45).params).toEqual({ n: 8, x: 40, sl: 0.04 });
    expect(label(46)).toEqual({ name: 's2', params: {} });
    expect(() => label(47)).toThrow('no task 47');
  });

  it('opens a grid of ten million points at once', () => {
    const vars = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => ({
      name,
      from: 1,
      step: 1,
      count: 10,
    }));
    const wide = { vars, long: { enter: ['close > $a + $b + $c + $d + $e + $f + $g'], exit: [] } };
    const runner = compileBacktest(specOf([wide]), market(100));
    expect(runner.taskCount).toBe(10_000_000);
    expect(runner.label(1_234_567).params).toEqual({ a: 2, b: 3, c: 4, d: 5, e: 6, f: 7, g: 8 });
  });

  it('states its work in whole units that add up to its tasks', () => {
    const { workRuns, taskCount } = compileBacktest(specOf([LONG, GRID]), market(1000));
    expect(workRuns.reduce((sum, { tasks }) => sum + tasks, 0)).toBe(taskCount);
    for (const { units } of workRuns) expect(Number.isInteger(units) && units >= 1).toBe(true);
    const alike = compileBacktest(specOf([LONG, LONG]), market(1000)).workRuns;
    expect(alike).toEqual([{ tasks: 2, units: workRuns[0]?.units }]);
    expect(workRuns[1]?.units).toBeGreaterThan(workRuns[0]?.units ?? Infinity);
  });

  it('gives the same bits in any order, with a warm cache and a cold one', () => {
    const candles = market(600);
    const spec = specOf([GRID], { fee: 0.001, slippage: 0.0005 });
    const warm = compileBacktest(spec, candles);
    const forward = rowsOf(
      warm,
      Array.from({ length: 45 }, (_, i) => i),
    );
    const backward = rowsOf(
      warm,
      Array.from({ length: 45 }, (_, i) => 44 - i),
    ).toReversed();
    expect(backward).toEqual(forward);
    for (const task of [0, 17, 44]) {
      expect(rowsOf(compileBacktest(spec, candles), [task])).toEqual([forward[task]]);
    }
    expect(new Set(forward).size).toBeGreaterThan(20);
  });

  it('never changes a trade that was closed before the data was cut', () => {
    const whole = market(400);
    const spec = specOf([GRID], { fee: 0.001, slippage: 0.0005 });
    const all = compileBacktest(spec, whole);
    expect(all.trades(44).length).toBeGreaterThan(5);
    assert(
      property(integer({ min: 60, max: 399 }), integer({ min: 0, max: 44 }), (cut, task) => {
        const short = compileBacktest(spec, cutAt(whole, cut));
        const before = short.trades(task).filter(({ exitReason }) => exitReason !== 'end');
        expect(all.trades(task).slice(0, before.length)).toEqual(before);
        // What closes before the cut in the long run is there in the short one.
        expect(all.trades(task).filter(({ exitBar }) => exitBar < cut)).toHaveLength(before.length);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps its books: equity is cash plus the trades’ pnl, on any candles', () => {
    const bar = record({
      close: double({ min: 1, max: 100, noNaN: true }),
      open: double({ min: 1, max: 100, noNaN: true }),
      up: double({ min: 0, max: 20, noNaN: true }),
      down: double({ min: 0, max: 0.9, noNaN: true }),
      volume: integer({ min: 0, max: 4 }),
    });
    assert(
      property(array(bar, { minLength: 12, maxLength: 40 }), (bars) => {
        const candles = candlesOf(
          bars.map(({ open, close, up, down, volume }) => [
            open,
            Math.max(open, close) + up,
            Math.min(open, close) * (1 - down),
            close,
            volume,
          ]),
        );
        const strategy = {
          long: { enter: ['volume == 1'], exit: ['volume == 2'] },
          short: { enter: ['volume == 3'], exit: ['volume == 4'] },
          stopLoss: '0.2',
          takeProfit: '0.3',
          reverse: true,
          size: { kind: 'equity', value: '0.7' } as const,
        };
        const broker = { fee: 0.002, slippage: 0.001 };
        const { row, trades } = resultOf(compileBacktest(specOf([strategy], broker), candles), 0);
        const sum = trades.reduce((total, { pnl }) => total + pnl, 0);
        expect(Math.abs((row['finalEquity'] ?? NaN) - 1000 - sum)).toBeLessThan(1e-6);
        expect(row['trades']).toBe(trades.length);
        for (const [i, trade] of trades.entries()) {
          expect(trade.exitBar).toBeGreaterThanOrEqual(trade.entryBar);
          expect(trade.entryBar).toBeGreaterThanOrEqual(trades[i - 1]?.exitBar ?? 1);
        }
      }),
    );
  });

  it.each([
    [1, { vars: [{ name: 'n', values: [0] }], long: { enter: ['rsi($n) > 1'], exit: [] } }],
    [
      1,
      { vars: [{ name: 'n', values: [1e9] }], long: { enter: ['close > sma($n * 2)'], exit: [] } },
    ],
    [1, { vars: [{ name: 'n', values: [2.5] }], long: { enter: ['close > sma($n)'], exit: [] } }],
    [2, { ...LONG, vars: [{ name: 'sl', values: [-0.1] }], stopLoss: '$sl' }],
    [2, { ...LONG, vars: [{ name: 'sl', values: [0] }], takeProfit: '1 / $sl' }],
    [3, { ...LONG, size: { kind: 'equity', value: '1.5' } as const }],
    [3, { ...LONG, size: { kind: 'cash', value: '-1' } as const }],
    [4, { ...LONG, maxBars: '0' }],
    [5, { long: { enter: ['close > sma(99999)'], exit: [] } }],
    [5, { long: { enter: ['close > open[5000]'], exit: [] } }],
  ])('answers a task that cannot be computed with error %d', (code, strategy) => {
    const runner = compileBacktest(specOf([strategy]), market(100));
    const { row, trades } = resultOf(runner, 0);
    expect(trades).toEqual([]);
    expect(Object.values(row)).toEqual([...Array.from({ length: 19 }, () => NaN), code]);
  });

  it('refuses to compile without its dataset or with a broken rule', () => {
    expect(() => compileJob(specOf([LONG]), new Map())).toThrow('is missing');
    const broken = specOf([{ long: { enter: ['close >'], exit: [] } }]);
    expect(() => compileBacktest(broken, market(10))).toThrow('ends where a value is expected');
  });
});

describe('the series cache', () => {
  it('forgets what was used longest ago and never exceeds its budget', () => {
    const cache = new LeastRecentMap<number>(30);
    cache.set('a', 1, 10);
    cache.set('b', 2, 10);
    cache.set('c', 3, 10);
    expect(cache.get('a')).toBe(1);
    cache.set('d', 4, 10);
    expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key))).toEqual([1, undefined, 3, 4]);
    cache.set('huge', 5, 31);
    expect(cache.get('huge')).toBe(undefined);
    expect(cache.usedBytes).toBe(30);
  });
});

function rowsOf(runner: TaskRunner, tasks: readonly number[]): string[] {
  return tasks.map((task) => {
    const row = new Float64Array(runner.columns.length);
    runner.run(task, row, 0);
    return new BigUint64Array(row.buffer).join();
  });
}

function cutAt(candles: Candles, bars: number): Candles {
  const cut = (column: Float64Array) => column.slice(0, bars);
  const { timeMs, open, high, low, close, volume } = candles;
  return {
    barCount: bars,
    timeMs: cut(timeMs),
    open: cut(open),
    high: cut(high),
    low: cut(low),
    close: cut(close),
    volume: cut(volume),
  };
}
