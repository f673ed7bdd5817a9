// The hello itself on a real stream, with the addresses of a tailnet as arguments: who ends up with which key,
// and what a refused side has seen.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Admission } from '../../../src/node/net/admission.ts';
import {
  helloAsDialler,
  helloAsListener,
  type Meeting,
  StrangerError,
} from '../../../src/node/net/hello.ts';
import { MeshKey } from '../../../src/node/net/mesh-key.ts';
import { approvalSecret, Passes } from '../../../src/node/net/passes.ts';
import { FrameStream } from '../../../src/node/net/stream.ts';
import type { Tailscale } from '../../../src/node/net/tailscale.ts';
import { decodeHello, encodeHello, type Face, type Hello } from '../../../src/node/wire/hello.ts';
import type { PeerId } from '../../../src/stealing/ids.ts';
import { NodePair } from './node-pair.ts';
import { NO_TAILSCALE, Playground } from './test-peer.ts';

const MAX = 1 << 18;
const DIALLER = { ip: '100.118.215.73', port: 50_000 };
const LISTENER = { ip: '100.77.179.14', port: 7420 };
const ME = 'me@example.com';
const YOU = 'you@example.com';

let pair: NodePair;
let ground: Playground;

beforeAll(async () => {
  pair = await NodePair.open();
});

afterAll(() => pair.close());

beforeEach(async () => {
  ground = await Playground.open();
});

afterEach(() => ground.close());

/** A Tailscale on which this machine is `self`, and every machine asked about belongs to `others`. */
function tailnet(self: string, others: string): Promise<Tailscale> {
  const status = { BackendState: 'Running', Self: { UserID: 1 }, User: { 1: { LoginName: self } } };
  const whois = { Node: {}, UserProfile: { LoginName: others } };
  return ground.tailscale(status, { [DIALLER.ip]: whois, [LISTENER.ip]: whois });
}

async function admissionIn(directory: string, tailscale: Tailscale): Promise<Admission> {
  const [key, passes] = await Promise.all([MeshKey.open(directory), Passes.open(directory)]);
  return new Admission({ key, passes, directory, tailscale });
}

async function admissionOf(tailscale: Tailscale, isUsed = false): Promise<Admission> {
  const admission = await admissionIn(await ground.home(), tailscale);
  await admission.key.recordOrigin(await tailscale.self());
  if (isUsed) await admission.key.markUsed();
  return admission;
}

function faceOf(name: string, admission: Admission): Face {
  return {
    name,
    slots: 1,
    incarnation: 1,
    version: '0.1.0',
    addrs: [],
    origin: admission.originWords(),
    members: [],
    forgotten: [],
    mesh: admission.key.words(),
  };
}

async function twoMembers(tailscale: Tailscale): Promise<[Admission, Admission]> {
  const home = await ground.home();
  const first = await admissionIn(home, tailscale);
  await first.key.recordOrigin(await tailscale.self());
  await first.key.markUsed();
  const away = await admissionIn(await ground.home(home), tailscale);
  await away.key.recordOrigin(await tailscale.self());
  return [first, away];
}

async function meet(
  dialler: Admission,
  listener: Admission,
  more: { protocol?: number; isBarred?: boolean; bothDial?: boolean; pass?: Uint8Array } = {},
): Promise<[PromiseSettledResult<Face>, PromiseSettledResult<Face | undefined>]> {
  const ends = await pair.stream();
  const signal = AbortSignal.timeout(5000);
  const common = { signal, isBarred: more.isBarred ?? false };
  const asDialler: Meeting = {
    ...common,
    pass: more.pass,
    stream: new FrameStream(ends.dialler, MAX),
    admission: dialler,
    self: 'D' as PeerId,
    remote: 'L' as PeerId,
    endpoint: LISTENER,
    protocol: more.protocol ?? 1,
    face: () => faceOf('dialler', dialler),
  };
  const asListener: Meeting = {
    ...common,
    stream: new FrameStream(ends.listener, 1024),
    admission: listener,
    self: 'L' as PeerId,
    remote: 'D' as PeerId,
    endpoint: DIALLER,
    protocol: 1,
    face: () => faceOf('listener', listener),
  };
  const crossing = () => ({ bothDial: more.bothDial ?? false, selfIsHigher: true });
  const dialling = helloAsDialler(asDialler).catch((error: Error) => {
    asDialler.stream.abort(error);
    throw error;
  });
  return Promise.allSettled([dialling, helloAsListener(asListener, crossing)]);
}

describe('by the same Tailscale login', () => {
  test('the newcomer receives the key, its origin, and counts it as used', async () => {
    const tailscale = await tailnet(ME, ME);
    const dialler = await admissionOf(tailscale);
    const listener = await admissionOf(tailscale);
    const line = listener.key.line;
    const [d, l] = await meet(dialler, listener);
    expect(d).toMatchObject({ status: 'fulfilled', value: { name: 'listener' } });
    expect(l).toMatchObject({ status: 'fulfilled', value: { name: 'dialler' } });
    expect([dialler.key.line, dialler.key.used, dialler.key.origin]).toEqual([
      line,
      true,
      { login: ME },
    ]);
    expect([listener.key.line, listener.key.used]).toEqual([line, true]);
  });

  test.each<[string, boolean, boolean, boolean, 'listener' | 'dialler']>([
    ["mine unused, theirs used: the listener takes the dialler's", true, false, false, 'dialler'],
    ["theirs unused: the dialler takes the listener's", false, true, false, 'listener'],
    ['both unused and both dial: the higher id gives way', false, false, true, 'dialler'],
  ])('%s', async (_what, diallerUsed, listenerUsed, bothDial, winner) => {
    const tailscale = await tailnet(ME, ME);
    const dialler = await admissionOf(tailscale, diallerUsed);
    const listener = await admissionOf(tailscale, listenerUsed);
    const line = (winner === 'dialler' ? dialler : listener).key.line;
    const [d, l] = await meet(dialler, listener, { bothDial });
    expect([d.status, l.status]).toEqual(['fulfilled', 'fulfilled']);
    expect([dialler.key.line, listener.key.line]).toEqual([line, line]);
    expect(dialler.key.used && listener.key.used).toBe(true);
  });

  test('two keys in use: refused with both fingerprints, and nothing changes', async () => {
    const tailscale = await tailnet(ME, ME);
    const dialler = await admissionOf(tailscale, true);
    const listener = await admissionOf(tailscale, true);
    const before = [dialler.key.line, listener.key.line];
    const [d, l] = await meet(dialler, listener);
    expect(reasonOf(d)).toMatchObject({ code: 'REFUSED' });
    expect(reasonOf(d).message).toContain(dialler.key.fingerprint);
    expect(reasonOf(d).message).toContain(listener.key.fingerprint);
    expect(l).toEqual({ status: 'fulfilled', value: undefined });
    expect([dialler.key.line, listener.key.line]).toEqual(before);
  });

  test('a joiner does not take the key of an address that is not of its login', async () => {
    const listener = await admissionOf(await tailnet(ME, ME));
    const dialler = await admissionOf(await tailnet(ME, YOU));
    const before = dialler.key.line;
    const [d, l] = await meet(dialler, listener);
    expect(reasonOf(d)).toMatchObject({ code: 'REFUSED' });
    expect(l.status).toBe('rejected');
    expect([dialler.key.line, listener.key.used]).toEqual([before, false]);
  });

  test('the next protocol version is let in: it speaks ours', async () => {
    const tailscale = await tailnet(ME, ME);
    const dialler = await admissionOf(tailscale);
    const listener = await admissionOf(tailscale);
    const [d, l] = await meet(dialler, listener, { protocol: 2 });
    expect([d.status, l.status]).toEqual(['fulfilled', 'fulfilled']);
  });

  test('another protocol version is told before any key changes hands', async () => {
    const tailscale = await tailnet(ME, ME);
    const dialler = await admissionOf(tailscale);
    const listener = await admissionOf(tailscale);
    const [d] = await meet(dialler, listener, { protocol: 9 });
    expect(reasonOf(d)).toMatchObject({ code: 'VERSION' });
    expect(dialler.key.line).not.toBe(listener.key.line);
  });
});

describe('by a pass', () => {
  test.each<[string, boolean]>([
    ['of a newcomer', false],
    ['of a machine whose key another mesh uses', true],
  ])('an invite opens the door once, without Tailscale: %s', async (_what, isUsed) => {
    const listener = await admissionOf(NO_TAILSCALE, true);
    const dialler = await admissionOf(NO_TAILSCALE, isUsed);
    const { secret } = await listener.passes.invite(60_000);
    const [d, l] = await meet(dialler, listener, { pass: secret });
    expect([d.status, l.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(dialler.key.line).toBe(listener.key.line);
    const second = await admissionOf(NO_TAILSCALE);
    const [again] = await meet(second, listener, { pass: secret });
    expect(reasonOf(again)).toBeInstanceOf(StrangerError);
    expect(second.key.line).not.toBe(listener.key.line);
  });

  test('an invite that has run out, one of another member, and a damaged file open nothing', async () => {
    const home = await ground.home();
    const listener = await admissionIn(home, NO_TAILSCALE);
    const old = await listener.passes.invite(-1);
    const other = await (await admissionOf(NO_TAILSCALE)).passes.invite(60_000);
    await writeFile(join(home, 'passes.json'), '{"v":1,"passes":[{"kind":"invite"}]}');
    const reopened = await admissionIn(home, NO_TAILSCALE);
    for (const [door, { secret }] of [
      [listener, old],
      [listener, other],
      [reopened, old],
    ] as const) {
      const [d] = await meet(await admissionOf(NO_TAILSCALE), door, { pass: secret });
      expect(reasonOf(d)).toBeInstanceOf(StrangerError);
    }
  });

  test('the code that the refused newcomer shows, typed at the member, lets it in', async () => {
    const listener = await admissionOf(NO_TAILSCALE, true);
    const dialler = await admissionOf(NO_TAILSCALE);
    const [refused] = await meet(dialler, listener);
    const { hint } = await (reasonOf(refused) as StrangerError).withCode(dialler);
    const code = /mesh approve (\S+)/.exec(hint!)![1]!;
    expect(await listener.passes.approve(code.toLowerCase().replace('-', ' '))).toBeDefined();
    const pass = (await dialler.approval())!;
    expect(pass).toEqual(approvalSecret(code));
    const [d] = await meet(dialler, listener, { pass });
    expect(d.status).toBe('fulfilled');
    expect(dialler.key.line).toBe(listener.key.line);
  });

  test('a member that was not told the code cannot make the newcomer take its key', async () => {
    // Its Tailscale says that the newcomer is one of ours; the newcomer's does not say so of it.
    const listener = await admissionOf(await tailnet(ME, ME));
    const dialler = await admissionOf(await tailnet(ME, YOU));
    const pass = approvalSecret(await dialler.showCode())!;
    const before = dialler.key.line;
    const [d] = await meet(dialler, listener, { pass });
    expect(reasonOf(d)).toMatchObject({ code: 'REFUSED' });
    expect(dialler.key.line).toBe(before);
  });

  test('a forgotten identity is refused with a good invite, and told why', async () => {
    const listener = await admissionOf(NO_TAILSCALE);
    const { secret } = await listener.passes.invite(60_000);
    const [d] = await meet(await admissionOf(NO_TAILSCALE), listener, {
      pass: secret,
      isBarred: true,
    });
    expect(reasonOf(d).message).toContain('forgotten');
  });
});

describe('after the key was replaced', () => {
  test('a member that was away comes back by its Tailscale login and has the new key', async () => {
    const [listener, away] = await twoMembers(await tailnet(ME, ME));
    await listener.key.rotate();
    const [d, l] = await meet(away, listener);
    expect([d.status, l.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(away.key.line).toBe(listener.key.line);
    expect(away.key.words()).toMatchObject({ generation: 1 });
  });

  test('the old key alone opens no door', async () => {
    const [listener, away] = await twoMembers(NO_TAILSCALE);
    await listener.key.rotate();
    const [d, l] = await meet(away, listener);
    expect(reasonOf(d)).toBeInstanceOf(StrangerError);
    expect(l).toEqual({ status: 'fulfilled', value: undefined });
  });

  test('a stranger of the same login cannot make a member take its key', async () => {
    const tailscale = await tailnet(ME, ME);
    const [, member] = await twoMembers(tailscale);
    const stranger = await admissionOf(tailscale, true);
    const before = member.key.line;
    const [d] = await meet(member, stranger);
    expect(reasonOf(d)).toMatchObject({ code: 'REFUSED' });
    expect(member.key.line).toBe(before);
  });
});

describe('a stranger', () => {
  test('gets one challenge and one refusal, and no other byte', async () => {
    const listener = await admissionOf(await tailnet(ME, YOU));
    const ends = await pair.stream();
    const stranger = new FrameStream(ends.dialler, MAX);
    const signal = AbortSignal.timeout(5000);
    const meeting: Meeting = {
      stream: new FrameStream(ends.listener, 1024),
      admission: listener,
      self: 'L' as PeerId,
      remote: 'D' as PeerId,
      endpoint: DIALLER,
      protocol: 1,
      signal,
      isBarred: false,
      face: () => faceOf('secret', listener),
    };
    const listening = helloAsListener(meeting, () => ({ bothDial: false, selfIsHigher: true }));
    const seen: (Hello | undefined)[] = [decodeHello((await stranger.read())!)];
    const nonce = new Uint8Array(32);
    // Another version, too: a stranger does not even learn that it does not fit.
    const claim = { protocol: 99, nonce, proof: nonce, fingerprint: '00000000', keyUsed: true };
    stranger.send(encodeHello({ kind: 'claim', ...claim }));
    expect(await listening).toBeUndefined();
    await meeting.stream.end(signal);
    for (let frame = await stranger.read(); frame; frame = await stranger.read()) {
      seen.push(decodeHello(frame));
    }
    expect(seen).toEqual([
      { kind: 'challenge', nonce: expect.any(Uint8Array) },
      { kind: 'refused', reason: 'stranger', fingerprint: undefined, protocol: undefined },
    ]);
  });

  test('that is forgotten is refused although it has the key', async () => {
    const home = await ground.home();
    const listener = await admissionIn(home, NO_TAILSCALE);
    const dialler = await admissionIn(await ground.home(home), NO_TAILSCALE);
    const [d, l] = await meet(dialler, listener, { isBarred: true });
    expect(reasonOf(d)).toBeInstanceOf(StrangerError);
    expect(l).toEqual({ status: 'fulfilled', value: undefined });
  });

  test('that listens cannot pass for a member: it has to prove the key as well', async () => {
    const dialler = await admissionOf(NO_TAILSCALE);
    const ends = await pair.stream();
    const liar = new FrameStream(ends.listener, MAX);
    liar.send(encodeHello({ kind: 'challenge', nonce: new Uint8Array(32) }));
    const face = faceOf('liar', dialler);
    const proof = new Uint8Array(32);
    liar.send(encodeHello({ kind: 'admitted', door: 'key', proof, key: undefined, face }));
    const meeting: Meeting = {
      stream: new FrameStream(ends.dialler, MAX),
      admission: dialler,
      self: 'D' as PeerId,
      remote: 'L' as PeerId,
      endpoint: LISTENER,
      protocol: 1,
      signal: AbortSignal.timeout(5000),
      isBarred: false,
      face: () => {
        throw new Error('no face for a liar');
      },
    };
    await expect(helloAsDialler(meeting)).rejects.toMatchObject({ code: 'REFUSED' });
    expect(dialler.key.used).toBe(false);
  });
});

function reasonOf(result: PromiseSettledResult<unknown>): Error {
  if (result.status === 'fulfilled') throw new Error('was not refused');
  return result.reason as Error;
}
