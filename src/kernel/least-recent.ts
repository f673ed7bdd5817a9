// A map with a budget in bytes that forgets what was used longest ago. What it hands out stays valid after it
// has forgotten it.

export class LeastRecentMap<V> {
  readonly #entries = new Map<string, { readonly value: V; readonly bytes: number }>();
  readonly #budgetBytes: number;
  #usedBytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // A Map remembers the order of insertion: putting an entry back makes it the most recent.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Evicts until it fits; what is larger than the whole budget is not kept. */
  set(key: string, value: V, bytes: number): void {
    const before = this.#entries.get(key);
    if (before !== undefined) {
      this.#usedBytes -= before.bytes;
      this.#entries.delete(key);
    }
    if (bytes > this.#budgetBytes) return;
    for (const [oldKey, old] of this.#entries) {
      if (this.#usedBytes + bytes <= this.#budgetBytes) break;
      this.#entries.delete(oldKey);
      this.#usedBytes -= old.bytes;
    }
    this.#entries.set(key, { value, bytes });
    this.#usedBytes += bytes;
  }
}
