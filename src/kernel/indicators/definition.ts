// What the catalogue says of one indicator, and short ways to say it for the two common kinds: computed from one
// series, and computed from whole candles.

import type { Candles } from '../job.ts';
import type { Field } from '../language/ast.ts';
import { MAX_PERIOD } from '../limits.ts';

export interface ParameterDefinition {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly isWhole: boolean;
  /** Value when left out. */
  readonly fallback?: number;
}

export interface IndicatorInput {
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

type SeriesFunction = (x: Float64Array, start: number, period: number) => Float64Array;
type CandleFunction = (candles: Candles, period: number) => Float64Array;
type More = Partial<Pick<IndicatorDefinition, 'parameters' | 'source' | 'lookback'>>;

/** A number of bars. */
export function period(min = 1, name = 'period', fallback?: number): ParameterDefinition {
  const definition = { name, min, max: MAX_PERIOD, isWhole: true };
  return fallback === undefined ? definition : { ...definition, fallback };
}

/** Look-back of a window of `period` bars, and of `period` changes. */
export const windowed = (parameters: readonly number[]): number => (parameters[0] ?? 1) - 1;
export const whole = (parameters: readonly number[]): number => parameters[0] ?? 0;

/** One series in, one out, one period; a window that ends at the bar unless `more` says otherwise. */
export function ofSeries(
  name: string,
  summary: string,
  compute: SeriesFunction,
  more: More = {},
): IndicatorDefinition {
  return {
    name,
    summary,
    parameters: [period()],
    outputs: ['value'],
    source: 'close',
    lookback: windowed,
    compute: ({ source, start }, [length = 1]) => [compute(source, start, length)],
    ...more,
  };
}

/** Candles in, one series out, one period; a window that ends at the bar unless `more` says otherwise. */
export function ofCandles(
  name: string,
  summary: string,
  compute: CandleFunction,
  more: More = {},
): IndicatorDefinition {
  return {
    name,
    summary,
    parameters: [period()],
    outputs: ['value'],
    source: null,
    lookback: windowed,
    compute: ({ candles }, [length = 1]) => [compute(candles, length)],
    ...more,
  };
}
