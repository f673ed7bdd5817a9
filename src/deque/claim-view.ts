// A slot's side of the cursor: claim a micro-batch, say when it is finished, wait for the next window.
import { invariant } from '../invariant.ts';
import type { Interval } from './interval-set.ts';
import {
  FIELD_MICRO_BATCH_TASKS,
  FIELD_WAKE_EPOCH,
  mapWindowMemory,
  NO_GENERATION,
  packWord,
  privateTable,
  RECORD_ACTIVE,
  RECORD_ASIDE,
  RECORD_END,
  RECORD_START,
  RECORD_WINDOW,
  TABLE_GENERATION,
  TABLE_JOB_NUMBER,
  TABLE_SEGMENTS,
  tasksAt,
  unpackWord,
  WINDOW_IDS,
  WINDOW_SEGMENTS_MAX,
  type WindowMemory,
  type WindowWord,
} from './window-layout.ts';

/** The smallest claim is this part of the largest: of 3 ms, 0.4 ms. More: slots end closer together, by more claims. */
const SMALLEST_PART = 8;

export interface Claim {
  readonly jobNumber: number;
  /** Id of the window that the tasks were claimed from. */
  readonly window: number;
  /** In the order in which they shall run. */
  readonly intervals: Interval[];
}

/**
 * Claims micro-batches for one slot.
 *
 * The size of a claim follows Polychronopoulos & Kuck, "Guided Self-Scheduling", IEEE Transactions on Computers
 * C-36(12), 1987: a share of what is left, so that claims become single tasks towards the end and no slot is
 * left with a long last one. What we changed: the share is 1/(2 x slots) instead of 1/slots, because tasks of
 * one claim differ in cost, and it is capped by a size that keeps a claim to a few milliseconds of work, so
 * that `shrink` finds most of the window unclaimed. Nor does it go below a part of that size: each claim costs
 * its owner a message and a record, some 100 us, which a slot that waits longer for the last one does not win back.
 */
export class ClaimView {
  readonly #memory: WindowMemory;
  readonly #record: Int32Array<SharedArrayBuffer>;
  /** The copy of the last window's table that was seen here; its generation says of which. */
  readonly #copy = privateTable();

  private constructor(memory: WindowMemory, record: Int32Array<SharedArrayBuffer>) {
    this.#memory = memory;
    this.#record = record;
    this.#copy.head[TABLE_GENERATION] = NO_GENERATION;
  }

  /** `buffer` is a WindowCursor's. Exactly one living view per slot. */
  static attach(buffer: SharedArrayBuffer, slot: number): ClaimView {
    const memory = mapWindowMemory(buffer);
    const record = memory.records[slot];
    invariant(record !== undefined, `slot ${slot} of ${memory.slots}`);
    return new ClaimView(memory, record);
  }

  /** Takes the next few tasks of the open window; 'dry' when nothing is unclaimed, or when what is belongs to faster
   * slots. The slot must have finished its claim before. */
  claim(): Claim | 'dry' {
    for (;;) {
      const word = Atomics.load(this.#memory.word, 0);
      const open = unpackWord(word);
      if (open.next === open.end || Atomics.load(this.#record, RECORD_ASIDE) !== 0) {
        this.finish();
        return 'dry';
      }
      const generation = this.#copyTable(open.id);
      const end = open.next + this.#claimSize(open);
      this.#noteIntent(open.id, open.next, end);
      const claimed =
        generation === this.#generationOf(open.id) &&
        Atomics.compareExchange(this.#memory.word, 0, word, packWord(open.id, end, open.end)) ===
          word;
      if (claimed) {
        return {
          jobNumber: this.#copy.head[TABLE_JOB_NUMBER]!,
          window: open.id,
          intervals: tasksAt(this.#copy, open.next, end),
        };
      }
      // Only an exchange that succeeds proves the copy whole.
      this.#copy.head[TABLE_GENERATION] = NO_GENERATION;
    }
  }

  /** The slot has handed over every row of its claim. */
  finish(): void {
    Atomics.store(this.#record, RECORD_ACTIVE, 0);
  }

  /** Read it before `claim`, and wait with it after: work that came in between then ends the wait at once. */
  wakeEpoch(): number {
    return Atomics.load(this.#memory.header, FIELD_WAKE_EPOCH);
  }

  /** Id of the newest window, exhausted or not. */
  windowId(): number {
    return unpackWord(Atomics.load(this.#memory.word, 0)).id;
  }

  /** Blocks the thread until the epoch is no longer `lastEpoch`, or the time is up. For real slots only. */
  waitForWork(lastEpoch: number, timeoutMs: number): 'woken' | 'timedOut' {
    const outcome = Atomics.wait(this.#memory.header, FIELD_WAKE_EPOCH, lastEpoch, timeoutMs);
    return outcome === 'timed-out' ? 'timedOut' : 'woken';
  }

  #claimSize({ next, end }: WindowWord): number {
    const microBatchTasks = Atomics.load(this.#memory.header, FIELD_MICRO_BATCH_TASKS);
    const guided = Math.ceil((end - next) / (2 * this.#memory.slots));
    const least = Math.ceil(microBatchTasks / SMALLEST_PART);
    return Math.min(Math.max(guided, least), microBatchTasks, end - next);
  }

  /** Brings the private table up to date; returns its generation, NO_GENERATION when it is not window `id`'s. */
  #copyTable(id: number): number {
    const generation = this.#generationOf(id);
    if ((generation & (WINDOW_IDS - 1)) !== id) return NO_GENERATION;
    if (generation === this.#copy.head[TABLE_GENERATION]) return generation;
    const shared = this.#memory.tables[id % 2 === 0 ? 0 : 1];
    // While the table is being rewritten the count may be anything; the exchange will fail, the copy must not.
    const segments = Math.min(Math.max(shared.head[TABLE_SEGMENTS]!, 0), WINDOW_SEGMENTS_MAX);
    this.#copy.tasks.set(shared.tasks.subarray(0, segments));
    this.#copy.positions.set(shared.positions.subarray(0, segments));
    this.#copy.head[TABLE_JOB_NUMBER] = shared.head[TABLE_JOB_NUMBER]!;
    this.#copy.head[TABLE_SEGMENTS] = segments;
    this.#copy.head[TABLE_GENERATION] = generation;
    return generation;
  }

  #generationOf(id: number): number {
    return Atomics.load(this.#memory.tables[id % 2 === 0 ? 0 : 1].head, TABLE_GENERATION);
  }

  /** Fields first, the flag last: a thread that ends in between leaves no half-written claim. */
  #noteIntent(window: number, start: number, end: number): void {
    Atomics.store(this.#record, RECORD_ACTIVE, 0);
    Atomics.store(this.#record, RECORD_WINDOW, window);
    Atomics.store(this.#record, RECORD_START, start);
    Atomics.store(this.#record, RECORD_END, end);
    Atomics.store(this.#record, RECORD_ACTIVE, 1);
  }
}
