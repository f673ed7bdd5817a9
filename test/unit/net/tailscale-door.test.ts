// The door without a key: what Tailscale says of both sides decides. The tool is a stub on a PATH of its own; the
// remote address is an argument, so tailnet addresses need no tailnet.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Admission, type CheckedClaim, type Crossing } from '../../../src/node/net/admission.ts';
import { MeshKey } from '../../../src/node/net/mesh-key.ts';
import { TailscaleTool } from '../../../src/node/net/tailscale-tool.ts';
import { belongsTo, Tailscale } from '../../../src/node/net/tailscale.ts';
import { Playground } from './test-peer.ts';

const ME = 'me@example.com';
const JOINER = { ip: '100.118.215.73', port: 51_000 };
const STATUS = {
  BackendState: 'Running',
  Self: { UserID: 1, TailscaleIPs: ['100.77.179.14'] },
  User: { 1: { ID: 1, LoginName: ME } },
  Peer: {
    'nodekey:1': {
      HostName: 'mini',
      DNSName: 'mini.tail1234.ts.net.',
      TailscaleIPs: ['100.118.215.73'],
      Online: true,
      CurAddr: '192.168.1.5:41641',
    },
    'nodekey:2': {
      HostName: 'air',
      TailscaleIPs: ['100.99.0.1'],
      Online: true,
      Active: true,
      Relay: 'fra',
    },
    'nodekey:3': { HostName: 'old', TailscaleIPs: ['100.99.0.2'], Online: false },
    'nodekey:4': {
      HostName: 'guest',
      TailscaleIPs: ['100.99.0.3'],
      Online: true,
      AltSharerUserID: 9,
    },
  },
};
const MINE = { Node: { Name: 'mini.tail1234.ts.net.' }, UserProfile: { LoginName: ME } };
const OTHERS = { Node: {}, UserProfile: { LoginName: 'you@example.com' } };
const STRANGER: CheckedClaim = {
  isProven: false,
  fingerprint: '00000000',
  keyUsed: false,
  isFormer: false,
  pass: undefined,
};
const ALONE: Crossing = { bothDial: false, selfIsHigher: true };

let ground: Playground;

beforeEach(async () => {
  ground = await Playground.open();
});

afterEach(() => ground.close());

async function admissionWith(
  whois: Record<string, object>,
  status: object = STATUS,
): Promise<Admission> {
  return Admission.open(await ground.home(), await ground.tailscale(status, whois));
}

describe("a member's verdict on a newcomer without the key", () => {
  test.each<[string, object, string]>([
    ['the same login', MINE, 'gift'],
    ['another login', OTHERS, 'stranger'],
    ['the same login, shared in', { ...MINE, Node: { Sharer: 7 } }, 'stranger'],
    [
      'the same login, known by a share only',
      { ...MINE, Node: { Hostinfo: { ShareeNode: true } } },
      'stranger',
    ],
    [
      'a tagged machine on a login mesh',
      { Node: { Tags: ['tag:x'] }, UserProfile: { LoginName: ME } },
      'stranger',
    ],
    ['an answer that makes no sense', { Node: 5 }, 'stranger'],
  ])('%s: %s', async (_who, whois, expected) => {
    const admission = await admissionWith({ [JOINER.ip]: whois });
    const verdict = await admission.judge(STRANGER, JOINER, ALONE);
    expect('door' in verdict ? verdict.door : verdict.reason).toBe(expected);
  });

  test('a share that only the status shows is refused too', async () => {
    const admission = await admissionWith({ '100.99.0.3': MINE });
    const verdict = await admission.judge(STRANGER, { ip: '100.99.0.3', port: 1 }, ALONE);
    expect(verdict).toEqual({ kind: 'refuse', reason: 'stranger' });
  });

  test('a tag of the tags under which the key was made opens', async () => {
    const tagged = { ...STATUS, Self: { UserID: 1, Tags: ['tag:mesh'] } };
    const admission = await admissionWith(
      { '100.99.0.1': taggedNode('tag:mesh'), '100.99.0.2': taggedNode('tag:web') },
      tagged,
    );
    const judge = (ip: string) => admission.judge(STRANGER, { ip, port: 1 }, ALONE);
    expect(await judge('100.99.0.1')).toEqual({ kind: 'admit', door: 'gift' });
    expect(await judge('100.99.0.2')).toEqual({ kind: 'refuse', reason: 'stranger' });
  });

  test('this very machine is not let in by Tailscale, and is not even looked up', async () => {
    const admission = await admissionWith({ '127.0.0.1': MINE });
    const verdict = await admission.judge(STRANGER, { ip: '127.0.0.1', port: 1 }, ALONE);
    expect(verdict).toEqual({ kind: 'refuse', reason: 'stranger' });
  });

  test('without the tool the door stays closed, and the key opens', async () => {
    const admission = await Admission.open(
      await ground.home(),
      new Tailscale([new TailscaleTool('', [])]),
    );
    expect(await admission.judge(STRANGER, JOINER, ALONE)).toMatchObject({ kind: 'refuse' });
    const proven = { ...STRANGER, isProven: true };
    expect(await admission.judge(proven, JOINER, ALONE)).toEqual({ kind: 'admit', door: 'key' });
  });

  test('the login counts that made the key, not the one that is logged in', async () => {
    const home = await ground.home();
    const key = await MeshKey.open(home);
    await key.recordOrigin({ login: 'you@example.com' });
    const admission = await Admission.open(
      home,
      await ground.tailscale(STATUS, { [JOINER.ip]: MINE }),
    );
    expect(await admission.judge(STRANGER, JOINER, ALONE)).toMatchObject({ kind: 'refuse' });
  });

  test('who names our key without proving it is a stranger, login or not', async () => {
    const admission = await admissionWith({ [JOINER.ip]: MINE });
    const liar = { ...STRANGER, fingerprint: admission.key.fingerprint };
    expect(await admission.judge(liar, JOINER, ALONE)).toMatchObject({ kind: 'refuse' });
  });
});

describe('two keys meet', () => {
  test.each<[string, boolean, boolean, Crossing, string]>([
    ['both unused: the dialler gives way', false, false, ALONE, 'gift'],
    ['mine is used: theirs gives way', true, false, ALONE, 'gift'],
    ['theirs is used: mine gives way', false, true, ALONE, 'take'],
    ['both used: an error that shows both', true, true, ALONE, 'keys'],
    [
      'both unused, both dial, mine is the higher id',
      false,
      false,
      { bothDial: true, selfIsHigher: true },
      'take',
    ],
    [
      'both unused, both dial, theirs is the higher id',
      false,
      false,
      { bothDial: true, selfIsHigher: false },
      'gift',
    ],
  ])('%s', async (_what, mineUsed, keyUsed, crossing, expected) => {
    const admission = await admissionWith({ [JOINER.ip]: MINE });
    if (mineUsed) await admission.key.markUsed();
    const verdict = await admission.judge({ ...STRANGER, keyUsed }, JOINER, crossing);
    expect('door' in verdict ? verdict.door : verdict.reason).toBe(expected);
  });

  test('both used and not the same login: a stranger, who learns no fingerprint', async () => {
    const admission = await admissionWith({ [JOINER.ip]: OTHERS });
    await admission.key.markUsed();
    const verdict = await admission.judge({ ...STRANGER, keyUsed: true }, JOINER, ALONE);
    expect(verdict).toEqual({ kind: 'refuse', reason: 'stranger' });
  });

  test('one key changes hands at a time', async () => {
    const admission = await admissionWith({});
    const release = admission.tryExchange();
    expect(admission.tryExchange()).toBeUndefined();
    release?.();
    expect(admission.tryExchange()).toBeDefined();
  });
});

describe("a joiner's verdict on the address that it dialled", () => {
  test.each<[string, object, boolean]>([
    ['the same login', MINE, true],
    ['another login', OTHERS, false],
    ['shared in', { ...MINE, Node: { Sharer: 7 } }, false],
  ])('%s: %s', async (_who, whois, expected) => {
    const admission = await admissionWith({ [JOINER.ip]: whois });
    expect(await admission.trusts(JOINER, 'gift')).toBe(expected);
  });

  test('a key in use is never given up, and loopback is never trusted', async () => {
    const admission = await admissionWith({ [JOINER.ip]: MINE, '127.0.0.1': MINE });
    expect(await admission.trusts({ ip: '127.0.0.1', port: 1 }, 'gift')).toBe(false);
    await admission.key.markUsed();
    expect(await admission.trusts(JOINER, 'gift')).toBe(false);
    expect(await admission.trusts(JOINER, 'take')).toBe(true);
  });
});

describe('asking the tool', () => {
  test('one question per address and half a minute, however many strangers knock', async () => {
    const tailscale = await ground.tailscale(STATUS, { [JOINER.ip]: MINE });
    for (let port = 1; port <= 20; port++) await tailscale.whois({ ip: JOINER.ip, port });
    const log = await readFile(join(ground.lastToolHome, 'asked'), 'utf8');
    expect(log.split('\n').filter((line) => line.startsWith('whois'))).toHaveLength(1);
    expect(log.split('\n').filter((line) => line.startsWith('status'))).toHaveLength(1);
  });

  test.each([
    [
      '100.118.215.73',
      'Tailscale says: mini (100.118.215.73) is online, direct → the machine is up, mesh is not running there',
    ],
    [
      '100.99.0.1',
      'Tailscale says: air (100.99.0.1) is online, relay fra → the machine is up, mesh is not running there',
    ],
    ['100.99.0.2', 'Tailscale says: old (100.99.0.2) is offline'],
    ['100.99.0.99', 'Tailscale says: 100.99.0.99 is no machine of this tailnet'],
  ])('%s: "%s"', async (ip, sentence) => {
    const tailscale = await ground.tailscale(STATUS, {});
    expect(await tailscale.describe(ip)).toBe(sentence);
  });

  test('logged out, it says so and vouches for nobody', async () => {
    const tailscale = await ground.tailscale({ ...STATUS, BackendState: 'NeedsLogin' }, {});
    expect(await tailscale.self()).toBeUndefined();
    expect(await tailscale.describe('100.99.0.1')).toContain('not connected (NeedsLogin)');
  });

  test('a node of unknown login belongs to no origin of unknown login', () => {
    const node = { login: undefined, tags: [], isShared: false };
    expect(belongsTo(node, { login: undefined })).toBe(false);
    expect(belongsTo(undefined, { login: ME })).toBe(false);
    expect(belongsTo(node, undefined)).toBe(false);
  });
});

function taggedNode(tag: string): object {
  return { Node: { Tags: [tag] }, UserProfile: { LoginName: 'tagged-devices' } };
}
