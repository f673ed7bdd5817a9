// The binary form of a dataset: what a dataset blob holds, what is hashed, and what a slot maps into memory
// without parsing. A 32-byte header (magic, version, bar count), then six Float64 columns, little-endian:
// timeMs, open, high, low, close, volume. Nothing in it depends on where the user's file was or how it looked.

import type { Candles } from './job.ts';
import { MAX_BARS } from './limits.ts';

const MAGIC = 0x6361_6e64;
const VERSION = 1;
const HEADER_BYTES = 32;
const COLUMN_COUNT = 6;

export function encodeCandles(candles: Candles): Uint8Array {
  const { barCount } = candles;
  const bytes = new Uint8Array(HEADER_BYTES + barCount * COLUMN_COUNT * 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, barCount, true);
  let at = HEADER_BYTES;
  for (const column of columnsOf(candles)) {
    if (column.length !== barCount) throw new Error('a candle column has the wrong length');
    if (isLittleEndian) new Float64Array(bytes.buffer, at, barCount).set(column);
    else for (let i = 0; i < barCount; i++) view.setFloat64(at + i * 8, column[i] ?? NaN, true);
    at += barCount * 8;
  }
  return bytes;
}

/** Views over `bytes` where they are aligned to 8 bytes (a SharedArrayBuffer works), else copies. Throws an
 * Error with a sentence when the bytes are not a dataset. */
export function decodeCandles(bytes: Uint8Array): Candles {
  if (bytes.byteLength < HEADER_BYTES) throw new Error('a dataset is shorter than its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw new Error('these bytes are not a dataset');
  const version = view.getUint32(4, true);
  if (version !== VERSION) throw new Error(`a dataset has form ${version}, this is ${VERSION}`);
  const barCount = view.getUint32(8, true);
  if (barCount < 1 || barCount > MAX_BARS) {
    throw new Error(`a dataset claims ${barCount} bars; 1 to ${MAX_BARS} are allowed`);
  }
  const expected = HEADER_BYTES + barCount * COLUMN_COUNT * 8;
  if (bytes.byteLength !== expected) {
    throw new Error(`a dataset of ${barCount} bars has ${bytes.byteLength} bytes, not ${expected}`);
  }
  const column = (index: number): Float64Array =>
    readColumn(view, HEADER_BYTES + index * barCount * 8, barCount);
  const candles = {
    barCount,
    timeMs: column(0),
    open: column(1),
    high: column(2),
    low: column(3),
    close: column(4),
    volume: column(5),
  };
  checkValues(candles);
  return candles;
}

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

function columnsOf(candles: Candles): readonly Float64Array[] {
  return [candles.timeMs, candles.open, candles.high, candles.low, candles.close, candles.volume];
}

function readColumn(view: DataView, at: number, barCount: number): Float64Array {
  const start = view.byteOffset + at;
  if (isLittleEndian && start % 8 === 0) return new Float64Array(view.buffer, start, barCount);
  const copy = new Float64Array(barCount);
  for (let i = 0; i < barCount; i++) copy[i] = view.getFloat64(at + i * 8, true);
  return copy;
}

/** A dataset may come from another peer: what the engine relies on is checked, not believed. */
function checkValues(candles: Candles): void {
  const { timeMs, open, high, low, close, volume } = candles;
  let previousMs = -Infinity;
  for (let bar = 0; bar < candles.barCount; bar++) {
    const t = timeMs[bar] as number;
    const o = open[bar] as number;
    const h = high[bar] as number;
    const l = low[bar] as number;
    const c = close[bar] as number;
    const v = volume[bar] as number;
    // Written so that a NaN anywhere fails.
    const sound = t > previousMs && l > 0 && h >= o && h >= c && l <= o && l <= c && v >= 0;
    if (!sound || t > MAX_TIME_MS || t < -MAX_TIME_MS || h === Infinity || v === Infinity) {
      throw new Error(`bar ${bar} of a dataset is not a candle, or not later than the one before`);
    }
    previousMs = t;
  }
}

/** The range of ECMAScript time values. */
const MAX_TIME_MS = 8.64e15;
