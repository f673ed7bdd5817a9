// How much of the main thread one peer may take. Whoever sends more than that waits, and with it its own messages only:
// reading stops, the muxer's window fills, its sender stops. Nothing is lost, and the others are served.

/** ms of handling within one second. More would let two that flood take all of it; less would slow down an honest peer
 * whose rows come fast. A guess: how much the fastest honest peer takes is not measured. */
const HANDLING_MS_MAX = 400;
const WINDOW_MS = 1_000;

export class TurnBudget {
  #windowEndMs = Number.NEGATIVE_INFINITY;
  #spentMs = 0;

  /** A message of the peer was handled from `startMs` to `endMs`. Returns for how many ms nothing more of it is read. */
  spend(startMs: number, endMs: number): number {
    if (startMs >= this.#windowEndMs) {
      this.#windowEndMs = startMs + WINDOW_MS;
      this.#spentMs = 0;
    }
    this.#spentMs += endMs - startMs;
    if (this.#spentMs < HANDLING_MS_MAX) return 0;
    return Math.max(0, this.#windowEndMs - endMs);
  }
}
