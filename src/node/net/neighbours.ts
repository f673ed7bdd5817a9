// The links that are up, one per peer, and the rules when a second one appears or the only one goes. Whoever
// listens here hears of every peer exactly: it came, then it went, then perhaps it came again.
import type { PeerId } from '../../stealing/ids.ts';
import type { Link, LinkListener } from './link.ts';

/** Two links to one peer that are born within this time are two sides dialling each other at once. */
const SIMULTANEOUS_MS = 2000;

export interface NeighbourListener extends LinkListener {
  onCame(link: Link): void;
  /** `refused`: nobody answers where it was, or it is there again as a new incarnation. */
  onGone(peer: PeerId, refused: boolean): void;
  /** The only link is over. `onGone` follows as soon as it is known how: call `settle` or bring a new link. */
  onBroken(link: Link, error: Error | undefined): void;
}

export class Neighbours {
  readonly #self: PeerId;
  readonly #listener: NeighbourListener;
  readonly #links = new Map<PeerId, Link>();
  /** Incarnations of peers whose link broke, until it is known whether they are gone. */
  readonly #broken = new Map<PeerId, number>();
  readonly #waiting = new Map<PeerId, Set<() => void>>();

  constructor(self: PeerId, listener: NeighbourListener) {
    this.#self = self;
    this.#listener = listener;
  }

  get(peer: PeerId): Link | undefined {
    return this.#links.get(peer);
  }

  /** The link, unless it has been silent for so long that another one would be better. */
  heard(peer: PeerId): Link | undefined {
    const link = this.#links.get(peer);
    return link?.isDoubted === true ? undefined : link;
  }

  all(): Link[] {
    return [...this.#links.values()];
  }

  /** Takes a link that has just been admitted; returns the link that is kept, or undefined for an old incarnation's. */
  add(link: Link): Link | undefined {
    const old = this.#links.get(link.peer);
    if (old === link) return link;
    if (old === undefined) {
      this.#settleBy(link);
    } else if (link.face.incarnation < old.face.incarnation) {
      link.cut(new Error('an older incarnation'));
      return undefined;
    } else if (link.face.incarnation === old.face.incarnation && isTwin(old, link)) {
      return this.#keepOne(old, link);
    } else {
      // The same incarnation on a new link found its old one dead before we did.
      this.#links.delete(link.peer);
      old.cut(new Error('the peer came back on another connection'));
      this.#listener.onGone(link.peer, link.face.incarnation > old.face.incarnation);
    }
    this.#links.set(link.peer, link);
    this.#listener.onCame(link);
    void this.#watch(link);
    for (const wake of this.#waiting.get(link.peer) ?? []) wake();
    return link;
  }

  /** Its link broke, and it is not known yet how it went. */
  isBroken(peer: PeerId): boolean {
    return this.#broken.has(peer);
  }

  /** It is known how a broken link's peer went; without effect when it is back already. */
  settle(peer: PeerId, refused: boolean): void {
    if (this.#broken.delete(peer)) this.#listener.onGone(peer, refused);
  }

  /** We part on purpose. */
  async drop(peer: PeerId, signal: AbortSignal): Promise<void> {
    const link = this.#links.get(peer);
    if (link === undefined) return;
    this.#links.delete(peer);
    this.#listener.onGone(peer, false);
    await link.close(signal);
  }

  /** The link to `peer`, which may be on its way; undefined when it does not come in time. */
  async awaited(peer: PeerId, timeoutMs: number): Promise<Link | undefined> {
    const link = this.#links.get(peer);
    if (link !== undefined) return link;
    const waiting = this.#waiting.get(peer) ?? new Set();
    this.#waiting.set(peer, waiting);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    waiting.add(resolve);
    await promise;
    clearTimeout(timer);
    waiting.delete(resolve);
    if (waiting.size === 0) this.#waiting.delete(peer);
    return this.#links.get(peer);
  }

  /** Closes all; nobody is told. */
  async closeAll(signal: AbortSignal): Promise<void> {
    const links = this.all();
    this.#links.clear();
    this.#broken.clear();
    await Promise.all(links.map((link) => link.close(signal)));
  }

  async #watch(link: Link): Promise<void> {
    const error = await link.run(this.#listener);
    link.bulk.close();
    if (this.#links.get(link.peer) !== link) return;
    this.#links.delete(link.peer);
    this.#broken.set(link.peer, link.face.incarnation);
    this.#listener.onBroken(link, error);
  }

  /** A new link says how the broken one's peer had gone. */
  #settleBy(link: Link): void {
    const before = this.#broken.get(link.peer);
    if (before !== undefined) this.settle(link.peer, link.face.incarnation > before);
  }

  /** Both sides choose alike: the connection that the lower peer id dialled. Nothing said on the other is lost. */
  #keepOne(old: Link, link: Link): Link {
    const lowerIsSelf = this.#self < link.peer;
    const kept = old.dialledBySelf === lowerIsSelf ? old : link;
    const other = kept === old ? link : old;
    this.#links.set(link.peer, kept);
    void this.#watch(link);
    other.retire();
    return kept;
  }
}

function isTwin(old: Link, link: Link): boolean {
  return old.dialledBySelf !== link.dialledBySelf && link.openedMs - old.openedMs < SIMULTANEOUS_MS;
}
