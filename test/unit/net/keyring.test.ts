// The key of a whole mesh: replaced, required, and what becomes of a peer that is put out. Real hosts on loopback,
// where no Tailscale vouches for anybody.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MeshKey } from '../../../src/node/net/mesh-key.ts';
import { Playground, type TestPeer } from './test-peer.ts';

let ground: Playground;

beforeEach(async () => {
  ground = await Playground.open();
});

afterEach(() => ground.close());

async function three(): Promise<TestPeer[]> {
  const home = await ground.home();
  const peers: TestPeer[] = [];
  for (const ip of ['127.0.0.2', '127.0.0.3', '127.0.0.4']) {
    peers.push(
      await ground.peer({ home: ip === '127.0.0.2' ? home : await ground.home(home), ip }),
    );
  }
  const [a, b, c] = peers as [TestPeer, TestPeer, TestPeer];
  await b.join(a);
  await c.join(a);
  await vi.waitFor(() => {
    for (const peer of peers) expect(peer.host.peers()).toHaveLength(2);
  });
  return peers;
}

test('a new key reaches every connected member, the old one opens no door', async () => {
  const peers = await three();
  const [a, b, c] = peers as [TestPeer, TestPeer, TestPeer];
  const oldHome = await ground.home(a.home);
  expect(await b.host.keyring.rotate()).toBe(2);
  await vi.waitFor(() => {
    expect(new Set(peers.map((peer) => peer.admission.key.line)).size).toBe(1);
    expect(c.admission.key.words().generation).toBe(1);
  });
  await vi.waitFor(async () =>
    expect((await MeshKey.open(c.home)).line).toBe(b.admission.key.line),
  );
  expect(a.host.peers()).toHaveLength(2);
  const old = await ground.peer({ home: oldHome, ip: '127.0.0.5' });
  await expect(old.join(a)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('two members that replace it at once agree in the end', async () => {
  const peers = await three();
  await Promise.all([peers[0]!.host.keyring.rotate(), peers[1]!.host.keyring.rotate()]);
  await vi.waitFor(() =>
    expect(new Set(peers.map((peer) => peer.admission.key.line)).size).toBe(1),
  );
});

test('a forgotten peer is put out by all, and its key with it', async () => {
  const [a, b, c] = (await three()) as [TestPeer, TestPeer, TestPeer];
  await a.host.keyring.bar(c.id);
  await a.host.forget(c.id);
  await a.host.keyring.rotate();
  await c.untilGone(a.id);
  await vi.waitFor(() => {
    expect(b.admission.key.line).toBe(a.admission.key.line);
    expect(b.host.peers().map(({ peer }) => peer)).toEqual([a.id]);
  });
  expect(c.admission.key.line).not.toBe(a.admission.key.line);
  await expect(c.join(b)).rejects.toMatchObject({ code: 'REFUSED' });
});

describe('a mesh that requires its key', () => {
  test('takes a member that was away and has the key, and it becomes as strict', async () => {
    const peers = await three();
    const [a, b] = peers as [TestPeer, TestPeer];
    const late = await ground.home(a.home);
    await a.host.keyring.require();
    await vi.waitFor(() => {
      for (const peer of peers) expect(peer.admission.key.isRequired).toBe(true);
    });
    const d = await ground.peer({ home: late, ip: '127.0.0.5' });
    expect(d.admission.key.isRequired).toBe(false);
    await d.join(b);
    await vi.waitFor(() => expect(d.host.peers()).toHaveLength(3));
    expect(d.admission.key.isRequired).toBe(true);
  });

  test('has no hello for a stranger, not even with an invite', async () => {
    const a = await ground.peer({ home: await ground.home(), ip: '127.0.0.2' });
    await a.host.keyring.require();
    const { secret } = await a.admission.passes.invite(60_000);
    const b = await ground.peer({ home: await ground.home(), ip: '127.0.0.3' });
    const place = `127.0.0.2:${a.host.self.port}`;
    const card = { secret, peer: a.id };
    const joining = b.host.join(place, { signal: AbortSignal.timeout(5000), card });
    await expect(joining).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await b.admission.carried(a.admission.key.bytes);
    await expect(
      b.host.join(place, { signal: AbortSignal.timeout(5000), card }),
    ).resolves.toMatchObject({ peer: a.id });
  });
});
