// Every indicator that rules may name: its parameters and their bounds, what it is computed from, its outputs,
// and from which bar it is defined. The parser, the documentation and the series cache all read this table.

import type { Candles } from '../job.ts';
import type { Field } from '../language/ast.ts';
import { MAX_PERIOD } from '../limits.ts';
import { deviation, ema, sma, wma } from './averages.ts';
import { macd, mom, roc, rsi } from './momentum.ts';
import { atr, highest, lowest, trueRange } from './ranges.ts';

export interface ParameterDefinition {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly isWhole: boolean;
  /** Value when left out. */
  readonly fallback?: number;
}

interface IndicatorInput {
  readonly candles: Candles;
  /** The source series; the close where the indicator takes none. */
  readonly source: Float64Array;
  /** First bar at which `source` is defined. */
  readonly start: number;
}

export interface IndicatorDefinition {
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly ParameterDefinition[];
  /** One entry: the call itself is the value. Several: rules name one after a dot. */
  readonly outputs: readonly string[];
  /** Column it is computed from when the rule names no series; null: it needs whole candles. */
  readonly source: Field | null;
  /** Bars that its input must have before its first value. */
  lookback(parameters: readonly number[]): number;
  /** One series per output, in order. */
  compute(input: IndicatorInput, parameters: readonly number[]): readonly Float64Array[];
}

export function findIndicator(name: string): IndicatorDefinition | undefined {
  return BY_NAME.get(name);
}

/** Names and other spellings, as people may write them. */
export function indicatorNames(): readonly string[] {
  return [...BY_NAME.keys()];
}

export function indicatorDefinitions(): readonly IndicatorDefinition[] {
  return DEFINITIONS;
}

/** Indicators that the language reserves and this version does not compute. */
export function isPlannedIndicator(name: string): boolean {
  return PLANNED.has(name);
}

const PLANNED: ReadonlySet<string> = new Set(
  (
    'dema tema trima kama natr adx plus_di minus_di cci mfi obv willr trix cmo sar linreg vwap stoch ' +
    'stochrsi aroon ultosc ad adosc bop midprice ppo apo ichimoku supertrend keltner'
  ).split(' '),
);

const period = (min = 1, name = 'period'): ParameterDefinition => ({
  name,
  min,
  max: MAX_PERIOD,
  isWhole: true,
});

const windowed = (parameters: readonly number[]): number => (parameters[0] ?? 1) - 1;
const whole = (parameters: readonly number[]): number => parameters[0] ?? 0;

type SeriesFunction = (x: Float64Array, start: number, period: number) => Float64Array;

const of =
  (compute: SeriesFunction): IndicatorDefinition['compute'] =>
  ({ source, start }, [length = 1]) => [compute(source, start, length)];

function simple(
  name: string,
  summary: string,
  compute: SeriesFunction,
  more: Partial<Pick<IndicatorDefinition, 'parameters' | 'source' | 'lookback'>> = {},
): IndicatorDefinition {
  return {
    name,
    summary,
    parameters: [period()],
    outputs: ['value'],
    source: 'close',
    lookback: windowed,
    compute: of(compute),
    ...more,
  };
}

const DEFINITIONS: readonly IndicatorDefinition[] = [
  simple('sma', 'simple moving average', sma),
  simple('ema', 'exponential moving average, seeded by the SMA', ema),
  simple('wma', 'linearly weighted moving average', wma),
  simple('volsma', 'simple moving average of the volume', sma, { source: 'volume' }),
  simple('stddev', 'population standard deviation', deviation),
  simple('rsi', "Wilder's relative strength index", rsi, {
    parameters: [period(2)],
    lookback: whole,
  }),
  simple('roc', 'change over so many bars, in percent', roc, { lookback: whole }),
  simple('mom', 'change over so many bars', mom, { lookback: whole }),
  simple('highest', 'largest high of the window, this bar included', highest, { source: 'high' }),
  simple('lowest', 'smallest low of the window, this bar included', lowest, { source: 'low' }),
  {
    name: 'atr',
    summary: "Wilder's average true range",
    parameters: [period()],
    outputs: ['value'],
    source: null,
    lookback: whole,
    compute: ({ candles }, [length = 1]) => [atr(candles, length)],
  },
  {
    name: 'trange',
    summary: 'true range of the bar',
    parameters: [],
    outputs: ['value'],
    source: null,
    lookback: () => 1,
    compute: ({ candles }) => [trueRange(candles)],
  },
  {
    name: 'macd',
    summary: 'difference of two EMAs, its signal line and their distance',
    parameters: [
      { ...period(2, 'fast'), fallback: 12 },
      { ...period(2, 'slow'), fallback: 26 },
      { ...period(1, 'signal'), fallback: 9 },
    ],
    outputs: ['macd', 'signal', 'hist'],
    source: 'close',
    lookback: ([fast = 12, slow = 26, signal = 9]) => Math.max(fast, slow) + signal - 2,
    compute: ({ source, start }, parameters) => macd(source, start, parameters),
  },
  {
    name: 'bollinger',
    summary: 'SMA with bands a number of population standard deviations away',
    parameters: [
      period(2),
      { name: 'deviations', min: -1000, max: 1000, isWhole: false, fallback: 2 },
    ],
    outputs: ['upper', 'middle', 'lower'],
    source: 'close',
    lookback: windowed,
    compute: bollinger,
  },
  {
    name: 'donchian',
    summary: 'highest high and lowest low of the window, this bar included, and their middle',
    parameters: [period()],
    outputs: ['upper', 'middle', 'lower'],
    source: null,
    lookback: windowed,
    compute: ({ candles }, [length = 1]) => {
      const upper = highest(candles.high, 0, length);
      const lower = lowest(candles.low, 0, length);
      return [upper, upper.map((value, bar) => (value + (lower[bar] as number)) / 2), lower];
    },
  },
];

const BY_NAME: ReadonlyMap<string, IndicatorDefinition> = new Map([
  ...DEFINITIONS.map((definition) => [definition.name, definition] as const),
  ...DEFINITIONS.flatMap((definition) =>
    definition.name === 'bollinger' ? [['bbands', definition] as const] : [],
  ),
]);

function bollinger(
  { source, start }: IndicatorInput,
  [length = 20, deviations = 2]: readonly number[],
): readonly Float64Array[] {
  const middle = sma(source, start, length);
  const spread = deviation(source, start, length);
  const upper = middle.map((value, bar) => value + (spread[bar] as number) * deviations);
  const lower = middle.map((value, bar) => value - (spread[bar] as number) * deviations);
  return [upper, middle, lower];
}
