// Things that go wrong on a mesh that runs: each says what and what to do, changes nothing, and ends soon.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { JobSummary, PeersView } from '../../src/node/control/api.ts';
import type { Machine } from './harness/machine.ts';
import { LOOPBACK, MachineRoom } from './harness/machine-room.ts';

const NET_PEER = resolve(import.meta.dirname, 'net-peer.ts');
const AAPL = resolve(import.meta.dirname, '../../examples/aapl.csv');
const NOBODY = '127.0.0.1:1';
/** ms for a command whose network gives no answer: what it was told to wait, and its own start and end. */
const SOON_MS = 20_000;

let room: MachineRoom;
/** A mesh of one that all these mistakes meet. */
let ada: Machine;
let spinFile: string;

beforeAll(async () => {
  room = await MachineRoom.open();
  ada = room.machine('ada');
  await ada.join([...LOOPBACK, '--slots', '1']);
  spinFile = await room.file('spin.json', {
    version: 1,
    kernel: 'spin',
    tasks: 20,
    costMs: 1,
    mode: 'sleep',
    seed: 1,
  });
  await copyFile(AAPL, join(room.path, 'aapl.csv'));
  await writeFile(
    join(room.path, 'torn.csv'),
    'date,open,high,low,close,volume\n2024-01-02,1,2,1,oops,5\n',
  );
});

afterAll(() => room.close());

/** Whatever went wrong, the mesh of one is as it was. */
afterEach(async () => {
  expect((await ada.peers()).peers.map(({ name, state }) => ({ name, state }))).toEqual([
    { name: 'ada', state: 'ok' },
  ]);
});

describe('a job file that is wrong is refused with its place, and no job exists', () => {
  const strategy = { name: 'dip', long: { enter: ['rsi(14) < 30'] } };
  const good = { version: 1, data: { file: 'aapl.csv' }, strategies: [strategy] };

  test.each([
    ['an unknown key', { ...good, strategies: [{ ...strategy, stopLos: 0.1 }] }, 'stopLoss'],
    [
      'an unknown indicator',
      { ...good, strategies: [{ ...strategy, long: { enter: ['emma(3) > 1'] } }] },
      'ema',
    ],
    ['no data file', { ...good, data: { file: 'nowhere.csv' } }, 'nowhere.csv'],
    ['a row of data that is none', { ...good, data: { file: 'torn.csv' } }, 'torn.csv:2'],
    ['no strategies', { ...good, strategies: [] }, 'strategies'],
  ])('%s', async (_what, job, hint) => {
    const file = await room.file('wrong.json', JSON.stringify(job, null, 2));
    const { status, stdout, stderr } = await ada.mesh(['submit', file]);
    expect({ status, stdout }).toEqual({ status: 65, stdout: '' });
    expect(stderr).toMatch(/(wrong\.json|torn\.csv):\d+/);
    expect(stderr).toContain(hint);
    expect(stderr).toContain('nothing was submitted');
    expect((await ada.jobs()).jobs).toEqual([]);
  });
});

describe('a node that runs stays as it is when the peer named to it', () => {
  test('does not answer: exit 3', async () => {
    const { status, stderr } = await ada.mesh(['join', '--peer', NOBODY, '--wait', '2s']);
    expect(status).toBe(3);
    expect(stderr).toContain(NOBODY);
  });

  test('has another key: exit 7', async () => {
    const eve = room.machine('eve');
    await eve.join([...LOOPBACK, '--slots', '1']);
    const { status, stderr } = await ada.mesh(['join', '--peer', await eve.place()]);
    expect(status).toBe(7);
    expect(stderr).not.toContain('eve');
    expect((await eve.peers()).peers).toHaveLength(1);
    await eve.mesh(['stop']);
  });
});

describe('a submit without a node that names a peer does not quietly work alone when that peer', () => {
  test('does not answer: exit 3', { timeout: SOON_MS + 10_000 }, async () => {
    await expectNoJobOf('cy', NOBODY, 3);
  });

  test('has another key: exit 7, at once', async () => {
    await expectNoJobOf('dee', await ada.place(), 7);
  });
});

test('a submit without a node finds a port where another peer of this machine has the usual one', async () => {
  const usual = await listenOnUsualPort();
  const { status, stdout } = await room
    .machine('fay')
    .mesh(['submit', spinFile, '--slots', '1', '--json']);
  usual?.close();
  expect(status).toBe(0);
  expect(JSON.parse(stdout) as JobSummary).toMatchObject({ state: 'done', done: 20 });
});

test('join at a peer of another release exits 8, names both protocols, and leaves no node', async () => {
  const newer = room.machine('newer');
  await mkdir(newer.home, { mode: 0o700 });
  const peer = spawn(process.execPath, [NET_PEER, newer.home, '127.0.0.1', '0', '1'], {
    env: { ...process.env, NET_PEER_PROTOCOL: '9' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(peer.stdout, 'data')) as [Buffer];
    const { port } = JSON.parse(line.toString().split('\n')[0]!) as { port: number };
    const older = room.machine('older');
    await older.takeKeyFrom(newer);
    const place = `127.0.0.1:${port}`;
    const { status, stdout, stderr } = await older.mesh(['join', ...LOOPBACK, '--peer', place]);
    expect({ status, stdout }).toEqual({ status: 8, stdout: '' });
    expect(stderr).toMatch(/speaks protocol 9, this peer speaks \d+/);
    expect(await older.isRunning()).toBe(false);
  } finally {
    peer.kill('SIGKILL');
  }
});

describe('join gives up on a place where', () => {
  let server: Server;
  const sockets: Socket[] = [];

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
  });

  test.each([
    ['somebody listens and says nothing', () => {}],
    ['another program answers', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('%s: exit 3, and nothing runs', async (_what, answer) => {
    server = createServer((socket) => {
      sockets.push(socket.on('error', () => {}));
      answer(socket);
    });
    const port = await listen(server, 0);
    const gil = room.machine('gil');
    const words = ['join', ...LOOPBACK, '--slots', '1', '--wait', '3s'];
    const beforeMs = performance.now();
    const { status, stderr } = await gil.mesh([...words, '--peer', `127.0.0.1:${port}`]);
    expect(performance.now() - beforeMs).toBeLessThan(SOON_MS);
    expect(status).toBe(3);
    expect(stderr).toContain(String(port));
    await expectNothingOf(gil);
  });
});

test('a key file that holds no key stops the join before anything runs', async () => {
  const hal = room.machine('hal');
  await mkdir(hal.home, { mode: 0o700 });
  await writeFile(join(hal.home, 'key'), 'not a key\n');
  const { status, stderr } = await hal.mesh(['join', ...LOOPBACK]);
  expect(status).toBe(65);
  expect(stderr).toMatch(/key is not a mesh key\ntry: .*mesh key show/);
  await expectNothingOf(hal);
});

test('a node whose process is stopped is reported by every command, exit 3, instead of waited for', async () => {
  const ivy = room.machine('ivy');
  await ivy.join([...LOOPBACK, '--slots', '1']);
  const { self } = await ivy.status();
  process.kill(self.pid, 'SIGSTOP');
  const commands = ['peers', 'jobs', 'status', 'watch', 'results', 'join', 'stop'];
  const ends = await Promise.all(
    [...commands.map((verb) => [verb]), ['submit', spinFile]].map((words) => ivy.mesh(words)),
  );
  process.kill(self.pid, 'SIGCONT');
  for (const { status, stdout, stderr } of ends) {
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toMatch(/^error: the node on this machine does not answer/);
  }
  expect((await ivy.json<PeersView>(['peers'])).peers).toHaveLength(1);
  expect((await ivy.jobs()).jobs).toEqual([]);
  await ivy.mesh(['stop']);
});

async function expectNoJobOf(name: string, peer: string, exit: number): Promise<void> {
  const machine = room.machine(name);
  const words = ['submit', spinFile, '--slots', '1', '--peer', peer];
  const { status, stdout, stderr } = await machine.mesh(words);
  expect({ status, stdout }).toEqual({ status: exit, stdout: '' });
  expect(stderr).toMatch(/^error: .+\n(?:  .+\n)?try: .+\n(?:  .+\n)?$/);
  await expectNothingOf(machine);
  await machine.join([...LOOPBACK, '--slots', '1']);
  expect((await machine.jobs()).jobs).toEqual([]);
  await machine.mesh(['stop']);
}

async function expectNothingOf(machine: Machine): Promise<void> {
  expect(await machine.isRunning()).toBe(false);
  const left = (await room.running()).filter((process) =>
    process.commandLine.includes(machine.home),
  );
  expect(left).toEqual([]);
}

/** Undefined when somebody else has it, which serves as well. */
async function listenOnUsualPort(): Promise<Server | undefined> {
  const server = createServer();
  return listen(server, 7420).then(
    () => server,
    () => undefined,
  );
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((settle, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => settle((server.address() as { port: number }).port));
  });
}
