// A dataset's binary form: the same bytes for the same candles, and no trust in bytes from elsewhere.
import { describe, expect, it } from 'vitest';
import { decodeCandles, encodeCandles } from '../../../src/kernel/candles.ts';
import { type Bar, candlesOf } from './fixture.ts';

const BARS: Bar[] = [
  [10, 12, 9, 11, 100],
  [11, 13, 10, 12, 0],
  [12, 12, 12, 12, 5.5],
];

describe('the binary form of candles', () => {
  const candles = candlesOf(BARS);
  const bytes = encodeCandles(candles);

  it('decodes to what was encoded, as views when aligned and as copies when not', () => {
    expect(decodeCandles(bytes)).toEqual(candles);
    expect(decodeCandles(bytes).open.buffer).toBe(bytes.buffer);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const copy = decodeCandles(shifted.subarray(3));
    expect(copy).toEqual(candles);
    expect(copy.open.buffer).not.toBe(shifted.buffer);
  });

  it('works over shared memory without a copy', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    const decoded = decodeCandles(shared);
    expect(decoded.close.buffer).toBe(shared.buffer);
    expect([...decoded.close]).toEqual([...candles.close]);
  });

  it.each([
    ['shorter than its header', bytes.subarray(0, 31)],
    ['not a dataset', changed((view) => view.setUint32(0, 7, true))],
    ['form 9', changed((view) => view.setUint32(4, 9, true))],
    ['claims 0 bars', changed((view) => view.setUint32(8, 0, true))],
    ['claims 4294967295 bars', changed((view) => view.setUint32(8, 0xffff_ffff, true))],
    ['has 176 bytes, not 224', changed((view) => view.setUint32(8, 4, true))],
    ['bar 1', changed((view) => view.setFloat64(32 + 8, 0, true))],
    ['bar 2', changed((view) => view.setFloat64(32 + 24 + 16, NaN, true))],
    ['bar 0', changed((view) => view.setFloat64(32 + 48, Infinity, true))],
  ])('refuses bytes: %s', (message, bad) => {
    expect(() => decodeCandles(bad)).toThrow(message);
  });

  function changed(change: (view: DataView) => void): Uint8Array {
    const copy = bytes.slice();
    change(new DataView(copy.buffer));
    return copy;
  }
});
