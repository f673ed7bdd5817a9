// The bytes of the journal. A segment begins with a header of 32 bytes; then come records, each a header of 32
// bytes, the key (the job that it speaks of) and the payload, all numbers little-endian:
//
//   segment  magic u32 | CRC u32 | version u16 | flags u16 | number u32 | first sequence u64 | records u32 | 0
//   record   magic u32 | CRC u32 | length of key + payload u32 | key length u8 | 0 x 3 | sequence u64 | at f64
//
// A CRC-32 covers everything behind it, so a record in the wrong place, or of another length, is no record.
// Behind the last record a segment may hold zeros (room that was set aside); anything else is a torn tail.
// Pure: a simulated disk holds these very bytes.
import { crc32 } from 'node:zlib';

export const HEADER_BYTES = 32;
/** Longest key and payload together: a flush of 4,096 rows of 20 columns is 655 kB. */
export const RECORD_BYTES_MAX = 8 * 1024 * 1024;
const KEY_BYTES_MAX = 255;
const SEGMENT_MAGIC = 0x4753454d;
const RECORD_MAGIC = 0x4352454d;
/** Rises when an older mesh could not read what this one writes. */
const FORMAT_VERSION = 1;
const COMPACTED = 1;

export interface SegmentHeader {
  readonly number: number;
  /** The journal's sequence number of its first record. */
  readonly firstSequence: number;
  /** Defined for a segment that was written anew without dead records: its sequence numbers have gaps, and it
   * holds exactly so many records. */
  readonly compactedRecords: number | undefined;
}

/** A record where it lies; `payload` is a view into the bytes that were scanned. */
export interface FoundRecord {
  readonly key: string;
  readonly payload: Uint8Array;
  readonly sequence: number;
  /** Epoch ms by the clock of the peer that wrote it. */
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
}

export interface Scan {
  /** Where the first byte that is no good record lies. */
  readonly goodBytes: number;
  readonly records: number;
  readonly nextSequence: number;
  /** Whether `visit` ended the scan. */
  readonly isStopped: boolean;
}

export function segmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, SEGMENT_MAGIC, true);
  view.setUint16(8, FORMAT_VERSION, true);
  view.setUint16(10, header.compactedRecords === undefined ? 0 : COMPACTED, true);
  view.setUint32(12, header.number, true);
  view.setBigUint64(16, BigInt(header.firstSequence), true);
  view.setUint32(24, header.compactedRecords ?? 0, true);
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

/** undefined: these bytes begin no segment that this version reads. */
export function readSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.byteLength < HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  const isWhole =
    view.getUint32(0, true) === SEGMENT_MAGIC &&
    view.getUint32(4, true) === crc32(bytes.subarray(8, HEADER_BYTES)) &&
    view.getUint16(8, true) === FORMAT_VERSION;
  if (!isWhole) return undefined;
  const isCompacted = (view.getUint16(10, true) & COMPACTED) !== 0;
  return {
    number: view.getUint32(12, true),
    firstSequence: Number(view.getBigUint64(16, true)),
    compactedRecords: isCompacted ? view.getUint32(24, true) : undefined,
  };
}

/** The record without its sequence number and CRC, which it gets as it reaches the file. */
export function frameRecord(key: string, payload: Uint8Array, atMs: number): Uint8Array {
  const keyBytes = Buffer.from(key, 'latin1');
  const length = keyBytes.byteLength + payload.byteLength;
  if (length > RECORD_BYTES_MAX || keyBytes.byteLength > KEY_BYTES_MAX) {
    throw new RangeError('a record is longer than the journal takes');
  }
  const bytes = new Uint8Array(HEADER_BYTES + length);
  const view = viewOf(bytes);
  view.setUint32(0, RECORD_MAGIC, true);
  view.setUint32(8, length, true);
  view.setUint8(12, keyBytes.byteLength);
  view.setFloat64(24, atMs, true);
  bytes.set(keyBytes, HEADER_BYTES);
  bytes.set(payload, HEADER_BYTES + keyBytes.byteLength);
  return bytes;
}

export function stampRecord(framed: Uint8Array, sequence: number): void {
  const view = viewOf(framed);
  view.setBigUint64(16, BigInt(sequence), true);
  view.setUint32(4, crc32(framed.subarray(8)), true);
}

/**
 * Visits the good records of `bytes[from..]` in order and stops at the first that is none. `expected`: each
 * record must have the next sequence number; undefined: each a higher one than the one before.
 * `visit` returns false to end the scan before that record.
 */
export function scanRecords(
  bytes: Uint8Array,
  options: {
    readonly from: number;
    readonly expected: number | undefined;
    readonly visit: (record: FoundRecord) => boolean | void;
  },
): Scan {
  const view = viewOf(bytes);
  const { expected, visit } = options;
  let at = options.from;
  let next = expected ?? 0;
  let records = 0;
  const keys = new KeyReader(bytes);
  while (at + HEADER_BYTES <= bytes.byteLength) {
    const length = view.getUint32(at + 8, true);
    const to = at + HEADER_BYTES + length;
    const keyLength = bytes[at + 12] ?? 0;
    const isWhole =
      view.getUint32(at, true) === RECORD_MAGIC &&
      length <= RECORD_BYTES_MAX &&
      keyLength <= length &&
      to <= bytes.byteLength;
    if (!isWhole) break;
    const sequence = view.getUint32(at + 16, true) + view.getUint32(at + 20, true) * 2 ** 32;
    if (expected === undefined ? sequence < next : sequence !== next) break;
    if (view.getUint32(at + 4, true) !== crc32(bytes.subarray(at + 8, to))) break;
    const record: FoundRecord = {
      key: keys.read(at + HEADER_BYTES, keyLength),
      payload: bytes.subarray(at + HEADER_BYTES + keyLength, to),
      sequence,
      atMs: view.getFloat64(at + 24, true),
      from: at,
      to,
    };
    if (visit(record) === false)
      return { goodBytes: at, records, nextSequence: next, isStopped: true };
    next = sequence + 1;
    records++;
    at = to;
  }
  return { goodBytes: at, records, nextSequence: next, isStopped: false };
}

/** Whether everything from `from` on is zero: room that was set aside and never written. */
export function isBlank(bytes: Uint8Array, from: number): boolean {
  for (let i = from; i < bytes.byteLength; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Neighbouring records mostly speak of one job: the same string serves them all. */
class KeyReader {
  readonly #bytes: Uint8Array;
  #from = 0;
  #length = -1;
  #key = '';

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(from: number, length: number): string {
    if (length !== this.#length || !this.#equals(from)) {
      this.#key = Buffer.from(this.#bytes.subarray(from, from + length)).toString('latin1');
      this.#length = length;
      this.#from = from;
    }
    return this.#key;
  }

  #equals(from: number): boolean {
    for (let i = 0; i < this.#length; i++) {
      if (this.#bytes[from + i] !== this.#bytes[this.#from + i]) return false;
    }
    return true;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
