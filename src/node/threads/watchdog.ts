// Finds slots that have been on one task for longer than its job allows. A slot says nothing while it computes, so what
// is seen is its claim and how many of its rows have arrived: a claim that shows no progress for that long is stuck.
// Time is counted in looks, and a look that comes late counts once: a machine that slept has not computed.

export interface Sight {
  readonly slot: number;
  /** Changes with every claim and every row that arrives; undefined while the slot has claimed nothing. */
  readonly progress: string | undefined;
  /** ms; undefined: as long as it takes. */
  readonly timeoutMs: number | undefined;
}

/** ms between two looks: a tenth of the shortest timeout that can be asked for. */
export const LOOK_MS = 100;

export class Watchdog {
  readonly #since = new Map<number, { readonly progress: string; looks: number }>();

  /** Slots that are stuck, with the time that their task may take. */
  look(sights: readonly Sight[]): { readonly slot: number; readonly timeoutMs: number }[] {
    const stuck: { slot: number; timeoutMs: number }[] = [];
    for (const { slot, progress, timeoutMs } of sights) {
      const known = this.#since.get(slot);
      if (progress === undefined || timeoutMs === undefined) this.#since.delete(slot);
      else if (known?.progress !== progress) this.#since.set(slot, { progress, looks: 0 });
      else {
        known.looks++;
        if (known.looks * LOOK_MS <= timeoutMs) continue;
        this.#since.delete(slot);
        stuck.push({ slot, timeoutMs });
      }
    }
    return stuck;
  }
}
