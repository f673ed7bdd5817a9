// An invite as the one word that a person carries to the newcomer: who made it, where that peer listens, the
// secret, and, in a mesh that requires its key, the key itself.
import { encode } from 'cborg';
import { toString } from 'uint8arrays/to-string';
import { MeshError } from '../errors.ts';
import { decodeCbor } from '../wire/codec.ts';
import { bytes, Fault, type Field, list, optional, record, text } from '../wire/field.ts';
import { peerIdText } from '../wire/message-schema.ts';
import type { PeerId } from '../../stealing/ids.ts';

export interface Invite {
  readonly maker: PeerId;
  /** `ip:port`. */
  readonly addrs: readonly string[];
  readonly secret: Uint8Array;
  readonly key: Uint8Array | undefined;
}

const PREFIX = 'mesh-invite-';
const TEXT_LENGTH_MAX = 1500;

const invite: Field<Invite> = record<Invite>({
  maker: peerIdText,
  addrs: list(text(64), 8),
  secret: bytes(16, 16),
  key: optional(bytes(32, 32)),
});

export function formatInvite(value: Invite): string {
  return PREFIX + toString(encode(invite.write(value)), 'base64url');
}

/** Throws USAGE. */
export function parseInvite(typed: string): Invite {
  const word = typed.trim();
  if (word.length <= TEXT_LENGTH_MAX && /^mesh-invite-[A-Za-z0-9_-]+$/.test(word)) {
    // Of a cut text the last letter may stand for no whole byte: Node's decoder ignores it, others throw.
    const parsed = decodeCbor(Buffer.from(word.slice(PREFIX.length), 'base64url'));
    try {
      if (parsed.ok) return invite.read(parsed.value);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }
  throw new MeshError('USAGE', 'that is no invite, or not all of it', {
    hint: 'Copy the whole word that `mesh invite` printed.',
  });
}
