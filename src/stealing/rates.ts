// How fast this peer is, per kernel and data: units per busy slot-millisecond, measured on every finished
// micro-batch. The first measurement replaces the prior; later ones move an average whose memory is a span
// of busy time, so that ten slots forget no faster than one. Until that span is full the average is the plain
// mean: the first micro-batch runs code that is not compiled yet, several times too slowly, and must not be
// believed for as long as the span is.
//
// A job that begins keeps of the past what a short prior weighs: its caches may be cold where the last job on the same
// data left them warm, or the other way round.
import type { Rate } from './messages.ts';

/** Rates remembered: one per kernel and data, the longest unused goes first. */
const RATES_MAX = 1_024;
/** Rates that a heartbeat carries: the newest few, because a peer works on few kinds of job at once. */
const TOLD_RATES_MAX = 8;

interface RateMemory {
  readonly memoryMs: number;
  readonly priorMs: number;
}

interface Measured {
  readonly perSlotMs: number;
  /** Busy time behind it, up to the span of memory. */
  readonly busyMs: number;
}

export class Rates {
  /** ms of busy time of all slots together. */
  readonly #memoryMs: number;
  readonly #priorMs: number;
  readonly #slots: number;
  readonly #byKey = new Map<string, Measured>();

  /** `memoryMs` of every slot's busy time are remembered, `priorMs` of them beyond the job in which they were. */
  constructor({ memoryMs, priorMs }: RateMemory, slots: number) {
    this.#memoryMs = memoryMs * slots;
    this.#priorMs = priorMs * slots;
    this.#slots = slots;
  }

  /** A job with this key runs its first tasks here. */
  jobBegan(rateKey: string): void {
    const known = this.#byKey.get(rateKey);
    if (known === undefined) return;
    const busyMs = Math.min(known.busyMs, this.#priorMs);
    this.#byKey.set(rateKey, { perSlotMs: known.perSlotMs, busyMs });
  }

  measured(rateKey: string, units: number, busyMs: number): void {
    if (busyMs <= 0) return;
    const before = this.#byKey.get(rateKey) ?? { perSlotMs: 0, busyMs: 0 };
    const weight = busyMs / (busyMs + before.busyMs);
    const perSlotMs = before.perSlotMs + (units / busyMs - before.perSlotMs) * weight;
    // Deleting first keeps the map in the order of last use.
    this.#byKey.delete(rateKey);
    this.#byKey.set(rateKey, {
      perSlotMs,
      busyMs: Math.min(this.#memoryMs, before.busyMs + busyMs),
    });
    const [oldest] = this.#byKey.keys();
    if (this.#byKey.size > RATES_MAX && oldest !== undefined) this.#byKey.delete(oldest);
  }

  /** Units per ms of one slot; undefined before the first measurement. */
  perSlotMs(rateKey: string): number | undefined {
    return this.#byKey.get(rateKey)?.perSlotMs;
  }

  /** Units per ms of the whole peer, for messages. */
  told(): Rate[] {
    return [...this.#byKey]
      .slice(-TOLD_RATES_MAX)
      .map(([rateKey, { perSlotMs }]) => ({ rateKey, unitsPerMs: perSlotMs * this.#slots }));
  }
}
