// Real hosts on loopback addresses for tests: each with a home of its own, all it was told kept in a list, and a
// way to wait for what is not there yet.
import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { Admission } from '../../../src/node/net/admission.ts';
import type { BlobSource } from '../../../src/node/net/blobs.ts';
import type { HostOptions, MetPeer } from '../../../src/node/net/host-options.ts';
import { MeshHost } from '../../../src/node/net/host.ts';
import { loadIdentity } from '../../../src/node/net/identity.ts';
import { TailscaleTool } from '../../../src/node/net/tailscale-tool.ts';
import { Tailscale } from '../../../src/node/net/tailscale.ts';
import type { PeerId } from '../../../src/stealing/ids.ts';
import type { Message } from '../../../src/stealing/messages.ts';

export type Heard =
  | { readonly kind: 'came'; readonly peer: MetPeer }
  | { readonly kind: 'gone'; readonly peer: PeerId; readonly refused: boolean }
  | {
      readonly kind: 'message';
      readonly from: PeerId;
      readonly incarnation: number;
      readonly message: Message;
      readonly attachment: Uint8Array | undefined;
    };

/** Nothing to ask: every answer is "unknown". */
export const NO_TAILSCALE = new Tailscale([]);

const NO_BLOBS: BlobSource = {
  size: async () => undefined,
  read: async () => new Uint8Array(),
};

export interface PeerWish {
  readonly home: string;
  readonly ip: string;
  readonly name?: string;
  readonly port?: number;
  readonly incarnation?: number;
  readonly protocol?: number;
  readonly blobs?: BlobSource;
  readonly onAsk?: (stream: Duplex) => void;
  readonly tailscale?: Tailscale;
}

export class TestPeer {
  readonly home: string;
  readonly host: MeshHost;
  readonly admission: Admission;
  readonly heard: Heard[];
  readonly #waiting: Set<() => void>;

  private constructor(parts: {
    home: string;
    host: MeshHost;
    admission: Admission;
    heard: Heard[];
    waiting: Set<() => void>;
  }) {
    this.home = parts.home;
    this.host = parts.host;
    this.admission = parts.admission;
    this.heard = parts.heard;
    this.#waiting = parts.waiting;
  }

  static async start(wish: PeerWish): Promise<TestPeer> {
    const heard: Heard[] = [];
    const waiting = new Set<() => void>();
    const hear = (event: Heard): void => {
      heard.push(event);
      for (const check of waiting) check();
    };
    const { privateKey } = await loadIdentity(join(wish.home, 'identity'));
    const admission = await Admission.open(wish.home, wish.tailscale ?? NO_TAILSCALE);
    const options: HostOptions = {
      privateKey,
      listen: { ip: wish.ip, port: wish.port ?? 0 },
      localIp: wish.ip,
      face: { name: wish.name ?? wish.ip, slots: 2, incarnation: wish.incarnation ?? 1 },
      version: '0.1.0',
      protocol: wish.protocol ?? 1,
      membersFile: join(wish.home, 'members.json'),
      admission,
      blobs: wish.blobs ?? NO_BLOBS,
      ...(wish.onAsk && { onAsk: wish.onAsk }),
      onPeer: (peer) => hear({ kind: 'came', peer }),
      onPeerGone: (peer, refused) => hear({ kind: 'gone', peer, refused }),
      onMessage: (from, incarnation, message, attachment) =>
        hear({ kind: 'message', from, incarnation, message, attachment }),
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    };
    const host = await MeshHost.start(options);
    return new TestPeer({ home: wish.home, host, admission, heard, waiting });
  }

  get id(): PeerId {
    return this.host.self.id;
  }

  get place(): string {
    return `${this.host.self.addr}:${this.host.self.port}`;
  }

  async join(other: TestPeer | string): Promise<void> {
    const place = typeof other === 'string' ? other : other.place;
    await this.host.join(place, { signal: AbortSignal.timeout(5000) });
  }

  /** The first thing heard that fits, now or later. */
  async until<T extends Heard>(fits: (event: Heard) => event is T, timeoutMs?: number): Promise<T>;
  async until(fits: (event: Heard) => boolean, timeoutMs?: number): Promise<Heard>;
  async until(fits: (event: Heard) => boolean, timeoutMs = 5000): Promise<Heard> {
    const { promise, resolve, reject } = Promise.withResolvers<Heard>();
    const check = (): void => {
      const found = this.heard.find(fits);
      if (found !== undefined) resolve(found);
    };
    this.#waiting.add(check);
    const timer = setTimeout(
      () => reject(new Error(`not heard in time; heard ${JSON.stringify(this.heard)}`)),
      timeoutMs,
    );
    check();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(check);
    }
  }

  async untilCame(peer: PeerId, incarnation = 1): Promise<void> {
    await this.until(
      (event) =>
        event.kind === 'came' && event.peer.peer === peer && event.peer.incarnation === incarnation,
    );
  }

  async untilGone(peer: PeerId, timeoutMs?: number): Promise<Extract<Heard, { kind: 'gone' }>> {
    return this.until(
      (event): event is Extract<Heard, { kind: 'gone' }> =>
        event.kind === 'gone' && event.peer === peer,
      timeoutMs,
    );
  }
}

/** Homes and peers of one test, all gone at its end. */
export class Playground {
  readonly #peers: TestPeer[] = [];
  readonly #directory: string;
  /** Where the stub of the last `tailscale` is, and what it was asked. */
  lastToolHome = '';

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(): Promise<Playground> {
    return new Playground(await mkdtemp(join(tmpdir(), 'mesh-net-')));
  }

  /** A fresh home; `keyOf`: with that home's mesh key in it. */
  async home(keyOf?: string): Promise<string> {
    const home = join(this.#directory, randomBytes(6).toString('hex'));
    await mkdir(home, { recursive: true });
    if (keyOf !== undefined) await cp(join(keyOf, 'key'), join(home, 'key'));
    return home;
  }

  async copyIdentity(from: string, to: string): Promise<void> {
    await cp(join(from, 'identity'), join(to, 'identity'));
  }

  async peer(wish: PeerWish): Promise<TestPeer> {
    const peer = await TestPeer.start(wish);
    this.#peers.push(peer);
    return peer;
  }

  /** A `tailscale` on a PATH of its own that prints these answers. `whois` by IP. */
  async tailscale(status: object, whois: Record<string, object>): Promise<Tailscale> {
    const bin = await this.home();
    this.lastToolHome = bin;
    await writeFile(join(bin, 'status.json'), JSON.stringify(status));
    for (const [ip, answer] of Object.entries(whois)) {
      await writeFile(join(bin, `whois-${ip}.json`), JSON.stringify(answer));
    }
    const script = [
      '#!/bin/sh',
      `echo "$*" >> ${bin}/asked`,
      `[ "$1" = status ] && exec cat ${bin}/status.json`,
      `[ "$1" = whois ] && exec cat "${bin}/whois-\${3%:*}.json"`,
      'exit 1',
    ];
    await writeFile(join(bin, 'tailscale'), `${script.join('\n')}\n`);
    await chmod(join(bin, 'tailscale'), 0o755);
    return new Tailscale([new TailscaleTool(bin, [])]);
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.host.close()));
    await rm(this.#directory, { recursive: true, force: true });
  }
}
