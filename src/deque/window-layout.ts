// The shared memory behind the cursor: where each field lies, and how the one 64-bit word is packed. Main
// thread and slots both open the same SharedArrayBuffer through this file and nothing else.
//
// Everything but the segment tables is read and written by Atomics only. The tables are plain memory: they are
// written before the word that announces them, and whoever copied one in vain fails its compareExchange.
import { invariant } from '../invariant.ts';

/** Intervals per window. More let a fragmented deque go out in one window; each costs a new window's reader
 * 8 bytes of copying. 256 make a table of 2 KiB, copied in well under a microsecond. */
export const WINDOW_SEGMENTS_MAX = 256;

/** Tasks per window: positions are 24 bits wide. A larger backlog goes out in several windows. */
export const WINDOW_TASKS_MAX = 2 ** 24 - 1;

/** More slots than any machine of the mesh has cores; bounds what a buffer from outside may make us map. */
const CURSOR_SLOTS_MAX = 1024;

/** Window ids are 16 bits of the word; the table's 32-bit generation tells two uses of one id apart. */
export const WINDOW_IDS = 2 ** 16;

/** The generation of no window. */
export const NO_GENERATION = -1;

const TASK_INDEX_MAX = 2 ** 32 - 1;

// Header, in Int32 fields. The word has its own cache line: it is what all slots hammer.
const FIELD_SLOTS = 0;
export const FIELD_WAKE_EPOCH = 1;
export const FIELD_MICRO_BATCH_TASKS = 2;
const WORD_BYTE = 64;
const TABLES_BYTE = 128;

// A segment table: generation, job number, segment count, then the first task and the first window position of
// every segment.
export const TABLE_GENERATION = 0;
export const TABLE_JOB_NUMBER = 1;
export const TABLE_SEGMENTS = 2;
const TABLE_TASKS = 4;
const TABLE_POSITIONS = TABLE_TASKS + WINDOW_SEGMENTS_MAX;
const TABLE_FIELDS = TABLE_POSITIONS + WINDOW_SEGMENTS_MAX;

// A claim record: one cache line per slot, so that slots do not slow each other down.
export const RECORD_ACTIVE = 0;
export const RECORD_WINDOW = 1;
export const RECORD_START = 2;
export const RECORD_END = 3;
/** Not of the claim: the main thread's word to the slot, 1 while it must not claim. */
export const RECORD_ASIDE = 4;
const RECORD_FIELDS = 16;

export interface SegmentTable {
  /** Generation, job number, segment count. */
  readonly head: Int32Array;
  /** First task of each segment. */
  readonly tasks: Uint32Array;
  /** First window position of each segment, ascending from 0. */
  readonly positions: Uint32Array;
}

export interface WindowMemory {
  readonly buffer: SharedArrayBuffer;
  readonly slots: number;
  readonly header: Int32Array<SharedArrayBuffer>;
  readonly word: BigUint64Array<SharedArrayBuffer>;
  /** By parity of the window id. */
  readonly tables: readonly [SegmentTable, SegmentTable];
  readonly records: readonly Int32Array<SharedArrayBuffer>[];
}

/** The word, unpacked: positions [next, end) of window `id` are unclaimed. */
export interface WindowWord {
  readonly id: number;
  readonly next: number;
  readonly end: number;
}

export function packWord(id: number, next: number, end: number): bigint {
  return (BigInt(id) << 48n) | (BigInt(next) << 24n) | BigInt(end);
}

export function unpackWord(word: bigint): WindowWord {
  // Two plain loads: shifts of big integers make a new one each, and words are read all the time.
  wordRoom[0] = word;
  const low = wordHalves[LOW_HALF]!;
  const high = wordHalves[1 - LOW_HALF]!;
  return {
    id: high >>> 16,
    next: ((high & 0xffff) << 8) | (low >>> 24),
    end: low & 0xff_ffff,
  };
}

const wordRoom = new BigUint64Array([1n]);
const wordHalves = new Uint32Array(wordRoom.buffer);
const LOW_HALF = wordHalves[0] === 1 ? 0 : 1;

export function allocateWindowMemory(slots: number): WindowMemory {
  invariant(Number.isInteger(slots) && 1 <= slots && slots <= CURSOR_SLOTS_MAX, `${slots} slots`);
  const buffer = new SharedArrayBuffer(bytesFor(slots));
  Atomics.store(new Int32Array(buffer), FIELD_SLOTS, slots);
  return mapWindowMemory(buffer);
}

export function mapWindowMemory(buffer: SharedArrayBuffer): WindowMemory {
  const header = new Int32Array(buffer, 0, WORD_BYTE / 4);
  const slots = Atomics.load(header, FIELD_SLOTS);
  invariant(1 <= slots && slots <= CURSOR_SLOTS_MAX, 'the buffer holds a cursor');
  invariant(buffer.byteLength === bytesFor(slots), 'the buffer has the size that its slots need');
  return {
    buffer,
    slots,
    header,
    word: new BigUint64Array(buffer, WORD_BYTE, 1),
    tables: [mapTable(buffer, 0), mapTable(buffer, 1)],
    records: Array.from(
      { length: slots },
      (_, slot) => new Int32Array(buffer, recordByte(slot), RECORD_FIELDS),
    ),
  };
}

/** A table of one thread's own, to copy a shared one into. */
export function privateTable(): SegmentTable {
  return mapTable(new ArrayBuffer(TABLES_BYTE + TABLE_FIELDS * 4), 0);
}

/** The tasks behind window positions [start, end), in window order, as maximal intervals. */
export function tasksAt(table: SegmentTable, start: number, end: number): [number, number][] {
  const intervals: [number, number][] = [];
  const segments = table.head[TABLE_SEGMENTS]!;
  let segment = segmentHolding(table, start);
  for (let position = start; position < end; segment++) {
    const first = table.tasks[segment]! + position - table.positions[segment]!;
    const segmentEnd = segment + 1 < segments ? table.positions[segment + 1]! : end;
    const stop = Math.min(segmentEnd, end);
    const last = intervals.at(-1);
    if (last?.[1] === first) last[1] += stop - position;
    else intervals.push([first, first + stop - position]);
    position = stop;
  }
  return intervals;
}

/** Fills everything of a table but its generation; returns the number of window positions. */
export function fillTable(
  table: SegmentTable,
  jobNumber: number,
  intervals: readonly (readonly [number, number])[],
): number {
  const segments = intervals.length;
  invariant(1 <= segments && segments <= WINDOW_SEGMENTS_MAX, `${segments} segments in a window`);
  let position = 0;
  for (const [i, [start, end]] of intervals.entries()) {
    invariant(0 <= start && start < end && end <= TASK_INDEX_MAX, `segment [${start}, ${end})`);
    table.tasks[i] = start;
    table.positions[i] = position;
    position += end - start;
  }
  invariant(position <= WINDOW_TASKS_MAX, `${position} tasks in a window`);
  table.head[TABLE_JOB_NUMBER] = jobNumber;
  table.head[TABLE_SEGMENTS] = segments;
  return position;
}

function segmentHolding(table: SegmentTable, position: number): number {
  let low = 0;
  let high = table.head[TABLE_SEGMENTS]! - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (table.positions[middle]! <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

function mapTable(buffer: ArrayBuffer | SharedArrayBuffer, parity: number): SegmentTable {
  const at = TABLES_BYTE + parity * TABLE_FIELDS * 4;
  return {
    head: new Int32Array(buffer, at, TABLE_TASKS),
    tasks: new Uint32Array(buffer, at + TABLE_TASKS * 4, WINDOW_SEGMENTS_MAX),
    positions: new Uint32Array(buffer, at + TABLE_POSITIONS * 4, WINDOW_SEGMENTS_MAX),
  };
}

function recordByte(slot: number): number {
  // Tables end on a multiple of 16 bytes; records begin on the next cache line.
  const tablesEnd = TABLES_BYTE + 2 * TABLE_FIELDS * 4;
  return Math.ceil(tablesEnd / 64) * 64 + slot * RECORD_FIELDS * 4;
}

function bytesFor(slots: number): number {
  return recordByte(slots);
}
