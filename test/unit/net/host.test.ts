// Two and three real peers in one process, each on a loopback address of its own.
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { BlobSource } from '../../../src/node/net/blobs.ts';
import type { Message } from '../../../src/stealing/messages.ts';
import { Playground, type TestPeer } from './test-peer.ts';

let ground: Playground;

beforeEach(async () => {
  ground = await Playground.open();
});

afterEach(() => ground.close());

/** Two peers with one key; B has joined A. */
async function pair(
  more: { blobsOfA?: BlobSource; onAskOfA?: (stream: Duplex) => void } = {},
): Promise<[TestPeer, TestPeer]> {
  const homeA = await ground.home();
  const blobs = more.blobsOfA;
  const onAsk = more.onAskOfA;
  const a = await ground.peer({
    home: homeA,
    ip: '127.0.0.2',
    ...(blobs && { blobs }),
    ...(onAsk && { onAsk }),
  });
  const b = await ground.peer({ home: await ground.home(homeA), ip: '127.0.0.3' });
  await b.join(a);
  await a.untilCame(b.id);
  return [a, b];
}

describe('asking', () => {
  test('a member gets the bytes of its question answered, at any length, in both directions', async () => {
    const [a, b] = await pair({
      onAskOfA: (stream) => void pipeline(stream, stream).catch(() => {}),
    });
    const question = randomBytes(3_000_000);
    const answer = createHash('sha256');
    await b.host.ask(a.id, async (stream) => {
      stream.end(question);
      for await (const chunk of stream as AsyncIterable<Uint8Array>) answer.update(chunk);
    });
    expect(answer.digest()).toEqual(createHash('sha256').update(question).digest());
  });

  test('a peer that answers nobody cuts the stream, and one that is not there is unreachable', async () => {
    const [a, b] = await pair();
    const silence = b.host.ask(a.id, async (stream) => {
      stream.write('anybody?');
      for await (const _ of stream as AsyncIterable<Uint8Array>) throw new Error('answered');
    });
    await expect(silence).rejects.toThrow(/./);
    await expect(b.host.ask(b.id, async () => {})).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});

describe('getting in', () => {
  test('a peer with the same key is admitted, and both learn who the other is', async () => {
    const [a, b] = await pair();
    expect(a.host.peers()).toMatchObject([
      { peer: b.id, name: '127.0.0.3', addr: '127.0.0.3', port: b.host.self.port, slots: 2 },
    ]);
    expect(b.host.peers()).toMatchObject([
      { peer: a.id, name: '127.0.0.2', version: '0.1.0', path: 'direct', incarnation: 1 },
    ]);
    expect(a.admission.key.used && b.admission.key.used).toBe(true);
  });

  test('a peer with another key is refused, whoever dials, and nobody learns anything', async () => {
    const a = await ground.peer({ home: await ground.home(), ip: '127.0.0.2' });
    const b = await ground.peer({ home: await ground.home(), ip: '127.0.0.3' });
    await expect(b.join(a)).rejects.toMatchObject({ code: 'REFUSED', exitCode: 7 });
    await expect(a.join(b)).rejects.toMatchObject({ code: 'REFUSED' });
    for (const peer of [a, b]) {
      expect(peer.heard).toEqual([]);
      expect(peer.host.members()).toEqual([]);
      expect(peer.admission.key.used).toBe(false);
    }
    // The refusal shows the dialler its own key's fingerprint and nobody else's.
    await expect(b.join(a)).rejects.toThrow(b.admission.key.fingerprint);
    await expect(b.join(a)).rejects.not.toThrow(a.admission.key.fingerprint);
  });

  test('another protocol version is told as such, to a member', async () => {
    const homeA = await ground.home();
    const a = await ground.peer({ home: homeA, ip: '127.0.0.2' });
    const home = await ground.home(homeA);
    const b = await ground.peer({ home, ip: '127.0.0.3', protocol: 3 });
    await expect(b.join(a)).rejects.toMatchObject({
      code: 'VERSION',
      message: '127.0.0.2 speaks protocol 1, this peer speaks 3',
    });
    expect(a.heard).toEqual([]);
  });

  test('nobody at the address, no such name, no tailnet address, itself: each says so', async () => {
    const a = await ground.peer({ home: await ground.home(), ip: '127.0.0.2' });
    await expect(a.join('127.0.0.9:9')).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: '127.0.0.9:9 does not answer: connection refused',
    });
    await expect(a.join('8.8.8.8')).rejects.toMatchObject({ code: 'USAGE' });
    await expect(a.join('not an address')).rejects.toMatchObject({ code: 'USAGE' });
    await expect(a.join(a)).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('a port that somebody else has is an error that names it', async () => {
    const a = await ground.peer({ home: await ground.home(), ip: '127.0.0.2' });
    const { port } = a.host.self;
    const second = ground.peer({ home: await ground.home(), ip: '127.0.0.2', port });
    await expect(second).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    await expect(second).rejects.toThrow(String(port));
  });

  test('fifty silent sockets keep nobody out', async () => {
    const homeA = await ground.home();
    const a = await ground.peer({ home: homeA, ip: '127.0.0.2' });
    const sockets = Array.from({ length: 50 }, (_, i) =>
      createConnection({
        host: '127.0.0.2',
        port: a.host.self.port,
        localAddress: `127.0.1.${i + 1}`,
      }).on('error', () => undefined),
    );
    await Promise.all(sockets.map((socket) => new Promise((done) => socket.once('connect', done))));
    const b = await ground.peer({ home: await ground.home(homeA), ip: '127.0.0.3' });
    await b.join(a);
    for (const socket of sockets) socket.destroy();
  });
});

describe('knowing each other', () => {
  test('a third peer that joins any member knows all, and all know it', async () => {
    const homeA = await ground.home();
    const a = await ground.peer({ home: homeA, ip: '127.0.0.2' });
    const b = await ground.peer({ home: await ground.home(homeA), ip: '127.0.0.3' });
    const c = await ground.peer({ home: await ground.home(homeA), ip: '127.0.0.4' });
    await b.join(a);
    await c.join(a);
    await Promise.all([b.untilCame(c.id), c.untilCame(b.id), a.untilCame(c.id)]);
    for (const peer of [a, b, c]) expect(peer.host.peers()).toHaveLength(2);
  });

  test('a restarted peer finds the mesh again from its members file', async () => {
    const homeA = await ground.home();
    const a = await ground.peer({ home: homeA, ip: '127.0.0.2' });
    const { key } = a.admission;
    const b = await ground.peer({ home: await ground.home(homeA), ip: '127.0.0.3' });
    await b.join(a);
    await a.host.close();
    await expect(b.untilGone(a.id)).resolves.toMatchObject({ refused: true });
    const again = await ground.peer({
      home: homeA,
      ip: '127.0.0.2',
      port: a.host.self.port,
      incarnation: 2,
    });
    await Promise.all([b.untilCame(a.id, 2), again.untilCame(b.id)]);
    expect(again.admission.key.fingerprint).toBe(key.fingerprint);
  });

  test('a newer incarnation replaces the old link, which is reported gone first', async () => {
    const [a, b] = await pair();
    const newer = await ground.peer({
      home: await twinHome(b),
      ip: '127.0.0.5',
      incarnation: 2,
    });
    await newer.join(a);
    await a.untilCame(b.id, 2);
    expect(a.heard.map((event) => event.kind)).toEqual(['came', 'gone', 'came']);
    expect(a.heard[1]).toMatchObject({ peer: b.id, refused: true });
  });

  test('both dial at the same moment: one link is left, and what is said on it arrives', async () => {
    const homeA = await ground.home();
    const a = await ground.peer({ home: homeA, ip: '127.0.0.2' });
    const b = await ground.peer({ home: await ground.home(homeA), ip: '127.0.0.3' });
    await Promise.all([a.join(b), b.join(a)]);
    await Promise.all([a.untilCame(b.id), b.untilCame(a.id)]);
    expect(a.host.send(b.id, { kind: 'grantConfirmed', grant: 1 })).toBe(true);
    expect(b.host.send(a.id, { kind: 'grantConfirmed', grant: 2 })).toBe(true);
    await Promise.all([a.until(isMessage), b.until(isMessage)]);
    expect([cameOrGone(a), cameOrGone(b)]).toEqual([['came'], ['came']]);
  });

  test('a forgotten peer is out and stays out, on every member that hears of it', async () => {
    const homeA = await ground.home();
    const a = await ground.peer({ home: homeA, ip: '127.0.0.2' });
    const b = await ground.peer({ home: await ground.home(homeA), ip: '127.0.0.3' });
    const c = await ground.peer({ home: await ground.home(homeA), ip: '127.0.0.4' });
    await b.join(a);
    await c.join(a);
    await Promise.all([b.untilCame(c.id), c.untilCame(b.id)]);
    await a.host.forget(c.id);
    await Promise.all([a.untilGone(c.id), b.untilGone(c.id)]);
    await expect(c.join(a)).rejects.toMatchObject({ code: 'REFUSED' });
    await expect(c.join(b)).rejects.toMatchObject({ code: 'REFUSED' });
    const file = JSON.parse(await readFile(join(homeA, 'members.json'), 'utf8')) as object;
    expect(file).toMatchObject({ forgotten: [c.id] });
  });

  test('a peer that closes is gone within a second, and known to be', async () => {
    const [a, b] = await pair();
    const before = performance.now();
    await b.host.close();
    await expect(a.untilGone(b.id)).resolves.toMatchObject({ refused: true });
    expect(performance.now() - before).toBeLessThan(1000);
    expect(a.host.send(b.id, { kind: 'leaving' })).toBe(false);
  });
});

describe('talking', () => {
  test('messages arrive in order with the incarnation of their sender', async () => {
    const [a, b] = await pair();
    for (let grant = 0; grant < 500; grant++) b.host.send(a.id, { kind: 'grantConfirmed', grant });
    await a.until((event) => isMessage(event) && isGrant(event.message, 499));
    const grants = a.heard.flatMap((event) =>
      event.kind === 'message' && event.message.kind === 'grantConfirmed'
        ? [[event.incarnation, event.message.grant]]
        : [],
    );
    expect(grants).toEqual(Array.from({ length: 500 }, (_, grant) => [1, grant]));
  });

  test('a message too large for the control stream arrives whole, by the other connection', async () => {
    const [a, b] = await pair();
    const values = new Float64Array(100_000).map((_, i) => i / 3);
    for (let delivery = 0; delivery < 8; delivery++) {
      const batch = { kind: 'rows', maker: b.id, intervals: [[0, 5000]], values } as const;
      b.host.send(a.id, { kind: 'rows', job: 'j' as never, delivery, batch });
    }
    await a.until((event) => isMessage(event) && isDelivery(event.message, 7));
    const got = a.heard.flatMap((event) =>
      event.kind === 'message' && event.message.kind === 'rows' ? [event.message] : [],
    );
    expect(got.map((message) => message.delivery)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(
      got.every((message) => Buffer.compare(asBytes(message.batch.values), asBytes(values)) === 0),
    ).toBe(true);
  });

  test('a job offer brings its spec along', async () => {
    const [a, b] = await pair();
    const attachment = randomBytes(40_000);
    const header = {
      job: 'j' as never,
      name: 'spin',
      submitter: b.id,
      submittedAt: new Date(0).toISOString(),
      taskCount: 10,
      rowWidth: 2,
      kernel: 'spin',
      rateKey: 'spin',
      spec: { sha256: '0'.repeat(64), bytes: attachment.byteLength },
      datasets: [],
    };
    b.host.send(a.id, { kind: 'jobOffered', header } as never, attachment);
    const event = await a.until(isMessage);
    expect(Buffer.compare((event as { attachment: Uint8Array }).attachment, attachment)).toBe(0);
  });
});

describe('blobs', () => {
  const blob = randomBytes(12_000_000);
  const sha256 = createHash('sha256').update(blob).digest('hex');
  const ref = { sha256, bytes: blob.byteLength };

  test('a blob arrives whole', async () => {
    const [a, b] = await pair({ blobsOfA: sourceOf(blob, sha256) });
    const sink = new MemorySink(0);
    await b.host.fetchBlob(ref, [a.id], sink, AbortSignal.timeout(5000));
    expect(sink.sha256()).toBe(sha256);
  });

  test('a transfer that was cut goes on where it stopped, from the next peer', async () => {
    const homeA = await ground.home();
    const failing: BlobSource = {
      size: async () => blob.byteLength,
      read: async (_sha, offset, length) => {
        if (offset > 5_000_000) throw new Error('the disk is gone');
        return blob.subarray(offset, offset + length);
      },
    };
    const asked: number[] = [];
    const whole = sourceOf(blob, sha256, (offset) => asked.push(offset));
    const a = await ground.peer({ home: homeA, ip: '127.0.0.2', blobs: failing });
    const c = await ground.peer({ home: await ground.home(homeA), ip: '127.0.0.4', blobs: whole });
    const b = await ground.peer({ home: await ground.home(homeA), ip: '127.0.0.3' });
    await b.join(a);
    await b.join(c);
    const sink = new MemorySink(0);
    await b.host.fetchBlob(ref, [a.id, c.id], sink, AbortSignal.timeout(5000));
    expect(sink.sha256()).toBe(sha256);
    expect(Math.min(...asked)).toBeGreaterThan(4_000_000);
  });

  test('a blob that nobody has, or of another length, is an error that says who was asked', async () => {
    const [a, b] = await pair({ blobsOfA: sourceOf(blob, sha256) });
    const signal = AbortSignal.timeout(5000);
    const other = { sha256: '0'.repeat(64), bytes: 10 };
    await expect(b.host.fetchBlob(other, [a.id], new MemorySink(0), signal)).rejects.toMatchObject({
      code: 'UNREACHABLE',
    });
    const longer = { sha256, bytes: blob.byteLength + 1 };
    await expect(b.host.fetchBlob(longer, [a.id], new MemorySink(0), signal)).rejects.toThrow(
      /no peer gave/,
    );
  });

  test('a sink that stops stops the sender within a few windows', async () => {
    const large = Buffer.alloc(48_000_000, 'mesh');
    const largeSha = createHash('sha256').update(large).digest('hex');
    let readTo = 0;
    const source = sourceOf(large, largeSha, (offset) => {
      readTo = Math.max(readTo, offset);
    });
    const [a, b] = await pair({ blobsOfA: source });
    const gate = Promise.withResolvers<void>();
    const sink = new MemorySink(0, async (written) => {
      if (written > 8_000_000) await gate.promise;
    });
    const largeRef = { sha256: largeSha, bytes: large.byteLength };
    const done = b.host.fetchBlob(largeRef, [a.id], sink, AbortSignal.timeout(20_000));
    let before = -1;
    await vi.waitUntil(() => before === (before = readTo) && readTo > 8_000_000, {
      interval: 200,
      timeout: 5000,
    });
    expect(readTo - sink.offset).toBeLessThan(12_000_000);
    gate.resolve();
    await done;
    expect(sink.sha256()).toBe(largeSha);
  });
});

test('a host with a foreign server on its port elsewhere still starts', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.8', resolve));
  const { port } = server.address() as { port: number };
  const a = await ground.peer({ home: await ground.home(), ip: '127.0.0.2', port });
  expect(a.host.self.port).toBe(port);
  await new Promise((resolve) => server.close(resolve));
});

test('the members file names the peer where it listens', async () => {
  const [a, b] = await pair();
  await vi.waitFor(() =>
    expect(a.host.members()).toMatchObject([{ id: b.id, addrs: [b.place], name: '127.0.0.3' }]),
  );
});

/** The same identity and key in another home: the machine as it starts anew. */
async function twinHome(peer: TestPeer): Promise<string> {
  const home = await ground.home(peer.home);
  await ground.copyIdentity(peer.home, home);
  return home;
}

function isMessage(event: { kind: string }): event is { kind: 'message' } & { message: Message } {
  return event.kind === 'message';
}

function cameOrGone(peer: TestPeer): string[] {
  return peer.heard.filter((event) => event.kind !== 'message').map((event) => event.kind);
}

function isGrant(message: Message, grant: number): boolean {
  return message.kind === 'grantConfirmed' && message.grant === grant;
}

function isDelivery(message: Message, delivery: number): boolean {
  return message.kind === 'rows' && message.delivery === delivery;
}

function asBytes(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function sourceOf(blob: Buffer, sha256: string, onRead?: (offset: number) => void): BlobSource {
  return {
    size: async (wanted) => (wanted === sha256 ? blob.byteLength : undefined),
    read: async (_wanted, offset, length) => {
      onRead?.(offset);
      return blob.subarray(offset, offset + length);
    },
  };
}

class MemorySink {
  offset: number;
  readonly #chunks: Uint8Array[] = [];
  readonly #onWritten: ((written: number) => Promise<void>) | undefined;

  constructor(offset: number, onWritten?: (written: number) => Promise<void>) {
    this.offset = offset;
    this.#onWritten = onWritten;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(Uint8Array.from(chunk));
    this.offset += chunk.byteLength;
    await this.#onWritten?.(this.offset);
  }

  sha256(): string {
    const hash = createHash('sha256');
    for (const chunk of this.#chunks) hash.update(chunk);
    return hash.digest('hex');
  }
}
