// A file of candles, whatever its form: CSV or JSON, as it is or packed by gzip. What it is shows in its first
// bytes, not in its name.

import { gunzipSync } from 'node:zlib';
import { parseCandleJson } from './candle-json.ts';
import { type CandleResult, candleFailure } from './candle-rows.ts';
import { parseCandleCsv } from './csv.ts';

/** Bytes of candles as text: what fits into one string. Two million rows are some 140 MB. */
const TEXT_BYTES_MAX = 400 * 2 ** 20;

/** Where text has no zero byte and what is none has some, most of the time. */
const HEAD_BYTES = 4096;

const OPEN_BRACKET = 0x5b;

/** The first and last four bytes of every Parquet file. */
export function isParquet(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x41 && bytes[2] === 0x52 && bytes[3] === 0x31;
}

export function parseCandleFile(file: string, bytes: Uint8Array): CandleResult {
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  let text = bytes;
  if (isPacked) {
    try {
      text = gunzipSync(bytes, { maxOutputLength: TEXT_BYTES_MAX });
    } catch (error) {
      const isLarge = (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
      return candleFailure(file, isLarge ? TOO_LARGE : 'the gzip file is damaged');
    }
  }
  if (text.byteLength > TEXT_BYTES_MAX) return candleFailure(file, TOO_LARGE);
  const [one, two] = text;
  if ((one === 0xff && two === 0xfe) || (one === 0xfe && two === 0xff)) {
    const hint = `write it anew: iconv -f UTF-16 -t UTF-8 ${file} > candles.csv`;
    return candleFailure(file, 'the file is UTF-16, not UTF-8', { hint });
  }
  if (text.subarray(0, HEAD_BYTES).includes(0)) {
    return candleFailure(file, 'the file is no text', { hint: 'candles are CSV or JSON' });
  }
  return firstByte(text) === OPEN_BRACKET
    ? parseCandleJson(file, text)
    : parseCandleCsv(file, text);
}

const TOO_LARGE = `more than ${TEXT_BYTES_MAX / 2 ** 20} MiB of text`;

/** The first that is no space; undefined in an empty file. */
function firstByte(bytes: Uint8Array): number | undefined {
  const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  let at = isMarked ? 3 : 0;
  while (at < bytes.length && (bytes[at] as number) <= 0x20) at++;
  return bytes[at];
}
