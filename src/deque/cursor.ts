// The bottom window: the tasks that this machine's slots work on next, in shared memory, so that a slot gets
// its next micro-batch by one compareExchange instead of a message (a message costs 24-88 us, more than many
// tasks). The main thread opens a window from the deque's bottom, and shrinks it from the high end when it
// gives work away; slots claim from the low end. The deterministic simulator drives this same class from one
// thread, so nothing in here waits, but for `ClaimView.waitForWork`.
//
// Why nothing is both claimed and given away: unclaimed positions are [next, end) of one 64-bit word {window
// id, next, end}. A claim raises `next`, a shrink lowers `end`, both by compareExchange on the whole word.
//
// Why a slot never runs the wrong tasks: positions mean tasks only by the window's segment table. A slot
// copies the table *before* its compareExchange; that exchange succeeds only while the same window is open, and
// a table is rewritten only after its window is exhausted, so success proves the copy whole. Window ids are 16
// bits and come round again. What keeps an old exchange from succeeding on a new window of the same id: a slot
// notes its intent (window, start, end) in its record, then checks the table's generation, then exchanges; the
// main thread writes a new generation first and then reads the records, and passes over an id that a record
// names. Whichever of the two came first, the other sees it.
//
// Why a dead slot costs nothing but its claim: the record outlives the thread, and `claimOf` turns it into
// tasks again. An intent whose exchange lost looks like a claim, so its tasks may run twice: execution is at
// least once, the effect exactly once.
import { invariant } from '../invariant.ts';
import { ClaimView } from './claim-view.ts';
import type { Interval } from './interval-set.ts';
import {
  allocateWindowMemory,
  FIELD_MICRO_BATCH_TASKS,
  FIELD_WAKE_EPOCH,
  fillTable,
  NO_GENERATION,
  packWord,
  privateTable,
  RECORD_ACTIVE,
  RECORD_ASIDE,
  RECORD_END,
  RECORD_START,
  RECORD_WINDOW,
  type SegmentTable,
  TABLE_GENERATION,
  TABLE_JOB_NUMBER,
  tasksAt,
  unpackWord,
  WINDOW_IDS,
  type WindowMemory,
} from './window-layout.ts';

export { WINDOW_SEGMENTS_MAX, WINDOW_TASKS_MAX } from './window-layout.ts';

export interface WindowOpening {
  /** The pool's small number for a job, a 32-bit integer. */
  readonly jobNumber: number;
  /** In the order in which they shall run: 1 to WINDOW_SEGMENTS_MAX intervals, WINDOW_TASKS_MAX tasks at most. */
  readonly intervals: readonly Interval[];
  /** Most tasks that a slot claims at once, >= 1. */
  readonly microBatchTasks: number;
}

/** What decides which tasks are claimable: the part of the cursor that needs no thread on its other side. */
export type OpenWindow = Pick<
  WindowCursor,
  'open' | 'remaining' | 'window' | 'shrink' | 'setMicroBatch' | 'claimOf' | 'keepAside'
>;

/** The main thread's side. */
export class WindowCursor {
  readonly #memory: WindowMemory;
  /** Tables of the open window and of every older one that a slot's record still names. */
  readonly #history = new Map<number, SegmentTable>();
  #generation: number;

  private constructor(memory: WindowMemory, generation: number) {
    this.#memory = memory;
    this.#generation = generation;
  }

  /** `firstGeneration` lets a test begin just before the window ids wrap. */
  static create(slots: number, firstGeneration = 0): WindowCursor {
    const memory = allocateWindowMemory(slots);
    for (const table of memory.tables) Atomics.store(table.head, TABLE_GENERATION, NO_GENERATION);
    return new WindowCursor(memory, firstGeneration);
  }

  /** What a slot attaches its ClaimView to. */
  get buffer(): SharedArrayBuffer {
    return this.#memory.buffer;
  }

  get slots(): number {
    return this.#memory.slots;
  }

  /** A slot's side in this very thread. */
  claims(slot: number): ClaimView {
    return ClaimView.attach(this.#memory.buffer, slot);
  }

  /** Makes tasks claimable and wakes waiting slots; returns the window's id. Only when nothing is left
   * unclaimed in the window before. */
  open(opening: WindowOpening): number {
    invariant(this.remaining() === 0, 'a window opens only when the one before is exhausted');
    const own = privateTable();
    const count = fillTable(own, opening.jobNumber, opening.intervals);
    const id = this.#freshId();
    const shared = this.#memory.tables[id % 2 === 0 ? 0 : 1];
    fillTable(shared, opening.jobNumber, opening.intervals);
    this.setMicroBatch(opening.microBatchTasks);
    this.#forgetWindowsNobodyNames();
    this.#history.set(id, own);
    Atomics.store(this.#memory.word, 0, packWord(id, 0, count));
    this.wake();
    return id;
  }

  /** Unclaimed tasks. */
  remaining(): number {
    const { next, end } = unpackWord(Atomics.load(this.#memory.word, 0));
    return end - next;
  }

  /** The window that has unclaimed tasks; undefined when a new one may be opened. */
  window(): { readonly id: number; readonly jobNumber: number } | undefined {
    const { id, next, end } = unpackWord(Atomics.load(this.#memory.word, 0));
    if (next === end) return undefined;
    return { id, jobNumber: this.#tableOf(id).head[TABLE_JOB_NUMBER]! };
  }

  /** Takes up to `maxTasks` unclaimed tasks from the high end, in window order; [] when there are none. */
  shrink(maxTasks: number): Interval[] {
    invariant(maxTasks >= 0, `a number of tasks to take is not negative: ${maxTasks}`);
    for (;;) {
      const word = Atomics.load(this.#memory.word, 0);
      const { id, next, end } = unpackWord(word);
      const cut = end - Math.min(end - next, Math.floor(maxTasks));
      if (cut === end) return [];
      if (Atomics.compareExchange(this.#memory.word, 0, word, packWord(id, next, cut)) === word) {
        return tasksAt(this.#tableOf(id), cut, end);
      }
    }
  }

  /** Most tasks per claim from here on, also in the open window. */
  setMicroBatch(tasks: number): void {
    invariant(Number.isInteger(tasks) && tasks >= 1, `a micro-batch of ${tasks} tasks`);
    Atomics.store(this.#memory.header, FIELD_MICRO_BATCH_TASKS, Math.min(tasks, 2 ** 24));
  }

  /** These slots claim nothing until they are left out here; what they have claimed they finish. Who may claim again is
   * woken. A slot that is about to claim may not have seen it. */
  keepAside(slots: ReadonlySet<number>): void {
    let isFreed = false;
    for (const [slot, record] of this.#memory.records.entries()) {
      const before = Atomics.exchange(record, RECORD_ASIDE, slots.has(slot) ? 1 : 0);
      if (before !== 0 && !slots.has(slot)) isFreed = true;
    }
    if (isFreed) this.wake();
  }

  /** What `slot` has claimed and not finished, as far as its record tells. Exact for a dead slot; for a live
   * one it may be an intent that comes to nothing. */
  claimOf(slot: number): { jobNumber: number; window: number; intervals: Interval[] } | undefined {
    const record = this.#recordOf(slot);
    if (Atomics.load(record, RECORD_ACTIVE) === 0) return undefined;
    const window = Atomics.load(record, RECORD_WINDOW);
    // A window that is forgotten was exhausted when nobody named it: whoever names it since has claimed nothing.
    const table = this.#history.get(window);
    if (table === undefined) return undefined;
    const start = Atomics.load(record, RECORD_START);
    const end = Atomics.load(record, RECORD_END);
    const open = unpackWord(Atomics.load(this.#memory.word, 0));
    // Still the newest window, and not claimed that far: the exchange never happened.
    if (open.id === window && open.next < end) return undefined;
    return {
      jobNumber: table.head[TABLE_JOB_NUMBER]!,
      window,
      intervals: tasksAt(table, start, end),
    };
  }

  /** After the death of a slot, when its claim is back in the deque. */
  clearClaim(slot: number): void {
    Atomics.store(this.#recordOf(slot), RECORD_ACTIVE, 0);
  }

  /** Wakes waiting slots without new work, so that they look at their messages. */
  wake(): void {
    Atomics.add(this.#memory.header, FIELD_WAKE_EPOCH, 1);
    Atomics.notify(this.#memory.header, FIELD_WAKE_EPOCH);
  }

  /** The next window id that no record names, with its generation already in its table. */
  #freshId(): number {
    for (;;) {
      this.#generation = (this.#generation + 1) | 0;
      const id = this.#generation & (WINDOW_IDS - 1);
      const table = this.#memory.tables[id % 2 === 0 ? 0 : 1];
      // Before the records are read, never after: see the head of this file.
      Atomics.store(table.head, TABLE_GENERATION, this.#generation);
      if (this.#generation !== NO_GENERATION && !this.#namedWindows().has(id)) return id;
    }
  }

  #namedWindows(): Set<number> {
    const active = this.#memory.records.filter(
      (record) => Atomics.load(record, RECORD_ACTIVE) !== 0,
    );
    return new Set(active.map((record) => Atomics.load(record, RECORD_WINDOW)));
  }

  #forgetWindowsNobodyNames(): void {
    const named = this.#namedWindows();
    for (const id of this.#history.keys()) if (!named.has(id)) this.#history.delete(id);
  }

  #tableOf(window: number): SegmentTable {
    const table = this.#history.get(window);
    invariant(table !== undefined, `window ${window} was opened here`);
    return table;
  }

  #recordOf(slot: number): Int32Array<SharedArrayBuffer> {
    const record = this.#memory.records[slot];
    invariant(record !== undefined, `slot ${slot} of ${this.#memory.slots}`);
    return record;
  }
}
