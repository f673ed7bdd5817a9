// What two peers say before and beside the core's messages: the challenge, the claim, the verdict, the faces,
// and news about members. The first three never change their form, so that even peers of different protocol
// versions can tell each other who may come in, and that they do not understand each other.
import { encode } from 'cborg';
import { invariant } from '../../invariant.ts';
import type { PeerId } from '../../stealing/ids.ts';
import { decodeCbor } from './codec.ts';
import {
  bytes,
  count,
  Fault,
  type Field,
  finite,
  flag,
  integer,
  list,
  matching,
  optional,
  record,
  text,
  word,
} from './field.ts';
import { peerIdText, personText } from './message-schema.ts';

/** Bytes. A hello with the most members and the longest names and addresses stays below it. */
export const MAX_HELLO_FRAME = 512 << 10;

/** Bytes of each side's random challenge. */
export const NONCE_BYTES = 32;

/** Members that one peer tells of; a mesh is meant for a hundred. */
export const MEMBERS_MAX = 512;

/** Tailscale login or tags under which the mesh key was made. */
export interface OriginWords {
  readonly login: string | undefined;
  readonly tags: readonly string[] | undefined;
}

/** What one peer knows of another, as members tell each other. */
export interface MemberNews {
  readonly id: PeerId;
  readonly name: string;
  /** `ip:port`, the one to try first in front. */
  readonly addrs: readonly string[];
  /** Epoch milliseconds by the teller's clock; for people. */
  readonly lastSeenMs: number;
  /** The incarnation with which the teller is connected; undefined when it is not. */
  readonly incarnation: number | undefined;
}

/** What a member says of the mesh's key beside the key itself. */
export interface MeshWords {
  /** How often the mesh has replaced its key. */
  readonly generation: number;
  /** Only connections with the key in the noise handshake are taken. */
  readonly isRequired: boolean;
  /** Tailscale's ids of machines that were forgotten. */
  readonly barred: readonly string[];
}

/** Says "I know the secret of this invite or approval" without telling it. */
export interface PassClaim {
  /** The first bytes of a hash of the secret. */
  readonly id: Uint8Array;
  readonly proof: Uint8Array;
}

/** A peer about itself. Only ever said to a member. */
export interface Face {
  readonly name: string;
  readonly slots: number;
  readonly incarnation: number;
  readonly version: string;
  readonly addrs: readonly string[];
  readonly origin: OriginWords | undefined;
  readonly members: readonly MemberNews[];
  readonly forgotten: readonly PeerId[];
  readonly mesh?: MeshWords | undefined;
  /** Ids of its kernels, such as `backtest@1.0.0+6f0c2a91d3be`. */
  readonly kernels?: readonly string[] | undefined;
}

/** `gift`: the newcomer receives the listener's key. `take`: the listener wants the dialler's. */
export type Door = 'key' | 'gift' | 'take';

/**
 * `keys`: both keys are in use. `busy`: my own dial to you is under way and goes first. `forgotten`: a good pass,
 * but this peer id was put out of the mesh for good.
 */
export type Refusal = 'stranger' | 'keys' | 'version' | 'busy' | 'forgotten';

export type Hello =
  /** Listener to anybody: the one thing that a stranger gets beside a refusal. */
  | { readonly kind: 'challenge'; readonly nonce: Uint8Array }
  | {
      readonly kind: 'claim';
      readonly protocol: number;
      readonly nonce: Uint8Array;
      readonly proof: Uint8Array;
      readonly fingerprint: string;
      readonly keyUsed: boolean;
      readonly pass?: PassClaim | undefined;
    }
  /** `fingerprint` with `keys`, `protocol` with `version`; a stranger gets neither. */
  | {
      readonly kind: 'refused';
      readonly reason: Refusal;
      readonly fingerprint: string | undefined;
      readonly protocol: number | undefined;
    }
  | {
      readonly kind: 'admitted';
      readonly door: Door;
      /** The listener's proof: of the key by the door `key`, of the pass or the former key by the door `gift`. */
      readonly proof: Uint8Array | undefined;
      /** The mesh key, by the door `gift`. */
      readonly key: Uint8Array | undefined;
      readonly face: Face;
    }
  /** The dialler's last word: it too takes the other side for a member. */
  | { readonly kind: 'accepted'; readonly key: Uint8Array | undefined; readonly face: Face }
  | {
      readonly kind: 'news';
      readonly members: readonly MemberNews[];
      readonly forgotten: readonly PeerId[];
    }
  /** A member to a member: this is the mesh's key from here on. */
  | { readonly kind: 'rekeyed'; readonly key: Uint8Array; readonly mesh: MeshWords };

type HelloKind = Hello['kind'];
type Body<K extends HelloKind> = Omit<Extract<Hello, { kind: K }>, 'kind'>;

/** Append only. */
const KIND_CODES = {
  challenge: 1,
  claim: 2,
  refused: 3,
  admitted: 4,
  accepted: 5,
  news: 6,
  rekeyed: 7,
} as const satisfies Record<HelloKind, number>;

const nonce = bytes(NONCE_BYTES, NONCE_BYTES);
const proof = bytes(32, 32);
const key = optional(bytes(32, 32));
const fingerprint = matching(/^[0-9a-f]{8}$/, 'a fingerprint');
const protocol = integer(0, 0xffff_ffff);
const forgotten = list(peerIdText, MEMBERS_MAX);

const meshWords: Field<MeshWords> = record<MeshWords>({
  generation: integer(0, 0xffff_ffff),
  isRequired: flag,
  barred: list(text(64), MEMBERS_MAX),
});
const passClaim = record<PassClaim>({ id: bytes(8, 8), proof });

const memberNews: Field<MemberNews> = record<MemberNews>({
  id: peerIdText,
  name: personText,
  addrs: list(text(64), 8),
  lastSeenMs: finite,
  incarnation: optional(count),
});

const members = list(memberNews, MEMBERS_MAX);

const face: Field<Face> = record<Face>({
  name: personText,
  slots: integer(0, 65_536),
  incarnation: count,
  version: text(64),
  addrs: list(text(64), 8),
  origin: optional(
    record<OriginWords>({ login: optional(personText), tags: optional(list(personText, 64)) }),
  ),
  members,
  forgotten,
  mesh: optional(meshWords),
  kernels: optional(list(personText, 16)),
});

const BODIES: { readonly [K in HelloKind]: Field<Body<K>> } = {
  challenge: record<Body<'challenge'>>({ nonce }),
  claim: record<Body<'claim'>>({
    protocol,
    nonce,
    proof,
    fingerprint,
    keyUsed: flag,
    pass: optional(passClaim),
  }),
  refused: record<Body<'refused'>>({
    reason: word<Refusal>(['stranger', 'keys', 'version', 'busy', 'forgotten']),
    fingerprint: optional(fingerprint),
    protocol: optional(protocol),
  }),
  admitted: record<Body<'admitted'>>({
    door: word<Door>(['key', 'gift', 'take']),
    proof: optional(proof),
    key,
    face,
  }),
  accepted: record<Body<'accepted'>>({ key, face }),
  news: record<Body<'news'>>({ members, forgotten }),
  rekeyed: record<Body<'rekeyed'>>({ key: bytes(32, 32), mesh: meshWords }),
};

export function encodeHello(hello: Hello): Uint8Array {
  const frame = encode([
    KIND_CODES[hello.kind],
    (BODIES[hello.kind] as Field<object>).write(hello),
  ]);
  invariant(frame.byteLength <= MAX_HELLO_FRAME, 'a hello fits its frame');
  return frame;
}

/** On a control stream: a hello is a CBOR array of two, a message of three or four, and the first byte says so. */
export function isHelloFrame(frame: Uint8Array): boolean {
  return frame[0] === 0x82;
}

/** Undefined for anything that is not exactly a hello. */
export function decodeHello(frame: Uint8Array): Hello | undefined {
  if (frame.byteLength > MAX_HELLO_FRAME) return undefined;
  const parsed = decodeCbor(frame);
  if (!parsed.ok || !Array.isArray(parsed.value)) return undefined;
  const [code, body] = parsed.value as unknown[];
  const kind = KINDS.get(code);
  if (kind === undefined) return undefined;
  try {
    return { kind, ...BODIES[kind].read(body) } as Hello;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

const KINDS: ReadonlyMap<unknown, HelloKind> = new Map(
  Object.entries(KIND_CODES).map(([kind, code]) => [code, kind as HelloKind]),
);
