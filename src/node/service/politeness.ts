// When a polite node rests: while somebody works at the machine, and on battery. It goes on only after both have been
// otherwise for a while, so that a person who thinks for a minute, or a cable that is moved, does not make it start
// and stop. Pure: facts and a time in, what to do out.
export interface Surroundings {
  /** Undefined: nobody knows, or there is no battery. */
  readonly isOnBattery: boolean | undefined;
  /** ms since the last key or mouse; undefined: nobody knows. */
  readonly idleMs: number | undefined;
}

/** ms without a key after which nobody counts as being at the machine. */
const ACTIVE_MS = 60_000;
/** ms of quiet before work begins again: longer than a phone call, shorter than lunch. */
const QUIET_MS = 5 * 60_000;
/** ms on mains before work begins again. */
const MAINS_MS = 60_000;

export class Politeness {
  #isResting = false;
  #onMainsSinceMs: number | undefined;

  /** Why the node should rest; undefined: it should work. */
  decide({ isOnBattery, idleMs }: Surroundings, nowMs: number): 'battery' | 'user' | undefined {
    if (isOnBattery === true) this.#onMainsSinceMs = undefined;
    else this.#onMainsSinceMs ??= this.#isResting ? nowMs : nowMs - MAINS_MS;
    const reason = this.#reason(idleMs, nowMs);
    this.#isResting = reason !== undefined;
    return reason;
  }

  #reason(idleMs: number | undefined, nowMs: number): 'battery' | 'user' | undefined {
    if (this.#onMainsSinceMs === undefined) return 'battery';
    const quietMs = this.#isResting ? QUIET_MS : ACTIVE_MS;
    if (idleMs !== undefined && idleMs < quietMs) return 'user';
    return nowMs - this.#onMainsSinceMs < MAINS_MS ? 'battery' : undefined;
  }
}
