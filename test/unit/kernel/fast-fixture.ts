// Random markets and random strategies for the comparison of the two engines: prices on a coarse grid so that
// highs, lows, stops and closes coincide, runs without any move, spikes, and hours and days that are missing.
import {
  type Arbitrary,
  array,
  boolean,
  constantFrom,
  integer,
  oneof,
  option,
  record,
  tuple,
} from 'fast-check';
import type { Candles } from '../../../src/kernel/job.ts';
import { Random } from '../../../src/kernel/random.ts';
import type { BrokerSpec, RuleSpec, SideSpec, SizeSpec } from '../../../src/kernel/spec.ts';
import type { StrategyPart } from './fixture.ts';

const HOUR_MS = 3_600_000;

export interface UglyMarket {
  readonly seed: number;
  readonly bars: number;
  readonly stepHours: number;
  /** Prices are multiples of it. */
  readonly tick: number;
}

export function uglyCandles({ seed, bars, stepHours, tick }: UglyMarket): Candles {
  const random = new Random(seed);
  const below = (count: number): number => random.nextUint32() % count;
  const column = (): Float64Array => new Float64Array(bars);
  const candles = { barCount: bars, timeMs: column(), open: column(), high: column() };
  const rest = { low: column(), close: column(), volume: column() };
  let timeMs = 1_704_067_200_000;
  let price = 40;
  let still = 0;
  for (let bar = 0; bar < bars; bar++) {
    if (still === 0 && below(40) === 0) still = below(30);
    else if (still > 0) still--;
    const size = still > 0 ? 0 : below(60) === 0 ? 20 : 3;
    const move = (): number => (below(2 * size + 1) - size) * tick;
    const atLeast = (value: number): number => Math.max(tick, value);
    const open = below(12) === 0 ? atLeast(price + move()) : price;
    const close = atLeast(open + move() + (price > 400 ? -tick : 0));
    candles.timeMs[bar] = timeMs;
    candles.open[bar] = open;
    rest.close[bar] = close;
    candles.high[bar] = Math.max(open, close) + Math.max(0, move());
    rest.low[bar] = atLeast(Math.min(open, close) - Math.max(0, move()));
    rest.volume[bar] = below(5);
    price = close;
    timeMs += stepHours * HOUR_MS * (below(50) === 0 ? 1 + below(60) : 1);
  }
  return { ...candles, ...rest };
}

export const uglyMarkets = (bars: Arbitrary<number>): Arbitrary<UglyMarket> =>
  record({
    seed: integer(),
    bars,
    stepHours: constantFrom(0.25, 1, 5, 24),
    tick: constantFrom(1, 0.5, 0.1),
  });

const comparisons: Arbitrary<string> = oneof(
  tuple(
    constantFrom('close', 'open', 'high[1]', 'sma(3)', 'ema(5)', 'highest(4)[1]', 'close * 1.02'),
    constantFrom('<', '<=', '>', '>=', '==', 'crosses above', 'crosses below'),
    constantFrom('close[1]', 'sma(5)', 'ema(9)', 'lowest(6)', '40', '(high + low) / 2', 'ema($n)'),
  ).map((parts) => parts.join(' ')),
  tuple(
    constantFrom('volume', 'rsi(3)', 'rsi($n)', '(close - open) / (high - low) * 50'),
    constantFrom('<', '>', '==', '>=', 'crosses above', 'crosses below'),
    constantFrom('1', '2', '$x', '30', '70', '-10'),
  ).map((parts) => parts.join(' ')),
  constantFrom('3 <= volume', '30 crosses below rsi(4)', '2 == volume', '1 < volume[2]'),
);

const rules: Arbitrary<RuleSpec> = oneof(
  { weight: 6, arbitrary: comparisons },
  { weight: 1, arbitrary: comparisons.map((rule) => ({ not: rule })) },
  { weight: 1, arbitrary: tuple(comparisons, comparisons).map((any) => ({ any })) },
  {
    weight: 1,
    arbitrary: tuple(comparisons, comparisons).map(([one, two]) => ({ all: [one, { not: two }] })),
  },
);

const sides: Arbitrary<SideSpec> = record({
  enter: oneof(
    { weight: 5, arbitrary: array(rules, { minLength: 1, maxLength: 2 }) },
    { weight: 1, arbitrary: array(rules, { minLength: 0, maxLength: 5 }) },
  ),
  exit: array(rules, { maxLength: 2 }),
});

const sizes: Arbitrary<SizeSpec> = oneof(
  constantFrom('1', '0.5', '0.1').map((value) => ({ kind: 'equity' as const, value })),
  constantFrom('300', '5000').map((value) => ({ kind: 'cash' as const, value })),
  constantFrom('1', '7', '30').map((value) => ({ kind: 'units' as const, value })),
  constantFrom('0.01', '0.5').map((value) => ({ kind: 'risk' as const, value })),
);

/** Strategies that the fast engine supports, with variables `n` and `x`. */
export const fastStrategies: Arbitrary<StrategyPart> = record({
  vars: constantFrom([
    { name: 'n', values: [2, 4, 7] },
    { name: 'x', from: 1, step: 1, count: 2 },
  ]),
  long: option(sides, { freq: 4, nil: null }),
  short: option(sides, { freq: 2, nil: null }),
  stopLoss: constantFrom(null, '0.02', '0.1', '0.6', '$x * 0.01', '2 * atr(3)', 'close - low'),
  takeProfit: constantFrom(null, '0.03', '0.2', '1.5', '3 * atr(3)'),
  trailingStop: constantFrom(null, null, null, '0.03', '0.3', '2 * atr(3)'),
  breakeven: constantFrom(null, null, null, '0.02', '0.1', '1 * atr(3)'),
  maxBars: constantFrom(null, null, '1', '3', '20', '$n'),
  cooldown: constantFrom(null, null, '0', '1', '5'),
  reverse: boolean(),
  size: sizes,
});

/** Brokers that the fast engine supports. */
export const fastBrokers: Arbitrary<BrokerSpec> = record({
  cash: constantFrom(1000, 50),
  fee: constantFrom(0, 0.001, 0.05),
  slippage: constantFrom(0, 0.0005, 0.01),
  lot: constantFrom(0, 0, 0.1, 1),
  fill: constantFrom('nextOpen' as const),
  stopReference: constantFrom('fill' as const, 'signalClose' as const),
  sameBar: constantFrom('stopFirst' as const, 'targetFirst' as const),
});
