// Who this peer is: one Ed25519 key per home, made once. Its public half is the peer id, which noise proves on
// every connection; nothing about membership follows from it.
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { type PeerId, peerId } from '../../stealing/ids.ts';
import { MeshError } from '../errors.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

export interface Identity {
  readonly id: PeerId;
  readonly privateKey: PrivateKey;
}

/** Reads the key in `path`, or makes it. */
export async function loadIdentity(path: string): Promise<Identity> {
  const stored = await readPrivateFile(path, 4096);
  if (stored !== undefined) return identityOf(parse(stored, path));
  const privateKey = await generateKeyPair('Ed25519');
  await writePrivateFile(path, privateKeyToProtobuf(privateKey));
  return identityOf(privateKey);
}

function identityOf(privateKey: PrivateKey): Identity {
  return { id: peerId(peerIdFromPrivateKey(privateKey).toString()), privateKey };
}

function parse(stored: Buffer, path: string): PrivateKey {
  try {
    return privateKeyFromProtobuf(stored);
  } catch (cause) {
    const hint = 'Restore it from a backup, or move it away: the peer then gets a new id.';
    throw new MeshError('INTERNAL', `${path} is not a peer's identity`, { hint, cause });
  }
}
