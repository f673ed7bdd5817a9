// Gives back what dead records take. A sealed segment with no live record is removed; one that is dead for more than
// half is written anew beside itself, flushed, and renamed into its place, so that a crash leaves the old or the new.
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from './durable-file.ts';
import {
  type FoundRecord,
  HEADER_BYTES,
  readSegmentHeader,
  scanRecords,
  segmentHeader,
} from './record.ts';
import type { RecordIndex } from './record-index.ts';
import { segmentName } from './recovery.ts';

/** Returns the bytes of the segment afterwards; 0 when it is gone. Keeps `index` right. */
export async function cleanSegment(
  directory: string,
  { segment, bytes }: { readonly segment: number; readonly bytes: number },
  index: RecordIndex,
): Promise<number> {
  const path = join(directory, segmentName(segment));
  const live = index.inSegment(segment);
  if (live.records === 0) {
    await rm(path, { force: true });
    await syncDirectory(directory);
    return 0;
  }
  if (live.bytes * 2 > bytes) return bytes;
  const old = await readFile(path);
  const kept = liveRecords(old, index);
  // A damaged segment stays as it is: what cannot be read cannot be copied.
  if (kept.length < live.records) return bytes;
  const firstSequence = readSegmentHeader(old)?.firstSequence ?? 0;
  const header = { number: segment, firstSequence, compactedRecords: kept.length };
  const parts = [
    segmentHeader(header),
    ...kept.map((record) => old.subarray(record.from, record.to)),
  ];
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w', 0o600);
  try {
    await file.writeFile(Buffer.concat(parts));
    await file.sync();
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  await syncDirectory(directory);
  index.forgetSegment(segment);
  let at = HEADER_BYTES;
  for (const { key, from, to, atMs } of kept) {
    index.note(key, { segment, from: at, to: at + to - from }, atMs);
    at += to - from;
  }
  return at;
}

function liveRecords(bytes: Uint8Array, index: RecordIndex): FoundRecord[] {
  const kept: FoundRecord[] = [];
  scanRecords(bytes, {
    from: HEADER_BYTES,
    expected: undefined,
    visit: (record) => {
      if (index.has(record.key)) kept.push(record);
    },
  });
  return kept;
}
