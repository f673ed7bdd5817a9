// The book of one job: task -> row. It only grows, and merging two ledgers is their union, so duplicates,
// replays and healed partitions do no harm: execution is at least once, the effect exactly once. The ledger
// also knows on whose disks each row lies, because a row counts when min(2, live peers) disks have it.
//
// Rows are kept in blocks of 4,096 tasks that come into being when their first row does, and may be released again
// when a disk has them: the ledger still knows which they are, and takes their values back later.
import { type Interval, IntervalSet, countTasks } from '../deque/interval-set.ts';
import { Disks } from './disks.ts';
import type { PeerId } from './ids.ts';
import type { RowBatch } from './job.ts';

const TASKS_PER_BLOCK = 4_096;

export interface Addition {
  /** Tasks that had no row before (or only a failure that this row replaces). */
  readonly added: IntervalSet;
  /** Tasks whose known row differs from the one that came: an alarm, the known row stays. */
  readonly conflicts: readonly number[];
}

export class Ledger {
  readonly taskCount: number;
  readonly rowWidth: number;
  /** Tasks with a row or a final failure. */
  readonly #present = new IntervalSet();
  /** Those of `present` whose attempts were used up. */
  readonly #failures = new IntervalSet();
  readonly #counted = new IntervalSet();
  /** Those of `present` whose values are on disk only. */
  #released = new IntervalSet();
  readonly #makers = new Map<PeerId, IntervalSet>();
  readonly #disks = new Disks();
  readonly #blocks = new Map<number, Float64Array>();
  #failedRows = 0;

  constructor(taskCount: number, rowWidth: number) {
    this.taskCount = taskCount;
    this.rowWidth = rowWidth;
  }

  get present(): IntervalSet {
    return this.#present;
  }

  get counted(): IntervalSet {
    return this.#counted;
  }

  /** Present, but to be restored before they are read. */
  get released(): IntervalSet {
    return this.#released;
  }

  get isComplete(): boolean {
    return this.#counted.count === this.taskCount;
  }

  /** Tasks whose attempts were used up. */
  get failures(): IntervalSet {
    return this.#failures;
  }

  /** Rows that tell of an error, the strategy's own or a final failure. */
  get failedCount(): number {
    return this.#failedRows;
  }

  /** Given up after its attempts, and not an error of the strategy's own. */
  isFailure(task: number): boolean {
    return this.#failures.has(task);
  }

  madeBy(peer: PeerId): IntervalSet {
    return this.#makers.get(peer) ?? new IntervalSet();
  }

  /** What `madeBy` names without final failures. */
  rowsOf(peer: PeerId): IntervalSet {
    return this.madeBy(peer).subtract(this.#failures);
  }

  makers(): [PeerId, IntervalSet][] {
    return [...this.#makers].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  onDiskOf(peer: PeerId): IntervalSet {
    return this.#disks.of(peer);
  }

  /** Present, and on at least one, or two, of the disks of `live`, which is the same array while it says the same. */
  onLiveDisks(live: readonly PeerId[], atLeast: 1 | 2): IntervalSet {
    return this.#disks.onLive(live, atLeast).intersect(this.#present);
  }

  /** The first row of a task wins; an equal one changes nothing; a row replaces a failure unless those are
   * final, as they are when the job has ended. */
  add(batch: RowBatch, failuresAreFinal = false): Addition {
    const added = new IntervalSet();
    const conflicts: number[] = [];
    let row = 0;
    for (const [start, end] of batch.intervals) {
      if (this.#isNew(start, end)) {
        this.#writeNew(start, end, batch, row * this.rowWidth);
        added.add(start, end);
        row += end - start;
        continue;
      }
      for (let task = start; task < end; task++, row++) {
        const offset = row * this.rowWidth;
        if (!this.#present.has(task)) added.add(task, task + 1);
        else if (!failuresAreFinal && batch.kind === 'rows' && this.#failures.has(task)) {
          this.#forgetFailure(task);
          added.add(task, task + 1);
        } else {
          const isDifferent =
            batch.kind === 'rows' &&
            !this.#failures.has(task) &&
            !this.#released.has(task) &&
            !this.#equals(task, batch.values, offset);
          if (isDifferent) conflicts.push(task);
          continue;
        }
        this.#write(task, batch.values, offset);
        const isFailed =
          batch.kind === 'failures' || isFailedRow(batch.values, offset, this.rowWidth);
        if (isFailed) this.#failedRows++;
      }
    }
    const made = this.#makers.get(batch.maker) ?? new IntervalSet();
    this.#makers.set(batch.maker, made);
    for (const [start, end] of added.intervals()) {
      this.#present.add(start, end);
      made.add(start, end);
      if (batch.kind === 'failures') this.#failures.add(start, end);
    }
    return { added, conflicts };
  }

  /** Rows that lie on this peer's disk: known from the start, read when they are wanted. */
  addReleased({ kind, maker, intervals }: Omit<RowBatch, 'values'>): void {
    const made = this.#makers.get(maker) ?? new IntervalSet();
    this.#makers.set(maker, made);
    const fresh = IntervalSet.from(intervals).subtract(this.#present);
    for (const [start, end] of fresh.intervals()) {
      this.#present.add(start, end);
      this.#released.add(start, end);
      made.add(start, end);
      if (kind === 'failures') this.#failures.add(start, end);
    }
  }

  /** Gives up the memory of all blocks whose present rows are all among `tasks`. */
  release(tasks: IntervalSet): void {
    for (const index of this.#blocks.keys()) {
      const start = index * TASKS_PER_BLOCK;
      const end = Math.min(this.taskCount, start + TASKS_PER_BLOCK);
      const here = this.#present.intersect([[start, end]]);
      if (!here.subtract(tasks).isEmpty) continue;
      this.#blocks.delete(index);
      for (const [from, to] of here.intervals()) this.#released.add(from, to);
    }
  }

  /** Takes back the values of released rows; what else is in the batch is known already. */
  restore(batch: RowBatch): void {
    let row = 0;
    for (const [start, end] of batch.intervals) {
      const isWanted = !this.#released.intersect([[start, end]]).isEmpty;
      for (let task = start; task < end; task++, row++) {
        if (!isWanted || !this.#released.has(task)) continue;
        if (this.#failures.has(task) !== (batch.kind === 'failures')) continue;
        this.#write(task, batch.values, row * this.rowWidth);
        this.#released.remove(task, task + 1);
      }
    }
  }

  /** The rows are on no disk of this peer, and not in its memory. */
  forget(tasks: readonly Interval[]): void {
    this.#failedRows -= this.#failures.intersect(tasks).count;
    for (const [start, end] of tasks) {
      for (const set of [this.#failures, this.#counted, this.#present, this.#released]) {
        set.remove(start, end);
      }
      for (const made of this.#makers.values()) made.remove(start, end);
      this.#disks.forget(start, end);
    }
  }

  markOnDisk(peer: PeerId, intervals: readonly Interval[]): void {
    this.#disks.mark(peer, intervals);
  }

  /** Returns how many of the tasks were not counted before. */
  count(intervals: readonly Interval[]): number {
    let added = 0;
    for (const [start, end] of intervals) added += this.#counted.add(start, end);
    return added;
  }

  /** Rows of tasks that are all present and not released, grouped by maker and kind, at most `rowsMax` a batch. */
  batchesOf(tasks: IntervalSet, rowsMax: number): RowBatch[] {
    const batches: RowBatch[] = [];
    for (const [maker, made] of this.makers()) {
      const mine = made.intersect(tasks);
      const rows = this.#split(mine.subtract(this.#failures), rowsMax);
      const failures = this.#split(mine.intersect(this.#failures), rowsMax);
      batches.push(...rows.map((part) => ({ kind: 'rows' as const, maker, ...part })));
      batches.push(...failures.map((part) => ({ kind: 'failures' as const, maker, ...part })));
    }
    return batches;
  }

  /** Copies the row of a present task to `target[offset ..]`. */
  readRow(task: number, target: Float64Array, offset: number): void {
    this.readRows(task, task + 1, target, offset);
  }

  /** Copies the rows of present tasks, one behind the other, to `target[offset ..]`. */
  readRows(start: number, end: number, target: Float64Array, offset: number): void {
    const { rowWidth } = this;
    for (let task = start, to = offset; task < end; ) {
      const index = Math.floor(task / TASKS_PER_BLOCK);
      const past = Math.min(end, (index + 1) * TASKS_PER_BLOCK);
      const from = (task % TASKS_PER_BLOCK) * rowWidth;
      const length = (past - task) * rowWidth;
      const block = this.#blocks.get(index);
      if (block !== undefined) target.set(block.subarray(from, from + length), to);
      task = past;
      to += length;
    }
  }

  #split(tasks: IntervalSet, rowsMax: number): Pick<RowBatch, 'intervals' | 'values'>[] {
    const parts: Pick<RowBatch, 'intervals' | 'values'>[] = [];
    let rest = tasks;
    while (!rest.isEmpty) {
      const intervals = firstTasks(rest.intervals(), rowsMax);
      const values = new Float64Array(countTasks(intervals) * this.rowWidth);
      let offset = 0;
      for (const [start, end] of intervals) {
        this.readRows(start, end, values, offset);
        offset += (end - start) * this.rowWidth;
      }
      parts.push({ intervals, values });
      rest = rest.subtract(intervals);
    }
    return parts;
  }

  #isNew(start: number, end: number): boolean {
    const [gap] = this.#present.gaps(start, end);
    return gap !== undefined && gap[0] === start && gap[1] === end;
  }

  /** Almost all rows come once, thousands in a row: they are copied block by block. */
  #writeNew(start: number, end: number, batch: RowBatch, offset: number): void {
    const { rowWidth } = this;
    const { values } = batch;
    for (let task = start, from = offset; task < end; ) {
      const past = Math.min(end, (Math.floor(task / TASKS_PER_BLOCK) + 1) * TASKS_PER_BLOCK);
      const length = (past - task) * rowWidth;
      this.#blockFor(task).set(
        values.subarray(from, from + length),
        (task % TASKS_PER_BLOCK) * rowWidth,
      );
      task = past;
      from += length;
    }
    for (let task = start, at = offset; task < end; task++, at += rowWidth) {
      if (batch.kind === 'failures' || isFailedRow(values, at, rowWidth)) this.#failedRows++;
    }
  }

  #write(task: number, values: Float64Array, offset: number): void {
    const at = (task % TASKS_PER_BLOCK) * this.rowWidth;
    this.#blockFor(task).set(values.subarray(offset, offset + this.rowWidth), at);
  }

  #blockFor(task: number): Float64Array {
    const index = Math.floor(task / TASKS_PER_BLOCK);
    let block = this.#blocks.get(index);
    if (block === undefined) {
      const tasks = Math.min(TASKS_PER_BLOCK, this.taskCount - index * TASKS_PER_BLOCK);
      block = new Float64Array(tasks * this.rowWidth);
      this.#blocks.set(index, block);
    }
    return block;
  }

  /** Bit for bit, but every NaN equals every other: NaN is canonical in rows, not on every wire. */
  #equals(task: number, values: Float64Array, offset: number): boolean {
    const block = this.#blocks.get(Math.floor(task / TASKS_PER_BLOCK));
    const from = (task % TASKS_PER_BLOCK) * this.rowWidth;
    for (let i = 0; i < this.rowWidth; i++) {
      if (!Object.is(block?.[from + i], values[offset + i])) return false;
    }
    return true;
  }

  /** Of a maker that lied: these tasks have no row again. */
  disown(tasks: IntervalSet): void {
    const row = new Float64Array(this.rowWidth);
    for (const [start, end] of tasks.intervals()) {
      for (let task = start; task < end; task++) {
        this.readRow(task, row, 0);
        if (this.#failures.has(task) || isFailedRow(row, 0, this.rowWidth)) this.#failedRows--;
      }
    }
    this.forget(tasks.intervals());
  }

  #forgetFailure(task: number): void {
    this.forget([[task, task + 1]]);
  }
}

/** A failed task's row is all NaN but for its last value, the error code. */
export function isFailedRow(values: Float64Array, offset: number, rowWidth: number): boolean {
  const last = offset + rowWidth - 1;
  if (Number.isNaN(values[last])) return false;
  for (let i = offset; i < last; i++) if (!Number.isNaN(values[i])) return false;
  return rowWidth > 1;
}

/** The first `count` tasks of a list. */
function firstTasks(intervals: readonly Interval[], count: number): Interval[] {
  const taken: Interval[] = [];
  let left = count;
  for (const [start, end] of intervals) {
    if (left === 0) break;
    const until = Math.min(end, start + left);
    taken.push([start, until]);
    left -= until - start;
  }
  return taken;
}
