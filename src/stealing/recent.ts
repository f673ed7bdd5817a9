// Finished tasks and units of the last 30 seconds, in one-second buckets: what `mesh peers` shows as speed
// and share.

const WINDOW_SECONDS = 30;

interface Bucket {
  second: number;
  tasks: number;
  units: number;
}

export class Recent {
  #buckets: Bucket[] = [];
  #firstMs: number | undefined;

  add(nowMs: number, tasks: number, units: number): void {
    this.#firstMs ??= nowMs;
    const second = Math.floor(nowMs / 1000);
    const last = this.#buckets.at(-1);
    if (last?.second === second) {
      last.tasks += tasks;
      last.units += units;
    } else this.#buckets.push({ second, tasks, units });
    if (this.#buckets.length > WINDOW_SECONDS + 1) this.#buckets.shift();
  }

  units(nowMs: number): number {
    return this.#live(nowMs).reduce((sum, bucket) => sum + bucket.units, 0);
  }

  donePerSec(nowMs: number): number {
    const live = this.#live(nowMs);
    const tasks = live.reduce((sum, bucket) => sum + bucket.tasks, 0);
    const oldest = live[0];
    if (oldest === undefined) return 0;
    // A young burst is divided by its own age, not by the whole window.
    const spanMs = nowMs - Math.max(oldest.second * 1000, this.#firstMs ?? nowMs);
    return tasks / Math.max(1, spanMs / 1000);
  }

  #live(nowMs: number): Bucket[] {
    const from = Math.floor(nowMs / 1000) - WINDOW_SECONDS;
    return this.#buckets.filter((bucket) => bucket.second > from);
  }
}
