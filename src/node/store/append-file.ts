// The plain store: one file that only grows. A record is a 20-byte header (magic, length, sequence number, CRC-32
// over sequence number and payload, all little-endian) and the payload. Whatever waits goes out with one write
// and one flush (group commit), because a flush costs 17 ms on a Mac and the write next to nothing.
//
// A kill in the middle leaves a torn tail: it was never acknowledged, is cut off at the next start and kept aside
// as `.torn`. A full disk truncates back to the last acknowledged byte and says so; after a failed flush nobody
// knows what the disk holds, so the file takes no more.
import { type FileHandle, open, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { MeshError } from '../errors.ts';
import { RECORD_BYTES_MAX, type Store } from './store.ts';

const MAGIC = 0x4d455348;
const HEADER_BYTES = 20;
/** Bytes of one grouped write, so that a burst of rows does not need a buffer of its own size again. */
const GROUP_BYTES_MAX = 16 * 1024 * 1024;

interface Waiting {
  readonly bytes: Uint8Array;
  readonly kept: () => void;
  readonly refused: (reason: MeshError) => void;
}

export class AppendFile implements Store {
  readonly #file: FileHandle;
  #recovered: readonly Uint8Array[];
  /** Bytes that are acknowledged. */
  #endBytes: number;
  #nextSequence: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #broken: MeshError | undefined;

  private constructor(file: FileHandle, found: Scan) {
    this.#file = file;
    this.#recovered = found.records;
    this.#endBytes = found.goodBytes;
    this.#nextSequence = found.records.length;
  }

  static async open(path: string): Promise<AppendFile> {
    const file = await open(path, 'a+', 0o600);
    try {
      const bytes = await file.readFile();
      const found = scan(bytes);
      if (found.goodBytes < bytes.length) {
        await writeFile(`${path}.torn`, bytes.subarray(found.goodBytes), { mode: 0o600 });
        await file.truncate(found.goodBytes);
      }
      await file.sync();
      await syncDirectory(dirname(path));
      return new AppendFile(file, found);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  recovered(): readonly Uint8Array[] {
    const records = this.#recovered;
    // They may be most of what this process remembers: only the reader keeps them.
    this.#recovered = [];
    return records;
  }

  append(record: Uint8Array): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    if (record.byteLength > RECORD_BYTES_MAX) {
      return Promise.reject(new MeshError('DISK', 'a record is longer than the store takes'));
    }
    return new Promise((kept, refused) => {
      this.#waiting.push({ bytes: this.#frame(record), kept, refused });
      this.#writing ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    this.#broken ??= new MeshError('DISK', 'the store is closed');
    await this.#file.close();
  }

  #frame(payload: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(HEADER_BYTES + payload.byteLength);
    const header = new DataView(bytes.buffer);
    header.setUint32(0, MAGIC, true);
    header.setUint32(4, payload.byteLength, true);
    bytes.set(payload, HEADER_BYTES);
    return bytes;
  }

  async #drain(): Promise<void> {
    // Everything that is appended in this turn of the loop goes with the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#write(group);
        for (const { kept } of group) kept();
      } catch (error) {
        const reason = error instanceof MeshError ? error : diskError(error);
        for (const { refused } of group) refused(reason);
        if (this.#broken !== undefined)
          for (const rest of this.#waiting.splice(0)) rest.refused(reason);
      }
    }
    this.#writing = undefined;
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes.byteLength;
      if (count > 0 && bytes > GROUP_BYTES_MAX) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    // Numbered as they reach the file: a refused group leaves no hole.
    for (const [i, { bytes }] of group.entries()) stamp(bytes, this.#nextSequence + i);
    const all = Buffer.concat(group.map(({ bytes }) => bytes));
    try {
      let written = 0;
      while (written < all.byteLength) {
        const { bytesWritten } = await this.#file.write(all, written);
        written += bytesWritten;
      }
    } catch (error) {
      await this.#truncateBack();
      throw diskError(error);
    }
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#broken = new MeshError(
        'DISK',
        'the disk failed to flush; restart mesh on a disk that works',
        {
          cause: error,
        },
      );
      throw this.#broken;
    }
    this.#endBytes += all.byteLength;
    this.#nextSequence += group.length;
  }

  async #truncateBack(): Promise<void> {
    try {
      await this.#file.truncate(this.#endBytes);
    } catch (error) {
      this.#broken = diskError(error);
    }
  }
}

interface Scan {
  /** Copies, so that the file's buffer can go. */
  readonly records: readonly Uint8Array[];
  readonly goodBytes: number;
}

/** The longest prefix of whole, unbroken records in sequence. */
function scan(bytes: Uint8Array): Scan {
  const records: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + HEADER_BYTES <= bytes.byteLength) {
    const length = view.getUint32(at + 4, true);
    const end = at + HEADER_BYTES + length;
    const isWhole =
      view.getUint32(at, true) === MAGIC && length <= RECORD_BYTES_MAX && end <= bytes.byteLength;
    if (!isWhole || view.getBigUint64(at + 8, true) !== BigInt(records.length)) break;
    if (view.getUint32(at + 16, true) !== checksum(bytes.subarray(at, end))) break;
    records.push(bytes.slice(at + HEADER_BYTES, end));
    at = end;
  }
  return { records, goodBytes: at };
}

function stamp(framed: Uint8Array, sequence: number): void {
  const view = new DataView(framed.buffer, framed.byteOffset, framed.byteLength);
  view.setBigUint64(8, BigInt(sequence), true);
  view.setUint32(16, checksum(framed), true);
}

/** Over length and sequence number as well: a record in the wrong place is no record. */
function checksum(framed: Uint8Array): number {
  return crc32(framed.subarray(HEADER_BYTES), crc32(framed.subarray(4, 16)));
}

function diskError(cause: unknown): MeshError {
  const code = (cause as { code?: string } | undefined)?.code ?? 'unknown error';
  const message =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'the disk is full: nothing new is kept until there is space'
      : `this disk does not keep records (${code})`;
  return new MeshError('DISK', message, { cause, hint: 'df -h' });
}

/** Makes a new or renamed file's name as durable as its bytes. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Writes a small file so that after a crash it is either the old or the new one. */
export async function replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}
