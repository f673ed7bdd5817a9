// Data on its way from this peer to others: what a person sees while a large file travels, before work can begin
// over there. Only a view; whoever fetches asks again by itself when a transfer is cut.
import type { BlobRef } from '../../stealing/job.ts';

export interface Copy {
  /** Peer id of the receiver. */
  readonly to: string;
  readonly sha256: string;
  readonly sentBytes: number;
  readonly bytes: number;
}

/** ms without a byte after which a copy counts as given up: its receiver waits no longer before it asks elsewhere. */
const STALE_MS = 10_000;

export class Copies {
  readonly #underWay = new Map<string, Copy & { readonly atMs: number }>();

  note(to: string, ref: BlobRef, { sentBytes, nowMs }: { sentBytes: number; nowMs: number }): void {
    const key = `${to} ${ref.sha256}`;
    if (sentBytes >= ref.bytes) this.#underWay.delete(key);
    else this.#underWay.set(key, { to, ...ref, sentBytes, atMs: nowMs });
  }

  /** Those of `refs`, in the order in which they began. */
  underWay(refs: readonly BlobRef[], nowMs: number): readonly Copy[] {
    for (const [key, { atMs }] of this.#underWay) {
      if (nowMs - atMs > STALE_MS) this.#underWay.delete(key);
    }
    const wanted = new Set(refs.map(({ sha256 }) => sha256));
    return [...this.#underWay.values()]
      .filter(({ sha256 }) => wanted.has(sha256))
      .map(({ to, sha256, sentBytes, bytes }) => ({ to, sha256, sentBytes, bytes }));
  }
}
