// Specs that rode with an offer, on their way to the blob store: whoever loads the job finds them at once, and
// nobody fetches them a second time.
import { createHash } from 'node:crypto';

interface Shelf {
  has(sha256: string): Promise<boolean>;
  keep(sha256: string, bytes: Uint8Array): Promise<void>;
}

export class Attached {
  readonly #shelf: Shelf;
  readonly #arriving = new Map<string, Promise<void>>();

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Kept under the hash of what it is, whatever the offer said. */
  keep(bytes: Uint8Array): void {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (this.#arriving.has(sha256)) return;
    const written = this.#shelf
      .has(sha256)
      .then((isHere) => (isHere ? undefined : this.#shelf.keep(sha256, bytes)))
      // A full disk: the loader fetches the blob later, as if nothing had been attached.
      .catch(() => {})
      .finally(() => this.#arriving.delete(sha256));
    this.#arriving.set(sha256, written);
  }

  async has(sha256: string): Promise<boolean> {
    await this.#arriving.get(sha256);
    return this.#shelf.has(sha256);
  }
}
