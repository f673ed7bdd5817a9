// Candle files as users have them, and the rows that are none.
import { describe, expect, it } from 'vitest';
import type { Candles } from '../../../src/kernel/job.ts';
import { candleCsv } from '../../../src/node/jobfile/candle-csv.ts';
import { parseCandleCsv } from '../../../src/node/jobfile/csv.ts';
import { syntheticCandles } from '../../../src/node/jobfile/synthetic.ts';
import { parseTimeCell } from '../../../src/node/jobfile/time-cell.ts';
import { countGaps } from '../../../src/node/jobfile/timeframe.ts';

const parse = (text: string) => parseCandleCsv('c.csv', new TextEncoder().encode(text));
const HEADER = 'timestamp,open,high,low,close,volume';
const GOOD = ['2024-01-01 00:00:00,1,2,0.5,1.5,10', '2024-01-01 00:05:00,1,2,0.5,1.5,10'];

const faults = (...rows: string[]): string[] => {
  const result = parse([HEADER, ...rows].join('\n'));
  return result.ok ? [] : result.problems.map(({ line, message }) => `${line}: ${message}`);
};

describe('a candle file', () => {
  it.each([
    ['plain', [HEADER, ...GOOD].join('\n')],
    [
      'with CRLF, a byte order mark and a blank last line',
      `\uFEFF${[HEADER, ...GOOD, ''].join('\r\n')}\r\n`,
    ],
    ['with other names and case', ['Open Time,OPEN,High,low,Close,Vol', ...GOOD].join('\n')],
    ['with semicolons', [HEADER, ...GOOD].join('\n').replaceAll(',', ';')],
    ['with tabs', [HEADER, ...GOOD].join('\n').replaceAll(',', '\t')],
    ['with quotes and spaces', [HEADER, ...GOOD].join('\n').replaceAll(/[^,\n]+/g, ' "$&"')],
    [
      'with date and time apart',
      ['Date,Time,Open,High,Low,Close,Volume', ...GOOD.map((row) => row.replace(' ', ','))].join(
        '\n',
      ),
    ],
    [
      'with epoch seconds',
      [
        HEADER,
        ...GOOD.map((row, i) => row.replace(/^[^,]+/, String(1_704_067_200 + i * 300))),
      ].join('\n'),
    ],
    [
      'with epoch milliseconds',
      [
        HEADER,
        ...GOOD.map((row, i) => row.replace(/^[^,]+/, String(1_704_067_200_000 + i * 300_000))),
      ].join('\n'),
    ],
    [
      'with columns in another order',
      [
        'volume,close,low,high,open,date',
        '10,1.5,0.5,2,1,2024-01-01T00:00Z',
        '10,1.5,0.5,2,1,2024-01-01T00:05Z',
      ].join('\n'),
    ],
  ])('is read: %s', (_, text) => {
    const result = parse(text);
    if (!result.ok) throw new Error(result.problems[0]?.message);
    const { candles } = result;
    expect(candles.barCount).toBe(2);
    expect([...candles.timeMs]).toEqual([1_704_067_200_000, 1_704_067_500_000]);
    expect([candles.open[1], candles.high[1], candles.low[1]]).toEqual([1, 2, 0.5]);
    expect([candles.close[1], candles.volume[1]]).toEqual([1.5, 10]);
  });

  it.each([
    ['2024-01-01 00:10:00,1,2,3,1.5,10', 'high 2 is below low 3'],
    ['2024-01-01 00:10:00,3,2,1,1.5,10', 'high 2 is below open or close'],
    ['2024-01-01 00:10:00,1,2,1.2,1.5,10', 'low 1.2 is above open or close'],
    ['2024-01-01 00:10:00,1,2,0,1.5,10', 'price 0 is not above 0'],
    ['2024-01-01 00:10:00,1,2,1,1.5,-1', 'volume -1 is below 0'],
    ['2024-01-01 00:10:00,1,2,1,,10', 'close is "", not a number: take rows without prices out'],
    [
      '2024-01-01 00:10:00,1,2,1,1.5,n/a',
      'volume is "n/a", not a number: take rows without prices out',
    ],
    ['2024-01-01 00:10:00,1,Infinity,1,1.5,1', 'high is "Infinity", not a number'],
    ['2024-01-01 00:05:00,1,2,1,1.5,10', 'the same time as the row before'],
    [
      '2024-01-01 00:01:00,1,2,1,1.5,10',
      'earlier than the row before: sort the file, oldest first',
    ],
    [
      'yesterday,1,2,1,1.5,10',
      '"yesterday" is not a time: write 2024-01-31 10:05 or epoch seconds',
    ],
    ['2024-01-01 00:10:00,1,2,1,1.5', '5 columns where the header has 6'],
  ])('has a row that is no candle: %s', (row, message) => {
    expect(faults(...GOOD, row)).toEqual([`4: ${message}`]);
  });

  it('has its first ten bad rows shown and the others counted', () => {
    const found = faults(...Array.from({ length: 25 }, () => 'x,1,2,1,1.5,10'));
    expect(found).toHaveLength(11);
    expect(found.at(-1)).toContain('and 15 more rows');
  });

  it('has no empty line in its middle', () => {
    expect(faults(GOOD[0] ?? '', '', GOOD[1] ?? '')).toEqual(['3: an empty line between rows']);
  });

  it.each([
    ['', 'the file is empty'],
    [HEADER, 'at least two candles'],
    ['timestamp,open,high,low,close\n', 'no column for volume'],
    ['1704067200000,1,2,0.5,1.5,10\n', 'the first line has no column names'],
    ['<html>\n', 'no column for time, open, high, low, close, volume'],
  ])('is refused whole: %j', (text, message) => {
    const result = parse(text);
    expect(result.ok ? '' : result.problems[0]?.message).toContain(message);
  });
});

describe('times', () => {
  it.each([
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['20240229', '2024-02-29T00:00:00.000Z'],
    ['2024-02-29T12:34', '2024-02-29T12:34:00.000Z'],
    ['2024-02-29 12:34:56.789', '2024-02-29T12:34:56.789Z'],
    ['2024-02-29T12:34:56+05:30', '2024-02-29T07:04:56.000Z'],
    ['2024-02-29 12:34:56 UTC', '2024-02-29T12:34:56.000Z'],
    ['1709210096', '2024-02-29T12:34:56.000Z'],
    ['1709210096789', '2024-02-29T12:34:56.789Z'],
    ['1709210096789123', '2024-02-29T12:34:56.789Z'],
  ])('%s is %s', (cell, iso) => expect(new Date(parseTimeCell(cell)).toISOString()).toBe(iso));

  it.each([
    '2024-02-30',
    '2023-02-29',
    '2024-13-01',
    '2024-01-01 24:00',
    '01/02/2024',
    '',
    '5',
    'x',
  ])('%j is none', (cell) => expect(parseTimeCell(cell)).toBe(NaN));
});

describe('gaps', () => {
  it('count missing bars where the market never pauses, and long pauses only where it does', () => {
    // Day 4 is a Monday, 9 and 10 a weekend.
    expect(countGaps(at(4, 5, 6, 8, 9, 10, 13))).toBe(2);
    expect(countGaps(at(4, 5, 6, 7, 8, 11, 12, 13, 20))).toBe(1);
  });
});

describe('synthetic candles', () => {
  it('are sound, seeded and survive a CSV file unchanged', () => {
    const market = { seed: 7, bars: 3000, stepMs: 300_000, startMs: 1_704_067_200_000 };
    const candles = syntheticCandles(market);
    expect(syntheticCandles(market)).toEqual(candles);
    expect(syntheticCandles({ ...market, seed: 8 })).not.toEqual(candles);
    expect(parse(candleCsv(candles))).toEqual({ ok: true, candles, warnings: [] });
  });
});

/** Bars that start on these days after 1970-01-01. */
function at(...days: number[]): Candles {
  return {
    ...syntheticCandles({ seed: 1, bars: days.length, stepMs: 1, startMs: 0 }),
    timeMs: Float64Array.from(days, (day) => day * 86_400_000),
  };
}
