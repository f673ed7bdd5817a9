// This peer among the others: listens, dials, admits, keeps one link per peer, and tells the rest of the node
// who came, who went and what was said. It decides nothing about work.
import type { Duplex } from 'node:stream';
import type { Connection, PrivateKey, Stream } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { type PeerId, peerId } from '../../stealing/ids.ts';
import type { BlobRef } from '../../stealing/job.ts';
import type { PeerFace } from '../../stealing/input.ts';
import type { Message } from '../../stealing/messages.ts';
import { MeshError } from '../errors.ts';
import { MAX_CONTROL_FRAME, PROTOCOL_VERSION } from '../wire/codec.ts';
import type { MemberNews } from '../wire/hello.ts';
import { AddressRule, type Endpoint, isSameEndpoint } from './address.ts';
import { ASK_PROTOCOL, duplexOf } from './asking.ts';
import { BLOB_PROTOCOL, type BlobSink, fetchFrom, receiveBlob, serveBlob } from './blobs.ts';
import { decodeIncarnation, LARGE_MESSAGE_PROTOCOL } from './bulk.ts';
import { Calls, LINK_AWAITED_MS } from './calls.ts';
import { checkAllowed, resolvePeer, unreachable } from './dialling.ts';
import { type CallingCard, CONTROL_PROTOCOL, Greeter } from './greeter.ts';
import type { ConnectedPeer, HostOptions, MetPeer } from './host-options.ts';
import { HELLO_TIMEOUT_MS, StrangerError } from './hello.ts';
import { Introductions } from './introductions.ts';
import { Keyring } from './keyring.ts';
import { createNode, type MeshNode } from './libp2p-node.ts';
import { type Link, readMessage } from './link.ts';
import { bindable, bindError, listenIps } from './listening.ts';
import { type Member, Members } from './members.ts';
import { Neighbours } from './neighbours.ts';
import { FrameStream } from './stream.ts';
import { StrictNoise } from './strict-noise.ts';

/** A tailnet address may come up long after us; looking costs microseconds. */
const LISTEN_RETRY_MS = 5000;
const TICK_MS = 1000;
/** The process must be gone soon after it was asked to; what is not said by then is lost. */
const CLOSE_TIMEOUT_MS = 2000;

export class MeshHost {
  readonly keyring: Keyring;
  readonly #options: HostOptions;
  readonly #rule: AddressRule;
  readonly #node: MeshNode;
  readonly #id: PeerId;
  readonly #members: Members;
  readonly #neighbours: Neighbours;
  readonly #introductions: Introductions;
  readonly #greeter: Greeter;
  readonly #calls: Calls;
  /** Announced first to last; the first is this peer's address. */
  readonly #listening: Endpoint[];
  readonly #timers: NodeJS.Timeout[] = [];
  #isClosing = false;

  private constructor(
    options: HostOptions,
    parts: {
      node: MeshNode;
      strict: StrictNoise;
      members: Members;
      rule: AddressRule;
      listening: Endpoint[];
    },
  ) {
    this.#options = options;
    this.#node = parts.node;
    this.#members = parts.members;
    this.#rule = parts.rule;
    this.#listening = parts.listening;
    this.#id = idOf(options.privateKey);
    this.#neighbours = new Neighbours(this.#id, {
      onCame: (link) => this.#onCame(link),
      onGone: (peer, refused) => options.onPeerGone(peer, refused),
      onBroken: (link, error) => this.#onBroken(link, error),
      onMessage: (link, message, attachment) => this.#deliver(link, message, attachment),
      onNews: (link, news, forgotten) => this.#onNews(link, news, forgotten),
      onRekeyed: (key, mesh) => void this.keyring.heard(key, mesh),
    });
    const { admission, log } = options;
    const { members } = parts;
    this.keyring = new Keyring({ admission, members, neighbours: this.#neighbours, log });
    this.#introductions = new Introductions(parts.members, this.#neighbours);
    this.#greeter = new Greeter({
      node: parts.node,
      self: this.#id,
      admission: options.admission,
      strict: parts.strict,
      members: parts.members,
      protocol: options.protocol ?? PROTOCOL_VERSION,
      linked: (peer) => this.#neighbours.heard(peer),
      face: () => ({
        ...options.face,
        version: options.version,
        origin: options.admission.originWords(),
        mesh: options.admission.key.words(),
        ...this.#introductions.placesAndMembers(this.#listening),
      }),
    });
    this.#calls = new Calls({
      greeter: this.#greeter,
      neighbours: this.#neighbours,
      members: parts.members,
      admit: (link) => this.#admit(link),
    });
  }

  /** Listening when it resolves, and dialling every known member. Throws ADDRESS_IN_USE. */
  static async start(options: HostOptions): Promise<MeshHost> {
    const { privateKey, log, localIp } = options;
    const rule = new AddressRule(options.allowNets);
    const members = await Members.open(options.membersFile, idOf(privateKey), (error) =>
      log.warn({ error }, 'the members file cannot be written'),
    );
    const listening = await bindable(options.listen);
    const strict = new StrictNoise(options.admission.key);
    const wish = { privateKey, listen: listening, rule, strict, localIp };
    const node = await createNode(wish).catch((cause: Error) => {
      if (!cause.message.includes('EADDRINUSE')) throw cause;
      const code = 'EADDRINUSE';
      throw bindError(listening[0] ?? { ip: '', port: 0 }, Object.assign(cause, { code }));
    });
    const host = new MeshHost(options, { node, strict, members, rule, listening });
    await host.#serve();
    for (const member of members.list()) host.#calls.redial.now(member.id);
    return host;
  }

  get self(): { readonly id: PeerId; readonly addr: string; readonly port: number } {
    const [first] = this.#listening;
    return { id: this.#id, addr: first?.ip ?? '', port: first?.port ?? this.#options.listen.port };
  }

  /** Where this peer can be dialled from outside, `ip:port`. */
  addrs(): readonly string[] {
    return this.#introductions.placesAndMembers(this.#listening).addrs;
  }

  /** `addr`: IP, host:port, name of a known member, multiaddr. Throws UNREACHABLE, REFUSED, VERSION or USAGE. */
  async join(
    addr: string,
    { signal, card }: { signal: AbortSignal; card?: CallingCard | undefined },
  ): Promise<PeerFace> {
    const endpoints = await resolvePeer(addr, this.#members);
    const { admission } = this.#options;
    const carried = card ?? (await admission.approvalCard());
    let failure: unknown;
    for (const endpoint of endpoints) {
      checkAllowed(endpoint, this.#rule);
      if (this.#listening.some((own) => isSameEndpoint(own, endpoint))) {
        throw new MeshError('USAGE', `${addr} is this very peer`);
      }
      try {
        return (await this.#calls.call(endpoint, signal, carried)).peerFace;
      } catch (error) {
        if (error instanceof MeshError) throw error;
        if (error instanceof StrangerError) throw await error.withCode(admission);
        signal.throwIfAborted();
        failure = error;
      }
    }
    const { tailscale } = this.#options.admission;
    throw await unreachable(addr, endpoints, { error: failure, tailscale });
  }

  /** False when there is no open control stream to `to`. */
  send(to: PeerId, message: Message, attachment?: Uint8Array): boolean {
    return this.#neighbours.get(to)?.send(message, attachment) ?? false;
  }

  /** Writes the rest of a blob to `sink`, from whichever of the peers has it. Throws when none gives it all. */
  async fetchBlob(
    ref: BlobRef,
    from: readonly PeerId[],
    sink: BlobSink,
    signal: AbortSignal,
  ): Promise<void> {
    await fetchFrom(from, ref, signal, async (peer) => {
      const link = this.#neighbours.get(peer);
      if (link === undefined) throw new Error('not connected');
      await link.bulk.use(BLOB_PROTOCOL, signal, (stream) =>
        receiveBlob(stream, ref, sink, signal),
      );
    });
  }

  /** A stream to the control room of `peer`, as long as `work` runs. Throws UNREACHABLE. */
  async ask(peer: PeerId, work: (stream: Duplex) => Promise<void>): Promise<void> {
    const link = this.#neighbours.get(peer);
    if (link === undefined) throw new MeshError('UNREACHABLE', 'that peer is not connected');
    const signal = AbortSignal.timeout(LINK_AWAITED_MS);
    await link.bulk.use(ASK_PROTOCOL, signal, (stream) => work(duplexOf(stream)));
  }

  peers(): ConnectedPeer[] {
    return this.#neighbours.all().map((link) => ({
      ...this.#met(link),
      since: new Date(performance.timeOrigin + link.openedMs).toISOString(),
    }));
  }

  members(): Member[] {
    return this.#members.list();
  }

  /** The peer is refused from here on, by every member that hears of it. */
  async forget(peer: PeerId): Promise<void> {
    if (!this.#members.forget(peer)) return;
    this.#calls.redial.stop(peer);
    for (const link of this.#neighbours.all()) link.sendNews([], [peer]);
    await this.#neighbours.drop(peer, AbortSignal.timeout(CLOSE_TIMEOUT_MS));
    await this.#members.flush();
    this.#options.onMembersChanged?.();
  }

  /** Says what is queued, hangs up, frees the port; at most two seconds. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#calls.redial.stopAll();
    const limit = AbortSignal.timeout(CLOSE_TIMEOUT_MS);
    const isLate = new Promise<void>((resolve) => {
      limit.addEventListener('abort', () => resolve(), { once: true });
    });
    const work = this.#neighbours
      .closeAll(AbortSignal.timeout(CLOSE_TIMEOUT_MS / 2))
      .then(() => Promise.allSettled([this.#node.stop(), this.#members.flush()]));
    await Promise.race([work, isLate]);
  }

  async #serve(): Promise<void> {
    const few = { maxInboundStreams: 2, maxOutboundStreams: 2 };
    await this.#node.handle(
      CONTROL_PROTOCOL,
      (raw, connection) => this.#onControl(raw, connection),
      few,
    );
    await this.#node.handle(LARGE_MESSAGE_PROTOCOL, (raw, from) => this.#onLarge(raw, from), few);
    const some = { maxInboundStreams: 16, maxOutboundStreams: 16 };
    await this.#node.handle(
      BLOB_PROTOCOL,
      (raw, connection) => this.#onBlob(raw, connection),
      some,
    );
    await this.#node.handle(ASK_PROTOCOL, (raw, from) => this.#onAsk(raw, from), some);
    this.#node.addEventListener('connection:open', ({ detail }) => this.#onConnection(detail));
    this.#timers.push(
      setInterval(() => void this.#listenOnMore(), LISTEN_RETRY_MS).unref(),
      setInterval(() => this.#tick(), TICK_MS).unref(),
    );
  }

  /** Addresses that this machine lacked so far: its tailnet address, usually. */
  async #listenOnMore(): Promise<void> {
    const { port } = this.self;
    for (const [place, ip] of listenIps(this.#options.listen).entries()) {
      if (this.#listening.some((endpoint) => endpoint.ip === ip)) continue;
      try {
        await this.#node.services.listening.listen({ ip, port });
      } catch {
        continue;
      }
      // The address to announce stands in front.
      this.#listening.splice(place, 0, { ip, port });
      this.#options.log.info({ ip, port }, 'listening on one more address');
      // A hello says where this peer is; who was greeted before knows another place.
      for (const link of this.#neighbours.all()) {
        link.outdate();
        this.#calls.redial.now(link.peer);
      }
    }
  }

  #tick(): void {
    for (const link of this.#neighbours.all()) {
      if (link.tick()) this.#calls.redial.now(link.peer);
    }
  }

  /** Noise proves an id to anybody; a connection on which no hello follows would hold its place for ever. */
  #onConnection(connection: Connection): void {
    if (connection.direction !== 'inbound') return;
    const remote = peerId(connection.remotePeer.toString());
    const timer = setTimeout(() => {
      if (this.#neighbours.get(remote) === undefined) connection.abort(new Error('no hello'));
    }, 2 * HELLO_TIMEOUT_MS).unref();
    connection.addEventListener('close', () => clearTimeout(timer));
  }

  async #onControl(raw: Stream, connection: Connection): Promise<void> {
    const link = await this.#greeter.receive(raw, connection);
    if (link !== undefined) this.#admit(link);
  }

  /** The one way in for a link, whoever dialled. */
  #admit(link: Link): Link {
    if (this.#isClosing || this.#members.isForgotten(link.peer)) {
      const error = new Error('not wanted any more');
      link.cut(error);
      throw error;
    }
    const kept = this.#neighbours.add(link);
    if (kept === undefined) throw new Error('that peer has started anew since');
    return kept;
  }

  #onCame(link: Link): void {
    const { face, peer } = link;
    this.#calls.redial.stop(peer);
    this.#options.log.info({ peer, name: face.name, ip: link.remoteIp }, 'peer connected');
    this.#options.onPeer(this.#met(link));
    this.#introductions.introduce(link);
    this.#onNews(link, face.members, face.forgotten);
    this.#options.onMembersChanged?.();
  }

  /** A throw is a bug of ours: it ends the process, not the stream of the peer that happened to speak. */
  #deliver({ peer, face }: Link, message: Message, attachment: Uint8Array | undefined): void {
    try {
      this.#options.onMessage(peer, face.incarnation, message, attachment);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #onNews(link: Link, news: readonly MemberNews[], forgotten: readonly PeerId[]): void {
    for (const peer of forgotten) void this.forget(peer);
    const worthCalling = this.#introductions.learn(link, news);
    for (const peer of worthCalling) this.#calls.redial.now(peer);
    if (worthCalling.length > 0) this.#options.onMembersChanged?.();
  }

  #onBroken(link: Link, error: Error | undefined): void {
    const { peer, face } = link;
    const reason = error?.message ?? 'closed by the other side';
    this.#options.log.info({ peer, name: face.name, reason }, 'peer disconnected');
    if (!this.#isClosing) this.#calls.redial.now(peer, link.hasSaidGoodbye);
  }

  async #onLarge(raw: Stream, connection: Connection): Promise<void> {
    await this.#forMember(raw, connection, async (stream, link) => {
      const first = await stream.read();
      if (first === undefined || decodeIncarnation(first) !== link.face.incarnation) return;
      const { peer, face } = link;
      for (let frame = await stream.read(); frame !== undefined; frame = await stream.read()) {
        // A newer incarnation's link fences what the old one still says.
        if (this.#neighbours.get(peer)?.face.incarnation !== face.incarnation) return;
        const startMs = performance.now();
        const decoded = readMessage(frame);
        if (decoded !== undefined) this.#deliver(link, decoded.message, decoded.attachment);
        await link.rest(startMs);
      }
    });
  }

  async #onBlob(raw: Stream, connection: Connection): Promise<void> {
    await this.#forMember(raw, connection, (stream, { peer }) =>
      serveBlob(stream, this.#options.blobs, (ref, sentBytes) =>
        this.#options.onBlobSent?.(peer, ref, sentBytes),
      ),
    );
  }

  async #onAsk(raw: Stream, connection: Connection): Promise<void> {
    await this.#forMember(raw, connection, async (stream) => {
      const { onAsk } = this.#options;
      if (onAsk === undefined) throw new Error('nobody may ask here');
      onAsk(duplexOf(stream));
      await stream.closed;
    });
  }

  /** Whatever goes wrong on such a stream costs that stream. */
  async #forMember(
    raw: Stream,
    connection: Connection,
    work: (stream: FrameStream, link: Link) => Promise<void>,
  ): Promise<void> {
    const stream = new FrameStream(raw, MAX_CONTROL_FRAME);
    const peer = peerId(connection.remotePeer.toString());
    try {
      const link = await this.#neighbours.awaited(peer, LINK_AWAITED_MS);
      if (link === undefined) throw new Error('members only');
      await work(stream, link);
    } catch (error) {
      this.#options.log.debug({ peer, error: (error as Error).message }, 'a bulk stream failed');
      stream.abort(error as Error);
    }
  }

  #met(link: Link): MetPeer {
    const path = this.#options.admission.tailscale.isRelayed(link.remoteIp) ? 'relay' : 'direct';
    return { ...link.peerFace, port: link.endpoint.port, version: link.face.version, path };
  }
}

function idOf(privateKey: PrivateKey): PeerId {
  return peerId(peerIdFromPrivateKey(privateKey).toString());
}
