// What the demo sees of a running job, counted here and not taken from the mesh's own summary: every row that it was
// told, and how fast each peer says it is while it lives.
/** Rows as they count: each task must come once. */
export class RowTally {
  readonly #times: Uint8Array;
  #tasks = 0;
  #again = 0;

  constructor(taskCount: number) {
    this.#times = new Uint8Array(taskCount);
  }

  add(tasks: readonly number[]): void {
    for (const task of tasks) {
      const times = this.#times[task];
      if (times === 0) this.#tasks++;
      else this.#again++;
      if (times === 0) this.#times[task] = 1;
    }
  }

  /** Different tasks seen. */
  get tasks(): number {
    return this.#tasks;
  }

  /** Rows beyond the first of a task, and rows of tasks that the job does not have. */
  get again(): number {
    return this.#again;
  }
}

/**
 * Speed over time: rate x the time for which it held, so that a peer that was killed counts for as long as it lived,
 * and one whose speed changed for what it was at each moment. The rates that peers tell are moving averages over
 * `memoryMs` and lag behind: average' = (speed - average) / memory, so the integral of speed is that of the average
 * plus memory x its rise. While an average is younger than its memory, its age takes that place.
 */
export class SpeedIntegral {
  readonly #memoryMs: number;
  readonly #bornMs: number;
  readonly #units = new Map<string, number>();
  #last: ReadonlyMap<string, number>;
  #lastMs: number;

  /** `rates` at `startMs`, in units per ms; measured since `bornMs`. */
  constructor(
    memory: { readonly memoryMs: number; readonly bornMs: number },
    rates: ReadonlyMap<string, number>,
    startMs: number,
  ) {
    this.#memoryMs = memory.memoryMs;
    this.#bornMs = memory.bornMs;
    this.#last = rates;
    this.#lastMs = startMs;
  }

  /** `rates` of the peers that lived since the last sample. */
  sample(rates: ReadonlyMap<string, number>, nowMs: number): void {
    const spanMs = Math.max(0, nowMs - this.#lastMs);
    const ageMs = (this.#lastMs + nowMs) / 2 - this.#bornMs;
    const memoryMs = Math.min(this.#memoryMs, ageMs);
    for (const [id, rate] of rates) {
      // 0: not measured yet.
      const before = this.#last.get(id) || rate;
      const units = ((before + rate) / 2) * spanMs + memoryMs * (rate - before);
      this.#units.set(id, (this.#units.get(id) ?? 0) + units);
    }
    this.#last = rates;
    this.#lastMs = nowMs;
  }

  /** 0..1 of all. */
  shareOf(id: string): number {
    const all = [...this.#units.values()].reduce((sum, units) => sum + units, 0);
    return all > 0 ? (this.#units.get(id) ?? 0) / all : 0;
  }
}
