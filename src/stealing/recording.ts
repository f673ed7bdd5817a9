// From a finished task to a counted one. A row goes to its maker's disk and to one more: the owner's, or,
// for what only the owner has, its buddy's. It counts when min(2, live peers) disks have it, and stays
// counted when more peers come; missing copies are made in the background. No row goes to a disk before the record
// of its job is there, or a life after this one would not know of it. Nothing here waits for a steal, and no steal
// waits for this.
import { type Interval, IntervalSet, countTasks, validIntervals } from '../deque/interval-set.ts';
import type { PeerId } from './ids.ts';
import type { JobBook } from './job-book.ts';
import type { JobHeader, RowBatch } from './job.ts';
import { Keepers } from './keepers.ts';
import { pickRows } from './pick-rows.ts';
import type { Message } from './messages.ts';
import type { CoreState } from './state.ts';
import { closeWindow } from './windows.ts';

type RowsMessage = Extract<Message, { kind: 'rows' }>;

interface Delivery {
  readonly job: JobBook;
  readonly to: PeerId;
  readonly intervals: readonly Interval[];
  readonly sentMs: number;
}

export class Recording {
  readonly #state: CoreState;
  /** Rows on their way to this disk, by persist id. */
  readonly #writing = new Map<number, { job: JobBook; intervals: readonly Interval[] }>();
  readonly #deliveries = new Map<number, Delivery>();
  #nextDelivery = 1;
  readonly #keepers: Keepers;
  /** This disk refused rows at that moment; they are offered to it again later. */
  #diskFailedMs = Number.NEGATIVE_INFINITY;

  constructor(state: CoreState) {
    this.#state = state;
    this.#keepers = new Keepers(state);
  }

  /** Nothing finished here is still on its way to a disk. */
  get isSettled(): boolean {
    const unsaved = [...this.#state.jobs.values()].some(
      (job) => !job.unsaved.isEmpty || job.record === 'writing',
    );
    return !unsaved && this.#writing.size === 0 && this.#deliveries.size === 0;
  }

  /** Own slots finished tasks. */
  finished(job: JobBook, intervals: readonly Interval[], values: Float64Array): void {
    const state = this.#state;
    // What runs again to be compared was done by another peer, and is not done once more.
    state.done += countTasks(intervals) - job.compared(intervals).count;
    const batch: RowBatch = { kind: 'rows', maker: state.self, intervals, values };
    this.#enter(job, batch);
    this.#tellExaminers(job, batch);
    if (job.unsaved.isEmpty) job.unsavedSinceMs = state.nowMs;
    for (const [start, end] of intervals) job.unsaved.add(start, end);
  }

  /** Whoever wanted to know what comes out here gets it as rows, of a delivery that nobody waits for. */
  #tellExaminers(job: JobBook, { intervals, values }: RowBatch): void {
    const { self } = this.#state;
    for (const [peer, wanted] of job.examined) {
      const told = wanted.intersect(intervals).intervals();
      if (told.length === 0) continue;
      const rows = pickRows({ intervals, values }, told, job.header.rowWidth);
      const batch: RowBatch = { kind: 'rows', maker: self, intervals: told, values: rows };
      const delivery = this.#nextDelivery++;
      this.#state.send(peer, {
        kind: 'rows',
        job: job.header.job,
        delivery,
        batch,
        isUnkept: true,
      });
      for (const [start, end] of told) wanted.remove(start, end);
      if (wanted.isEmpty) job.examined.delete(peer);
    }
  }

  /** Rows of an earlier job that are this one's, too. */
  copied(job: JobBook, batch: RowBatch): void {
    this.#enter(job, batch);
    this.#write(job, batch);
  }

  /** The attempts of these tasks are used up: a final failure, durable like a row. */
  failed(job: JobBook, intervals: readonly Interval[], code: number): void {
    const { rowWidth } = job.header;
    const values = new Float64Array(countTasks(intervals) * rowWidth).fill(Number.NaN);
    for (let i = rowWidth - 1; i < values.length; i += rowWidth) values[i] = code;
    const { round } = job;
    const batch: RowBatch = { kind: 'failures', maker: this.#state.self, intervals, values, round };
    this.#enter(job, batch);
    this.#write(job, batch);
  }

  /** Rows of another peer, which has them on its disk unless that refused them. */
  received(job: JobBook, from: PeerId, message: RowsMessage): void {
    const state = this.#state;
    const { batch, delivery, isUnkept } = message;
    if (!isWellFormed(batch, job.header)) return;
    if (job.liars.has(batch.maker) || isOutdated(batch, job)) {
      // Else it would come again and again; what was verified of it is here already, and who sends old failures
      // learns of the retry.
      state.send(from, { kind: 'rowsKept', delivery });
      return;
    }
    this.#enter(job, batch);
    job.drop(batch.intervals);
    // Most of a queue is in the window. What came is taken out of it; claimed tasks run on.
    if (!job.running.intersect(batch.intervals).isEmpty) closeWindow(state, job);
    if (isUnkept !== true) job.ledger.markOnDisk(from, batch.intervals);
    const mine = job.ledger.onDiskOf(state.self);
    const isKept = IntervalSet.from(batch.intervals).subtract(mine).isEmpty;
    const kept = { kind: 'rowsKept', delivery } as const;
    if (isKept) state.send(from, kept);
    else if (job.record === 'kept') state.send(from, kept, this.#write(job, batch));
    else this.#acknowledgeLater(job, from, message);
    if (job.isUnrecorded) this.deliverOwed(job);
    this.count(job);
  }

  /** The record of the job is on its way to this disk, or will be. Whoever sent the rows offers them again after a
   * while, under another number. */
  #acknowledgeLater(job: JobBook, to: PeerId, { batch, delivery }: RowsMessage): void {
    const { nowMs: atMs, limits } = this.#state;
    const known = job.unacknowledged.filter((one) => atMs - one.atMs < limits.deliveryRetryMs);
    job.unacknowledged = [...known, { to, delivery, intervals: batch.intervals, atMs }];
  }

  #acknowledge(job: JobBook): void {
    if (job.unacknowledged.length === 0) return;
    const mine = job.ledger.onDiskOf(this.#state.self);
    job.unacknowledged = job.unacknowledged.filter(({ to, delivery, intervals }) => {
      const isHere = IntervalSet.from(intervals).isWithin(mine);
      if (isHere) this.#state.send(to, { kind: 'rowsKept', delivery });
      return !isHere;
    });
  }

  /** The other side has the rows of a delivery on its disk. */
  kept(from: PeerId, deliveryId: number): void {
    const delivery = this.#deliveries.get(deliveryId);
    if (delivery === undefined || delivery.to !== from) return;
    this.#deliveries.delete(deliveryId);
    this.#keepers.forgive(from);
    delivery.job.ledger.markOnDisk(from, delivery.intervals);
    this.deliverOwed(delivery.job);
    this.count(delivery.job);
  }

  /** Returns whether the id was one of ours. */
  persisted(id: number): boolean {
    const written = this.#writing.get(id);
    if (written === undefined) return false;
    this.#writing.delete(id);
    written.job.ledger.markOnDisk(this.#state.self, written.intervals);
    for (const [start, end] of written.intervals) written.job.unkept.remove(start, end);
    this.#acknowledge(written.job);
    this.deliverOwed(written.job);
    this.count(written.job);
    return true;
  }

  persistFailed(id: number): boolean {
    const written = this.#writing.get(id);
    if (written === undefined) return false;
    this.#writing.delete(id);
    this.#diskFailedMs = this.#state.nowMs;
    for (const [start, end] of written.intervals) written.job.unkept.add(start, end);
    this.deliverOwed(written.job);
    return true;
  }

  /** Sends finished rows to disk: at once when the slots have nothing left to run, else in company. */
  flushDue(): void {
    const { limits, nowMs } = this.#state;
    for (const job of this.#state.jobs.awake()) {
      if (job.unsaved.isEmpty) continue;
      const isFull = job.unsaved.count >= limits.rowsFlushCount;
      if (isFull || nowMs >= this.#flushMs(job)) this.#flush(job);
    }
  }

  /** When unsaved rows go to disk. */
  #flushMs(job: JobBook): number {
    const { limits, cursor, nowMs } = this.#state;
    const isDry = cursor.remaining() === 0 && job.queue.taskCount === 0;
    if (isDry && job.running.isEmpty) return nowMs;
    return job.unsavedSinceMs + (isDry ? limits.lastRowsFlushMs : limits.rowsFlushMs);
  }

  /** When `flushDue` has to look again; undefined when nothing waits. */
  nextFlushMs(): number | undefined {
    let at: number | undefined;
    for (const job of this.#state.jobs.awake()) {
      if (job.unsaved.isEmpty) continue;
      at = Math.min(at ?? Infinity, this.#flushMs(job));
    }
    return at;
  }

  /** Whether other disks must do for rows of the job. */
  #isRefused(job: JobBook): boolean {
    return this.#diskFailedMs !== Number.NEGATIVE_INFINITY || job.isUnrecorded;
  }

  /** Sends rows on this disk to where their second copy belongs, unless they are there or on their way. */
  deliverOwed(job: JobBook): void {
    const state = this.#state;
    const mine = job.ledger.onDiskOf(state.self);
    const unkept = job.isUnrecorded ? job.ledger.present.subtract(job.unsaved) : job.unkept;
    const owner = state.ownerOf(job);
    if (owner !== state.self) {
      if (unkept.isEmpty && mine.isWithin(job.ledger.onDiskOf(owner))) return;
      const own = mine.union(unkept).intersect(job.ledger.madeBy(state.self));
      this.#deliver(job, owner, own, unkept);
      return;
    }
    const safe = job.ledger.onLiveDisks(state.liveDisks(), 2);
    // Asked at every heartbeat, of every job of a month: mostly all of it lies on two disks.
    if (unkept.isEmpty && mine.isWithin(safe)) return;
    const owed = mine.union(unkept).subtract(safe);
    const [first, second] = this.#keepers.buddiesOf(job);
    if (first === undefined) return;
    this.#deliver(job, first, owed, unkept);
    // Where this disk has none of it the second copy of what the first has belongs to another.
    const alone = owed.intersect(unkept).intersect(job.ledger.onDiskOf(first));
    if (second !== undefined) this.#deliver(job, second, alone, unkept);
  }

  /** What `to` lacks of `tasks`; those that are `unkept` are not on this disk. */
  #deliver(job: JobBook, to: PeerId, tasks: IntervalSet, unkept: IntervalSet): void {
    const state = this.#state;
    if (state.beliefs.get(to)?.connected !== true) return;
    let owed = tasks.subtract(job.ledger.onDiskOf(to));
    if (owed.isEmpty) return;
    let room = state.limits.deliveriesMax;
    for (const delivery of this.#deliveries.values()) {
      if (delivery.to !== to) continue;
      room--;
      if (delivery.job === job) owed = owed.subtract(delivery.intervals);
    }
    if (room <= 0) return;
    owed = owed.first(room * this.#rowsPerMessage(job));
    // Rows of an ended job whose second disk is gone are read back first.
    if (!job.ledger.released.intersect(owed).isEmpty) {
      // One job at a time: all of a long life at once would fill the memory.
      if (state.lent === undefined) state.lend(job);
      return;
    }
    this.sendRows(job, to, owed.subtract(unkept));
    this.sendRows(job, to, owed.intersect(unkept), true);
  }

  /** `tasks` must be present here and not released, and on this disk unless it refused them. */
  sendRows(job: JobBook, to: PeerId, tasks: IntervalSet, isUnkept = false): void {
    const state = this.#state;
    for (const batch of job.ledger.batchesOf(tasks, this.#rowsPerMessage(job))) {
      const delivery = this.#nextDelivery++;
      const { intervals } = batch;
      this.#deliveries.set(delivery, { job, to, intervals, sentMs: state.nowMs });
      const told = batch.kind === 'failures' ? { ...batch, round: job.round } : batch;
      const rows = { kind: 'rows', job: job.header.job, delivery, batch: told } as const;
      state.send(to, isUnkept ? { ...rows, isUnkept } : rows);
    }
  }

  #rowsPerMessage({ header }: JobBook): number {
    const rowBytes = header.rowWidth * Float64Array.BYTES_PER_ELEMENT;
    return Math.floor(this.#state.limits.rowsMessageBytesMax / rowBytes);
  }

  isDelivering(job: JobBook): boolean {
    for (const delivery of this.#deliveries.values()) if (delivery.job === job) return true;
    return false;
  }

  /** Gives up deliveries to a peer that is gone or silent for long; what is owed goes out again later. */
  forgetDeliveries(isHopeless: (to: PeerId) => boolean): void {
    const { nowMs, limits } = this.#state;
    for (const [id, delivery] of this.#deliveries) {
      const isOld = nowMs - delivery.sentMs >= limits.deliveryRetryMs;
      if (isHopeless(delivery.to)) this.#keepers.forgive(delivery.to);
      if (isOld || isHopeless(delivery.to)) this.#deliveries.delete(id);
      if (!isOld) continue;
      this.#introduce(delivery.job, delivery.to);
      this.#keepers.missed(delivery.to);
    }
  }

  /** Rows that this disk refused a while ago are offered to it again. */
  retryDisk(): void {
    const { nowMs, limits } = this.#state;
    if (nowMs - this.#diskFailedMs < limits.deliveryRetryMs) return;
    if (this.#diskFailedMs === Number.NEGATIVE_INFINITY) return;
    this.#diskFailedMs = Number.NEGATIVE_INFINITY;
    for (const job of this.#state.jobs.values()) this.writeMissing(job);
  }

  /** Rows that are not on this disk yet, and will be unless it refuses them. */
  onTheWay(job: JobBook): IntervalSet {
    // All of them wait for the job's record.
    if (job.record !== 'kept' && !job.isUnrecorded) return job.ledger.present;
    let written = job.unsaved;
    for (const write of this.#writing.values())
      if (write.job === job) written = written.union(write.intervals);
    return written;
  }

  /** What is present goes to this disk, unless it is there or on its way: the record of the job is there now, or
   * the disk may have room again. */
  writeMissing(job: JobBook): void {
    const { limits, self } = this.#state;
    const missing = job.ledger.present
      .subtract(job.ledger.onDiskOf(self))
      .subtract(this.onTheWay(job));
    for (const batch of job.ledger.batchesOf(missing, limits.rowsFlushCount)) {
      this.#write(job, batch);
    }
  }

  /** Owner only: counts what lies on enough disks by now. */
  count(job: JobBook): void {
    const state = this.#state;
    if (!state.isOwner(job) || job.ledger.isComplete) return;
    const { ledger } = job;
    if (ledger.onLiveDisks(state.liveDisks(), 1).isWithin(ledger.counted)) return;
    const disks = this.#keepers.of(job).length + (this.#isRefused(job) ? 0 : 1);
    const atLeast = disks >= 2 ? 2 : 1;
    const enough = ledger.onLiveDisks(state.liveDisks(), atLeast).subtract(ledger.counted);
    if (ledger.count(enough.intervals()) > 0) {
      job.lastCountedMs = state.nowMs;
      state.emit({ kind: 'jobChanged', job: job.header.job });
    }
  }

  /** Who never heard of a job drops its rows without a word; running ones are offered by their owner. */
  #introduce({ header, ending }: JobBook, to: PeerId): void {
    if (ending !== undefined) this.#state.send(to, { kind: 'jobEnded', header, ending });
  }

  #enter(job: JobBook, batch: RowBatch): void {
    const { added, conflicts } = job.ledger.add(batch, !job.isActive);
    job.audit?.heard(batch, conflicts, job.header.rowWidth);
    this.#state.failed += batch.kind === 'failures' ? added.count : 0;
    for (const task of conflicts) {
      const makers = [
        batch.maker,
        ...job.ledger
          .makers()
          .filter(([, made]) => made.has(task))
          .map(([maker]) => maker),
      ];
      this.#state.emit({ kind: 'raiseAlarm', job: job.header.job, task, makers });
    }
  }

  #flush(job: JobBook): void {
    const unsaved = job.unsaved;
    job.unsaved = new IntervalSet();
    const mine = unsaved.intersect(job.ledger.madeBy(this.#state.self));
    for (const batch of job.ledger.batchesOf(mine, this.#state.limits.rowsFlushCount)) {
      this.#write(job, batch);
    }
    if (job.isUnrecorded) this.deliverOwed(job);
  }

  /** Until the record of the job is there its rows wait for it: `writeMissing` writes them then. */
  #write(job: JobBook, batch: RowBatch): number | undefined {
    if (job.record !== 'kept') return undefined;
    const id = this.#state.persist({ kind: 'rows', job: job.header.job, batch });
    this.#writing.set(id, { job, intervals: batch.intervals });
    return id;
  }
}

/** Bounds that only the job's header can give; bytes and types are the codec's. */
function isWellFormed(batch: RowBatch, header: JobHeader): boolean {
  if (!validIntervals(batch.intervals, header.taskCount)) return false;
  return batch.values.length === countTasks(batch.intervals) * header.rowWidth;
}

/** Failures of a round before the job's: it was retried since. */
function isOutdated(batch: RowBatch, job: JobBook): boolean {
  return batch.kind === 'failures' && (batch.round ?? 0) < job.round;
}
