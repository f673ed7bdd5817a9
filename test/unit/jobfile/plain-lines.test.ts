// Plain lines are read from bytes, all others cell by cell: a line that means the same to both gives the same bars
// and the same faults. A space before the last cell is what no plain line has.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCandleCsv } from '../../../src/node/jobfile/csv.ts';
import { readCsvHeader } from '../../../src/node/jobfile/csv-header.ts';
import { PlainLines } from '../../../src/node/jobfile/plain-lines.ts';

const HEADER = 'timestamp,open,high,low,close,volume';
const parse = (text: string) => parseCandleCsv('c.csv', new TextEncoder().encode(text));

/** The last of the bars, bit for bit, or what is wrong and in which line. */
function seen(lines: readonly string[]): unknown {
  const result = parse([HEADER, ...lines].join('\n'));
  if (!result.ok) return result.problems.map(({ line, message }) => `${line}: ${message}`);
  const { timeMs, open, high, low, close, volume } = result.candles;
  return [timeMs, open, high, low, close, volume].map((column) => [...column]);
}

const spaced = (line: string): string => line.replace(/,(?=[^,]*$)/, ', ');

function isPlain(line: string, header = HEADER): boolean {
  const bytes = new TextEncoder().encode(line);
  const read = readCsvHeader(header);
  if (!read.ok) throw new Error(read.message);
  const lines = new PlainLines(bytes, read.columns, (from, to) => line.slice(from, to));
  return lines.read(0) === bytes.length;
}

const digits = (min: number, max: number) =>
  fc.stringMatching(new RegExp(`^[0-9]{${min},${max}}$`));
const numberCell = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(digits(1, 6), digits(1, 9)).map((parts) => parts.join('.')) },
  { weight: 2, arbitrary: digits(1, 20) },
  { weight: 2, arbitrary: fc.double({ min: 1e-9, max: 1e9, noNaN: true }).map(String) },
  fc.tuple(digits(0, 3), digits(20, 30)).map((parts) => parts.join('.')),
  fc.constantFrom(
    '',
    '.',
    '5.',
    '.5',
    '-1',
    '+2',
    '1e3',
    '0x10',
    '1_000',
    'NaN',
    'Infinity',
    '1.2.3',
    '"7"',
  ),
);
const timeCell = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.integer({ min: 0, max: 4e12 }).map((ms) => new Date(ms).toISOString()),
  },
  fc
    .tuple(
      fc.constantFrom(
        '2024-01-31',
        '2024-02-30',
        '2024/01/31',
        '20240131',
        '0024-01-01',
        '2024-1-31',
      ),
      fc.constantFrom('', ' ', 'T', '  ', 't'),
      fc.constantFrom(
        '',
        '10:05',
        '24:00',
        '10:05:59',
        '10:05:60',
        '10:05:5',
        '1:05',
        '10:05:00.25',
      ),
      fc.constantFrom('', 'Z', 'z', '+00:00', '+0000', '+01:30', '-00:00', ' UTC'),
    )
    .map((parts) => parts.join('')),
  digits(7, 18),
  fc.tuple(digits(9, 13), digits(1, 6)).map((parts) => parts.join('.')),
);
/** A first bar that any other may follow. */
const FIRST = '1970-01-01 00:00:00,5,5,5,5,5';

describe('a plain line', () => {
  it('gives the bars and the faults that its cells give', () => {
    const cells = fc.tuple(timeCell, numberCell, numberCell, numberCell, numberCell, numberCell);
    fc.assert(
      fc.property(
        cells.map((list) => list.join(',')),
        (line) => {
          expect(seen([FIRST, line])).toEqual(seen([FIRST, spaced(line)]));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('gives the number that its text is, to the last bit', () => {
    const prices = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.tuple(digits(1, 7), digits(1, 9)).map((parts) => parts.join('.')),
      },
      fc.double({ min: 1e-6, max: 1e15, noNaN: true }).map(String),
    );
    fc.assert(
      fc.property(prices, (price) => {
        fc.pre(Number(price) > 0);
        const line = `1970-01-02 00:00:00,${price},${price},${price},${price},1`;
        expect((seen([FIRST, line]) as number[][])[1]?.[1]).toBe(Number(price));
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    '2024-01-31 10:05:00,1,2,0.5,1.5,10',
    '2024-01-31 10:05,1,2,0.5,1.5,10',
    '2024-01-31T10:05:00Z,1,2,0.5,1.5,10',
    '2024-01-31 10:05:00+00:00,1,2,0.5,1.5,10',
    '2024-01-31,1,2,0.5,1.5,10',
    '1704067200,1,2,0.5,1.5,10',
    '1704067200000,42123.45678901,42123.5,42123.00000001,42123.1,0.1234567890123456789',
    '1704067200000000,1,2,0.5,1.5,10\r\n',
  ])('is what most tools write: %j', (line) => {
    expect(isPlain(line)).toBe(true);
  });

  it('may hold columns that are not read', () => {
    const header = 'symbol,timestamp,open,high,low,close,volume,note';
    expect(isPlain('BTC/USD,1704067200,1,2,0.5,1.5,10,any "text"', header)).toBe(true);
  });

  it('has as many columns as the header', () => {
    expect(seen([FIRST, '1970-01-02,1,1,1,1'])).toEqual(['3: 5 columns where the header has 6']);
    expect(seen([FIRST, '1970-01-02,1,1,1,1,1,1'])).toEqual([
      '3: 7 columns where the header has 6',
    ]);
  });

  it('after an empty line is as faulty as any other', () => {
    expect(seen([FIRST, '', '1970-01-02,1,1,1,1,1', '1970-01-03,1,1,1,1,1'])).toEqual([
      '3: an empty line between rows',
    ]);
  });
});
