// Columns by name, shared by all threads of a peer: series, condition bits, pyramids and copies of the candles. The
// first thread that wants one computes it, the others find it ready; what was used longest ago makes room.
//
// An entry is EMPTY, FILLING (its thread computes), READY or RETIRED (about to go). Who uses a column has touched its
// entry in its thread's current epoch; only what no thread has touched since the oldest epoch is retired. Touching
// and retiring both write first and look again, so that one of the two always sees the other.
import { type Arena, ENTRY_WORDS, PAGE_BYTES } from './arena.ts';

const EMPTY = 0;
const FILLING = 1;
const READY = 2;
const RETIRED = 3;
/** Words of an entry: state | slot << 2, hash, page, pages, start, last use, bytes, generation. */
const STATE = 0;
const HASH = 1;
const PAGE = 2;
const PAGES = 3;
const START = 4;
const USED = 5;
const BYTES = 6;
const GENERATION = 7;

/** Entries that one hash may lie in. */
const WAYS = 8;
/** ms that a thread waits for another to finish a column before it computes one for itself: more than the slowest
 * indicator over ten years of minutes takes. */
const FILL_PATIENCE_MS = 2000;
/** Part of the memory that is made free at least when room is needed. More computes again what would have been found; less
 * looks at all columns more often. */
const FREED_PART = 1 / 16;
/** Bytes behind a column that the native kernel may read, though what it finds there means nothing. */
const SLACK_BYTES = 256;
/** Tasks per epoch. More touch less often; fewer let columns go sooner. */
const EPOCH_TASKS = 64;
/** Part of the memory that one epoch may fill with new columns before the next one begins. */
const EPOCH_PART = 1 / 32;

/** Holders ask `isAlive` in every epoch before they look at the bytes. */
export interface Column {
  /** Of the memory's buffer; a multiple of ALIGNED_BYTES. */
  readonly byteOffset: number;
  readonly byteLength: number;
  /** First bar at which it means something. */
  start: number;
  readonly entry: number;
  readonly generation: number;
  /** Epoch of this thread in which it was last touched. */
  epoch: number;
}

export class Columns {
  readonly arena: Arena;
  readonly #words: Int32Array;
  readonly #known = new Map<string, Column>();
  /** All that the memory ever showed as its buffer: it has another one whenever it has grown. */
  readonly #buffers = new WeakSet<ArrayBufferLike>();
  #epoch = 0;
  #tasks = EPOCH_TASKS;
  #reservedBytes = 0;

  constructor(arena: Arena) {
    this.arena = arena;
    this.#words = arena.words;
  }

  /** Changes when columns that were alive may have gone. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Before each task: what was touched before may go as soon as an epoch has lasted long enough. */
  beginTask(): void {
    const isFull = this.#reservedBytes > this.arena.pageCount * PAGE_BYTES * EPOCH_PART;
    if (++this.#tasks < EPOCH_TASKS && !isFull) return;
    this.#epoch = this.arena.beginEpoch();
    this.#tasks = 0;
    this.#reservedBytes = 0;
  }

  /** Nothing of this thread is in use until the next task. */
  rest(): void {
    this.arena.rest();
    this.#tasks = EPOCH_TASKS;
  }

  float64({ byteOffset, byteLength }: Column): Float64Array {
    return new Float64Array(this.#buffer(), byteOffset, byteLength / 8);
  }

  int32({ byteOffset, byteLength }: Column): Int32Array {
    return new Int32Array(this.#buffer(), byteOffset, byteLength / 4);
  }

  /** Whether a view is of this memory; its byteOffset then is a pointer. */
  owns(view: ArrayBufferView): boolean {
    return this.#buffers.has(view.buffer);
  }

  #buffer(): SharedArrayBuffer {
    const { buffer } = this.arena.memory;
    this.#buffers.add(buffer);
    return buffer;
  }

  /** Whether the column is still what it was; if so, it stays until the next epoch. */
  isAlive(column: Column): boolean {
    return column.epoch === this.#epoch || this.#touch(column);
  }

  find(key: string): Column | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) {
      if (this.isAlive(known)) return known;
      this.#known.delete(key);
    }
    const found = this.#lookUp(key);
    if (found !== undefined) {
      this.arena.count('hits');
      this.#known.set(key, found);
    }
    return found;
  }

  /** Room for a column that `find` did not find, to be filled and then published or abandoned. Only what was last used
   * before epoch `since` makes room for it. Undefined: there is none, until others have moved on. */
  reserve(key: string, byteLength: number, since = Infinity): Column | undefined {
    const entry = this.#claimEntry(hashOf(key));
    if (entry === -1) return undefined;
    const pages = Math.ceil((keyBytes(key) + byteLength + SLACK_BYTES) / PAGE_BYTES);
    let page = this.arena.claimPages(pages);
    if (page === -1) {
      this.#evict(pages, since);
      page = this.arena.claimPages(pages);
    }
    const words = this.#words;
    if (page === -1) {
      Atomics.store(words, this.#word(entry, STATE), EMPTY);
      return undefined;
    }
    Atomics.store(words, this.#word(entry, PAGE), page);
    Atomics.store(words, this.#word(entry, PAGES), pages);
    Atomics.store(words, this.#word(entry, BYTES), byteLength);
    const at = this.arena.byteOf(page);
    this.#writeKey(key, at);
    this.#reservedBytes += byteLength;
    const generation = Atomics.load(words, this.#word(entry, GENERATION));
    const byteOffset = at + keyBytes(key);
    return { byteOffset, byteLength, start: 0, entry, generation, epoch: this.#epoch };
  }

  /** What is nice to have: it goes before all that is used from epoch `since` on, however late it is used itself. */
  publishSpare(key: string, column: Column, since: number): Column {
    return this.publish(key, column, -1 - since);
  }

  publish(key: string, column: Column, start: number): Column {
    const words = this.#words;
    column.start = start;
    const page = Atomics.load(words, this.#word(column.entry, PAGE));
    this.arena.assignPages(page, Atomics.load(words, this.#word(column.entry, PAGES)));
    Atomics.store(words, this.#word(column.entry, START), start);
    Atomics.store(words, this.#word(column.entry, USED), this.#epoch);
    this.#finish(column.entry, READY);
    this.arena.count('fills');
    this.#known.set(key, column);
    return column;
  }

  /** Gives the room back; nobody ever saw it. */
  abandon(column: Column): void {
    const page = Atomics.load(this.#words, this.#word(column.entry, PAGE));
    this.arena.freePages(page, Atomics.load(this.#words, this.#word(column.entry, PAGES)));
    this.#finish(column.entry, EMPTY);
  }

  /** A private piece of memory, this thread's until it ends; its pointer, undefined: there is no room. */
  scratch(byteLength: number): number | undefined {
    const pages = Math.ceil(byteLength / PAGE_BYTES);
    let page = this.arena.claimPages(pages);
    if (page === -1) {
      this.#evict(pages, Infinity);
      page = this.arena.claimPages(pages);
    }
    return page === -1 ? undefined : this.arena.byteOf(page);
  }

  freeScratch({ byteOffset, byteLength }: { byteOffset: number; byteLength: number }): void {
    const first = (byteOffset - this.arena.byteOf(0)) / PAGE_BYTES;
    this.arena.freePages(first, Math.ceil(byteLength / PAGE_BYTES));
  }

  #word(entry: number, word: number): number {
    return this.arena.entryTable + entry * ENTRY_WORDS + word;
  }

  #finish(entry: number, state: number): void {
    Atomics.store(this.#words, this.#word(entry, STATE), state);
    Atomics.notify(this.#words, this.#word(entry, STATE));
  }

  #touch(column: Column): boolean {
    const words = this.#words;
    const isThere = (): boolean =>
      Atomics.load(words, this.#word(column.entry, STATE)) === READY &&
      Atomics.load(words, this.#word(column.entry, GENERATION)) === column.generation;
    if (!isThere()) return false;
    this.#raiseLastUse(column.entry);
    if (!isThere()) return false;
    column.epoch = this.#epoch;
    return true;
  }

  /** Never lowered: a thread whose epoch began earlier must not hide that another uses the column. */
  #raiseLastUse(entry: number): void {
    const at = this.#word(entry, USED);
    let last = Atomics.load(this.#words, at);
    while (last < this.#epoch) {
      const seen = Atomics.compareExchange(this.#words, at, last, this.#epoch);
      if (seen === last) return;
      last = seen;
    }
  }

  #lookUp(key: string): Column | undefined {
    const hash = hashOf(key);
    for (let way = 0; way < WAYS; way++) {
      const entry = this.#entryAt(hash, way);
      this.#awaitFilling(entry, hash);
      const column = this.#columnAt(entry, hash, key);
      if (column !== undefined) return column;
    }
    return undefined;
  }

  #entryAt(hash: number, way: number): number {
    // The buckets lie side by side: a bucket's entries share cache lines.
    return ((hash & (this.arena.entryCount / WAYS - 1)) * WAYS + way) % this.arena.entryCount;
  }

  #awaitFilling(entry: number, hash: number): void {
    const at = this.#word(entry, STATE);
    const state = Atomics.load(this.#words, at);
    if ((state & 3) !== FILLING || state >>> 2 === this.arena.slot) return;
    if (Atomics.load(this.#words, this.#word(entry, HASH)) !== hash) return;
    Atomics.wait(this.#words, at, state, FILL_PATIENCE_MS);
  }

  #columnAt(entry: number, hash: number, key: string): Column | undefined {
    const words = this.#words;
    const load = (word: number): number => Atomics.load(words, this.#word(entry, word));
    if (load(STATE) !== READY || load(HASH) !== hash) return undefined;
    const column: Column = {
      entry,
      generation: load(GENERATION),
      byteOffset: this.arena.byteOf(load(PAGE)) + keyBytes(key),
      byteLength: load(BYTES),
      start: load(START),
      epoch: 0,
    };
    // Touched first: from then on its bytes stay, and can be compared.
    return this.#touch(column) && this.#hasKey(entry, key) ? column : undefined;
  }

  /** An entry of the hash's bucket that is now FILLING; -1: the bucket is full of columns in use. */
  #claimEntry(hash: number): number {
    const words = this.#words;
    const filling = FILLING | (this.arena.slot << 2);
    for (let round = 0; round < 2; round++) {
      for (let way = 0; way < WAYS; way++) {
        const entry = this.#entryAt(hash, way);
        const state = this.#word(entry, STATE);
        if (Atomics.compareExchange(words, state, EMPTY, filling) !== EMPTY) continue;
        Atomics.store(words, this.#word(entry, PAGES), 0);
        Atomics.store(words, this.#word(entry, HASH), hash);
        return entry;
      }
      const bucket = Array.from({ length: WAYS }, (_, way) => this.#entryAt(hash, way));
      const oldest = bucket.toSorted((a, b) => this.#lastUse(a) - this.#lastUse(b));
      const before = this.arena.oldestEpoch();
      if (!oldest.some((entry) => this.#retire(entry, before) > 0)) return -1;
    }
    return -1;
  }

  /** What goes first has least: the epoch of its last use, or since when it is spare. */
  #worth(entry: number): number {
    const start = Atomics.load(this.#words, this.#word(entry, START));
    return start < 0 ? -1 - start : this.#lastUse(entry);
  }

  #lastUse(entry: number): number {
    return Atomics.load(this.#words, this.#word(entry, USED));
  }

  /** What was used longest ago goes, until `pages` pages and a part of all are free, but nothing used since then. */
  #evict(pages: number, since: number): void {
    const words = this.#words;
    const before = this.arena.oldestEpoch();
    const old: number[] = [];
    for (let entry = 0; entry < this.arena.entryCount; entry++) {
      const isReady = Atomics.load(words, this.#word(entry, STATE)) === READY;
      if (isReady && this.#lastUse(entry) < before) old.push(entry);
    }
    old.sort((a, b) => this.#worth(a) - this.#worth(b));
    let freed = 0;
    const wanted = Math.max(4 * pages, this.arena.pageCount * FREED_PART);
    for (const entry of old) {
      if (freed >= wanted || this.#worth(entry) >= since) break;
      freed += this.#retire(entry, before);
    }
  }

  /** Pages that became free; 0: the column is in use, or somebody else retires it. */
  #retire(entry: number, before: number): number {
    const words = this.#words;
    const state = this.#word(entry, STATE);
    if (Atomics.compareExchange(words, state, READY, RETIRED) !== READY) return 0;
    if (this.#lastUse(entry) >= before) {
      Atomics.store(words, state, READY);
      return 0;
    }
    Atomics.add(words, this.#word(entry, GENERATION), 1);
    const pages = Atomics.load(words, this.#word(entry, PAGES));
    this.arena.freePages(Atomics.load(words, this.#word(entry, PAGE)), pages);
    Atomics.store(words, state, EMPTY);
    this.arena.count('evictions');
    return pages;
  }

  #writeKey(key: string, at: number): void {
    const units = new Uint16Array(this.arena.memory.buffer, at, 2 + key.length);
    units[0] = key.length & 0xffff;
    units[1] = key.length >>> 16;
    for (let i = 0; i < key.length; i++) units[2 + i] = key.charCodeAt(i);
  }

  #hasKey(entry: number, key: string): boolean {
    const at = this.arena.byteOf(Atomics.load(this.#words, this.#word(entry, PAGE)));
    const units = new Uint16Array(this.arena.memory.buffer, at, 2 + key.length);
    if (units[0] !== (key.length & 0xffff) || units[1] !== key.length >>> 16) return false;
    for (let i = 0; i < key.length; i++) if (units[2 + i] !== key.charCodeAt(i)) return false;
    return true;
  }
}

/** Takes back what a thread that has died was computing. */
export function releaseSlot(arena: Arena, slot: number): void {
  const words = arena.words;
  const filling = FILLING | (slot << 2);
  for (let entry = 0; entry < arena.entryCount; entry++) {
    const at = arena.entryTable + entry * ENTRY_WORDS + STATE;
    if (Atomics.compareExchange(words, at, filling, EMPTY) === filling) Atomics.notify(words, at);
  }
  arena.release(slot);
}

/** A block of 16 bars (or of 32 words of a condition) then lies in two cache lines and not in three. */
const ALIGNED_BYTES = 128;

/** Bytes before the column: length and text of its key, up to the next boundary. */
function keyBytes(key: string): number {
  return Math.ceil((4 + 2 * key.length) / ALIGNED_BYTES) * ALIGNED_BYTES;
}

/** FNV-1a over UTF-16 units; equal hashes are told apart by the key itself. */
function hashOf(key: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x0100_0193);
  }
  // The low bits choose the bucket: all bits must reach them.
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b_3c6d) ^ (hash >>> 12);
}
