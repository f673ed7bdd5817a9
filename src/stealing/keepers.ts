// Who can be asked to keep a second copy of rows: whoever has the job, or may come to have it, and keeps what it is sent.
import { type PeerId, highestRanked } from './ids.ts';
import type { JobBook } from './job-book.ts';
import type { CoreState } from './state.ts';

export class Keepers {
  readonly #state: CoreState;
  /** Peers that kept nothing of what they were sent: deliveries missed in a row, and since when. */
  readonly #unwilling = new Map<PeerId, { misses: number; sinceMs: number }>();

  constructor(state: CoreState) {
    this.#state = state;
  }

  /** Peers whose disks can be asked for a second copy; when there are none, one disk counts. */
  of(job: JobBook): PeerId[] {
    return this.#state.beliefs
      .live()
      .filter(({ state }) => state === 'ok')
      .filter(({ face, rates }) => {
        // Who cannot load a job has no record of it, and rows without that are lost when its process ends.
        return job.storedBy.has(face.peer) || rates.get(job.header.rateKey) !== 0;
      })
      .map(({ face }) => face.peer)
      .filter((peer) => this.#isWilling(peer));
  }

  /** Keep the second copies of what the owner itself has and nobody else: the first by rank of those that have the
   * job, or else will, and the next when one is full or suspect, or has the only copy. */
  buddiesOf(job: JobBook): PeerId[] {
    const connected = this.of(job).filter((peer) => this.#state.beliefs.get(peer)?.connected);
    const key = `${job.header.job}|${this.#state.self}`;
    const buddies: PeerId[] = [];
    for (let left = connected; left.length > 0 && buddies.length < 2; ) {
      const stored = left.filter((peer) => job.storedBy.has(peer));
      const next = highestRanked(key, stored.length > 0 ? stored : left);
      if (next === undefined) break;
      buddies.push(next);
      left = left.filter((peer) => peer !== next);
    }
    return buddies;
  }

  /** Silence of a peer that is not heard either says nothing about its disk. */
  missed(to: PeerId): void {
    const { beliefs, nowMs } = this.#state;
    if (beliefs.get(to)?.state !== 'ok') return;
    const known = this.#unwilling.get(to);
    // Several that were sent together and lost together are one miss.
    if (known?.sinceMs === nowMs) return;
    this.#unwilling.set(to, { misses: (known?.misses ?? 0) + 1, sinceMs: nowMs });
  }

  /** It kept something, or it is gone and may come back with an empty disk. */
  forgive(peer: PeerId): void {
    this.#unwilling.delete(peer);
  }

  /** One delivery may be lost with its connection; two in a row are a full disk. */
  #isWilling(peer: PeerId): boolean {
    const { nowMs, limits } = this.#state;
    const known = this.#unwilling.get(peer);
    return known === undefined || known.misses < 2 || nowMs >= known.sinceMs + limits.keeperPauseMs;
  }
}
