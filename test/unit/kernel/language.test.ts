// The rule language: what parses, to what, and what a fault says and points at.
import { array, assert, constantFrom, integer, letrec, oneof, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indicatorDefinitions } from '../../../src/kernel/indicators/catalog.ts';
import type { Expression } from '../../../src/kernel/language/ast.ts';
import { parseExpression, parseRule } from '../../../src/kernel/language/parse.ts';
import { printExpression, printRule } from '../../../src/kernel/language/print.ts';
import { RuleError } from '../../../src/kernel/language/token.ts';

describe('rules', () => {
  it.each([
    ['rsi(14)<30', 'rsi(14) < 30'],
    ['RSI($n)  crosses Above  60', 'rsi($n) crosses above 60'],
    ['close > sma(close, 200)', 'close > sma(200)'],
    ['ema(rsi(14), 9) <= $x', 'ema(rsi(14), 9) <= $x'],
    ['macd().hist crosses below 0', 'macd(12, 26, 9).hist crosses below 0'],
    ['close < bbands(20).lower[1]', 'close < bollinger(20, 2).lower[1]'],
    ['close > 1 + 2 * open - -3', 'close > ((1 + (2 * open)) - -3)'],
    ['-close >= (low - 1) / 2', '(-close) >= ((low - 1) / 2)'],
    ['close == .5e1', 'close == 5'],
    ['EMA(20)@60m[2] > close[1]@1440m', 'ema(20)@1h[2] > close[1]@1d'],
    ['(high - low)@7d > ema(close@1w, 9)@90m', '(high - low)@7d > ema(close@1w, 9)@90m'],
  ])('%s is %s', (text, canonical) => {
    expect(printRule(parseRule(text))).toBe(canonical);
    expect(printRule(parseRule(canonical))).toBe(canonical);
  });

  it.each([
    [
      'macd_hist(12, 26, 9) > 1',
      0,
      9,
      'unknown indicator "macd_hist"',
      'write macd(…).hist, or "indicator": "macd" with "output": "hist"',
    ],
    ['emma($n) > 1', 0, 4, 'unknown indicator "emma"', 'did you mean "ema"?'],
    ['close > aroon(14)', 8, 5, '"aroon" is known but not built yet', undefined],
    ['close > sma', 8, 3, '"sma" needs its parameters', undefined],
    ['close > sma(0)', 12, 1, 'period must be a whole number from 1 to 100000, not 0', undefined],
    ['close > sma(1e9)', 12, 3, 'not 1000000000', undefined],
    ['close > sma(-5)', 12, 2, 'not -5', undefined],
    ['close > sma(2.5)', 12, 3, 'not 2.5', undefined],
    ['close > sma(10, 20)', 8, 3, 'not 2 parameters', undefined],
    ['close > sma(close)', 8, 3, 'not 0 parameters', undefined],
    ['atr(close, 14) > 1', 4, 5, 'whole candles', undefined],
    ['sma(close, volume) > 1', 11, 6, 'must be a number or a $variable', undefined],
    ['macd(12,26,9) > 0', 0, 4, 'outputs macd, signal, hist', 'write macd(…).macd'],
    ['macd(12,26,9).histo > 0', 14, 5, 'no output "histo"', 'did you mean "hist"?'],
    ['rsi(14).value > 0', 8, 5, 'one output', undefined],
    ['$fsat > close', 0, 5, 'unknown variable "$fsat"', 'did you mean "$fast"?'],
    ['close 30', 6, 2, 'expected a comparison', undefined],
    ['close crossses above 3', 6, 8, 'expected a comparison', 'did you mean "crosses above"?'],
    ['close crosses over 3', 14, 4, '"above" or "below"', undefined],
    ['close > ', 8, 1, 'ends where a value is expected', undefined],
    ['close > 3 4', 10, 1, 'should have ended here', undefined],
    ['close > (3', 10, 1, 'expected ")"', undefined],
    ['close[1.5] > 3', 6, 3, 'whole number of bars', undefined],
    ['close[-1] > 3', 6, 1, 'whole number of bars', undefined],
    ['3[1] > close', 2, 1, 'no earlier bar', undefined],
    ['close = 3', 6, 1, 'unexpected character "="', 'write =='],
    ['ema(20)@1y > close', 7, 3, 'after "@" comes a number and m, h, d or w', undefined],
    ['ema(20)@ > close', 7, 1, 'after "@" comes', undefined],
    ['ema(20)@999999d > close', 7, 8, 'after "@" comes', undefined],
    ['3@1h > close', 1, 3, 'a constant has no timeframe', undefined],
    ['@1h > close', 0, 3, 'expected a value', undefined],
    ['1 < 2', 0, 5, 'compares two constants', undefined],
    ['close > 1e999', 8, 5, 'too large', undefined],
  ])('%s is refused at %d', (text, offset, length, message, hint) => {
    const error = faultOf(() => parseRule(text, new Set(['fast', 'n'])));
    expect(error).toMatchObject({ offset, length, hint });
    expect(error.message).toContain(message);
  });

  it('refuses what is too long or too deep, without running away', () => {
    expect(faultOf(() => parseRule(`close > ${'1+'.repeat(5_000_000)}1`)).message).toContain(
      '2000',
    );
    const deep = `close > ${'('.repeat(900)}1${')'.repeat(900)}`;
    expect(faultOf(() => parseRule(deep)).message).toContain('levels of nesting');
    expect(faultOf(() => parseRule(`close > ${'-'.repeat(900)}1`)).message).toContain('levels');
    expect(faultOf(() => parseRule(`${'sma('.repeat(400)}1`)).message).toContain('levels');
  });

  it('print and parse are each other’s inverse', () => {
    assert(
      property(expressions, (expression) => {
        const text = printExpression(expression);
        expect(parseExpression(text)).toEqual(expression);
      }),
    );
  });

  it('hold for every indicator of the catalogue', () => {
    for (const { name, parameters, outputs } of indicatorDefinitions()) {
      const call = `${name}(${parameters.map(({ min }) => Math.max(min, 2)).join(', ')})`;
      for (const output of outputs) {
        const text = outputs.length === 1 ? call : `${call}.${output}`;
        expect(printExpression(parseExpression(text))).toBe(text);
      }
    }
  });
});

const { expressions } = letrec<{ expressions: Expression; leaf: Expression }>((tie) => ({
  leaf: oneof(
    integer({ min: -99, max: 99 }).map(
      (value): Expression => ({ kind: 'number', value: value / 4 + 0 }),
    ),
    constantFrom('open', 'close').map((field): Expression => ({ kind: 'field', field })),
    constantFrom('n', 'fast').map((name): Expression => ({ kind: 'variable', name })),
    array(integer({ min: 2, max: 50 }), { minLength: 3, maxLength: 3 }).map(
      (periods): Expression => ({
        kind: 'indicator',
        name: 'macd',
        output: 'hist',
        source: { kind: 'field', field: 'close' },
        parameters: periods.map((value) => ({ kind: 'number', value })),
      }),
    ),
  ),
  expressions: oneof(
    { maxDepth: 4 },
    tie('leaf'),
    record({
      op: constantFrom('+' as const, '-' as const, '*' as const, '/' as const),
      left: tie('expressions'),
      right: tie('expressions'),
    }).map((parts): Expression => ({ kind: 'arithmetic', ...parts })),
    integer({ min: 1, max: 9 }).map(
      (bars): Expression => ({ kind: 'offset', operand: { kind: 'field', field: 'low' }, bars }),
    ),
    constantFrom('n', 'os').map(
      (name): Expression => ({ kind: 'negate', operand: { kind: 'variable', name } }),
    ),
  ),
}));

function faultOf(parse: () => unknown): RuleError {
  try {
    parse();
  } catch (error) {
    if (error instanceof RuleError) return error;
    throw error;
  }
  throw new Error('the rule was accepted');
}
