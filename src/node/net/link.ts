// One admitted peer: its control stream, on which hello news and core messages flow for as long as both live,
// and the bulk connection beside it.
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '@libp2p/interface';
import type { PeerId } from '../../stealing/ids.ts';
import type { PeerFace } from '../../stealing/input.ts';
import type { Message } from '../../stealing/messages.ts';
import { type Decoded, decodeMessage, encodeMessage, MAX_CONTROL_FRAME } from '../wire/codec.ts';
import {
  decodeHello,
  encodeHello,
  type Face,
  isHelloFrame,
  type MemberNews,
  type MeshWords,
} from '../wire/hello.ts';
import type { Endpoint } from './address.ts';
import { Bulk, type BulkInit } from './bulk.ts';
import type { FrameStream } from './stream.ts';
import { TurnBudget } from './turn-budget.ts';

/** Bytes. A larger frame would hold up the heartbeats behind it: 64 KiB take 26 ms on a 20 Mbit link. */
const SMALL_FRAME_BYTES_MAX = 64 << 10;

/** Bytes queued for one peer before it is cut: a receiver this far behind is not going to catch up by waiting. */
const QUEUE_BYTES_MAX = 64 << 20;

/**
 * Seconds. Heartbeats come four times a second, so a link this silent is dead, whatever TCP still hopes: a fresh
 * dial gets through a healed network at once, a repeated segment after up to two minutes. Longer than the ten
 * seconds after which the core gives a peer up, so that it never decides for it.
 */
const SILENT_TICKS_MAX = 15;

/**
 * Seconds of silence after which a fresh connection is tried beside this one, and between two tries. Where packets were
 * lost for ten seconds TCP may wait for as many again before it sends the next, and the core would call a peer lost
 * whose network is well. More: less is left of the ten seconds after which the core gives a peer up. Less: a busy peer,
 * whose heartbeats come four times a second, is called for nothing.
 */
const DOUBTED_TICKS = 3;

/** How long a retired link still reads: the other side may not have met us on the better one yet. */
const RETIRE_GRACE_MS = 1000;

export interface LinkInit {
  readonly peer: PeerId;
  readonly face: Face;
  /** Where it can be dialled. */
  readonly endpoint: Endpoint;
  /** Where the control connection comes from or goes to. */
  readonly remoteIp: string;
  readonly dialledBySelf: boolean;
  readonly connection: Connection;
  readonly control: FrameStream;
  readonly bulk: Pick<BulkInit, 'dial' | 'incarnation'>;
}

export interface LinkListener {
  onMessage(link: Link, message: Message, attachment: Uint8Array | undefined): void;
  onNews(link: Link, members: readonly MemberNews[], forgotten: readonly PeerId[]): void;
  onRekeyed(key: Uint8Array, mesh: MeshWords): void;
}

export class Link {
  readonly peer: PeerId;
  readonly face: Face;
  readonly endpoint: Endpoint;
  readonly remoteIp: string;
  readonly dialledBySelf: boolean;
  readonly bulk: Bulk;
  readonly openedMs: number = performance.now();
  readonly #connection: Connection;
  readonly #control: FrameStream;
  readonly #budget = new TurnBudget();
  #hasSaidGoodbye = false;
  #silentTicks = 0;
  #isOutdated = false;

  constructor(init: LinkInit) {
    this.peer = init.peer;
    this.face = init.face;
    this.endpoint = init.endpoint;
    this.remoteIp = init.remoteIp;
    this.dialledBySelf = init.dialledBySelf;
    this.#connection = init.connection;
    this.#control = init.control;
    this.#control.allowFrames(MAX_CONTROL_FRAME);
    this.bulk = new Bulk({
      ...init.bulk,
      control: init.connection,
      onBroken: (error) => this.cut(error),
    });
  }

  get hasSaidGoodbye(): boolean {
    return this.#hasSaidGoodbye;
  }

  get peerFace(): PeerFace {
    const { name, slots, incarnation, kernels } = this.face;
    return { peer: this.peer, name, addr: this.endpoint.ip, slots, incarnation, kernels };
  }

  /** A fresh connection may replace it: nothing came over it for some seconds, or what was said at its start is no
   * longer so. */
  get isDoubted(): boolean {
    return this.#isOutdated || this.#silentTicks >= DOUBTED_TICKS;
  }

  outdate(): void {
    this.#isOutdated = true;
  }

  /** Call once a second. Ticks, not time: while this machine sleeps nothing ticks, and nobody is accused. Returns
   * whether it is time to try a fresh connection. */
  tick(): boolean {
    this.#silentTicks++;
    if (this.#silentTicks > SILENT_TICKS_MAX) this.cut(new Error('silent'));
    return this.#silentTicks % DOUBTED_TICKS === 0;
  }

  /** Reads until the stream is over, however it ends. A faulty frame ends it too. */
  async run(listener: LinkListener): Promise<Error | undefined> {
    try {
      for (;;) {
        const frame = await this.#control.read();
        if (frame === undefined) return undefined;
        this.#silentTicks = 0;
        const startMs = performance.now();
        this.#take(frame, listener);
        await this.rest(startMs);
      }
    } catch (error) {
      this.cut(error as Error);
      return error as Error;
    }
  }

  /** After something of this peer was handled since `startMs`: waits when it has had more than its part of a second. */
  async rest(startMs: number): Promise<void> {
    const waitMs = this.#budget.spend(startMs, performance.now());
    if (waitMs > 0) await delay(waitMs);
  }

  /** False when nothing can be sent any more. */
  send(message: Message, attachment?: Uint8Array): boolean {
    const frame = encodeMessage(message, attachment);
    if (this.#control.queuedBytes + this.bulk.queuedBytes + frame.byteLength > QUEUE_BYTES_MAX) {
      this.cut(new Error('the peer does not take what it is sent'));
      return false;
    }
    if (frame.byteLength <= SMALL_FRAME_BYTES_MAX) return this.#control.send(frame);
    this.bulk.sendLarge(frame);
    return true;
  }

  sendNews(members: readonly MemberNews[], forgotten: readonly PeerId[]): void {
    this.#control.send(encodeHello({ kind: 'news', members, forgotten }));
  }

  sendKey(key: Uint8Array, mesh: MeshWords): void {
    this.#control.send(encodeHello({ kind: 'rekeyed', key, mesh }));
  }

  /** A better link to the same peer exists: say what is queued, hear what comes, then go. */
  retire(): void {
    const timer = setTimeout(
      () => void this.close(AbortSignal.timeout(RETIRE_GRACE_MS)),
      RETIRE_GRACE_MS,
    );
    void this.#control.closed.then(() => clearTimeout(timer));
  }

  /** Says what is queued and hangs up. */
  async close(signal: AbortSignal): Promise<void> {
    await this.#control.end(signal).catch(() => undefined);
    this.bulk.close();
    await this.#connection.close({ signal }).catch(() => undefined);
    this.cut(new Error('closed'));
  }

  cut(reason: Error): void {
    this.bulk.close();
    this.#control.abort(reason);
    this.#connection.abort(reason);
  }

  #take(frame: Uint8Array, listener: LinkListener): void {
    if (!isHelloFrame(frame)) {
      const decoded = readMessage(frame);
      if (decoded === undefined) return;
      if (decoded.message.kind === 'leaving') this.#hasSaidGoodbye = true;
      listener.onMessage(this, decoded.message, decoded.attachment);
      return;
    }
    const hello = decodeHello(frame);
    if (hello?.kind === 'rekeyed') {
      listener.onRekeyed(hello.key, hello.mesh);
      return;
    }
    if (hello?.kind !== 'news') throw new Error('not news');
    listener.onNews(this, hello.members, hello.forgotten);
  }
}

/** Undefined for a kind of message that only a later release knows. Throws when it is no message. */
export function readMessage(frame: Uint8Array): Extract<Decoded, { ok: true }> | undefined {
  const decoded = decodeMessage(frame);
  if (decoded.ok) return decoded;
  if (decoded.isUnknownKind === true) return undefined;
  throw new Error(`not a message: ${decoded.fault}`);
}
