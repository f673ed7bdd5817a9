// A virtual peer's slots: they claim from the very cursor of production, let virtual time pass instead of
// computing, and report the reference rows of what they ran.
import type { ClaimView, Claim } from '../../deque/claim-view.ts';
import type { WindowCursor } from '../../deque/cursor.ts';
import type { JobId } from '../ids.ts';
import type { Input } from '../input.ts';
import type { WorkModel } from '../work.ts';
import type { Alarm, VirtualClock } from './clock.ts';
import { referenceRows, referenceValue } from './reference-row.ts';
import type { JobPlan, WorkError } from './scenario.ts';
import type { JobTruth } from './watch.ts';

/** ms from a slot's report until the main thread reads it (a message between threads, 24-88 us). */
const REPORT_MS = 0.05;
/** ms until an idle slot is awake (Atomics.notify, 48 us). */
const WAKE_MS = 0.05;
/** ms until a dead slot's thread is replaced. */
const RESPAWN_MS = 60;

export interface SlotJob {
  readonly truth: JobTruth;
  readonly work: WorkModel;
  readonly poison: NonNullable<JobPlan['poison']>;
  /** As in the plan; undefined: every task takes what it says. */
  readonly workError: WorkError | undefined;
}

export interface SlotHost {
  readonly clock: VirtualClock;
  readonly cursor: WindowCursor;
  readonly slots: number;
  /** As it is at this moment. */
  unitsPerMs(slot: number): number;
  /** By the number under which the core had it loaded. */
  job(jobNumber: number): SlotJob;
  /** Reaches the core as soon as the process runs. */
  report(input: Input): void;
  ran(done: { job: JobId; claim: Claim; units: number; startedMs: number }): void;
  /** A task took the whole process with it. */
  crash(): void;
}

interface Slot {
  readonly index: number;
  readonly view: ClaimView;
  state: 'waiting' | 'waking' | 'running' | 'dead';
  alarm: Alarm | undefined;
  /** What rings at `alarm`, for a process that was stopped in between. */
  ring: (() => void) | undefined;
  dryWindow: number;
}

export class SimulatedSlots {
  readonly #host: SlotHost;
  readonly #slots: Slot[];
  #lastEpoch = -1;
  #frozen: { readonly slot: Slot; readonly leftMs: number }[] | undefined;

  constructor(host: SlotHost) {
    this.#host = host;
    this.#slots = Array.from({ length: host.slots }, (_, index) => ({
      index,
      view: host.cursor.claims(index),
      state: 'waiting',
      alarm: undefined,
      ring: undefined,
      dryWindow: -1,
    }));
  }

  /** After each step of the core: a window that was opened wakes whoever waits, and so does the word that a slot
   * need not stand aside any more. */
  look(): void {
    const newest = this.#slots[0]?.view.wakeEpoch() ?? -1;
    if (newest === this.#lastEpoch) return;
    this.#lastEpoch = newest;
    for (const slot of this.#slots) {
      if (slot.state !== 'waiting') continue;
      slot.state = 'waking';
      this.#arm(slot, WAKE_MS, () => this.#claim(slot));
    }
  }

  freeze(): void {
    this.#frozen = [];
    for (const slot of this.#slots) {
      if (slot.alarm?.ring === undefined) continue;
      this.#frozen.push({ slot, leftMs: slot.alarm.atMs - this.#host.clock.nowMs });
      this.#host.clock.callOff(slot.alarm);
    }
  }

  thaw(): void {
    const frozen = this.#frozen ?? [];
    this.#frozen = undefined;
    for (const { slot, leftMs } of frozen)
      if (slot.ring !== undefined) this.#arm(slot, leftMs, slot.ring);
  }

  stop(): void {
    for (const slot of this.#slots) this.#host.clock.callOff(slot.alarm);
  }

  /** A slot's thread ends over what it has claimed; another takes its place a little later. */
  die(index: number): void {
    const slot = this.#slots[index % this.#slots.length];
    if (slot === undefined || slot.state === 'dead' || this.#frozen !== undefined) return;
    this.#host.clock.callOff(slot.alarm);
    slot.state = 'dead';
    const { cursor } = this.#host;
    const claim = cursor.claimOf(slot.index);
    cursor.clearClaim(slot.index);
    if (claim !== undefined) {
      const { job } = this.#host.job(claim.jobNumber).truth.header;
      this.#tell({ kind: 'slotDied', job, intervals: claim.intervals, reason: 'simulated' });
    }
    this.#arm(slot, RESPAWN_MS, () => this.#claim(slot));
  }

  #claim(slot: Slot): void {
    const window = slot.view.windowId();
    const claim = slot.view.claim();
    if (claim === 'dry') {
      slot.state = 'waiting';
      if (slot.dryWindow !== window) {
        slot.dryWindow = window;
        this.#tell({ kind: 'windowDry' });
      }
      return;
    }
    slot.state = 'running';
    const { truth, work, poison, workError } = this.#host.job(claim.jobNumber);
    const killer = poison.find(({ task }) =>
      claim.intervals.some(([start, end]) => task >= start && task < end),
    );
    if (killer !== undefined) {
      const untilMs = work.of(claim.intervals) / this.#host.unitsPerMs(slot.index) / 2;
      const kill = (): void =>
        killer.kills === 'peer' ? this.#host.crash() : this.die(slot.index);
      this.#arm(slot, untilMs, kill);
      return;
    }
    const units = work.of(claim.intervals);
    const realUnits =
      workError === undefined ? units : realWork(claim, work, { seed: truth.seed, ...workError });
    const busyMs = realUnits / this.#host.unitsPerMs(slot.index);
    const startedMs = this.#host.clock.nowMs;
    this.#arm(slot, busyMs, () => this.#finish(slot, { claim, truth, units, busyMs, startedMs }));
  }

  #finish(
    slot: Slot,
    done: { claim: Claim; truth: JobTruth; units: number; busyMs: number; startedMs: number },
  ): void {
    const { job, rowWidth } = done.truth.header;
    const { intervals } = done.claim;
    const { claim, units, startedMs } = done;
    this.#host.ran({ job, claim, units, startedMs });
    const values = referenceRows(done.truth.seed, rowWidth, intervals);
    const input: Input = {
      kind: 'tasksFinished',
      job,
      slot: slot.index,
      intervals,
      values,
      busyMs: done.busyMs,
    };
    this.#tell(input);
    // Rows are on their way, so the record may be used for the next claim.
    slot.view.finish();
    this.#claim(slot);
  }

  /** In order, as on one message port. */
  #tell(input: Input): void {
    this.#host.clock.after(REPORT_MS, () => this.#host.report(input));
  }

  #arm(slot: Slot, delayMs: number, ring: () => void): void {
    slot.ring = ring;
    slot.alarm = this.#host.clock.after(delayMs, ring);
  }
}

/** What the tasks of a claim really cost, where `work` is wrong; a function of the task alone, as work is. */
function realWork(
  { intervals }: Claim,
  work: WorkModel,
  { seed, times, of }: WorkError & { readonly seed: number },
): number {
  let units = 0;
  for (const [start, end] of intervals) {
    for (let task = start; task < end; task++) {
      const drawn = 2 * referenceValue(seed, of === 'task' ? task : work.runOf(task), 19) - 1;
      units += work.between(task, task + 1) * times ** drawn;
    }
  }
  return units;
}
