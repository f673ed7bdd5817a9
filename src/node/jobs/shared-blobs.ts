// Candles in memory that all jobs and slots share: the generations of a miner run on the same data, so a job finds what
// the one before it read. What no job uses any more goes with the last of them.

interface Shelf {
  readShared(sha256: string): Promise<SharedArrayBuffer>;
}

export class SharedBlobs {
  readonly #shelf: Shelf;
  readonly #known = new Map<string, WeakRef<SharedArrayBuffer>>();

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Nobody writes to it. Throws NOT_FOUND when the blob is not on this disk. */
  async readShared(sha256: string): Promise<SharedArrayBuffer> {
    const known = this.#known.get(sha256)?.deref();
    if (known !== undefined) return known;
    const buffer = await this.#shelf.readShared(sha256);
    for (const [name, other] of this.#known) {
      if (other.deref() === undefined) this.#known.delete(name);
    }
    this.#known.set(sha256, new WeakRef(buffer));
    return buffer;
  }
}
