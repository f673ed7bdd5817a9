// What a journal's directory holds when a peer starts: every good record, oldest first, and where to go on. A torn
// tail of the last segment was never acknowledged: it is cut off and kept aside. What is damaged in an older one is
// named; the other segments, and the copies on other disks, are not touched by it.
import { open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from './durable-file.ts';
import {
  type FoundRecord,
  HEADER_BYTES,
  isBlank,
  readSegmentHeader,
  scanRecords,
  type SegmentHeader,
} from './record.ts';
import { RecordIndex } from './record-index.ts';
import type { SegmentEnd } from './segments.ts';

const NAME = /^(\d{8})\.segment$/;

export interface RecoveredSegments {
  readonly index: RecordIndex;
  /** Bytes of each segment's file. */
  readonly sizes: Map<number, number>;
  readonly damaged: readonly string[];
  readonly end: SegmentEnd | undefined;
}

export function segmentName(segment: number): string {
  return `${String(segment).padStart(8, '0')}.segment`;
}

export async function recoverSegments(
  directory: string,
  visit: (record: FoundRecord) => void,
): Promise<RecoveredSegments> {
  const reader = new SegmentReader(directory);
  const index = new RecordIndex();
  const sizes = new Map<number, number>();
  const damaged: string[] = [];
  let end: SegmentEnd | undefined;
  const numbers = await segmentsIn(directory);
  for (const [i, segment] of numbers.entries()) {
    const bytes = await reader.read(segment);
    const found = readSegment(bytes, {
      next: await reader.header(numbers[i + 1]),
      isLast: i === numbers.length - 1,
      visit: (record) => {
        index.note(record.key, { segment, from: record.from, to: record.to }, record.atMs);
        visit(record);
      },
    });
    if (found.isDamaged) damaged.push(segmentName(segment));
    sizes.set(segment, found.isTorn ? found.goodBytes : bytes.byteLength);
    if (found.isTorn) await cutOff(directory, segment, bytes, found.goodBytes);
    end = {
      segment,
      endBytes: found.goodBytes,
      fileBytes: found.isTorn ? found.goodBytes : bytes.byteLength,
      nextSequence: Math.max(end?.nextSequence ?? 0, found.nextSequence),
      isSealed: found.isSealed,
    };
  }
  return { index, sizes, damaged, end };
}

interface FoundSegment {
  readonly goodBytes: number;
  readonly nextSequence: number;
  /** Records that were acknowledged are missing. */
  readonly isDamaged: boolean;
  /** The last segment ends in something that is no record and no blank room. */
  readonly isTorn: boolean;
  readonly isSealed: boolean;
}

/** What a segment's bytes say. `next`: the header of the segment behind it, as far as that is readable. Pure. */
export function readSegment(
  bytes: Uint8Array,
  options: {
    readonly next: SegmentHeader | undefined;
    readonly isLast: boolean;
    readonly visit: (record: FoundRecord) => void;
  },
): FoundSegment {
  const { next, isLast, visit } = options;
  const header = readSegmentHeader(bytes);
  if (header === undefined) {
    // A segment is written to only after its header was flushed: a last one without was just being made.
    const isDamaged = !isLast || holdsRecord(bytes, 0);
    return { goodBytes: 0, nextSequence: 0, isDamaged, isTorn: false, isSealed: true };
  }
  const isCompacted = header.compactedRecords !== undefined;
  const isFollowed = next !== undefined && next.number === header.number + 1;
  const untilSequence = isFollowed ? next.firstSequence : Infinity;
  const scan = scanRecords(bytes, {
    from: HEADER_BYTES,
    expected: isCompacted ? undefined : header.firstSequence,
    visit: (record) => {
      if (record.sequence >= untilSequence) return false;
      visit(record);
      return true;
    },
  });
  const { goodBytes, records } = scan;
  const nextSequence = Math.max(header.firstSequence, scan.nextSequence);
  const isBlankBehind = scan.isStopped || isBlank(bytes, goodBytes);
  if (isCompacted) {
    const isDamaged = records !== header.compactedRecords;
    return { goodBytes, nextSequence, isDamaged, isTorn: false, isSealed: true };
  }
  if (!isLast) {
    const isDamaged = isFollowed ? nextSequence < untilSequence : !isBlankBehind;
    return { goodBytes, nextSequence, isDamaged, isTorn: false, isSealed: true };
  }
  const isTorn = !isBlankBehind;
  const isDamaged = isTorn && holdsRecord(bytes, goodBytes);
  return { goodBytes, nextSequence, isDamaged, isTorn, isSealed: false };
}

/** Whether a good record lies behind one that is none: then it was no torn write that broke the chain. */
function holdsRecord(bytes: Uint8Array, from: number): boolean {
  for (let at = from; at + HEADER_BYTES <= bytes.byteLength; at++) {
    if (bytes[at] !== 0x4d || bytes[at + 1] !== 0x45) continue;
    const scan = scanRecords(bytes, { from: at, expected: undefined, visit: () => false });
    if (scan.isStopped) return true;
  }
  return false;
}

/** In order; what a crash left of a cleaning is removed. */
async function segmentsIn(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  for (const name of names.filter((name) => name.endsWith('.new'))) await rm(join(directory, name));
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);
}

async function cutOff(
  directory: string,
  segment: number,
  bytes: Uint8Array,
  goodBytes: number,
): Promise<void> {
  const path = join(directory, segmentName(segment));
  let end = bytes.byteLength;
  while (end > goodBytes && bytes[end - 1] === 0) end--;
  // On a full disk the tail is not worth the start: it was never acknowledged.
  await writeFile(`${path}.torn`, bytes.subarray(goodBytes, end), { mode: 0o600 }).catch(() => {});
  await truncate(path, goodBytes);
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(directory);
}

/** Reads one segment after the other into the same memory. */
class SegmentReader {
  readonly #directory: string;
  #buffer = new Uint8Array(0);

  constructor(directory: string) {
    this.#directory = directory;
  }

  async read(segment: number): Promise<Uint8Array> {
    const file = await open(join(this.#directory, segmentName(segment)), 'r');
    try {
      const { size } = await file.stat();
      if (this.#buffer.byteLength < size) this.#buffer = new Uint8Array(size);
      let at = 0;
      while (at < size) {
        const { bytesRead } = await file.read(this.#buffer, at, size - at, at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return this.#buffer.subarray(0, at);
    } finally {
      await file.close();
    }
  }

  async header(segment: number | undefined): Promise<SegmentHeader | undefined> {
    if (segment === undefined) return undefined;
    const file = await open(join(this.#directory, segmentName(segment)), 'r');
    try {
      const bytes = new Uint8Array(HEADER_BYTES);
      await file.read(bytes, 0, HEADER_BYTES, 0);
      return readSegmentHeader(bytes);
    } finally {
      await file.close();
    }
  }
}
