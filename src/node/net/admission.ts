// Who may come in. Three answers exist: the other side has proved the mesh key; it has not, but Tailscale says
// that it is one of ours, or a person does by an invite or an approval, so one of the two keys becomes the other's;
// or it is a stranger and learns nothing.
// Both sides judge: a member, whom it lets in; a newcomer, whose mesh it joins. The remote address is an
// argument, and everything here is decided from it, the claim, and what Tailscale says of the address.
import type { Door, MeshWords, OriginWords } from '../wire/hello.ts';
import { type Endpoint, isOwnIp } from './address.ts';
import { isSame, MeshKey, type Origin } from './mesh-key.ts';
import { approvalSecret, ownCode, Passes, type Pass } from './passes.ts';
import { belongsTo, Tailscale } from './tailscale.ts';

/** What the dialler claims, as the listener has checked it. */
export interface CheckedClaim {
  /** Its proof of this mesh's key is good. */
  readonly isProven: boolean;
  readonly fingerprint: string;
  readonly keyUsed: boolean;
  /** It has proved to know the key that this mesh had before. */
  readonly isFormer: boolean;
  /** An invite or approval of this member that it has proved to know. */
  readonly pass: Pass | undefined;
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
  readonly passes: Passes;
  readonly #directory: string;
  readonly #tailscale: Tailscale;
  #isExchanging = false;

  constructor(parts: { key: MeshKey; passes: Passes; directory: string; tailscale: Tailscale }) {
    this.key = parts.key;
    this.passes = parts.passes;
    this.#directory = parts.directory;
    this.#tailscale = parts.tailscale;
  }

  /** Reads or makes the key in `directory`. */
  static async open(directory: string, tailscale: Tailscale = new Tailscale()): Promise<Admission> {
    const [key, passes] = await Promise.all([MeshKey.open(directory), Passes.open(directory)]);
    const admission = new Admission({ key, passes, directory, tailscale });
    await admission.#origin();
    return admission;
  }

  get tailscale(): Tailscale {
    return this.#tailscale;
  }

  /** The listener's verdict on whoever dialled from `remote`. */
  async judge(claim: CheckedClaim, remote: Endpoint, crossing: Crossing): Promise<Verdict> {
    if (claim.isProven) return { kind: 'admit', door: 'key' };
    const isHere = isOwnIp(remote.ip);
    const isPassed = claim.pass?.kind === 'invite' || (claim.pass !== undefined && !isHere);
    if (isPassed) return { kind: 'admit', door: 'gift' };
    // Who names our key but cannot prove it lies; who is on this machine may be another of its users.
    if (claim.fingerprint === this.key.fingerprint || isHere) return STRANGER;
    const node = await this.#tailscale.whois(remote);
    const isOurs = belongsTo(node, await this.#origin()) && !this.key.isBarred(node?.id);
    if (this.key.used && claim.keyUsed) {
      if (!isOurs) return STRANGER;
      // A member that was away while the key was replaced comes back as it first came.
      return claim.isFormer ? { kind: 'admit', door: 'gift' } : { kind: 'refuse', reason: 'keys' };
    }
    const door = this.#replaced(claim.keyUsed, crossing) === 'theirs' ? 'gift' : 'take';
    const isWelcome = door === 'gift' ? isOurs : belongsTo(node, await this.#tailscale.self());
    return isWelcome ? { kind: 'admit', door } : STRANGER;
  }

  /** The dialler's own judgement of the address it dialled, before a key changes hands by Tailscale's word. */
  async trusts(
    dialled: Endpoint,
    door: 'gift' | 'take',
    knewThisKey: boolean = false,
  ): Promise<boolean> {
    if (isOwnIp(dialled.ip) || (door === 'gift' && this.key.used && !knewThisKey)) return false;
    const node = await this.#tailscale.whois(dialled);
    return belongsTo(node, door === 'gift' ? await this.#tailscale.self() : await this.#origin());
  }

  /** The mesh key came inside an invite: a person carried it, as they would the file. */
  async carried(key: Uint8Array): Promise<void> {
    if (isSame(key, this.key.bytes)) return;
    await this.key.adopt(key, undefined, { generation: 0, isRequired: true, barred: [] });
  }

  /** What a dial carries while this machine shows a code. */
  async approvalCard(): Promise<{ readonly secret: Uint8Array } | undefined> {
    const secret = await this.approval();
    return secret && { secret };
  }

  /** The secret of the code that this machine shows, while it shows one. */
  async approval(): Promise<Uint8Array | undefined> {
    const code = await ownCode(this.#directory, false);
    return code === undefined ? undefined : approvalSecret(code);
  }

  /** The code to type at a member; made when there is none. */
  async showCode(): Promise<string> {
    return (await ownCode(this.#directory, true)) ?? '';
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

  async adopt(
    key: Uint8Array,
    origin: OriginWords | undefined,
    mesh: MeshWords | undefined,
  ): Promise<void> {
    await this.key.adopt(key, originFrom(origin), mesh);
  }

  /** A member came in by this key. A key that was copied as a file learns here under which login it was made. */
  async admitted(origin: OriginWords | undefined, mesh?: MeshWords): Promise<void> {
    await this.key.markUsed();
    if (mesh !== undefined) await this.key.learn(mesh);
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
