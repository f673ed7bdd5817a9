// Whom a peer knows in a mesh of groups: the place it stands in, who of all is connected, and the newest word of who
// speaks for which group. That is all it knows of the mesh, a few dozen names however many peers there are.
import type { PeerId } from '../ids.ts';
import type { Speaks } from '../messages.ts';
import type { Place, TierPlace } from './place.ts';
import { isNewer } from './speaking.ts';

export class Acquaintance {
  readonly self: PeerId;
  readonly place: Place;
  readonly connected = new Set<PeerId>();
  readonly #words = new Map<PeerId, Speaks>();
  /** Rises with every word that is news. */
  version = 0;
  #asked = 0;

  constructor(self: PeerId, place: Place) {
    this.self = self;
    this.place = place;
  }

  wordOf(group: PeerId): Speaks | undefined {
    return this.#words.get(group);
  }

  words(): Iterable<Speaks> {
    return this.#words.values();
  }

  /** Of the groups that this peer is in. */
  ownWords(): Speaks[] {
    return this.place.flatMap(({ group }) => this.#words.get(group) ?? []);
  }

  /** Returns whether it is news. */
  heard(word: Speaks): boolean {
    if (!isNewer(word, this.#words.get(word.group))) return false;
    this.#words.set(word.group, word);
    this.version++;
    return true;
  }

  isOwnGroup({ tier, group }: Speaks): boolean {
    return this.place[tier]?.group === group;
  }

  /** Of this peer's group of that tier. */
  isMember(tier: number, id: PeerId): boolean {
    return this.place[tier]?.members.includes(id) ?? false;
  }

  /** The peer that a member of that tier is, or that speaks for it. */
  peerOf(tier: number, member: PeerId): PeerId | undefined {
    return tier === 0 ? member : this.#words.get(member)?.peer;
  }

  /** Peers to be asked who speaks for the members of a group, other than `self`, of which nobody is known who does: of
   * each another one with every call. */
  doors({ members, doors }: TierPlace, self: PeerId): PeerId[] {
    this.#asked++;
    return members.flatMap((member) => {
      const speaker = this.#words.get(member)?.peer;
      if (member === self || (speaker !== undefined && this.connected.has(speaker))) return [];
      const all = doors.get(member) ?? [];
      const door = all[this.#asked % Math.max(1, all.length)];
      return door === undefined || door === this.self ? [] : [door];
    });
  }
}
