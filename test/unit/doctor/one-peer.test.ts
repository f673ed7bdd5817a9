// What the doctor says about one machine that no node of this home knows.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { examinePeer } from '../../../src/node/doctor/one-peer.ts';
import { lookAtSystem } from '../../../src/node/doctor/system.ts';
import { checkTailnetPeer } from '../../../src/node/doctor/tailnet.ts';

let place: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'mesh-one-peer-'));
});

afterEach(() => rm(place, { recursive: true, force: true }));

function system() {
  return lookAtSystem({ platform: 'linux', userHome: place, path: place, morePlaces: [] });
}

async function examined(who: string): Promise<readonly string[]> {
  return (await examinePeer(place, system(), who)).map(({ level, text }) => `${level}: ${text}`);
}

test('a port that somebody listens at, and one that nobody does', async () => {
  const server: Server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  expect(await examined(`127.0.0.1:${port}`)).toEqual([
    `ok: something listens at 127.0.0.1:${port}; mesh join --peer 127.0.0.1:${port}`,
    'ok: no Tailscale on this machine: only this network and copied keys',
  ]);
  await new Promise((done) => server.close(done));
  expect((await examined(`127.0.0.1:${port}`))[0]).toBe(
    `warning: 127.0.0.1:${port} is up, mesh does not run there`,
  );
});

test('a name that nobody has', async () => {
  expect((await examined('nobody.invalid'))[0]).toBe(
    'warning: no machine is called nobody.invalid',
  );
});

test.each(['two words', '127.0.0.1:99999', ''])(
  '"%s" is neither a peer nor a place',
  async (who) => {
    await expect(examinePeer(place, system(), who)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  },
);

function tailnetPeer(name: string, ip: string, more: object): object {
  return { DNSName: `${name}.tail.ts.net.`, TailscaleIPs: [ip], Online: true, ...more };
}

test.each([
  ['100.64.0.2', 'ok: Tailscale says that air is online'],
  ['100.64.0.3', 'warning: Tailscale says that mini is offline'],
  ['100.64.0.4', 'warning: far is reached through the relay fra: every steal waits for it'],
  ['100.64.0.5', 'warning: 100.64.0.5 is no machine of this tailnet'],
  ['192.168.1.4', undefined],
])('the tailnet on %s', async (addr, expected) => {
  const answer = {
    BackendState: 'Running',
    Peer: {
      a: tailnetPeer('air', '100.64.0.2', { Active: true, CurAddr: '1.2.3.4:5' }),
      b: tailnetPeer('mini', '100.64.0.3', { Online: false }),
      c: tailnetPeer('far', '100.64.0.4', { Active: true, CurAddr: '', Relay: 'fra' }),
    },
  };
  const file = join(place, 'tailscale');
  await writeFile(file, `#!/bin/sh\nprintf '%s' '${JSON.stringify(answer)}'\n`);
  await chmod(file, 0o755);
  const found = await checkTailnetPeer(system(), addr);
  expect(found.map(({ level, text }) => `${level}: ${text}`)).toEqual(
    expected === undefined ? [] : [expected],
  );
});
