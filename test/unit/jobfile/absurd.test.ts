// What nobody should write gets an error: no hang, no crash, no row of zeros that looks like a result.
import { describe, expect, it } from 'vitest';
import { fuzzBacktests } from '../../fuzz/backtests.ts';
import { accepted, fileWith, refused } from './fixture.ts';

const part = (strategy: object) =>
  fileWith({ strategies: [{ long: { enter: ['close > 1'] }, ...strategy }] });
const GRID = { s: { from: -0.1, to: 0.1, step: 0.1 } };
const deepJob = (open: string, close: string, depth: number) => {
  const enter = `${open.repeat(depth)}"close > 1"${close.repeat(depth)}`;
  return `{"version":1,"data":"candles.csv","strategies":[{"long":{"enter":[${enter}]}}]}`;
};
const rule = (enter: unknown) => fileWith({ strategies: [{ long: { enter: [enter] } }] });
const deepRule = (depth: number) => `${'('.repeat(depth)}close${')'.repeat(depth)} > 1`;

describe('an absurd job file is refused', () => {
  it.each([
    ['period 0', rule('close > sma(0)'), /must be a whole number from 1|at least 1/],
    ['period 1e9', rule('close > sma(1000000000)'), /100000|needs 1000000000 bars/],
    ['an offset of 1e9', rule('close[1000000000] > 1'), /an offset is a whole number of bars/],
    ['a rule of 10 MB', rule(`close > ${'1'.repeat(10 * 2 ** 20)}`), /2000/],
    ['a rule nested 900 deep', rule(deepRule(900)), /more than 32 levels of nesting/],
    ['parentheses nested 10,000 deep', rule(deepRule(10_000)), /at most 2000 characters/],
    ['any nested 10,000 deep', deepJob('{"any":[', ']}', 10_000), /nested too deeply/],
    ['all nested 10,000 deep', deepJob('{"all":[', ']}', 10_000), /nested too deeply/],
    ['not nested 10,000 deep', deepJob('{"not":', '}', 10_000), /nested too deeply/],
    [
      'any nested 33 deep',
      deepJob('{"any":[', ']}', 33),
      /more than 32 levels of any, all and not/,
    ],
    ['a key of 10 MB', fileWith({ ['x'.repeat(10 * 2 ** 20)]: 1 }), /unknown key "x{60}…"/],
    ['a size of 10 MB', part({ size: { units: '('.repeat(10 * 2 ** 20) } }), /not "\({60}…"/],
    ['a negative period', rule('close > sma(-3)'), /whole number from 1 to 100000, not -3/],
    ['a negative stop', part({ stopLoss: '-0.1' }), /a distance must be above 0, not -0\.1/],
    ['a stop that a grid makes negative', part({ vars: GRID, stopLoss: '$s' }), /not -0\.1/],
    ['a stop beyond all numbers', part({ stopLoss: '1e999' }), /the number is too large/],
    [
      'cash beyond all numbers',
      JSON.stringify(fileWith({ broker: { cash: 7 } })).replace('7', '1e999'),
      /broker\.cash: the number is too large/,
    ],
    ['brackets nested 10,000 deep', '['.repeat(10_000), /nested too deeply/],
    ['nothing at all', '', /a value is expected/],
    ['bytes that are no text', 'MZ\u0000\u0001\uFFFD', /not UTF-8 text/],
    ['UTF-16', Buffer.from('\uFEFF{ "version": 1 }', 'utf16le').toString('utf8'), /iconv/],
  ])('%s', async (_, file, message) => {
    const problems = await refused(file);
    expect(problems.join('\n')).toMatch(message);
    expect(problems.join('\n').length).toBeLessThan(5000);
  });

  it('a price of 1e300 is a price, one beyond all numbers is an error with its line', async () => {
    const header = 'date,open,high,low,close,volume';
    const file = fileWith({});
    await accepted(file, { data: [header, flatRow(1, '1e300'), flatRow(2, '1e300')].join('\n') });
    const data = [header, flatRow(1, '1'), flatRow(2, '1e309')].join('\n');
    expect(await refused(file, { data })).toEqual([': open is "1e309", not a number']);
    const nan = [header, flatRow(1, '1'), flatRow(2, 'NaN'), flatRow(3, 'NaN')].join('\n');
    expect(await refused(file, { data: nan })).toHaveLength(2);
  });
});

it('thousands of absurd jobs and candles end in an error or in equal rows of two engines', async () => {
  const { findings, accepted: ran, refused: none } = await fuzzBacktests(2000, 1);
  expect(findings).toEqual([]);
  expect([ran > 200, none > 200]).toEqual([true, true]);
});

function flatRow(day: number, price: string): string {
  return `2024-01-0${day},${price},${price},${price},${price},1`;
}
