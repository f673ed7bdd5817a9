// What a host is given, and what it tells of peers.
import type { Duplex } from 'node:stream';
import type { PrivateKey } from '@libp2p/interface';
import type { PeerId } from '../../stealing/ids.ts';
import type { PeerFace } from '../../stealing/input.ts';
import type { BlobRef } from '../../stealing/job.ts';
import type { Message } from '../../stealing/messages.ts';
import type { Admission } from './admission.ts';
import type { BlobSource } from './blobs.ts';
import type { ListenWish } from './listening.ts';

type PeerPath = 'direct' | 'relay';

/** A peer that came. `addr` is its IP. */
export interface MetPeer extends PeerFace {
  readonly port: number;
  readonly version: string;
  readonly path: PeerPath;
}

export interface ConnectedPeer extends MetPeer {
  readonly since: string;
}

/** Fields, then a sentence, as the node's logger takes them. */
export interface NetLog {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

export interface HostOptions {
  readonly privateKey: PrivateKey;
  readonly listen: ListenWish;
  readonly face: Omit<PeerFace, 'peer' | 'addr'>;
  readonly version: string;
  readonly membersFile: string;
  readonly admission: Admission;
  readonly blobs: BlobSource;
  readonly allowNets?: readonly string[];
  /** Dial from this address, for several peers on one machine. */
  readonly localIp?: string;
  /** Another protocol version than this code's, for tests. */
  readonly protocol?: number;
  readonly onPeer: (peer: MetPeer) => void;
  readonly onPeerGone: (peer: PeerId, refused: boolean) => void;
  readonly onMessage: (
    from: PeerId,
    incarnation: number,
    message: Message,
    attachment?: Uint8Array,
  ) => void;
  readonly onMembersChanged?: () => void;
  /** A member asks this peer's control room; without it nobody may. */
  readonly onAsk?: (stream: Duplex) => void;
  /** So much of a blob has left for a peer. */
  readonly onBlobSent?: (to: PeerId, ref: BlobRef, sentBytes: number) => void;
  readonly log: NetLog;
}
