// Over which tasks of a job a slot or a whole peer died, and how often: what every peer knows of suspicious tasks.
// It only grows, so that word of it may come twice and in any order.
import type { PeerId } from './ids.ts';

export class Tries {
  readonly #byTask = new Map<number, Map<PeerId, number>>();

  /** Returns whether this is news: a peer's own count only rises. */
  note(task: number, peer: PeerId, attempts: number): boolean {
    const known = this.#byTask.get(task) ?? new Map<PeerId, number>();
    if ((known.get(peer) ?? 0) >= attempts) return false;
    known.set(peer, attempts);
    this.#byTask.set(task, known);
    return true;
  }

  by(task: number, peer: PeerId): number {
    return this.#byTask.get(task)?.get(peer) ?? 0;
  }

  /** Of all peers together. */
  total(task: number): number {
    let attempts = 0;
    for (const count of this.#byTask.get(task)?.values() ?? []) attempts += count;
    return attempts;
  }

  /** Peers that tried, in the order in which this peer heard of it. */
  peers(task: number): PeerId[] {
    return [...(this.#byTask.get(task)?.keys() ?? [])];
  }

  tasks(): number[] {
    return [...this.#byTask.keys()].toSorted((a, b) => a - b);
  }
}
