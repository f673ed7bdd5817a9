// Lets time pass inside a slot: for tasks that only wait, and for a slot that is to look slower than it is.

/** ms that a slot may be late and still keep its schedule. More hides longer stalls of a crowded machine; less
 * keeps a thread that was stopped (a closed lid) from handing over work that it had no time for. */
const LATENESS_MS_MAX = 250;

export class Pace {
  readonly #throttle: number;
  /** Nobody ever notifies it. */
  readonly #clock = new Int32Array(new SharedArrayBuffer(4));
  /** When the last waiting task was due to end; undefined after a pause or a task that computed. */
  #dueMs: number | undefined;

  /** 0 < throttle <= 1: the share of its speed that the slot shows. */
  constructor(throttle: number) {
    this.#throttle = throttle;
  }

  /** Waits `waitMs` from the moment when the wait before was due to end, so that small delays do not add up:
   * consecutive waits end at start + sum. */
  letPass(waitMs: number): void {
    if (waitMs <= 0) {
      this.#dueMs = undefined;
      return;
    }
    const nowMs = performance.now();
    const dueBefore = this.#dueMs ?? nowMs;
    const fromMs = nowMs - dueBefore > LATENESS_MS_MAX ? nowMs : dueBefore;
    this.#dueMs = fromMs + waitMs;
    this.#sleepUntil(this.#dueMs);
  }

  /** After `busyMs` of work: waits as much longer as a slower slot would have taken. */
  throttle(busyMs: number): void {
    if (this.#throttle >= 1) return;
    this.#sleepUntil(performance.now() + busyMs * (1 / this.#throttle - 1));
    this.#dueMs = undefined;
  }

  /** The slot has nothing to do: the next wait begins when it begins. */
  pause(): void {
    this.#dueMs = undefined;
  }

  #sleepUntil(untilMs: number): void {
    for (
      let leftMs = untilMs - performance.now();
      leftMs > 0;
      leftMs = untilMs - performance.now()
    ) {
      Atomics.wait(this.#clock, 0, 0, leftMs);
    }
  }
}
