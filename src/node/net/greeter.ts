// Turns a connection into a link, or into nothing: runs the hello on either end, and knows whether we and the
// other side are greeting each other at the same moment.
import type { Connection, Stream } from '@libp2p/interface';
import { type PeerId, peerId } from '../../stealing/ids.ts';
import { MeshError } from '../errors.ts';
import { type Face, MAX_HELLO_FRAME } from '../wire/hello.ts';
import { type Endpoint, endpointOf, isLoopbackIp, parseEndpoint } from './address.ts';
import type { Admission, Crossing } from './admission.ts';
import { causes, dial } from './dialling.ts';
import {
  BusyError,
  HELLO_TIMEOUT_MS,
  helloAsDialler,
  helloAsListener,
  type Meeting,
} from './hello.ts';
import type { MeshNode } from './libp2p-node.ts';
import { Link } from './link.ts';
import type { Members } from './members.ts';
import type { StrictNoise } from './strict-noise.ts';
import { FrameStream } from './stream.ts';

export const CONTROL_PROTOCOL = '/mesh/ctl/1.0.0';

/** Bytes. All that a stranger may say at once: a claim takes about 120. */
const STRANGER_FRAME_BYTES_MAX = 1024;

/** A refusal has this long to reach the other side before the connection goes. */
const REFUSAL_GRACE_MS = 1000;

/** With which a person sends this peer to a member that does not know it. */
export interface CallingCard {
  /** Of an invite, or of the approval code shown here. */
  readonly secret: Uint8Array;
  /** Who made the invite; nobody else may redeem it. */
  readonly peer?: PeerId | undefined;
}

export interface GreeterInit {
  readonly node: MeshNode;
  readonly self: PeerId;
  readonly admission: Admission;
  readonly strict: StrictNoise;
  readonly members: Members;
  readonly protocol: number;
  readonly face: () => Face;
  /** The open link to a peer, whichever of its addresses it came by. */
  readonly linked: (peer: PeerId) => Link | undefined;
}

export class Greeter {
  readonly #init: GreeterInit;
  /** Peers that we, as dialler, are greeting at this moment. */
  readonly #greeting = new Map<PeerId, AbortController>();

  constructor(init: GreeterInit) {
    this.#init = init;
  }

  /** Dials and gets admitted. Throws a MeshError REFUSED or VERSION, a BusyError, or what the network said. */
  async dial(endpoint: Endpoint, signal: AbortSignal, card?: CallingCard): Promise<Link> {
    const connection = await this.#connect(endpoint, signal);
    const remote = peerId(connection.remotePeer.toString());
    const abandoned = new AbortController();
    try {
      if (remote === this.#init.self)
        throw new MeshError('USAGE', 'that address is this very peer');
      if (card?.peer !== undefined && card.peer !== remote)
        throw new MeshError('REFUSED', `${endpoint.ip} is not the peer that made the invite`);
      const open = this.#init.linked(remote);
      if (open !== undefined) {
        connection.abort(new Error('connected already'));
        return open;
      }
      if (this.#greeting.has(remote)) throw new BusyError(remote, 'that peer is being greeted');
      this.#greeting.set(remote, abandoned);
      const limits = [signal, abandoned.signal, AbortSignal.timeout(HELLO_TIMEOUT_MS)];
      return await this.#greet(connection, endpoint, {
        signal: AbortSignal.any(limits),
        pass: card?.secret,
      });
    } catch (error) {
      connection.abort(error as Error);
      throw abandoned.signal.aborted ? new BusyError(remote, 'the other side dialled us') : error;
    } finally {
      if (this.#greeting.get(remote) === abandoned) this.#greeting.delete(remote);
    }
  }

  /** Undefined when the other side was refused or went away. */
  async receive(raw: Stream, connection: Connection): Promise<Link | undefined> {
    const endpoint = endpointOf(connection.remoteAddr);
    const remote = peerId(connection.remotePeer.toString());
    if (endpoint === undefined || remote === this.#init.self) {
      connection.abort(new Error('not a peer'));
      return undefined;
    }
    const stream = new FrameStream(raw, STRANGER_FRAME_BYTES_MAX);
    const signal = AbortSignal.timeout(HELLO_TIMEOUT_MS);
    const meeting = this.#meeting(stream, remote, endpoint, signal);
    try {
      const face = await helloAsListener(meeting, () => this.#crossing(remote));
      if (face === undefined) {
        await hangUpGently(stream, connection);
        return undefined;
      }
      this.#greeting.get(remote)?.abort();
      return this.#link({ connection, stream, remote, endpoint, face });
    } catch {
      // Whatever a stranger does wrong costs it its connection, and nobody else anything.
      connection.abort(new Error('no hello'));
      return undefined;
    }
  }

  /**
   * A mesh that requires its key does not say so to anybody: who finds a handshake broken and has a key in use
   * tries once more with the key in it.
   */
  async #connect(endpoint: Endpoint, signal: AbortSignal): Promise<Connection> {
    const { node, admission, strict } = this.#init;
    try {
      return await dial(node, endpoint, signal);
    } catch (error) {
      const isHandshake = causes(error).some(({ name }) => name === 'EncryptionFailedError');
      if (!isHandshake || !admission.key.used || admission.key.isRequired) throw error;
      const done = strict.presume(endpoint);
      try {
        return await dial(node, endpoint, signal);
      } catch (cause) {
        done();
        throw cause;
      }
    }
  }

  async #greet(
    connection: Connection,
    endpoint: Endpoint,
    { signal, pass }: { signal: AbortSignal; pass: Uint8Array | undefined },
  ): Promise<Link> {
    const raw = await connection.newStream(CONTROL_PROTOCOL, { signal });
    const stream = new FrameStream(raw, MAX_HELLO_FRAME);
    const remote = peerId(connection.remotePeer.toString());
    const meeting = this.#meeting(stream, remote, endpoint, signal);
    const face = await helloAsDialler({ ...meeting, pass });
    return this.#link({ connection, stream, remote, endpoint, face, isOurs: true });
  }

  #crossing(remote: PeerId): Crossing {
    return { bothDial: this.#greeting.has(remote), selfIsHigher: this.#init.self > remote };
  }

  #meeting(stream: FrameStream, remote: PeerId, endpoint: Endpoint, signal: AbortSignal): Meeting {
    const { admission, self, protocol, face, members } = this.#init;
    const isBarred = members.isForgotten(remote);
    return { stream, admission, self, remote, endpoint, protocol, signal, face, isBarred };
  }

  #link(made: {
    connection: Connection;
    stream: FrameStream;
    remote: PeerId;
    endpoint: Endpoint;
    face: Face;
    isOurs?: boolean;
  }): Link {
    const { node, face: ownFace } = this.#init;
    const isOurs = made.isOurs ?? false;
    const place = isOurs ? made.endpoint : listeningPlace(made.face, made.endpoint);
    return new Link({
      peer: made.remote,
      face: made.face,
      endpoint: place,
      remoteIp: made.endpoint.ip,
      dialledBySelf: isOurs,
      connection: made.connection,
      control: made.stream,
      bulk: {
        incarnation: ownFace().incarnation,
        dial: async (signal) => sameRemote(await dial(node, place, signal), made.remote),
      },
    });
  }
}

/** Whoever dialled us said where it listens; its own port of the moment leads nowhere. A machine whose tailnet
 * address has only just come up says loopback, which from here is ourselves: it is where it dialled from. */
function listeningPlace({ addrs }: Face, dialledFrom: Endpoint): Endpoint {
  const announced = addrs.flatMap((addr) => parseEndpoint(addr) ?? []);
  const isLocal = isLoopbackIp(dialledFrom.ip);
  const outside = announced.find(({ ip }) => isLocal || !isLoopbackIp(ip));
  return outside ?? { ip: dialledFrom.ip, port: announced[0]?.port ?? dialledFrom.port };
}

/** The address may belong to somebody else by now. */
function sameRemote(connection: Connection, remote: PeerId): Connection {
  if (connection.remotePeer.toString() === remote) return connection;
  const error = new Error('another peer has this address');
  connection.abort(error);
  throw error;
}

async function hangUpGently(stream: FrameStream, connection: Connection): Promise<void> {
  const signal = AbortSignal.timeout(REFUSAL_GRACE_MS);
  await stream.end(signal).catch(() => undefined);
  // The dialler hangs up when it has read why; silence does not keep the connection.
  await stream.readWithin(signal).catch(() => undefined);
  connection.abort(new Error('refused'));
}
