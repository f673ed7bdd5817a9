// The life of a real node as a person drives it: join, look, submit, leave; and the ways in which join fails,
// each of which leaves nothing running.
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isAlive } from '../../src/node/alive.ts';
import type { JobSummary, PeersView, StatusView } from '../../src/node/control/api.ts';
import { controlSocketPath, probeSocket } from '../../src/node/control/socket.ts';
import { type Finished, mesh, startMesh } from './cli-process.ts';

const JOIN = ['join', '--listen', '127.0.0.1', '--port', '0', '--slots', '1'];

let place: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'mesh-join-'));
});

afterEach(async () => {
  for (const name of ['a', 'b']) await mesh(['stop', '-q'], { home: home(name) });
  await rm(place, { recursive: true, force: true });
});

function home(name: string): string {
  return join(place, name);
}

async function json<T>(words: readonly string[], name: string): Promise<T> {
  const { stdout } = await mesh([...words, '--json'], { home: home(name) });
  return JSON.parse(stdout) as T;
}

async function addressOf(name: string): Promise<string> {
  const { self } = await json<StatusView>(['status'], name);
  return `${self.addr}:${self.port}`;
}

async function copyKey(from: string, to: string): Promise<void> {
  await mkdir(home(to), { mode: 0o700 });
  await copyFile(join(home(from), 'key'), join(home(to), 'key'));
}

async function statesSeenBy(name: string): Promise<readonly string[]> {
  return (await json<PeersView>(['peers'], name)).peers.map(({ state }) => state);
}

/** What is left of a node while the threads of its killed process end: calls are taken, and cut off. */
async function dyingNode(name: string): Promise<void> {
  const path = controlSocketPath(home(name));
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const server = createServer((caller) => {
    caller.once('data', () => {
      caller.destroy();
      server.close();
    });
  });
  await new Promise<void>((settle) => {
    server.listen(path, settle);
  });
}

async function expectNothingRuns(name: string): Promise<void> {
  expect(await probeSocket(controlSocketPath(home(name)))).not.toBe('live');
}

test('a node starts in the background, is there for the next command, and stops', async () => {
  const first = await mesh([...JOIN, '--name', 'alpha'], { home: home('a') });
  expect(first).toMatchObject({ status: 0, stderr: '' });
  expect(first.stdout).toContain('alpha started a new mesh of one');
  expect(first.stdout).toContain(`mesh join --peer ${await addressOf('a')}`);

  const again = await mesh(['join'], { home: home('a') });
  expect(again.status).toBe(0);
  expect(again.stdout).toContain('a node runs here already');

  const { self } = await json<StatusView>(['status'], 'a');
  expect(await mesh(['stop'], { home: home('a') })).toMatchObject({
    status: 0,
    stdout: 'stopped\n',
  });
  expect(await isAlive(self.pid)).toBe(false);
});

test('a second machine with the key joins, takes part, leaves', async () => {
  await mesh([...JOIN, '--name', 'alpha'], { home: home('a') });
  await copyKey('a', 'b');
  const peer = await addressOf('a');
  const joined = await mesh([...JOIN, '--name', 'beta', '--peer', peer], { home: home('b') });
  expect(joined).toMatchObject({ status: 0, stderr: '' });
  expect(joined.stdout).toContain('beta joined the mesh');
  expect(joined.stdout).toContain('found 1 peer: alpha 1 slot');
  for (const name of ['a', 'b']) {
    const { peers } = await json<PeersView>(['peers'], name);
    expect(peers.map((view) => view.name).toSorted()).toEqual(['alpha', 'beta']);
  }
  const left = await mesh(['leave'], { home: home('b') });
  expect(left).toMatchObject({ status: 0 });
  await expectNothingRuns('b');
});

test('a node starts where another has just been killed', async () => {
  await dyingNode('a');
  const { status, stdout } = await mesh([...JOIN, '--name', 'alpha'], { home: home('a') });
  expect(status).toBe(0);
  expect(stdout).toContain('alpha started a new mesh of one');
});

describe('join', () => {
  test('exits 3 when nobody answers, and leaves no node', async () => {
    const { status, stderr } = await mesh([...JOIN, '--peer', '127.0.0.1:1', '--wait', '2s'], {
      home: home('a'),
    });
    expect(status).toBe(3);
    expect(stderr).toContain('127.0.0.1:1');
    await expectNothingRuns('a');
  });

  test('exits 7 when the key is another one, and leaves no node', async () => {
    await mesh(JOIN, { home: home('a') });
    const { status, stderr } = await mesh([...JOIN, '--peer', await addressOf('a')], {
      home: home('b'),
    });
    expect(status).toBe(7);
    expect(stderr).toMatch(/key/);
    await expectNothingRuns('b');
  });

  test('exits 9 when the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((listening) => {
      other.listen(0, '127.0.0.1', listening);
    });
    const address = other.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const words = ['join', '--listen', '127.0.0.1', '--slots', '1', '--port', port];
    const { status, stderr } = await mesh(words, { home: home('a') });
    other.close();
    expect(status).toBe(9);
    expect(stderr).toContain(port);
    await expectNothingRuns('a');
  });

  test('--foreground ends peacefully on SIGTERM', async () => {
    const running = startMesh([...JOIN, '--foreground'], { home: home('a') });
    await expect.poll(running.stdout, { timeout: 20_000 }).toContain('started a new mesh');
    running.child.kill('SIGTERM');
    expect((await running.finished).status).toBe(0);
    await expectNothingRuns('a');
  });
});

test('with --keep-trying a node whose peer is away stays, and finds it when it comes', async () => {
  await mesh([...JOIN, '--name', 'alpha'], { home: home('a') });
  const peer = await addressOf('a');
  await copyKey('a', 'b');
  await mesh(['stop'], { home: home('a') });
  const words = [...JOIN, '--name', 'beta', '--peer', peer, '--wait', '1s', '--keep-trying'];
  const { status, stderr } = await mesh(words, { home: home('b') });
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: expect.stringMatching(/does not answer.*; the node goes on trying\n$/s) as string,
  });
  const port = peer.replace(/.*:/, '');
  await mesh(['join', '--listen', '127.0.0.1', '--port', port, '--slots', '1'], {
    home: home('a'),
  });
  await expect.poll(() => statesSeenBy('b'), { timeout: 30_000 }).toEqual(['ok', 'ok']);
});

test('a node and a submit without one are what config.json and the environment say', async () => {
  await mkdir(home('a'), { mode: 0o700 });
  const config = { name: 'settled', slots: 3, listen: '127.0.0.1', port: 0 };
  await writeFile(join(home('a'), 'config.json'), JSON.stringify(config));
  const env = { MESH_SLOTS: '2' };
  expect(await mesh(['join'], { home: home('a'), env })).toMatchObject({ status: 0, stderr: '' });
  const { peers } = await json<PeersView>(['peers'], 'a');
  expect(peers.map(({ name, slots }) => [name, slots])).toEqual([['settled', 2]]);
  await mesh(['stop'], { home: home('a') });

  const spin = { version: 1, kernel: 'spin', tasks: 4, costMs: 1, mode: 'sleep', seed: 1 };
  await writeFile(join(place, 'four.json'), JSON.stringify(spin));
  const summary = await json<JobSummary>(['submit', join(place, 'four.json')], 'a');
  expect(summary.peers.map(({ name, slots }) => [name, slots])).toEqual([['settled', 3]]);

  await writeFile(join(home('a'), 'config.json'), '{"slot": 3}');
  const wrong = await mesh(['join'], { home: home('a') });
  expect(wrong.status).toBe(65);
  expect(wrong.stderr).toContain(
    'config.json:1:2 error: unknown key "slot" (did you mean "slots"?)',
  );
  await expectNothingRuns('a');
});

test('a machine that joined with --no-work submits, and computes nothing', async () => {
  await mesh([...JOIN, '--name', 'alpha'], { home: home('a') });
  await copyKey('a', 'b');
  const words = [...JOIN, '--name', 'beta', '--no-work', '--peer', await addressOf('a')];
  expect(await mesh(words, { home: home('b') })).toMatchObject({ status: 0, stderr: '' });
  const spin = { version: 1, kernel: 'spin', tasks: 40, costMs: 5, mode: 'sleep', seed: 1 };
  await writeFile(join(place, 'lent.json'), JSON.stringify(spin));
  const summary = await json<JobSummary>(['submit', join(place, 'lent.json')], 'b');
  const shares = summary.peers.filter(({ done }) => done > 0).map(({ name, done }) => [name, done]);
  expect(shares).toEqual([['alpha', 40]]);
  const { peers } = await json<PeersView>(['peers'], 'b');
  expect(peers.find(({ name }) => name === 'beta')?.state).toBe('draining');
});

test('SIGTERM gives queue and jobs to the others before the node ends', async () => {
  await mesh([...JOIN, '--name', 'alpha'], { home: home('a') });
  await copyKey('a', 'b');
  await mesh([...JOIN, '--name', 'beta', '--peer', await addressOf('a')], { home: home('b') });
  const spin = { version: 1, kernel: 'spin', tasks: 80, costMs: 50, mode: 'sleep', seed: 1 };
  await writeFile(join(place, 'long.json'), JSON.stringify(spin));
  await mesh(['submit', join(place, 'long.json'), '-d', '-q'], { home: home('a') });
  const { self } = await json<StatusView>(['status'], 'a');
  process.kill(self.pid, 'SIGTERM');
  await expect.poll(() => isAlive(self.pid), { timeout: 20_000 }).toBe(false);
  const summary = await json<JobSummary>(['watch', 'last'], 'b');
  expect(summary).toMatchObject({ tasks: 80, done: 80, failed: 0 });
  const { stdout } = await mesh(['logs', '--job', 'long.json', '--json'], { home: home('b') });
  expect(stdout).not.toBe('');
  const lines = (await mesh(['logs', '--json'], { home: home('a') })).stdout.trim().split('\n');
  const left = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'left on SIGTERM');
  expect(left).toMatchObject({ heirs: ['beta'] });
  expect(left.handedOver).toBeGreaterThan(0);
});

describe('submit without a node', () => {
  beforeEach(async () => {
    const spin = { version: 1, kernel: 'spin', tasks: 100, costMs: 20, mode: 'sleep', seed: 1 };
    await writeFile(join(place, 'spin.json'), JSON.stringify(spin));
  });

  test('is a peer itself until the job has ended', async () => {
    const { status, stdout, stderr } = await submitEmbedded().finished;
    expect(status).toBe(0);
    expect(stdout.split('\n')).toHaveLength(102);
    expect(stderr).toContain('no mesh node runs here');
    await expectNothingRuns('b');
  });

  test('alone, a Ctrl-C saves the job for the next node', async () => {
    const submit = submitEmbedded();
    await expect.poll(submit.stderr, { timeout: 20_000 }).toMatch(/ [1-9]\d% /);
    submit.stop();
    const { status, stderr } = await submit.finished;
    expect(status).toBe(130);
    expect(stderr).toContain('nobody to hand over to; saved. Continue: mesh join');
    await mesh(JOIN, { home: home('b') });
    const summary = await json<JobSummary>(['watch', 'last'], 'b');
    expect(summary).toMatchObject({ state: 'done', tasks: 100, done: 100 });
  });

  test('with others, a Ctrl-C hands the job over', async () => {
    await mesh(JOIN, { home: home('a') });
    await copyKey('a', 'b');
    const submit = submitEmbedded('--peer', await addressOf('a'));
    await expect.poll(submit.stderr, { timeout: 20_000 }).toMatch(/ [1-9]\d% /);
    submit.stop();
    const { status, stderr } = await submit.finished;
    expect(status).toBe(130);
    expect(stderr).toContain('(Ctrl-C again drops them)');
    const summary = await json<JobSummary>(['watch', 'last'], 'a');
    expect(summary).toMatchObject({ state: 'done', tasks: 100, done: 100 });
  });
});

function submitEmbedded(...flags: string[]): {
  finished: Promise<Finished>;
  stop: () => void;
  stderr: () => string;
} {
  const words = ['submit', join(place, 'spin.json'), '--slots', '1', ...flags];
  const { finished, child, stderr } = startMesh(words, { home: home('b') });
  return { finished, stderr, stop: () => child.kill('SIGINT') };
}
