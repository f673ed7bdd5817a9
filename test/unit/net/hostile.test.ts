// Peers that mean harm, or only behave as if: what they may cost is bounded, and nobody else notices.
import { once } from 'node:events';
import { connect } from 'node:net';
import { noise } from '@chainsafe/libp2p-noise';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { MessageStream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p, type Libp2p } from 'libp2p';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { OPEN } from './node-pair.ts';
import { AddressRule, parseEndpoint, toMultiaddr } from '../../../src/node/net/address.ts';
import { BLOB_PROTOCOL } from '../../../src/node/net/blobs.ts';
import { LARGE_MESSAGE_PROTOCOL } from '../../../src/node/net/bulk.ts';
import { CONTROL_PROTOCOL } from '../../../src/node/net/greeter.ts';
import { createNode } from '../../../src/node/net/libp2p-node.ts';
import { FrameStream } from '../../../src/node/net/stream.ts';
import { encodeBlobRequest } from '../../../src/node/wire/blob.ts';
import { decodeHello } from '../../../src/node/wire/hello.ts';
import { Playground, type TestPeer } from './test-peer.ts';

let ground: Playground;
let victim: TestPeer;
let victimHome: string;
const attackers: Libp2p[] = [];

beforeEach(async () => {
  ground = await Playground.open();
  victimHome = await ground.home();
  const blobs = { size: async () => 4, read: async () => new Uint8Array(4) };
  victim = await ground.peer({ home: victimHome, ip: '127.0.0.2', blobs });
});

afterEach(async () => {
  for (const node of attackers.splice(0)) await node.stop();
  await ground.close();
});

function place(): ReturnType<typeof toMultiaddr> {
  return toMultiaddr(parseEndpoint(victim.place)!);
}

async function attacker(): Promise<Libp2p> {
  const privateKey = await generateKeyPair('Ed25519');
  const node = await createNode({ privateKey, listen: [], strict: OPEN, rule: new AddressRule() });
  attackers.push(node);
  return node;
}

async function friendJoins(): Promise<TestPeer> {
  const friend = await ground.peer({ home: await ground.home(victimHome), ip: '127.0.0.3' });
  await friend.join(victim);
  await victim.untilCame(friend.id);
  return friend;
}

describe('somebody past noise who is no member', () => {
  test('that claims a muxer frame of 4 GiB is cut before it is buffered', async () => {
    let raw: MessageStream | undefined;
    const node = await createLibp2p({
      privateKey: await generateKeyPair('Ed25519'),
      transports: [tcp()],
      connectionEncrypters: [noise()],
      connectionMonitor: { enabled: false },
      connectionGater: { denyDialMultiaddr: () => false },
      streamMuxers: [
        () => {
          const factory = yamux({ enableKeepAlive: false })();
          const create = factory.createStreamMuxer.bind(factory);
          factory.createStreamMuxer = (connection) => {
            raw = connection;
            return create(connection);
          };
          return factory;
        },
      ],
    });
    attackers.push(node);
    const connection = await node.dial(place());
    const header = new Uint8Array(12);
    header.fill(0xff, 8);
    header[7] = 1;
    raw!.send(header);
    await vi.waitUntil(() => connection.status !== 'open', { interval: 5, timeout: 2000 });
    await friendJoins();
  });

  test('fifty silent sockets and one that drips keep no member out for two seconds', async () => {
    const { port } = victim.host.self;
    const sockets = Array.from({ length: 51 }, (_, i) =>
      // Of three addresses, so that the count per address is not what saves the victim.
      connect({ host: '127.0.0.2', port, localAddress: `127.0.1.${1 + (i % 3)}` }),
    );
    for (const socket of sockets) socket.on('error', () => undefined);
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const drip = setInterval(() => sockets[0]!.write('\x13'), 20);
    try {
      const began = performance.now();
      await friendJoins();
      expect(performance.now() - began).toBeLessThan(2000);
      // None of them is kept: an upgrade has three seconds.
      await vi.waitUntil(() => sockets.every(({ closed }) => closed), { timeout: 8000 });
    } finally {
      clearInterval(drip);
      for (const socket of sockets) socket.destroy();
    }
  }, 15_000);

  test('may not have blobs, nor send large messages', async () => {
    const node = await attacker();
    const connection = await node.dial(place());
    const request = encodeBlobRequest({ sha256: '0'.repeat(64), offset: 0 });
    const asked = [BLOB_PROTOCOL, LARGE_MESSAGE_PROTOCOL].map(async (protocol) => {
      const stream = new FrameStream(await connection.newStream(protocol), 1 << 20);
      stream.send(request);
      await expect(stream.read()).rejects.toThrow();
    });
    await Promise.all(asked);
    expect(victim.heard).toEqual([]);
  }, 10_000);

  test('that says rubbish instead of a claim is cut and has seen one challenge', async () => {
    const node = await attacker();
    for (const rubbish of [
      new Uint8Array(0),
      new Uint8Array(500).fill(0x81),
      new Uint8Array(2000),
    ]) {
      const connection = await node.dial(place(), { force: true });
      const stream = new FrameStream(await connection.newStream(CONTROL_PROTOCOL), 1 << 20);
      expect(decodeHello((await stream.read())!)?.kind).toBe('challenge');
      stream.send(rubbish);
      await expect(stream.read()).rejects.toThrow();
    }
    expect(victim.heard).toEqual([]);
    await friendJoins();
  });
});

describe('a member', () => {
  test('that does not read is cut when 64 MiB wait for it, and may come again', async () => {
    const friend = await friendJoins();
    const values = new Float64Array(100_000);
    const batch = { kind: 'rows', maker: victim.id, intervals: [[0, 5000]], values } as const;
    const message = { kind: 'rows', job: 'j' as never, delivery: 1, batch } as const;
    // All in one turn of the loop: nothing can leave meanwhile.
    const sent = Array.from({ length: 100 }, () => victim.host.send(friend.id, message));
    expect(sent.indexOf(false)).toBeGreaterThan(70);
    expect(sent.indexOf(false)).toBeLessThan(90);
    await victim.untilGone(friend.id);
    await vi.waitUntil(() => victim.host.peers().length === 1, { timeout: 5000 });
  });
});
