// The next bar at which a list of conditions holds, found a word at a time: the conditions are ANDed only where
// somebody looks, and 32 bars without a signal cost three loads.

/** Words per condition. All of `all` must hold, and of `veto` not all; an empty veto forbids nothing. */
export class BitSearch {
  #all: readonly Int32Array[] = [];
  #veto: readonly Int32Array[] = [];
  #limit = 0;
  /** The last answer: nothing holds from `#from` to before `#found`. */
  #from = 0;
  #found = 0;

  /** Looks at bars below `limit` only. `all` has at least one entry. */
  reset(all: readonly Int32Array[], veto: readonly Int32Array[], limit: number): void {
    this.#all = all;
    this.#veto = veto;
    this.#limit = limit;
    this.#from = 1;
    this.#found = 0;
  }

  /** A search that finds nothing. */
  resetToNever(limit: number): void {
    this.#limit = limit;
    this.#from = 0;
    this.#found = limit;
  }

  /** First bar at or after `from` at which it holds; the limit when there is none. A search that has looked
   * far ahead answers all questions on the way there: otherwise each trade would look as far again. */
  next(from: number): number {
    if (from >= this.#from && from <= this.#found) return this.#found;
    if (from >= this.#limit) return this.#limit;
    this.#from = from;
    this.#found = this.#scan(from);
    return this.#found;
  }

  /** Asked only of bars below the limit, and of no search that was reset to never. */
  holdsAt(bar: number): boolean {
    return (this.#wordAt(bar >>> 5) & (1 << (bar & 31))) !== 0;
  }

  #scan(from: number): number {
    const all = this.#all;
    const first = all[0] as Int32Array;
    const second = all[1] ?? first;
    const third = all[2] ?? first;
    const end = (this.#limit + 31) >>> 5;
    let word = from >>> 5;
    let bits = this.#wordAt(word) & (-1 << (from & 31));
    while (bits === 0) {
      word++;
      // Shorter lists have one word twice here: the second load of a word costs next to nothing.
      while (
        word < end &&
        ((first[word] as number) & (second[word] as number) & (third[word] as number)) === 0
      ) {
        word++;
      }
      if (word >= end) return this.#limit;
      bits = this.#wordAt(word);
    }
    return Math.min((word << 5) + 31 - Math.clz32(bits & -bits), this.#limit);
  }

  #wordAt(word: number): number {
    const all = this.#all;
    let bits = (all[0] as Int32Array)[word] as number;
    for (let i = 1; i < all.length && bits !== 0; i++) {
      bits &= (all[i] as Int32Array)[word] as number;
    }
    if (bits === 0 || this.#veto.length === 0) return bits;
    let forbidden = -1;
    for (const condition of this.#veto) forbidden &= condition[word] as number;
    return bits & ~forbidden;
  }
}
