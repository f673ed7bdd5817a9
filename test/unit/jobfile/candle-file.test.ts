// Files of candles by their content: JSON lists, gzip, and what is wrong with them.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseCandleFile } from '../../../src/node/jobfile/candle-file.ts';
import { formatProblems } from '../../../src/node/jobfile/prepare.ts';
import { CSV } from './fixture.ts';

const ROWS = [
  [1_704_067_200_000, 10, 12, 9, 11, 100],
  [1_704_067_500_000, 11, 13, 10, 12, 110],
];
const encode = (text: string) => new TextEncoder().encode(text);

describe('a JSON list of rows', () => {
  it('is read like the same candles in CSV', () => {
    const json = parseCandleFile('c.json', encode(` ${JSON.stringify(ROWS)}`));
    expect(json).toMatchObject({ ok: true, warnings: [] });
    const lines = ['time,open,high,low,close,volume', ...ROWS.map((row) => row.join())];
    const csv = parseCandleFile('c.csv', encode(lines.join('\n')));
    expect(json).toEqual(csv);
  });

  it('may hold numbers as text, ISO times and more columns', () => {
    const rows = [
      ['2024-01-01', '10', '12', '9', '11', '100', 5],
      ['2024-01-02', '11', '13', '10', '12', '110', 6],
    ];
    const result = parseCandleFile('c.json', encode(JSON.stringify(rows)));
    expect(result).toMatchObject({
      ok: true,
      warnings: ['what stands after the volume in a row is not read'],
    });
  });

  it('has its bad rows shown at their place', () => {
    const text =
      '[[1704067200000,10,12,9,11,100],\n  [1704067500000,11,9,10,12,110],\n  ["]", 1],\n 7, [null,1,1,1,1,1]]';
    const result = parseCandleFile('c.json', encode(text));
    expect(
      result.ok
        ? ''
        : formatProblems(result.problems)
            .split('\n')
            .filter((_, i) => i % 3 === 0),
    ).toEqual([
      'c.json:2:3 error: high 9 is below low 10',
      'c.json:3:3 error: a row is a list of time, open, high, low, close and volume',
      'c.json:4:2 error: a row is a list of time, open, high, low, close and volume',
      'c.json:4:5 error: "" is not a time: write 2024-01-31 10:05 or epoch seconds',
    ]);
  });

  it.each([
    ['[[1,', 'this is not JSON'],
    ['['.repeat(5000), 'nested too deeply'],
    ['[]', 'at least two candles'],
  ])('%j is refused: %s', (text, message) => {
    const result = parseCandleFile('c.json', encode(text));
    expect(result.ok ? '' : result.problems[0]?.message).toContain(message);
  });
});

describe('a gzip file', () => {
  it('is read like what is in it', () => {
    expect(parseCandleFile('c.gz', gzipSync(CSV))).toEqual(parseCandleFile('c.gz', encode(CSV)));
    const json = JSON.stringify(ROWS);
    expect(parseCandleFile('c.gz', gzipSync(json))).toEqual(parseCandleFile('c.gz', encode(json)));
  });

  it('that is damaged is refused', () => {
    const result = parseCandleFile('c.gz', gzipSync(CSV).subarray(0, 40));
    expect(result.ok ? '' : result.problems[0]?.message).toBe('the gzip file is damaged');
  });

  it('that unpacks to more than the bound is refused before it fills memory', () => {
    // Members of one gzip file follow each other: 420 times a megabyte of zeros.
    const member = gzipSync(new Uint8Array(2 ** 20));
    const bomb = Buffer.concat(Array.from({ length: 420 }, () => member));
    const result = parseCandleFile('c.gz', bomb);
    expect(result.ok ? '' : result.problems[0]?.message).toContain('more than 400 MiB');
  });
});
