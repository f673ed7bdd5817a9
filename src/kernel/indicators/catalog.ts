// Every indicator that rules may name: its parameters and their bounds, what it is computed from, its outputs,
// and from which bar it is defined. The parser, the documentation and the series cache all read this table.

import { deviation, ema, sma, wma } from './averages.ts';
import {
  type IndicatorDefinition,
  type IndicatorInput,
  ofCandles,
  ofSeries,
  period,
  whole,
  windowed,
} from './definition.ts';
import { adx, minusDi, parabolicSar, plusDi } from './directional.ts';
import { macd, mom, roc, rsi } from './momentum.ts';
import { cci, cmo, stochastic, stochasticRsi, williamsR } from './oscillators.ts';
import { atr, highest, lowest, normalisedAtr, trueRange } from './ranges.ts';
import { linearRegression, regressionSlope } from './regression.ts';
import { dema, kama, tema, trix } from './smoothing.ts';
import { moneyFlow, onBalanceVolume, vwap } from './volume.ts';

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
  'trima aroon ultosc ad adosc bop midprice ppo apo ichimoku supertrend keltner'.split(' '),
);

/** Bars of a CCI: its mean deviation costs a pass over the window at every bar. */
const CCI_PERIOD_MAX = 1000;

const CHANGES = { lookback: whole };

const DEFINITIONS: readonly IndicatorDefinition[] = [
  ofSeries('sma', 'simple moving average', sma),
  ofSeries('ema', 'exponential moving average, seeded by the SMA', ema),
  ofSeries('wma', 'linearly weighted moving average', wma),
  ofSeries('dema', 'double exponential moving average', dema, {
    lookback: ([length = 1]) => 2 * (length - 1),
  }),
  ofSeries('tema', 'triple exponential moving average', tema, {
    lookback: ([length = 1]) => 3 * (length - 1),
  }),
  ofSeries('kama', "Kaufman's adaptive moving average", kama, {
    parameters: [period(2)],
    lookback: whole,
  }),
  ofSeries('volsma', 'simple moving average of the volume', sma, { source: 'volume' }),
  ofSeries('stddev', 'population standard deviation', deviation),
  ofSeries('linreg', 'end of the least-squares line', linearRegression, {
    parameters: [period(2)],
  }),
  ofSeries('linregslope', 'rise per bar of the least-squares line', regressionSlope, {
    parameters: [period(2)],
  }),
  ofSeries('rsi', "Wilder's relative strength index", rsi, {
    parameters: [period(2)],
    lookback: whole,
  }),
  ofSeries('cmo', "Chande's momentum oscillator, with Wilder's averages", cmo, {
    parameters: [period(2)],
    lookback: whole,
  }),
  ofSeries('roc', 'change over so many bars, in percent', roc, CHANGES),
  ofSeries('mom', 'change over so many bars', mom, CHANGES),
  ofSeries('trix', 'change of a triple EMA from bar to bar, in percent', trix, {
    lookback: ([length = 1]) => 3 * (length - 1) + 1,
  }),
  ofSeries('highest', 'largest high of the window, this bar included', highest, { source: 'high' }),
  ofSeries('lowest', 'smallest low of the window, this bar included', lowest, { source: 'low' }),
  ofCandles('atr', "Wilder's average true range", atr, CHANGES),
  ofCandles('natr', 'average true range in percent of the close', normalisedAtr, CHANGES),
  ofCandles('trange', 'true range of the bar', trueRange, { parameters: [], lookback: () => 1 }),
  ofCandles('plus_di', "Wilder's +DI", plusDi, { parameters: [period(2)], lookback: whole }),
  ofCandles('minus_di', "Wilder's -DI", minusDi, { parameters: [period(2)], lookback: whole }),
  ofCandles('adx', "Wilder's average directional index", adx, {
    parameters: [period(2)],
    lookback: ([length = 2]) => 2 * length - 1,
  }),
  ofCandles('willr', 'Williams %R, 0 to -100', williamsR, { parameters: [period(2)] }),
  ofCandles('cci', 'commodity channel index', cci, {
    parameters: [{ ...period(2), max: CCI_PERIOD_MAX }],
  }),
  ofCandles('mfi', 'money flow index', moneyFlow, { parameters: [period(2)], lookback: whole }),
  ofCandles('obv', 'on-balance volume', onBalanceVolume, { parameters: [], lookback: () => 0 }),
  ofCandles('vwap', 'volume-weighted average price since midnight UTC', vwap, {
    parameters: [],
    lookback: () => 0,
  }),
  {
    name: 'sar',
    summary: 'parabolic stop and reverse',
    parameters: [
      { name: 'step', min: 0, max: 10, isWhole: false, fallback: 0.02 },
      { name: 'most', min: 0, max: 10, isWhole: false, fallback: 0.2 },
    ],
    outputs: ['value'],
    source: null,
    lookback: () => 1,
    compute: ({ candles }, [step = 0.02, most = 0.2]) => [parabolicSar(candles, step, most)],
  },
  {
    name: 'stoch',
    summary: 'slow stochastic and its signal line',
    parameters: [period(1, 'fast', 14), period(1, 'slow', 3), period(1, 'signal', 3)],
    outputs: ['k', 'd'],
    source: null,
    lookback: ([fast = 14, slow = 3, signal = 3]) => fast + slow + signal - 3,
    compute: ({ candles }, parameters) => stochastic(candles, parameters),
  },
  {
    name: 'stochrsi',
    summary: 'stochastic of the RSI and its signal line',
    parameters: [period(2, 'period', 14), period(1, 'fast', 5), period(1, 'signal', 3)],
    outputs: ['k', 'd'],
    source: 'close',
    lookback: ([length = 14, fast = 5, signal = 3]) => length + fast + signal - 2,
    compute: ({ source, start }, parameters) => stochasticRsi(source, start, parameters),
  },
  {
    name: 'macd',
    summary: 'difference of two EMAs, its signal line and their distance',
    parameters: [period(2, 'fast', 12), period(2, 'slow', 26), period(1, 'signal', 9)],
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
