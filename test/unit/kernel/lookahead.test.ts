// Nothing looks ahead: random strategies out of the whole language, on random candles, trade the same up to any
// bar whether or not the file goes on after it.
import {
  type Arbitrary,
  array,
  assert,
  boolean,
  constantFrom,
  integer,
  oneof,
  option,
  property,
  record,
  tuple,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileBacktest } from '../../../src/kernel/backtest.ts';
import { indicatorDefinitions } from '../../../src/kernel/indicators/catalog.ts';
import type { Candles, Trade } from '../../../src/kernel/job.ts';
import type { BrokerSpec, RuleSpec, SideSpec, SizeSpec } from '../../../src/kernel/spec.ts';
import { uglyCandles, uglyMarkets } from './fast-fixture.ts';
import { type StrategyPart, specOf } from './fixture.ts';

const CALLS = indicatorDefinitions().flatMap(({ name, parameters, outputs }) => {
  const given = parameters.map(({ isWhole, min }, at) => (isWhole ? Math.max(min, 2 + at) : 0.1));
  const call = `${name}(${given.join(', ')})`;
  return outputs.length === 1 ? [call] : outputs.map((output) => `${call}.${output}`);
});

const values: Arbitrary<string> = tuple(
  oneof(constantFrom(...CALLS), constantFrom('open', 'high', 'low', 'close', 'volume')),
  oneof(
    { weight: 4, arbitrary: constantFrom('') },
    { weight: 1, arbitrary: constantFrom('[1]', '[3]', '@2h', '@6h', '@1d', '[1]@2h', '@2h[1]') },
  ),
).map((parts) => parts.join(''));

const operands: Arbitrary<string> = oneof(
  { weight: 4, arbitrary: values },
  { weight: 1, arbitrary: constantFrom('0', '1', '40', '70') },
  { weight: 1, arbitrary: tuple(values, constantFrom('+', '-', '*', '/'), values).map(calculated) },
  { weight: 1, arbitrary: values.map((value) => `ema(${value}, 3)`) },
);

const comparisons = tuple(
  values,
  constantFrom('<', '<=', '>', '>=', '==', 'crosses above', 'crosses below'),
  operands,
).map((parts) => parts.join(' '));

const rules: Arbitrary<RuleSpec> = oneof(
  { weight: 4, arbitrary: comparisons },
  { weight: 1, arbitrary: comparisons.map((rule) => ({ not: rule })) },
  { weight: 2, arbitrary: tuple(comparisons, comparisons).map((any) => ({ any })) },
);

const sides: Arbitrary<SideSpec> = record({
  enter: array(rules, { minLength: 1, maxLength: 2 }),
  exit: array(rules, { maxLength: 1 }),
});

const distances = constantFrom(
  null,
  '0.01',
  '0.05',
  '0.3',
  '2 * atr(3)',
  'high - low',
  'natr(4)@6h',
);

const strategies: Arbitrary<StrategyPart> = record({
  long: sides,
  short: option(sides, { nil: null }),
  stopLoss: constantFrom('0.02', '0.1', '3 * atr(3)'),
  takeProfit: distances,
  trailingStop: distances,
  breakeven: distances,
  maxBars: constantFrom(null, '1', '4', '30'),
  cooldown: constantFrom(null, '1', '5'),
  reverse: boolean(),
  size: constantFrom<SizeSpec>(
    { kind: 'equity', value: '0.9' },
    { kind: 'risk', value: '0.02' },
    { kind: 'cash', value: '400' },
  ),
});

const brokers: Arbitrary<Partial<BrokerSpec>> = record({
  fee: constantFrom(0, 0.002),
  slippage: constantFrom(0, 0.001),
  fill: constantFrom('nextOpen', 'close'),
  stopReference: constantFrom('fill', 'signalClose'),
  sameBar: constantFrom('stopFirst', 'targetFirst'),
});

describe('cutting the file after bar k', () => {
  it('never changes a trade closed by k, nor hides one', () => {
    let closed = 0;
    const markets = uglyMarkets(integer({ min: 60, max: 160 }));
    const engines = constantFrom('fast' as const, 'reference' as const);
    const shape = tuple(markets, strategies, brokers, engines, integer({ min: 30, max: 159 }));
    assert(
      property(shape, ([market, strategy, broker, engine, wanted]) => {
        const whole = uglyCandles(market);
        const bars = Math.min(wanted, whole.barCount);
        const tradesOn = (candles: Candles): readonly Trade[] =>
          compileBacktest(specOf([strategy], broker), candles, { engine }).trades(0);
        // What only the end of the file closes is not closed by k.
        const byThen = ({ exitBar, exitReason }: Trade): boolean =>
          exitBar < bars - 1 || (exitBar === bars - 1 && exitReason !== 'end');
        const expected = tradesOn(whole).filter(byThen);
        expect(tradesOn(cutAt(whole, bars)).filter(byThen)).toEqual(expected);
        closed += expected.length;
      }),
      { numRuns: 1500 },
    );
    expect(closed).toBeGreaterThan(3000);
  });
});

describe('what lies behind the end of a fold', () => {
  it('changes no trade and no bit of the row', () => {
    let trades = 0;
    const markets = uglyMarkets(integer({ min: 60, max: 160 }));
    const engines = constantFrom('fast' as const, 'reference' as const);
    const shape = tuple(markets, strategies, brokers, engines, integer({ min: 20, max: 140 }));
    assert(
      property(shape, ([market, strategy, broker, engine, wanted]) => {
        const whole = uglyCandles(market);
        const end = Math.min(wanted, whole.barCount - 2);
        const from = Math.floor(end / 3);
        const later = otherwiseAfter(whole, end);
        const range = { fromMs: whole.timeMs[from] ?? null, toMs: whole.timeMs[end] ?? null };
        const spec = specOf([strategy], broker, range);
        const [one, other] = [whole, later].map((candles) => {
          const runner = compileBacktest(spec, candles, { engine });
          const row = new Float64Array(runner.columns.length);
          runner.run(0, row, 0);
          return { row, trades: runner.trades(0) };
        });
        expect(other).toEqual(one);
        trades += one?.trades.length ?? 0;
      }),
      { numRuns: 1000 },
    );
    expect(trades).toBeGreaterThan(1000);
  });
});

/** Other prices and volumes from bar `end` on. */
function otherwiseAfter(candles: Candles, end: number): Candles {
  const later = (column: Float64Array) =>
    column.map((value, bar) => (bar < end ? value : value * 1.5 + 1));
  const { open, high, low, close, volume } = candles;
  const prices = { open: later(open), high: later(high), low: later(low), close: later(close) };
  return { ...candles, ...prices, volume: later(volume) };
}

function calculated([left, op, right]: readonly string[]): string {
  return `(${left} ${op} ${right})`;
}

function cutAt(candles: Candles, barCount: number): Candles {
  const cut = (column: Float64Array) => column.slice(0, barCount);
  const { timeMs, open, high, low, close, volume } = candles;
  return {
    barCount,
    timeMs: cut(timeMs),
    open: cut(open),
    high: cut(high),
    low: cut(low),
    close: cut(close),
    volume: cut(volume),
  };
}
