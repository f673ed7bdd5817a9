// How everybody comes to know everybody: each hello carries the whole member list, each new link is told to all
// others, and whoever hears of a peer that somebody is connected with dials it at once. So a third peer that
// joins any member is in the full mesh a few round trips later.
import type { PeerId } from '../../stealing/ids.ts';
import type { Face, MemberNews } from '../wire/hello.ts';
import { type Endpoint, formatEndpoint, isLoopbackIp, parseEndpoint } from './address.ts';
import type { Link } from './link.ts';
import type { Members } from './members.ts';
import type { Neighbours } from './neighbours.ts';

export class Introductions {
  readonly #members: Members;
  readonly #neighbours: Neighbours;

  constructor(members: Members, neighbours: Neighbours) {
    this.#members = members;
    this.#neighbours = neighbours;
  }

  /** The parts of this peer's face that are about where it and the others are. */
  placesAndMembers(listening: readonly Endpoint[]): Pick<Face, 'addrs' | 'members' | 'forgotten'> {
    const members = this.#members.list().flatMap(({ id }) => this.#newsOf(id) ?? []);
    // Loopback is for peers on this machine, when there is no other address.
    const outside = listening.filter(({ ip }) => !isLoopbackIp(ip));
    const addrs = (outside.length > 0 ? outside : listening).map(formatEndpoint);
    return { addrs, members, forgotten: this.#members.forgotten() };
  }

  /** A peer was admitted: it is a member, and the others hear of it. */
  introduce(link: Link): void {
    const { face, peer } = link;
    this.#members.met(peer, face.name, usableAddrs(link));
    const news = this.#newsOf(peer);
    for (const other of this.#neighbours.all()) {
      if (other !== link && news !== undefined) other.sendNews([news], []);
    }
  }

  /** Returns the peers that are worth dialling at once. */
  learn(link: Link, news: readonly MemberNews[]): PeerId[] {
    const learned = this.#members.learn(news, isLoopbackIp(link.remoteIp));
    return learned.map(({ id }) => id).filter((id) => this.#neighbours.get(id) === undefined);
  }

  #newsOf(peer: PeerId): MemberNews | undefined {
    const member = this.#members.get(peer);
    if (member === undefined) return undefined;
    const { id, name, addrs, lastSeen } = member;
    const incarnation = this.#neighbours.get(peer)?.face.incarnation;
    return { id, name, addrs, lastSeenMs: Date.parse(lastSeen), incarnation };
  }
}

/** Loopback addresses of another machine would lead to ourselves. */
function usableAddrs({ face, remoteIp, endpoint }: Link): string[] {
  const isLocal = isLoopbackIp(remoteIp);
  const usable = face.addrs.filter((addr) => {
    const announced = parseEndpoint(addr);
    return announced !== undefined && (isLocal || !isLoopbackIp(announced.ip));
  });
  return usable.length > 0 ? usable : [formatEndpoint(endpoint)];
}
