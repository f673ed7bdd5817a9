// Rows as bytes on disk: a million of them are read back in a second, which a general format does not allow. All
// little-endian:
//
//   kind u8 = 2 | flags u8 (1: final failures) | length of maker u8 | row width u8 | intervals u32
//   maker, latin1 | per interval: start u32, tasks u32 | the rows, Float64
//
// A record is validated as strictly as a message: a damaged or foreign one is a fault, never a wrong row.
import type { Interval } from '../../deque/interval-set.ts';
import type { RowBatch } from '../../stealing/job.ts';

export const ROWS_KIND = 2;
const HEAD_BYTES = 8;
const FAILURES = 1;
const ROW_WIDTH_MAX = 20;

/** A record's rows without their values. */
export interface RowHead {
  readonly kind: RowBatch['kind'];
  readonly maker: string;
  readonly rowWidth: number;
  readonly intervals: readonly Interval[];
  /** Where the values begin in the record. */
  readonly valuesAt: number;
}

export function encodeRows(batch: RowBatch, rowWidth: number): Uint8Array {
  const maker = Buffer.from(batch.maker, 'latin1');
  const valuesAt = HEAD_BYTES + maker.byteLength + batch.intervals.length * 8;
  const bytes = new Uint8Array(valuesAt + batch.values.length * 8);
  const view = new DataView(bytes.buffer);
  bytes[0] = ROWS_KIND;
  bytes[1] = batch.kind === 'failures' ? FAILURES : 0;
  bytes[2] = maker.byteLength;
  bytes[3] = rowWidth;
  view.setUint32(4, batch.intervals.length, true);
  bytes.set(maker, HEAD_BYTES);
  let at = HEAD_BYTES + maker.byteLength;
  for (const [start, end] of batch.intervals) {
    view.setUint32(at, start, true);
    view.setUint32(at + 4, end - start, true);
    at += 8;
  }
  const { values } = batch;
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), valuesAt);
  return bytes;
}

/** undefined: the bytes are no rows. */
export function readRowHead(bytes: Uint8Array): RowHead | undefined {
  if (bytes.byteLength < HEAD_BYTES || bytes[0] !== ROWS_KIND) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const makerLength = view.getUint8(2);
  const rowWidth = view.getUint8(3);
  const count = view.getUint32(4, true);
  const valuesAt = HEAD_BYTES + makerLength + count * 8;
  if (valuesAt > bytes.byteLength || makerLength === 0) return undefined;
  if (rowWidth < 1 || rowWidth > ROW_WIDTH_MAX || view.getUint8(1) > FAILURES) return undefined;
  const intervals: Interval[] = [];
  let tasks = 0;
  for (let i = 0, at = HEAD_BYTES + makerLength; i < count; i++, at += 8) {
    const start = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    if (length === 0) return undefined;
    intervals.push([start, start + length]);
    tasks += length;
  }
  if (bytes.byteLength - valuesAt !== tasks * rowWidth * 8) return undefined;
  return {
    kind: view.getUint8(1) === FAILURES ? 'failures' : 'rows',
    maker: makers.read(bytes, makerLength),
    rowWidth,
    intervals,
    valuesAt,
  };
}

/** Neighbouring records mostly have one maker: the same string serves them all. */
const makers = {
  last: '',
  read(bytes: Uint8Array, length: number): string {
    let isSame = length === this.last.length;
    for (let i = 0; isSame && i < length; i++) {
      isSame = bytes[HEAD_BYTES + i] === this.last.charCodeAt(i);
    }
    if (!isSame) {
      this.last = Buffer.from(bytes.subarray(HEAD_BYTES, HEAD_BYTES + length)).toString('latin1');
    }
    return this.last;
  },
};
