// Who gets in and who is put out, as a person at this machine says: invites, approvals, the key.
import { type PeerId, peerId } from '../stealing/ids.ts';
import type { PeerFace } from '../stealing/input.ts';
import type { Doors } from './answers/peer-ports.ts';
import type { ConnectView, RekeyView } from './control/api.ts';
import { resolvePeerView } from './control/selector.ts';
import type { Daemon } from './daemon.ts';
import { MeshError } from './errors.ts';
import { parseEndpoint } from './net/address.ts';
import { formatInvite, parseInvite } from './net/invite-text.ts';

export function doorsOf(daemon: Daemon, connected: (face: PeerFace) => ConnectView): Doors {
  const { host, admission } = daemon.rooms;
  const rekeyed = (told: number): RekeyView => {
    const { fingerprint, isRequired } = admission.key;
    return { v: 1, fingerprint, required: isRequired, told };
  };
  return {
    redeem: async (word, waitMs, addr) => connected(await redeem(daemon, word, { waitMs, addr })),
    async invite(validMs) {
      const { secret, expiresMs } = await admission.passes.invite(validMs);
      // A mesh that requires its key answers nobody without it.
      const key = admission.key.isRequired ? admission.key.bytes : undefined;
      const invite = formatInvite({ maker: host.self.id, addrs: host.addrs(), secret, key });
      return { v: 1, invite, expiresAt: new Date(expiresMs).toISOString() };
    },
    async approve(code) {
      const pass = await admission.passes.approve(code);
      if (pass !== undefined) return { v: 1, expiresAt: new Date(pass.expiresMs).toISOString() };
      throw new MeshError('USAGE', `"${code.slice(0, 40)}" is no code of a newcomer`, {
        hint: 'It has ten letters and digits; the refused `mesh join` shows it.',
      });
    },
    rotateKey: async () => rekeyed(await host.keyring.rotate()),
    requireKey: async () => rekeyed(await host.keyring.require()),
    async forget(name) {
      const found = member(daemon, name);
      await host.keyring.bar(found.id);
      await host.forget(found.id);
      return { ...rekeyed(await host.keyring.rotate()), peer: found };
    },
  };
}

async function redeem(
  daemon: Daemon,
  word: string,
  { waitMs, addr }: { waitMs: number; addr: string | undefined },
): Promise<PeerFace> {
  const { rooms } = daemon;
  const { maker, addrs, secret, key } = parseInvite(word);
  if (key !== undefined) await rooms.admission.carried(key);
  const places = addr === undefined ? addrs : [addr];
  let failure: unknown = new MeshError('USAGE', 'the invite names no address', {
    hint: 'mesh join --invite WORD --peer ADDRESS',
  });
  for (const place of places) {
    try {
      return await rooms.join(place, waitMs / places.length, { secret, peer: maker });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** A member, here or away, by the name people use. */
function member({ rooms }: Daemon, name: string): { readonly id: PeerId; readonly name: string } {
  const connected = new Set<string>(rooms.host.peers().map(({ peer }) => peer));
  const known = rooms.host.members().map(({ id, name: called, addrs }) => {
    const { ip = '', port = 0 } = parseEndpoint(addrs[0] ?? '') ?? {};
    const state = connected.has(id) ? ('ok' as const) : ('lost' as const);
    return { id, name: called, addr: ip, port, state };
  });
  if (name === rooms.face.name || name === rooms.face.peer) {
    throw new MeshError('USAGE', 'a peer cannot forget itself', {
      hint: 'mesh leave; then, on another machine: mesh peers --forget',
    });
  }
  const found = resolvePeerView(name, known);
  return { id: peerId(found.id), name: found.name };
}
