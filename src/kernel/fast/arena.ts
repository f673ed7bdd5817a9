// One linear memory for the columns (series, condition bits, pyramids) that all slots of a peer compute and read.
// It hands out runs of pages. There is no lock: a page is claimed by compareExchange with the claimer's own mark, so
// a thread that dies at any moment leaves only pages and entries that name it, and `release` takes those back.
//
// Layout: header, one word per slot (its epoch), one word per page (its owner), entries (columns.ts), pages.

/** Threads that may use one arena. */
export const SLOTS_MAX = 256;
/** Bytes per page. Less wastes less behind a column's end (conditions of 100,000 bars have 12.5 KB), more makes
 * shorter tables. */
export const PAGE_BYTES = 16_384;
const WASM_PAGE_BYTES = 65_536;
/** A wasm32 memory ends here; the last page is left out so that byte counts stay below 2^32. */
const ARENA_BYTES_MAX = 4_294_901_760;
/** Bytes by which the memory grows at least. */
const GROW_BYTES = 16_777_216;

/** Words of the header. */
const CLOCK = 0;
const PAGES = 1;
const WASM_PAGES_MAX = 2;
const HITS = 3;
const FILLS = 4;
const EVICTIONS = 5;
const HINT = 6;
const HEADER_WORDS = 16;

export interface ArenaCounts {
  /** Columns that one thread found ready because it or another had computed them. */
  readonly hits: number;
  readonly fills: number;
  readonly evictions: number;
}

export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly slot: number;
  readonly pageCount: number;
  /** Entries that columns.ts keeps: a power of two, one per page at least. */
  readonly entryCount: number;
  /** Word of `words` at which they start. */
  readonly entryTable: number;
  readonly #words: Int32Array;
  readonly #pageTable: number;
  readonly #firstPageByte: number;

  /** `budgetBytes` is the most that it ever takes from the machine; it takes what is used. */
  static create(budgetBytes: number): Arena {
    const bytes = Math.min(ARENA_BYTES_MAX, Math.max(4 * WASM_PAGE_BYTES, budgetBytes));
    const maximum = Math.floor(bytes / WASM_PAGE_BYTES);
    const pages = (maximum * WASM_PAGE_BYTES) / PAGE_BYTES;
    const initial = Math.min(maximum, Math.ceil(tables(pages).tableBytes / WASM_PAGE_BYTES) + 1);
    const memory = new WebAssembly.Memory({ initial, maximum, shared: true });
    const header = new Int32Array(memory.buffer, 0, HEADER_WORDS);
    header[PAGES] = pages;
    header[WASM_PAGES_MAX] = maximum;
    return new Arena(memory, 0);
  }

  /** The same memory for another thread; `slot` is its own, 0 is the creator's. */
  static attach(memory: WebAssembly.Memory, slot: number): Arena {
    return new Arena(memory, slot);
  }

  private constructor(memory: WebAssembly.Memory, slot: number) {
    if (!(slot >= 0 && slot < SLOTS_MAX)) throw new RangeError(`slot ${slot} of an arena`);
    this.memory = memory;
    this.slot = slot;
    const header = new Int32Array(memory.buffer, 0, HEADER_WORDS);
    this.pageCount = header[PAGES] as number;
    const { pageTable, entryTable, entryCount, tableBytes } = tables(this.pageCount);
    this.#words = new Int32Array(memory.buffer, 0, tableBytes / 4);
    this.#pageTable = pageTable;
    this.entryTable = entryTable;
    this.entryCount = entryCount;
    this.#firstPageByte = tableBytes;
  }

  /** All tables: atomics only. */
  get words(): Int32Array {
    return this.#words;
  }

  /** Starts a new epoch of this thread: what it touches from now on is in use until the next one. */
  beginEpoch(): number {
    const epoch = Atomics.add(this.#words, CLOCK, 1) + 1;
    Atomics.store(this.#words, HEADER_WORDS + this.slot, epoch);
    return epoch;
  }

  /** This thread uses nothing until its next epoch. */
  rest(): void {
    Atomics.store(this.#words, HEADER_WORDS + this.slot, 0);
  }

  /** Columns touched at or after this epoch may be in use somewhere. */
  oldestEpoch(): number {
    let oldest = Atomics.load(this.#words, CLOCK) + 1;
    for (let slot = 0; slot < SLOTS_MAX; slot++) {
      const epoch = Atomics.load(this.#words, HEADER_WORDS + slot);
      if (epoch !== 0 && epoch < oldest) oldest = epoch;
    }
    return oldest;
  }

  byteOf(page: number): number {
    return this.#firstPageByte + page * PAGE_BYTES;
  }

  /** First of `count` pages in a row that are now this thread's; -1: there is no such room. */
  claimPages(count: number): number {
    const hint = Atomics.load(this.#words, HINT);
    let page = this.#claimFrom(hint, count);
    if (page === -1 && hint > 0) page = this.#claimFrom(0, count);
    while (page === -1 && this.#grow(count)) page = this.#claimFrom(hint, count);
    if (page !== -1) Atomics.store(this.#words, HINT, page + count);
    return page;
  }

  freePages(first: number, count: number): void {
    for (let page = first; page < first + count; page++) {
      Atomics.store(this.#words, this.#pageTable + page, 0);
    }
  }

  /** The pages belong to an entry from here on, not to a thread. */
  assignPages(first: number, count: number): void {
    for (let page = first; page < first + count; page++) {
      Atomics.store(this.#words, this.#pageTable + page, ASSIGNED);
    }
  }

  /** Takes back the pages that a thread has claimed and not given to an entry, after its death. */
  release(slot: number): void {
    const words = this.#words;
    Atomics.store(words, HEADER_WORDS + slot, 0);
    for (let page = 0; page < this.pageCount; page++) {
      Atomics.compareExchange(words, this.#pageTable + page, markOf(slot), 0);
    }
  }

  counts(): ArenaCounts {
    const count = (word: number): number => Atomics.load(this.#words, word);
    return { hits: count(HITS), fills: count(FILLS), evictions: count(EVICTIONS) };
  }

  count(what: 'hits' | 'fills' | 'evictions'): void {
    Atomics.add(this.#words, { hits: HITS, fills: FILLS, evictions: EVICTIONS }[what], 1);
  }

  /** Pages that the memory has by now. */
  #present(): number {
    const bytes = this.memory.buffer.byteLength - this.#firstPageByte;
    return Math.min(this.pageCount, Math.floor(bytes / PAGE_BYTES));
  }

  #claimFrom(start: number, count: number): number {
    const mine = markOf(this.slot);
    const end = this.#present();
    let first = start;
    while (first + count <= end) {
      let page = first;
      while (page < first + count && this.#claim(page, mine)) page++;
      if (page === first + count) return first;
      this.freePages(first, page - first);
      first = page + 1;
    }
    return -1;
  }

  #claim(page: number, mine: number): boolean {
    const word = this.#pageTable + page;
    return (
      Atomics.load(this.#words, word) === 0 &&
      Atomics.compareExchange(this.#words, word, 0, mine) === 0
    );
  }

  #grow(pages: number): boolean {
    const wanted = Math.ceil(Math.max(GROW_BYTES, (pages + 1) * PAGE_BYTES) / WASM_PAGE_BYTES);
    const now = this.memory.buffer.byteLength / WASM_PAGE_BYTES;
    const most = (this.#words[WASM_PAGES_MAX] as number) - now;
    for (const count of [wanted, most]) {
      if (count <= 0 || count > most) continue;
      try {
        this.memory.grow(count);
        return true;
      } catch {
        // Another thread grew it meanwhile, or the machine has no more: the smaller step may fit.
      }
    }
    return false;
  }
}

const ASSIGNED = 1;

/** Below zero, so that it is never mistaken for a page of an entry. */
function markOf(slot: number): number {
  return -1 - slot;
}

/** Words of one entry. */
export const ENTRY_WORDS = 8;

/** Where the tables start, in words, and where the pages do, in bytes. */
function tables(pages: number): {
  readonly pageTable: number;
  readonly entryTable: number;
  readonly entryCount: number;
  readonly tableBytes: number;
} {
  const pageTable = HEADER_WORDS + SLOTS_MAX;
  const entryTable = pageTable + pages;
  const entryCount = powerOfTwoAtLeast(Math.max(64, pages));
  const bytes = (entryTable + entryCount * ENTRY_WORDS) * 4;
  return {
    pageTable,
    entryTable,
    entryCount,
    tableBytes: Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES,
  };
}

function powerOfTwoAtLeast(count: number): number {
  let power = 1;
  while (power < count) power *= 2;
  return power;
}
