// On whose disks the rows of one job lie, and which of them lie on one or two live disks. The latter is kept as it
// changes: asked anew of every disk after every fact, it took nine tenths of the time of a mesh of 100 peers.
import { type Interval, IntervalSet } from '../deque/interval-set.ts';
import type { PeerId } from './ids.ts';

export class Disks {
  readonly #byPeer = new Map<PeerId, IntervalSet>();
  /** The peers that `#once` and `#twice` speak of; another list, and they are made anew. */
  #live: readonly PeerId[] | undefined;
  #isLive: ReadonlySet<PeerId> = new Set();
  #once = new IntervalSet();
  #twice = new IntervalSet();

  /** To be read only. */
  of(peer: PeerId): IntervalSet {
    return this.#byPeer.get(peer) ?? new IntervalSet();
  }

  mark(peer: PeerId, intervals: readonly Interval[]): void {
    const disk = this.#byPeer.get(peer) ?? new IntervalSet();
    this.#byPeer.set(peer, disk);
    for (const [start, end] of intervals) {
      const fresh = disk.gaps(start, end);
      disk.add(start, end);
      if (this.#isLive.has(peer)) for (const [from, to] of fresh) this.#copied(from, to);
    }
  }

  forget(start: number, end: number): void {
    for (const disk of this.#byPeer.values()) disk.remove(start, end);
    this.#once.remove(start, end);
    this.#twice.remove(start, end);
  }

  /** What lies on at least one, or two, of the disks of `live`, which is the same array while it says the same. To
   * be read only. */
  onLive(live: readonly PeerId[], atLeast: 1 | 2): IntervalSet {
    if (live !== this.#live) {
      this.#live = live;
      this.#isLive = new Set(live);
      this.#once = new IntervalSet();
      this.#twice = new IntervalSet();
      for (const peer of this.#isLive)
        for (const [start, end] of this.of(peer).intervals()) this.#copied(start, end);
    }
    return atLeast === 2 ? this.#twice : this.#once;
  }

  /** One more live disk has these. */
  #copied(start: number, end: number): void {
    let from = start;
    for (const [gapStart, gapEnd] of this.#once.gaps(start, end)) {
      this.#twice.add(from, gapStart);
      from = gapEnd;
    }
    this.#twice.add(from, end);
    this.#once.add(start, end);
  }
}
