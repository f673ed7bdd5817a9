// How fast each slot of this peer is, as its own finished tasks say. The cores of one machine differ by a factor of two
// or three where some are made for performance and some for efficiency, and the system moves threads between them:
// so a speed is of a slot for a short while, never of a core, and is forgotten when it is old.
//
// Costs are of kernel and data, and what one slot has of another's speed is not: a slot that has run nothing of a job yet
// is taken to be as much faster or slower than its neighbours as it was at the job before.

/** Kinds of work of which speeds are remembered: that of this job, and of those around it. */
const KEYS_MAX = 4;

/** Times its last claim for which a slot's speed is believed, at least: one that runs long tasks is heard of seldom. */
const CLAIMS_REMEMBERED = 4;

interface Measured {
  readonly unitsPerMs: number;
  /** Busy time behind it, up to the span of memory. */
  readonly busyMs: number;
  /** When it is too old to be believed. */
  readonly untilMs: number;
}

interface Finished {
  readonly slot: number;
  readonly units: number;
  readonly busyMs: number;
}

export class SlotSpeeds {
  readonly #memoryMs: number;
  readonly #freshMs: number;
  /** By slot; the kind of work that was run last is last. */
  readonly #byKey = new Map<string, Map<number, Measured>>();

  /** `memoryMs` of its busy time are behind a slot's speed; it is believed for `freshMs` after its last task. */
  constructor({ memoryMs, freshMs }: { readonly memoryMs: number; readonly freshMs: number }) {
    this.#memoryMs = memoryMs;
    this.#freshMs = freshMs;
  }

  /** Nothing was ever measured: what has no slots of its own, such as a group, measures none. */
  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  measured(rateKey: string, { slot, units, busyMs }: Finished, nowMs: number): void {
    if (busyMs <= 0) return;
    const bySlot = this.#byKey.get(rateKey) ?? new Map<number, Measured>();
    const before = isFresh(bySlot.get(slot), nowMs);
    const knownMs = before?.busyMs ?? 0;
    const known = before?.unitsPerMs ?? 0;
    const unitsPerMs = known + ((units / busyMs - known) * busyMs) / (busyMs + knownMs);
    const untilMs = nowMs + Math.max(this.#freshMs, CLAIMS_REMEMBERED * busyMs);
    bySlot.set(slot, { unitsPerMs, busyMs: Math.min(this.#memoryMs, knownMs + busyMs), untilMs });
    this.#byKey.delete(rateKey);
    this.#byKey.set(rateKey, bySlot);
    const [oldest] = this.#byKey.keys();
    if (this.#byKey.size > KEYS_MAX && oldest !== undefined) this.#byKey.delete(oldest);
  }

  /** Units per ms of a slot, or undefined where nothing new enough is known. `mean` is that of all slots for this work. */
  of(
    rateKey: string,
    slot: number,
    now: { readonly ms: number; readonly mean: number },
  ): number | undefined {
    const own = isFresh(this.#byKey.get(rateKey)?.get(slot), now.ms);
    if (own !== undefined) return own.unitsPerMs;
    for (const bySlot of [...this.#byKey.values()].toReversed()) {
      const other = isFresh(bySlot.get(slot), now.ms);
      if (other !== undefined) return (now.mean * other.unitsPerMs) / meanOf(bySlot);
    }
    return undefined;
  }
}

function isFresh(measured: Measured | undefined, nowMs: number): Measured | undefined {
  return measured !== undefined && nowMs <= measured.untilMs ? measured : undefined;
}

function meanOf(bySlot: ReadonlyMap<number, Measured>): number {
  let sum = 0;
  for (const { unitsPerMs } of bySlot.values()) sum += unitsPerMs;
  return sum / bySlot.size;
}
