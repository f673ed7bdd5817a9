// Where a peer stands in a mesh that is too large for everybody to know everybody: peers form groups, such groups
// form groups of the next tier, and so on, until one group holds all. Each is a mesh of its own, small enough for a
// full view, and so a peer knows a few dozen others however many there are.
import { type PeerId, peerId } from '../ids.ts';

/** One peer's group of one tier. */
export interface TierPlace {
  /** Id of the group, as a member of the next tier. */
  readonly group: PeerId;
  /** Tier 0: peers; above: groups of the tier below. Ascending. */
  readonly members: readonly PeerId[];
  /** Above tier 0: some peers of each member group, to be asked who speaks for it. */
  readonly doors: ReadonlyMap<PeerId, readonly PeerId[]>;
}

/** From the smallest group up; the last one is the whole mesh. */
export type Place = readonly TierPlace[];

/** Peers of a group that others may ask. More: it is found though more of them are dead; less: shorter lists. */
const DOORS_MAX = 8;

interface Group {
  readonly id: PeerId;
  readonly members: readonly PeerId[];
  /** All peers in it. */
  readonly peers: readonly PeerId[];
  readonly parts: readonly Group[];
}

/** Groups of `sizeMax` members at most, as equal as can be: neighbours in the list stay together. */
export function placesOf(peers: readonly PeerId[], sizeMax: number): ReadonlyMap<PeerId, Place> {
  let groups = peers.map((peer): Group => ({ id: peer, members: [], peers: [peer], parts: [] }));
  const places = new Map<PeerId, TierPlace[]>(peers.map((peer) => [peer, []]));
  for (let tier = 0; tier === 0 || groups.length > 1; tier++) {
    groups = joined(groups, tier, sizeMax);
    for (const group of groups) {
      const doors = new Map(
        tier === 0 ? [] : group.parts.map((part) => [part.id, spread(part.peers, DOORS_MAX)]),
      );
      const place: TierPlace = { group: group.id, members: group.members, doors };
      for (const peer of group.peers) places.get(peer)?.push(place);
    }
  }
  return places;
}

function joined(parts: readonly Group[], tier: number, sizeMax: number): Group[] {
  const count = Math.ceil(parts.length / sizeMax);
  return Array.from({ length: count }, (_, i): Group => {
    const from = Math.floor((i * parts.length) / count);
    const own = parts.slice(from, Math.floor(((i + 1) * parts.length) / count));
    return {
      id: peerId(`group-${tier}.${String(i).padStart(4, '0')}`),
      members: own.map(({ id }) => id),
      peers: own.flatMap(({ peers }) => peers),
      parts: own,
    };
  });
}

/** Some of a list, from all over it. */
function spread<T>(list: readonly T[], countMax: number): T[] {
  const step = Math.max(1, list.length / countMax);
  const picked: T[] = [];
  for (let at = 0; at < list.length; at += step) picked.push(list[Math.floor(at)]!);
  return picked;
}
