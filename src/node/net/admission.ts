// Who may come in. Three answers exist: the other side has proved the mesh key; it has not, but Tailscale says
// that it is one of ours, so one of the two keys becomes the other's; or it is a stranger and learns nothing.
// Both sides judge: a member, whom it lets in; a newcomer, whose mesh it joins. The remote address is an
// argument, and everything here is decided from it, the claim, and what Tailscale says of the address.
import { type Door, type OriginWords } from '../wire/hello.ts';
import { type Endpoint, isOwnIp } from './address.ts';
import { MeshKey, type Origin } from './mesh-key.ts';
import { belongsTo, Tailscale } from './tailscale.ts';

/** What the dialler claims, as the listener has checked it. */
export interface CheckedClaim {
  /** Its proof of this mesh's key is good. */
  readonly isProven: boolean;
  readonly fingerprint: string;
  readonly keyUsed: boolean;
}

/** Both sides have dialled each other at this moment, which decides whose unused key gives way. */
export interface Crossing {
  readonly bothDial: boolean;
  readonly selfIsHigher: boolean;
}

export type Verdict =
  | { readonly kind: 'admit'; readonly door: Door }
  /** `keys`: one of ours, but both keys are in use. */
  | { readonly kind: 'refuse'; readonly reason: 'stranger' | 'keys' };

const STRANGER: Verdict = { kind: 'refuse', reason: 'stranger' };

export class Admission {
  readonly key: MeshKey;
  readonly #tailscale: Tailscale;
  #isExchanging = false;

  constructor(key: MeshKey, tailscale: Tailscale) {
    this.key = key;
    this.#tailscale = tailscale;
  }

  /** Reads or makes the key in `directory`. */
  static async open(directory: string, tailscale: Tailscale = new Tailscale()): Promise<Admission> {
    const admission = new Admission(await MeshKey.open(directory), tailscale);
    await admission.#origin();
    return admission;
  }

  get tailscale(): Tailscale {
    return this.#tailscale;
  }

  /** The listener's verdict on whoever dialled from `remote`. */
  async judge(claim: CheckedClaim, remote: Endpoint, crossing: Crossing): Promise<Verdict> {
    if (claim.isProven) return { kind: 'admit', door: 'key' };
    // Who names our key but cannot prove it lies; who is on this machine may be another of its users.
    if (claim.fingerprint === this.key.fingerprint || isOwnIp(remote.ip)) return STRANGER;
    const node = await this.#tailscale.whois(remote);
    const isOurs = belongsTo(node, await this.#origin());
    if (this.key.used && claim.keyUsed)
      return isOurs ? { kind: 'refuse', reason: 'keys' } : STRANGER;
    const door = this.#replaced(claim.keyUsed, crossing) === 'theirs' ? 'gift' : 'take';
    const isWelcome = door === 'gift' ? isOurs : belongsTo(node, await this.#tailscale.self());
    return isWelcome ? { kind: 'admit', door } : STRANGER;
  }

  /** The dialler's own judgement of the address it dialled, before a key changes hands by Tailscale's word. */
  async trusts(dialled: Endpoint, door: 'gift' | 'take'): Promise<boolean> {
    if (isOwnIp(dialled.ip) || (door === 'gift' && this.key.used)) return false;
    const node = await this.#tailscale.whois(dialled);
    return belongsTo(node, door === 'gift' ? await this.#tailscale.self() : await this.#origin());
  }

  /**
   * One key changes hands at a time: two peers that gave each other their keys at once would end up apart for
   * good. Undefined while another exchange is under way; else call the result when it is over.
   */
  tryExchange(): (() => void) | undefined {
    if (this.#isExchanging) return undefined;
    this.#isExchanging = true;
    return () => {
      this.#isExchanging = false;
    };
  }

  async adopt(key: Uint8Array, origin: OriginWords | undefined): Promise<void> {
    await this.key.adopt(key, originFrom(origin));
  }

  /** A member came in by this key. A key that was copied as a file learns here under which login it was made. */
  async admitted(origin: OriginWords | undefined): Promise<void> {
    await this.key.markUsed();
    await this.key.recordOrigin(originFrom(origin));
  }

  originWords(): OriginWords | undefined {
    const origin = this.key.origin;
    return origin && { login: origin.login, tags: origin.tags };
  }

  /** An unused key was made here, so it is made on this machine's login, as soon as that is known. */
  async #origin(): Promise<Origin | undefined> {
    if (this.key.origin === undefined && !this.key.used) {
      await this.key.recordOrigin(await this.#tailscale.self());
    }
    return this.key.origin;
  }

  /** At least one of the keys never admitted anybody: which one gives way? */
  #replaced(theirsIsUsed: boolean, { bothDial, selfIsHigher }: Crossing): 'mine' | 'theirs' {
    if (this.key.used) return 'theirs';
    if (theirsIsUsed) return 'mine';
    return bothDial && selfIsHigher ? 'mine' : 'theirs';
  }
}

function originFrom(words: OriginWords | undefined): Origin | undefined {
  if (words === undefined) return undefined;
  return { login: words.login, tags: words.tags };
}
