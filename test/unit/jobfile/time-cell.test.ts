// Times as text: the short way for plain cells must say what the pattern says.
import { assert, constantFrom, integer, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTimeCell } from '../../../src/node/jobfile/time-cell.ts';

describe('a time cell', () => {
  it('of any second between 1900 and 2100 is that second, however it is written', () => {
    const forms = constantFrom(
      (iso: string) => iso,
      (iso: string) => iso.replace('T', ' ').slice(0, 19),
      (iso: string) => iso.slice(0, 19),
      (iso: string) => `${iso.slice(0, 19)}Z`,
      (iso: string) => `${iso.slice(0, 19)}+00:00`,
      (iso: string) => iso.slice(0, 19).replaceAll('-', '/'),
    );
    assert(
      property(tuple(integer({ min: -2_208_988_800, max: 4_102_444_800 }), forms), ([s, form]) => {
        expect(parseTimeCell(form(new Date(s * 1000).toISOString()))).toBe(s * 1000);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    '1704067200 10:00:00',
    '2024-13-01 10:00:00',
    '2024-02-30 10:00:00',
    '2024-01-31 24:00:00',
    '2024-01-31 10:60:00',
    '2024-01-31 10:05:6x',
    '2024-01-31 1a:05:00',
    '2024-01-31x10:05:00',
    '20240131-- 10:05:00',
    '2024-01-31 10:05:00X',
    '2024-01-31 00-AM',
    '2024-01-31 13-PM',
    '2024-02-30 01-PM',
  ])('%s is none', (cell) => {
    expect(parseTimeCell(cell)).toBe(NaN);
    // Nor after a sound one of the same day.
    expect(parseTimeCell('2024-01-31 10:05:00')).toBe(Date.UTC(2024, 0, 31, 10, 5));
    expect(parseTimeCell(cell)).toBe(NaN);
  });
});
