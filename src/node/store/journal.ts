// The journal on a real disk: a directory of segments that only grow, one of them written. Whatever waits goes out
// with one write and one flush (group commit), because a flush costs 17 ms on a Mac and the write next to nothing.
// An acknowledged record is power-safe; one that is only written is kill-safe, and nobody is told of it yet.
//
// A kill in the middle leaves a torn tail: it was never acknowledged, is kept aside as `.torn` and cut off.
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshError } from '../errors.ts';
import { diskError, isNoSpace, syncDirectory } from './durable-file.ts';
import { cleanSegment } from './cleaning.ts';
import { type FoundRecord, frameRecord, RECORD_BYTES_MAX, scanRecords } from './record.ts';
import type { RecordIndex, Span } from './record-index.ts';
import { recoverSegments, segmentName } from './recovery.ts';
import { type DiskOrder, SEGMENT_BYTES_MAX, Segments } from './segments.ts';
import type { Store, StoreUsage } from './store.ts';

/** Bytes of one grouped write, so that a burst of rows does not need a buffer of its own size again. */
const GROUP_BYTES_MAX = 16 * 1024 * 1024;
const ZEROS = new Uint8Array(256 * 1024);

interface Waiting {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly isVital: boolean;
  readonly kept: () => void;
  readonly refused: (reason: MeshError) => void;
}

export interface JournalOptions {
  /** Every record of former lives, oldest first; `payload` is a view that does not outlive the call. */
  readonly visit?: (record: FoundRecord) => void;
  readonly segmentBytesMax?: number;
  readonly nowMs?: () => number;
}

export class Journal implements Store {
  readonly #directory: string;
  readonly #index: RecordIndex;
  readonly #segments: Segments;
  readonly #nowMs: () => number;
  readonly #damaged: readonly string[];
  /** Bytes of each segment's file. */
  readonly #sizes: Map<number, number>;
  #file: FileHandle | undefined;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  /** Reading and cleaning take turns: cleaning moves records. */
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  #refusal: { readonly sinceMs: number; readonly text: string } | undefined;

  private constructor(
    directory: string,
    found: Awaited<ReturnType<typeof recoverSegments>>,
    options: JournalOptions,
  ) {
    this.#directory = directory;
    this.#index = found.index;
    this.#damaged = found.damaged;
    this.#sizes = found.sizes;
    this.#segments = new Segments(found.end, options.segmentBytesMax ?? SEGMENT_BYTES_MAX);
    this.#nowMs = options.nowMs ?? Date.now;
  }

  static async open(directory: string, options: JournalOptions = {}): Promise<Journal> {
    await setOldFileAside(directory);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const found = await recoverSegments(directory, options.visit ?? (() => {}));
    const journal = new Journal(directory, found, options);
    if (found.end?.isSealed === false) await journal.#openSegment(found.end.segment);
    return journal;
  }

  append(key: string, record: Uint8Array, isVital = false): Promise<void> {
    if (this.#isClosed) return Promise.reject(new MeshError('DISK', 'the store is closed'));
    if (key.length + record.byteLength > RECORD_BYTES_MAX) {
      return Promise.reject(new MeshError('DISK', 'a record is longer than the store takes'));
    }
    const bytes = frameRecord(key, record, this.#nowMs());
    return new Promise((kept, refused) => {
      this.#waiting.push({ key, bytes, isVital, kept, refused });
      this.#writing ??= this.#drain();
    });
  }

  read(key: string, visit: (record: Uint8Array) => void): Promise<void> {
    return this.#inTurn(async () => {
      for (const span of this.#index.spans(key)) await this.#readSpan(key, span, visit);
    });
  }

  forget(key: string): void {
    this.#index.forget(key);
  }

  about(key: string): { readonly bytes: number; readonly newestMs: number } | undefined {
    const newestMs = this.#index.newestMs(key);
    return newestMs === undefined ? undefined : { bytes: this.#index.bytes(key), newestMs };
  }

  /** Frees what dead records take in sealed segments, at most one segment's worth of copying at a time.
   * Returns the bytes that were freed. */
  async clean(): Promise<number> {
    let freed = 0;
    for (const [segment, bytes] of this.#sizes) {
      if (segment === this.#segments.current || this.#isClosed) continue;
      freed += await this.#inTurn(async () => {
        const left = await cleanSegment(this.#directory, { segment, bytes }, this.#index);
        if (left === 0) this.#sizes.delete(segment);
        else this.#sizes.set(segment, left);
        return bytes - left;
      });
    }
    return freed;
  }

  usage(): StoreUsage {
    return {
      bytes: [...this.#sizes.values()].reduce((sum, bytes) => sum + bytes, 0),
      liveBytes: this.#index.bytes(),
      damaged: this.#damaged,
      refusesSinceMs: this.#refusal?.sinceMs,
      refusal: this.#refusal?.text,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    await this.#turn.catch(() => {});
    await this.#file?.close();
    this.#file = undefined;
  }

  async #drain(): Promise<void> {
    // Everything that is appended in this turn of the loop goes with the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#keep(this.#takeGroup());
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

  async #keep(group: readonly Waiting[]): Promise<void> {
    try {
      await this.#write(group);
      this.#refusal = undefined;
      for (const { kept } of group) kept();
    } catch (error) {
      const vital = group.filter(({ isVital }) => isVital);
      const rest = group.filter(({ isVital }) => !isVital);
      const reason = diskError(error);
      this.#refusal ??= { sinceMs: this.#nowMs(), text: reason.message };
      for (const { refused } of rest) refused(reason);
      // Alone the small ones may fit into the reserve.
      if (rest.length > 0 && vital.length > 0) await this.#keep(vital);
      else for (const { refused } of vital) refused(reason);
    }
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const records = group.map(({ bytes }) => bytes);
    const isVital = group.every(({ isVital }) => isVital);
    const orders = this.#segments.place(records, isVital);
    for (const order of orders) {
      try {
        this.#segments.done(order, await this.#carryOut(order));
      } catch (error) {
        this.#segments.failed(order);
        throw error;
      }
    }
    this.#segments.kept(records);
    const write = orders.find((order) => order.kind === 'write');
    let from = write?.atBytes ?? 0;
    for (const { key, bytes } of group) {
      const to = from + bytes.byteLength;
      this.#index.note(key, { segment: write?.segment ?? 0, from, to }, this.#nowMs());
      from = to;
    }
  }

  /** Returns how far an allocation came. */
  async #carryOut(order: DiskOrder): Promise<number> {
    switch (order.kind) {
      case 'create':
        await this.#createSegment(order.segment, order.bytes);
        return 0;
      case 'allocate':
        return this.#allocate(order);
      case 'write':
        await this.#writeAll(Buffer.concat(order.parts), order.atBytes);
        this.#grewTo(order.segment, order.atBytes + totalBytes(order.parts));
        return 0;
      case 'flush':
        await this.#current().datasync();
        return 0;
    }
  }

  async #createSegment(segment: number, header: Uint8Array): Promise<void> {
    const path = join(this.#directory, segmentName(segment));
    await rm(path, { force: true });
    const file = await open(path, 'wx+', 0o600);
    try {
      await file.write(header, 0, header.byteLength, 0);
      await file.sync();
      await syncDirectory(this.#directory);
    } catch (error) {
      await file.close();
      await rm(path, { force: true }).catch(() => {});
      throw error;
    }
    await this.#file?.close();
    this.#file = file;
    this.#grewTo(segment, header.byteLength);
  }

  async #allocate(order: Extract<DiskOrder, { kind: 'allocate' }>): Promise<number> {
    const { segment, fromBytes, toBytes, atLeastBytes } = order;
    try {
      await this.#writeZeros(fromBytes, toBytes);
      this.#grewTo(segment, toBytes);
      return toBytes;
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      // Whatever came of it may be enough.
      const { size } = await this.#current().stat();
      this.#grewTo(segment, size);
      if (size >= atLeastBytes) return size;
      throw error;
    }
  }

  async #writeZeros(from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += ZEROS.byteLength) {
      await this.#writeAll(ZEROS.subarray(0, Math.min(ZEROS.byteLength, to - at)), at);
    }
  }

  /** A system may write less than it was given. */
  async #writeAll(bytes: Uint8Array, at: number): Promise<void> {
    for (let written = 0; written < bytes.byteLength; ) {
      const left = bytes.byteLength - written;
      const { bytesWritten } = await this.#current().write(bytes, written, left, at + written);
      written += bytesWritten;
    }
  }

  #grewTo(segment: number, bytes: number): void {
    this.#sizes.set(segment, Math.max(bytes, this.#sizes.get(segment) ?? 0));
  }

  #current(): FileHandle {
    if (this.#file === undefined) throw new MeshError('DISK', 'no segment is open');
    return this.#file;
  }

  async #openSegment(segment: number): Promise<void> {
    this.#file = await open(join(this.#directory, segmentName(segment)), 'r+');
  }

  async #readSpan(
    key: string,
    { segment, from, to }: Span,
    visit: (record: Uint8Array) => void,
  ): Promise<void> {
    const file = await open(join(this.#directory, segmentName(segment)), 'r');
    try {
      const bytes = new Uint8Array(to - from);
      const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, from);
      const { goodBytes } = scanRecords(bytes.subarray(0, bytesRead), {
        from: 0,
        expected: undefined,
        visit: (record) => {
          if (record.key === key) visit(record.payload);
        },
      });
      if (goodBytes < to - from) {
        throw new MeshError(
          'DISK',
          `${segmentName(segment)} is damaged at byte ${from + goodBytes}`,
        );
      }
    } finally {
      await file.close();
    }
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.catch(() => {}).then(act);
    this.#turn = turn;
    return turn;
  }
}

function totalBytes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Builds before the first release kept their records in one file of that name. */
async function setOldFileAside(directory: string): Promise<void> {
  const isFile = await stat(directory).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isFile) await rename(directory, `${directory}.old`);
}
