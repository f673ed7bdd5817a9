// Lets time pass inside a slot: for tasks that only wait, and for a slot that is to look slower than it is.

/** ms that a slot may be late and still keep its schedule. More hides longer stalls of a crowded machine; less
 * keeps a thread that was stopped (a closed lid) from handing over work that it had no time for. */
const LATENESS_MS_MAX = 250;

/** How much slower a slot is to look than it is, for demonstrations and tests. */
export interface Throttle {
  /** 0 < share <= 1: of its speed. */
  readonly share: number;
  /** ms of work before it looks slower. */
  readonly afterMs: number;
}

export const NO_THROTTLE: Throttle = { share: 1, afterMs: 0 };

/** A slot's time, monotonic; a test brings its own. */
export interface SlotClock {
  nowMs(): number;
  /** Blocks the thread; may return a little early or late. */
  sleep(ms: number): void;
}

export class Pace {
  readonly #share: number;
  readonly #clock: SlotClock;
  /** When the last waiting task was due to end; undefined after a pause or a task that computed. */
  #dueMs: number | undefined;
  #fullSpeedLeftMs: number;

  constructor({ share, afterMs }: Throttle, clock: SlotClock = threadClock()) {
    this.#share = share;
    this.#fullSpeedLeftMs = afterMs;
    this.#clock = clock;
  }

  /** Waits `waitMs` from the moment when the wait before was due to end, so that small delays do not add up:
   * consecutive waits end at start + sum. */
  letPass(waitMs: number): void {
    if (waitMs <= 0) {
      this.#dueMs = undefined;
      return;
    }
    const nowMs = this.#clock.nowMs();
    const dueBefore = this.#dueMs ?? nowMs;
    const fromMs = nowMs - dueBefore > LATENESS_MS_MAX ? nowMs : dueBefore;
    this.#dueMs = fromMs + waitMs;
    this.#sleepUntil(this.#dueMs);
  }

  /** After `busyMs` of work: waits as much longer as a slower slot would have taken. */
  throttle(busyMs: number): void {
    if (this.#share >= 1) return;
    const fullMs = Math.min(busyMs, this.#fullSpeedLeftMs);
    this.#fullSpeedLeftMs -= fullMs;
    this.#sleepUntil(this.#clock.nowMs() + (busyMs - fullMs) * (1 / this.#share - 1));
    this.#dueMs = undefined;
  }

  /** The slot has nothing to do: the next wait begins when it begins. */
  pause(): void {
    this.#dueMs = undefined;
  }

  #sleepUntil(untilMs: number): void {
    for (;;) {
      const leftMs = untilMs - this.#clock.nowMs();
      if (leftMs <= 0) return;
      this.#clock.sleep(leftMs);
    }
  }
}

function threadClock(): SlotClock {
  // Nobody ever notifies it.
  const bed = new Int32Array(new SharedArrayBuffer(4));
  return {
    nowMs: () => performance.now(),
    sleep: (ms) => {
      Atomics.wait(bed, 0, 0, ms);
    },
  };
}
