// The three commands that a person types, on two hosts with tailnet addresses: who is let in, and that both work.
import { setTimeout as delay } from 'node:timers/promises';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { JobSummary, PeersView } from '../../src/node/control/api.ts';
import type { Machine } from './harness/machine.ts';
import { MachineRoom } from './harness/machine-room.ts';
import { tailscaleOf, type TailnetNode } from './harness/tailscale-stub.ts';
import { until } from './harness/until.ts';
import { FIRST_IP, noTwoHostsBecause, SECOND_IP, TwoHosts } from './harness/two-hosts.ts';

const obstacle = await noTwoHostsBecause();
const mustRun = process.env['MESH_TEST_NAMESPACES'] === 'required';
const title =
  obstacle === undefined
    ? 'on two hosts'
    : `on two hosts (skipped, no network namespaces here: ${obstacle})`;

const AAPL = resolve(import.meta.dirname, '../../examples/aapl.json');
const OWNER = 'ada@example.com';
const studio: TailnetNode = { ip: FIRST_IP, name: 'studio', login: OWNER };
const mini: TailnetNode = { ip: SECOND_IP, name: 'mini', login: OWNER };
const MOVED_IP = '100.118.215.99';
const stranger: TailnetNode = { ...mini, login: 'mallory@example.com' };

describe.skipIf(obstacle !== undefined && !mustRun)(title, () => {
  let room: MachineRoom;
  let hosts: TwoHosts;

  beforeEach(async () => {
    hosts = await TwoHosts.open();
    room = await MachineRoom.open();
    return async () => {
      await room.close();
      await hosts.close();
    };
  });

  /** The two machines, each with what its own tailscale says; the first has begun a mesh. */
  async function machines(onFirst: TailnetNode[], onSecond: TailnetNode[]): Promise<Machine[]> {
    const first = room.machine('studio', {
      through: hosts.first.through,
      env: await tailscaleOf(join(room.path, 'bin-first'), onFirst),
    });
    const second = room.machine('mini', {
      through: hosts.second.through,
      env: await tailscaleOf(join(room.path, 'bin-second'), onSecond),
    });
    await first.join(['--slots', '2']);
    return [first, second];
  }

  /** A job from the second host; two slots there beside one here do about two thirds of it. */
  async function expectShared([, second]: Machine[]): Promise<void> {
    const spin = { version: 1, kernel: 'spin', tasks: 120, costMs: 25, mode: 'sleep', seed: 1 };
    const file = await room.file('spin.json', spin);
    const summary = await second!.json<JobSummary>(['submit', file]);
    expect(summary).toMatchObject({ state: 'done', tasks: 120, done: 120, failed: 0 });
    const done = (name: string) => summary.peers.find((peer) => peer.name === name)?.done ?? 0;
    expect(done('studio') + done('mini')).toBe(120);
    expect(done('studio')).toBeGreaterThan(60);
    expect(done('mini')).toBeGreaterThan(20);
  }

  test('the copied key lets the second in, and both work on its job', async () => {
    const both = await machines([], []);
    const [first, second] = both as [Machine, Machine];
    await second.takeKeyFrom(first);
    await second.join(['--slots', '1', '--peer', FIRST_IP]);
    await expectOneMesh(both);
    await expectShared(both);
  });

  test('the same Tailscale login on both lets the second in, and it receives the key', async () => {
    const both = await machines([studio, mini], [mini, studio]);
    const [first, second] = both as [Machine, Machine];
    await second.join(['--slots', '1', '--peer', FIRST_IP]);
    expect(await keyOf(second)).toBe(await keyOf(first));
    await expectOneMesh(both);
    await expectShared(both);
  });

  test('an invite lets the second in; put out, it is refused with the old key and the old login', async () => {
    const both = await machines([studio, mini], [mini, studio]);
    const [first, second] = both as [Machine, Machine];
    const { invite } = await first.json<{ invite: string }>(['invite']);
    await second.join(['--slots', '1', '--invite', invite]);
    await expectOneMesh(both);
    expect(await keyOf(second)).toBe(await keyOf(first));
    expect((await first.mesh(['peers', '--forget', 'mini'])).status).toBe(0);
    expect(await keyOf(second)).not.toBe(await keyOf(first));
    expect((await second.mesh(['stop'])).status).toBe(0);
    await until('the second node is gone', async () => !(await second.isRunning()));
    expect((await second.mesh(['join', '--peer', FIRST_IP])).status).toBe(7);
    // As another peer of the same machine: Tailscale knows it again.
    await rm(second.home, { recursive: true });
    expect((await second.mesh(['join', '--peer', FIRST_IP])).status).toBe(7);
  });

  test('the code that the refused second shows, typed at the first, lets it in', async () => {
    const both = await machines([], []);
    const [first, second] = both as [Machine, Machine];
    const words = ['join', '--name', 'mini', '--slots', '1', '--peer', FIRST_IP];
    const refused = await second.mesh(words);
    const code = /mesh approve (\S+)/.exec(refused.stderr)?.[1] ?? '';
    expect(refused.status).toBe(7);
    expect((await first.mesh(['approve', code])).status).toBe(0);
    expect((await second.mesh(words)).status).toBe(0);
    await expectOneMesh(both);
  });

  test('after mesh key require, the second is in with the key and unanswered without', async () => {
    const [first, second] = (await machines([studio, mini], [mini, studio])) as [Machine, Machine];
    expect((await first.mesh(['key', 'require'])).status).toBe(0);
    expect((await second.mesh(['join', '--peer', FIRST_IP, '--wait', '2s'])).status).toBe(3);
    const { invite } = await first.json<{ invite: string }>(['invite']);
    await second.join(['--slots', '1', '--invite', invite]);
    await expectOneMesh([first, second]);
  });

  test('a machine that changes its address is found at the new one, and works on', async () => {
    const [first, second] = (await machines([], [])) as [Machine, Machine];
    await second.takeKeyFrom(first);
    await second.join(['--slots', '1', '--peer', FIRST_IP]);
    await expectOneMesh([first, second]);
    await hosts.unplug(hosts.second);
    await hosts.plugIn({ ...hosts.second, ip: MOVED_IP });
    await until('mini is known at its new address', async () => {
      const { peers } = await first.peers();
      return peers.some(({ addr, state }) => addr === MOVED_IP && state === 'ok');
    });
    await expectShared([first, second]);
  });

  test('nine seconds without a packet lose nobody: a fresh connection does not wait for TCP', async () => {
    const [first, second] = (await machines([], [])) as [Machine, Machine];
    await second.takeKeyFrom(first);
    await second.join(['--slots', '1', '--peer', FIRST_IP]);
    await expectOneMesh([first, second]);
    await hosts.cut();
    const states = async (): Promise<readonly string[]> =>
      (await Promise.all([first, second].map((machine) => machine.peers()))).flatMap(({ peers }) =>
        peers.map(({ state }) => state),
      );
    const seen = new Set<string>();
    for (const cutMs = performance.now(); performance.now() - cutMs < 8_500; await delay(100)) {
      for (const state of await states()) seen.add(state);
    }
    expect([...seen].toSorted()).toEqual(['ok', 'suspect']);
    await hosts.heal();
    await until('both are heard again', async () => {
      for (const state of await states()) seen.add(state);
      return (await states()).every((state) => state === 'ok');
    });
    expect([...seen].toSorted()).toEqual(['ok', 'suspect']);
  });

  test('a host whose address comes up after its node is found at that address, and its data too', async () => {
    const [first, second] = (await machines([], [])) as [Machine, Machine];
    await second.takeKeyFrom(first);
    await hosts.unplug(hosts.second);
    // So slow that the other host ends the job as soon as it has the candles.
    await second.join(['--slots', '1', '--throttle', '0.01']);
    await hosts.plugIn(hosts.second);
    expect((await second.mesh(['join', '--peer', FIRST_IP])).status).toBe(0);
    const summary = await second.json<JobSummary>(['submit', AAPL]);
    expect(summary.peers.find(({ name }) => name === 'studio')?.share).toBeGreaterThan(0.5);
    await until('mini listens there', async () => (await second.status()).self.addr === SECOND_IP);
    await expectOneMesh([first, second]);
  });

  test.each([
    ['nobody vouches for it', [], []],
    ['it has another Tailscale login', [studio, stranger], [stranger, studio]],
    ['only it says that it has the same login', [studio], [mini, studio]],
    ['only the other side knows its login', [studio, mini], []],
  ])('without the key the second is refused and learns nothing: %s', async (_why, here, there) => {
    const [first, second] = (await machines(here, there)) as [Machine, Machine];
    const joining = await second.mesh(['join', '--name', 'mini', '--peer', FIRST_IP]);
    expect({ status: joining.status, stdout: joining.stdout }).toEqual({ status: 7, stdout: '' });
    expect(joining.stderr).toMatch(/^error: .+\n(?:  .+\n)?try: .+\n(?:  or there: .+\n)?$/);
    expect(await second.isRunning()).toBe(false);
    const learned = `${joining.stderr}\n${await everythingIn(second.home)}`;
    expect(learned).not.toContain('studio');
    expect(learned).not.toContain(await keyOf(first));
    expect(await membersOf(second)).toEqual([]);
    expect(await membersOf(first)).toEqual([]);
    expect((await first.json<PeersView>(['peers'])).peers.map(({ name }) => name)).toEqual([
      'studio',
    ]);
  });
});

async function expectOneMesh([first, second]: Machine[]): Promise<void> {
  for (const machine of [first!, second!]) {
    await machine.untilSees(['studio', 'mini']);
    const { peers } = await machine.json<PeersView>(['peers']);
    const seen = peers.map(({ name, addr, port, state }) => ({ name, addr, port, state }));
    expect(seen.toSorted((a, b) => b.name.localeCompare(a.name))).toEqual([
      { name: 'studio', addr: FIRST_IP, port: 7420, state: 'ok' },
      { name: 'mini', addr: SECOND_IP, port: 7420, state: 'ok' },
    ]);
  }
}

async function keyOf(machine: Machine): Promise<string> {
  return (await readFile(join(machine.home, 'key'), 'utf8')).trim();
}

async function membersOf(machine: Machine): Promise<unknown[]> {
  const text = await readFile(join(machine.home, 'members.json'), 'utf8').catch(() => '{}');
  return (JSON.parse(text) as { members?: unknown[] }).members ?? [];
}

async function everythingIn(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map((file) => readFile(join(file.parentPath, file.name), 'latin1'));
  return (await Promise.all(texts)).join('\n');
}
