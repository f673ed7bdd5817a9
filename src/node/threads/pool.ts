// The slots of this peer: one thread each, all claiming from one shared cursor. The pool starts them, loads jobs
// into them, passes their rows on, and replaces a thread that died. It never hands out work: who opens and
// shrinks windows of `cursor` decides what runs.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { WindowCursor } from '../../deque/cursor.ts';
import { type Interval, IntervalSet } from '../../deque/interval-set.ts';
import { invariant, unreachable } from '../../invariant.ts';
import { SLOTS_MAX as ARENA_SLOTS_MAX, Arena, type ArenaCounts } from '../../kernel/fast/arena.ts';
import { releaseSlot } from '../../kernel/fast/columns.ts';
import { NO_THROTTLE, type Throttle } from './pace.ts';
import { LOOK_MS, type Sight, Watchdog } from './watchdog.ts';
import {
  arenaSlot,
  type LoadMessage,
  type PoolMessage,
  type RowsMessage,
  type SlotData,
  type SlotMessage,
} from './slot-messages.ts';

/** MiB of V8 heap per slot; beyond it the thread ends and its task counts as an attempt. Typed arrays (candles,
 * indicators, rows) are not in it. A guess: compiled jobs take a few MiB; change when a large job needs more. */
const SLOT_HEAP_MB = 1024;

/** ms until a thread is replaced that died before it finished anything; doubles from death to death up to the
 * maximum. Keeps a thread that cannot even start from eating a core. A thread that worked is replaced at once. */
const RESPAWN_MS = 100;
const RESPAWN_MS_MAX = 5000;

export interface SlotRows {
  readonly slot: number;
  readonly jobNumber: number;
  /** In the order of the rows. */
  readonly intervals: readonly Interval[];
  /** Rows one behind the other; the receiver's own. */
  readonly values: Float64Array<ArrayBuffer>;
  /** Wall time that the slot spent on these rows, waits and throttle included. */
  readonly busyMs: number;
}

export interface SlotDeath {
  readonly slot: number;
  /** Undefined when the slot had claimed nothing. */
  readonly jobNumber: number | undefined;
  /** What it had claimed, minus the rows that arrived. At worst another slot runs it too. */
  readonly intervals: readonly Interval[];
  readonly reason: string;
}

export interface SlotPoolOptions {
  readonly slots: number;
  readonly throttle?: Throttle;
  /** Bytes at most for candles and what is computed of them, one memory for all slots; default: each slot has a
   * smaller one of its own. */
  readonly memoryBytes?: number;
  /** MiB of V8 heap per slot. */
  readonly heapMb?: number;
  /** Entry of a slot's thread; default: the file `slot` beside this one. */
  readonly slotUrl?: URL;
  readonly onRows: (rows: SlotRows) => void;
  /** A slot found nothing unclaimed; once per slot and window. */
  readonly onDry: (slot: number) => void;
  readonly onSlotDied: (death: SlotDeath) => void;
  /** The job does not compile. The slot that found out dies, and gives back its claim, right after. */
  readonly onLoadFailed: (jobNumber: number, reason: string) => void;
}

interface Thread {
  readonly worker: Worker;
  /** Intervals of the newest window of which this thread has delivered rows. */
  delivered: { readonly window: number; readonly intervals: IntervalSet };
  hasWorked: boolean;
  reason: string;
}

export class SlotPool {
  /** Open windows here; every slot claims from it. */
  readonly cursor: WindowCursor;
  readonly #options: SlotPoolOptions;
  readonly #arena: Arena | undefined;
  readonly #threads: (Thread | undefined)[] = [];
  readonly #jobs = new Map<number, LoadMessage>();
  /** Deaths in a row without work, per slot. */
  readonly #idleDeaths: number[];
  readonly #respawns = new Set<NodeJS.Timeout>();
  readonly #watchdog = new Watchdog();
  /** Runs while a job that limits its tasks is loaded. */
  #watching: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  static start(options: SlotPoolOptions): SlotPool {
    const { throttle = NO_THROTTLE } = options;
    invariant(0 < throttle.share && throttle.share <= 1, `a throttle of ${throttle.share}`);
    return new SlotPool(options);
  }

  private constructor(options: SlotPoolOptions) {
    this.#options = options;
    const { memoryBytes, slots } = options;
    this.#arena =
      memoryBytes === undefined || arenaSlot(slots) > ARENA_SLOTS_MAX
        ? undefined
        : Arena.create(memoryBytes);
    this.cursor = WindowCursor.create(options.slots);
    this.#idleDeaths = Array.from({ length: options.slots }, () => 0);
    for (let slot = 0; slot < options.slots; slot++) this.#spawn(slot);
  }

  /** Before the first window of the job opens. `specBytes` is a validated job. */
  load(job: Omit<LoadMessage, 'kind'>): void {
    const message: LoadMessage = { kind: 'load', ...job };
    this.#jobs.set(job.jobNumber, message);
    this.#broadcast(message);
    if (job.taskTimeoutMs !== undefined) this.#watch();
  }

  /** The number must not be used again. Rows of claims that are being run still arrive. */
  unload(jobNumber: number): void {
    this.#jobs.delete(jobNumber);
    const isLimited = [...this.#jobs.values()].some((job) => job.taskTimeoutMs !== undefined);
    if (!isLimited) {
      clearInterval(this.#watching);
      this.#watching = undefined;
    }
    this.#broadcast({ kind: 'unload', jobNumber });
  }

  /** How often slots found what they or others had computed. */
  get cacheCounts(): ArenaCounts | undefined {
    return this.#arena?.counts();
  }

  /** Ends a slot's thread whatever it does; it is reported as died, and replaced. */
  async kill(slot: number, reason = 'ended on purpose'): Promise<void> {
    const thread = this.#threads[slot];
    if (thread === undefined) return;
    thread.reason = reason;
    await thread.worker.terminate();
  }

  /** Ends all threads, also those in the middle of a task; nothing is reported from here on. */
  close(): Promise<void> {
    this.#closing ??= this.#endThreads();
    return this.#closing;
  }

  #watch(): void {
    this.#watching ??= setInterval(() => this.#look(), LOOK_MS);
    this.#watching.unref();
  }

  #look(): void {
    const sights = this.#threads.map((thread, slot): Sight => {
      const claim = this.cursor.claimOf(slot);
      const timeoutMs =
        claim === undefined ? undefined : this.#jobs.get(claim.jobNumber)?.taskTimeoutMs;
      const arrived = thread?.delivered;
      const rows = arrived?.window === claim?.window ? (arrived?.intervals.count ?? 0) : 0;
      const first = claim?.intervals[0]?.[0];
      const progress = claim === undefined ? undefined : `${claim.window} ${first} ${rows}`;
      return { slot, progress, timeoutMs };
    });
    for (const { slot, timeoutMs } of this.#watchdog.look(sights)) {
      void this.kill(slot, `a task took longer than ${timeoutMs} ms`);
    }
  }

  async #endThreads(): Promise<void> {
    clearInterval(this.#watching);
    for (const timer of this.#respawns) clearTimeout(timer);
    const threads = this.#threads.filter((thread) => thread !== undefined);
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #spawn(slot: number): void {
    const {
      slotUrl = entryBesideThisFile(),
      throttle = NO_THROTTLE,
      heapMb = SLOT_HEAP_MB,
    } = this.#options;
    const { buffer } = this.cursor;
    const workerData: SlotData = { buffer, slot, throttle, memory: this.#arena?.memory };
    const worker = new Worker(slotUrl, {
      name: `slot ${slot}`,
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    const thread: Thread = {
      worker,
      delivered: { window: -1, intervals: new IntervalSet() },
      hasWorked: false,
      reason: 'the thread ended',
    };
    this.#threads[slot] = thread;
    for (const load of this.#jobs.values()) worker.postMessage(load);
    worker.on('message', (message: SlotMessage) => this.#received(slot, thread, message));
    worker.on('error', (error: unknown) => {
      thread.reason = error instanceof Error ? error.message : String(error);
    });
    // Node delivers all messages of a thread before its exit.
    worker.once('exit', () => this.#exited(slot, thread));
  }

  #received(slot: number, thread: Thread, message: SlotMessage): void {
    if (this.#closing !== undefined) return;
    switch (message.kind) {
      case 'rows':
        return this.#rows(slot, thread, message);
      case 'dry':
        return this.#options.onDry(slot);
      case 'loadFailed':
        return this.#options.onLoadFailed(message.jobNumber, message.reason);
      default:
        unreachable(message);
    }
  }

  #rows(slot: number, thread: Thread, message: RowsMessage): void {
    const { jobNumber, window, intervals, values, busyMs } = message;
    if (thread.delivered.window !== window) {
      thread.delivered = { window, intervals: new IntervalSet() };
    }
    for (const [start, end] of intervals) thread.delivered.intervals.add(start, end);
    thread.hasWorked = true;
    this.#idleDeaths[slot] = 0;
    this.#options.onRows({ slot, jobNumber, intervals, values, busyMs });
  }

  #exited(slot: number, thread: Thread): void {
    this.#threads[slot] = undefined;
    if (this.#arena !== undefined) releaseSlot(this.#arena, arenaSlot(slot));
    if (this.#closing !== undefined) return;
    const claim = this.cursor.claimOf(slot);
    this.cursor.clearClaim(slot);
    // A window holds a task once, so rows of this very window can only be of this claim or of earlier ones.
    const delivered = claim?.window === thread.delivered.window ? thread.delivered.intervals : [];
    const intervals = IntervalSet.from(claim?.intervals ?? [])
      .subtract(delivered)
      .intervals();
    this.#respawn(slot, thread);
    this.#options.onSlotDied({
      slot,
      jobNumber: claim?.jobNumber,
      intervals,
      reason: thread.reason,
    });
  }

  #respawn(slot: number, thread: Thread): void {
    if (thread.hasWorked) return this.#spawn(slot);
    const deaths = this.#idleDeaths[slot]!++;
    const inMs = Math.min(RESPAWN_MS_MAX, RESPAWN_MS * 2 ** deaths);
    const timer = setTimeout(() => {
      this.#respawns.delete(timer);
      this.#spawn(slot);
    }, inMs);
    this.#respawns.add(timer);
  }

  #broadcast(message: PoolMessage): void {
    for (const thread of this.#threads) thread?.worker.postMessage(message);
    this.cursor.wake();
  }
}

/** Sources run as .ts, a bundle as .js with the entry beside it. */
function entryBesideThisFile(): URL {
  return new URL(`./slot${extname(import.meta.filename)}`, import.meta.url);
}
