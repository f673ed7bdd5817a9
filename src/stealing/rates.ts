// How fast this peer is, per kernel and data: units per busy slot-millisecond, measured on every finished
// micro-batch. The first measurement replaces the prior; later ones move an average whose memory is a span
// of busy time, so that ten slots forget no faster than one.
import type { Rate } from './messages.ts';

/** Rates that a heartbeat carries: the newest few, because a peer works on few kinds of job at once. */
const TOLD_RATES_MAX = 8;

export class Rates {
  readonly #memoryMs: number;
  readonly #slots: number;
  readonly #perSlotMs = new Map<string, number>();

  constructor(memoryMs: number, slots: number) {
    this.#memoryMs = memoryMs;
    this.#slots = slots;
  }

  measured(rateKey: string, units: number, busyMs: number): void {
    if (busyMs <= 0) return;
    const sample = units / busyMs;
    const before = this.#perSlotMs.get(rateKey);
    const weight = busyMs / (busyMs + this.#memoryMs * this.#slots);
    const after = before === undefined ? sample : before + (sample - before) * weight;
    // Deleting first keeps the map in the order of last use.
    this.#perSlotMs.delete(rateKey);
    this.#perSlotMs.set(rateKey, after);
  }

  /** Units per ms of one slot; undefined before the first measurement. */
  perSlotMs(rateKey: string): number | undefined {
    return this.#perSlotMs.get(rateKey);
  }

  /** Units per ms of the whole peer, for messages. */
  told(): Rate[] {
    return [...this.#perSlotMs]
      .slice(-TOLD_RATES_MAX)
      .map(([rateKey, perSlotMs]) => ({ rateKey, unitsPerMs: perSlotMs * this.#slots }));
  }
}
