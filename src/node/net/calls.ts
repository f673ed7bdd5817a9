// Calling out: one dial per address at a time, and the endless redial of members. The first call after a link
// broke also answers the question whether its peer is gone or only out of reach.
import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerId } from '../../stealing/ids.ts';
import { type Endpoint, formatEndpoint, isSameEndpoint, parseEndpoint } from './address.ts';
import { isConnectionRefused } from './dialling.ts';
import type { CallingCard, Greeter } from './greeter.ts';
import { BusyError, HELLO_TIMEOUT_MS } from './hello.ts';
import type { Link } from './link.ts';
import type { Members } from './members.ts';
import type { Neighbours } from './neighbours.ts';
import { Redial } from './redial.ts';

/** A member's stream, or its dial, may be on its way while we already ask for the link. */
export const LINK_AWAITED_MS = 3000;

/** A process that is going down still resets a connection or two before its port is closed. */
const SECOND_LOOK_MS = 200;

/** Connecting and the hello together. */
const CALL_TIMEOUT_MS = HELLO_TIMEOUT_MS + 4000;

/** Beside a silent link, where the next try has better prospects than waiting for a lost SYN to be sent again. */
const SECOND_CALL_TIMEOUT_MS = 2_500;

export interface CallsInit {
  readonly greeter: Greeter;
  readonly neighbours: Neighbours;
  readonly members: Members;
  /** Takes an admitted link in; returns the one that is kept. Throws when it is not wanted. */
  readonly admit: (link: Link) => Link;
}

export class Calls {
  readonly redial: Redial;
  readonly #init: CallsInit;
  /** The library would give two callers of one address the same connection. */
  readonly #calls = new Map<string, Promise<Link>>();

  constructor(init: CallsInit) {
    this.#init = init;
    this.redial = new Redial((peer) => this.#callMember(peer));
  }

  /** The link to whoever is at `endpoint`, an open one if there is one. */
  call(endpoint: Endpoint, signal: AbortSignal, card?: CallingCard): Promise<Link> {
    const { neighbours, greeter, admit } = this.#init;
    const open = neighbours
      .all()
      .find((link) => !link.isDoubted && isSameEndpoint(link.endpoint, endpoint));
    if (open !== undefined) return Promise.resolve(open);
    const place = formatEndpoint(endpoint);
    const known = this.#calls.get(place);
    if (known !== undefined) return known;
    const call = greeter
      .dial(endpoint, signal, card)
      .then(admit)
      .catch((error: unknown) => this.#orTheirs(error))
      .finally(() => this.#calls.delete(place));
    this.#calls.set(place, call);
    return call;
  }

  /** When both call at once the other side's call may win: then the link comes to us. */
  async #orTheirs(error: unknown): Promise<Link> {
    if (!(error instanceof BusyError)) throw error;
    const link = await this.#init.neighbours.awaited(error.peer, LINK_AWAITED_MS);
    if (link === undefined || link.isDoubted) throw error;
    return link;
  }

  async #callMember(peer: PeerId): Promise<void> {
    const { neighbours, members } = this.#init;
    const addrs = members.get(peer)?.addrs ?? [];
    let failure: unknown = new Error('no address is known');
    for (const endpoint of addrs.flatMap((addr) => parseEndpoint(addr) ?? [])) {
      if (neighbours.heard(peer) !== undefined) return;
      failure = await this.#tryCall(peer, endpoint);
      if (failure !== undefined && neighbours.isBroken(peer) && !isFinal(failure)) {
        await sleep(SECOND_LOOK_MS);
        failure = await this.#tryCall(peer, endpoint);
      }
      if (failure === undefined) return;
      neighbours.settle(peer, isConnectionRefused(failure));
    }
    neighbours.settle(peer, false);
    if (neighbours.heard(peer) === undefined) throw failure;
  }

  /** What went wrong; undefined when the peer is linked. */
  async #tryCall(peer: PeerId, endpoint: Endpoint): Promise<unknown> {
    try {
      const isLinked = this.#init.neighbours.get(peer) !== undefined;
      const timeoutMs = isLinked ? SECOND_CALL_TIMEOUT_MS : CALL_TIMEOUT_MS;
      const link = await this.call(endpoint, AbortSignal.timeout(timeoutMs));
      return link.peer === peer ? undefined : new Error('another peer has this address');
    } catch (error) {
      return error;
    }
  }
}

/** A refusal is an answer, and after a time-out another three seconds would tell nothing new. */
function isFinal(failure: unknown): boolean {
  const { name } = failure as Error;
  return isConnectionRefused(failure) || name === 'TimeoutError' || name === 'AbortError';
}
