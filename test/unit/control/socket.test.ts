// The control socket end to end: a fake peer behind the real server, the real client before it.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { duplexPair } from 'node:stream';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobEvent } from '../../../src/node/control/api.ts';
import { ControlClient } from '../../../src/node/control/client.ts';
import { ControlServer } from '../../../src/node/control/server.ts';
import { controlSocketPath, probeSocket } from '../../../src/node/control/socket.ts';
import { MeshError } from '../../../src/node/errors.ts';
import type { LogLine } from '../../../src/node/logs/log-line.ts';
import { FakePeer, jobSummary, jobView, peersView, snapshot, statusView } from './fake-peer.ts';

let home: string;
let peer: FakePeer;
let server: ControlServer;
let client: ControlClient;
let faults: unknown[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'mesh-control-'));
  peer = new FakePeer();
  faults = [];
  server = await start(peer);
  client = await ControlClient.connect(home);
});

afterEach(async () => {
  await server.close({ graceMs: 0 });
  await rm(home, { recursive: true, force: true });
});

function start(handlers: FakePeer): Promise<ControlServer> {
  return ControlServer.start({
    socketPath: controlSocketPath(home),
    handlers,
    version: '9.8.7',
    onFault: (error) => faults.push(error),
  });
}

describe('a request for another peer', () => {
  test('is answered by that one, uploads and streams as well', async () => {
    const other = new FakePeer();
    await withOther(other, async (far) => {
      expect(await far.status()).toEqual(statusView());
      expect(far.peerVersion).toBe('1.2.3');
      await far.putBlob('a'.repeat(64), chunks(new Uint8Array(3 * 65_536)));
      expect(other.blobs.get('a'.repeat(64))?.byteLength).toBe(3 * 65_536);
      expect(await far.hasBlob('b'.repeat(64))).toBe(false);
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const stop = await far.observe({ intervalMs: 100 }, resolve);
      expect(await promise).toEqual(snapshot());
      stop();
      await expect.poll(() => other.observers.size).toBe(0);
    });
    expect(peer.blobs.size).toBe(0);
  });

  test('carries its refusals, and refuses what is that machine’s own', async () => {
    await withOther(new FakePeer(), async (far) => {
      expect(await failure(far.summary('nope', { top: 1 }))).toMatchObject({ code: 'NOT_FOUND' });
      for (const attempt of [far.key(), far.stop(), far.leave({ timeoutMs: 1 })]) {
        expect(await failure(attempt)).toMatchObject({ code: 'REFUSED', exitCode: 7 });
      }
    });
  });
});

describe('a request over the socket', () => {
  test('answers with the view and the version of the peer', async () => {
    expect(await client.peers()).toEqual(peersView());
    expect(client.peerVersion).toBe('9.8.7');
  });

  test('for live snapshots gets them one after the other, whole', async () => {
    const seen: unknown[] = [];
    const { promise: two, resolve } = Promise.withResolvers<void>();
    const stop = await client.observe({ intervalMs: 200 }, (event) => {
      seen.push(event);
      if (seen.length === 2) resolve();
    });
    for (const tell of peer.observers) tell(snapshot({ steals: [] }));
    await two;
    expect(seen).toEqual([snapshot(), snapshot({ steals: [] })]);
    expect(peer.asked).toContainEqual({ observe: { intervalMs: 200 } });
    stop();
    expect(await failure(client.observe({ intervalMs: 1 }, () => {}))).toMatchObject({
      code: 'USAGE',
    });
  });

  test('for the log gets its lines, letters of every language among them', async () => {
    const lines: LogLine[] = [];
    for await (const line of client.logs({ level: 'info', task: 7 })) lines.push(line);
    expect(lines.map(({ msg, reason }) => [msg, reason])).toEqual([
      ['started', undefined],
      ['a slot died', 'väll'],
    ]);
    expect(peer.asked).toContainEqual({ logs: { level: 'info', task: 7, follow: false } });
  });

  test('carries a MeshError with code, hint and exit status', async () => {
    const refusal = await failure(client.connect('100.1.2.3', 250));
    expect(refusal).toMatchObject({
      code: 'UNREACHABLE',
      exitCode: 3,
      message: '100.1.2.3 did not answer within 250 ms',
      hint: 'mesh status, on that machine',
    });
    expect(faults).toEqual([]);
  });

  test('reports a bug of the daemon as INTERNAL, and to the daemon', async () => {
    expect(await failure(client.leave({ timeoutMs: 1 }))).toMatchObject({ code: 'INTERNAL' });
    expect(faults).toHaveLength(1);
  });

  test('names the field of a submit that is out of bounds', async () => {
    const spec = { sha256: 'ab'.repeat(32), bytes: 3 };
    const job = { name: 'a', kernel: 'spin', spec, datasets: [], taskCount: 1 };
    expect(await client.submit(job)).toMatchObject({ job: 'j-7f3a', copies: 2 });
    expect(peer.asked).toEqual([job]);
    expect(await failure(client.submit({ ...job, taskCount: 0 }))).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('taskCount'),
    });
    expect(await failure(client.submit({ ...job, name: 'x'.repeat(600_000) }))).toMatchObject({
      message: 'bad request: body too long',
    });
  });

  test('passes selectors, filters and flags through the path unharmed', async () => {
    peer.jobViews = [jobView({ name: 'a b/ü?.json' })];
    const where = [{ column: 'trades', comparison: '>', value: 30 }] as const;
    await client.results('a b/ü?.json', { top: 5, sort: 'sharpe', where, labels: true });
    expect(peer.asked).toEqual([
      {
        job: 'j-7f3aq0w9e8',
        query: { top: 5, sort: 'sharpe', where, labels: true },
      },
    ]);
    expect(await failure(client.trades('nope', 3))).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('for a path that this version does not have says so', async () => {
    expect(await status('GET', '/v1/nothing')).toBe(404);
    expect(await status('DELETE', '/v1/jobs')).toBe(404);
    expect(await status('GET', '/v1/jobs/%E0%A4%A/summary')).toBe(400);
  });
});

test('a blob is uploaded once and found after that', async () => {
  const sha256 = 'cd'.repeat(32);
  const bytes = new Uint8Array(3_000_000).fill(7);
  expect(await client.hasBlob(sha256)).toBe(false);
  await client.putBlob(sha256, chunks(bytes));
  expect(await client.hasBlob(sha256)).toBe(true);
  expect(Buffer.compare(peer.blobs.get(sha256) ?? new Uint8Array(), bytes)).toBe(0);
});

describe('a watcher', () => {
  test('gets what was said before and after it subscribed, bit for bit, and ended last', async () => {
    const values = Float64Array.of(1.5, Number.NaN, -0, Number.POSITIVE_INFINITY);
    const rows: JobEvent = {
      kind: 'rows',
      columns: ['sharpe', 'trades'],
      tasks: [4, 9],
      values,
      failed: [9],
    };
    peer.firstEvents = [rows];
    const events = await collect('last', (listener) =>
      listener({ kind: 'ended', summary: jobSummary() }),
    );
    expect(events).toEqual([rows, { kind: 'ended', summary: jobSummary() }]);
    expect(peer.asked).toEqual([
      { job: 'j-7f3aq0w9e8', options: { rows: true, labels: false, top: 3 } },
    ]);
  });

  test('of a job that does not exist is refused', async () => {
    const watching = client.watch('nope', { rows: false, top: 1 }, () => {});
    expect(await failure(Promise.resolve(watching))).toMatchObject({
      code: 'NOT_FOUND',
      exitCode: 2,
    });
  });

  test('that stops is forgotten by the peer', async () => {
    const stop = await client.watch('last', { rows: false, top: 1 }, () => {
      throw new Error('told after it stopped');
    });
    expect(peer.listeners.size).toBe(1);
    stop();
    await until(() => peer.listeners.size === 0);
  });

  test('learns that the peer is gone', async () => {
    const told: JobEvent[] = [];
    await client.watch('last', { rows: false, top: 1 }, (event) => told.push(event));
    await server.close({ graceMs: 0 });
    await until(() => told.length > 0);
    expect(told).toMatchObject([{ kind: 'broken' }]);
    server = await start(peer);
  });

  test('that reads slowly loses snapshots but no row', async () => {
    const count = 40_000;
    const events = await collect('last', (listener) => {
      for (let from = 0; from < count; from += 100) {
        listener(frame(from));
        listener({ ...progress, done: from });
      }
      listener({ kind: 'ended', summary: jobSummary() });
    });
    const tasks = events.flatMap((event) => (event.kind === 'rows' ? event.tasks : []));
    expect(tasks).toEqual(Array.from({ length: count }, (_, task) => task));
    expect(events.at(-1)?.kind).toBe('ended');
    expect(events.filter((event) => event.kind === 'progress').length).toBeLessThan(count / 100);
  });
});

describe('the socket file', () => {
  test('is for its owner only', async () => {
    const path = controlSocketPath(home);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
  });

  test('of a live peer is not taken over', async () => {
    expect(await failure(start(new FakePeer()))).toMatchObject({ code: 'ALREADY_RUNNING' });
    expect(await client.peers()).toEqual(peersView());
  });

  test('left by a killed process is taken over', async () => {
    await server.close({ graceMs: 0 });
    const path = controlSocketPath(home);
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(await probeSocket(path)).toBe('stale');
    expect(await ControlClient.find(home)).toBeUndefined();
    server = await start(peer);
    expect(await probeSocket(path)).toBe('live');
  });

  test('that is absent means no node', async () => {
    await server.close({ graceMs: 0 });
    expect(await failure(ControlClient.connect(home))).toMatchObject({
      code: 'NO_NODE',
      exitCode: 3,
    });
    expect(await failure(client.peers())).toMatchObject({ code: 'NO_NODE' });
    server = await start(peer);
  });

  test('of a home with a long path gets a short one, the same every time', async () => {
    const long = `/tmp/${'x'.repeat(120)}`;
    expect(Buffer.byteLength(controlSocketPath(long))).toBeLessThanOrEqual(103);
    expect(controlSocketPath(long)).toBe(controlSocketPath(`${long}/`));
    expect(controlSocketPath(long)).not.toBe(controlSocketPath(`${long}y`));
  });
});

test('a server that talks nonsense is an error, not a crash', async () => {
  await server.close({ graceMs: 0 });
  const nonsense = createServer((socket) => {
    socket.resume().end('HTTP/1.1 500 x\r\n\r\n<html>');
  });
  await new Promise<void>((done) => {
    nonsense.listen(controlSocketPath(home), done);
  });
  expect(await failure(client.peers())).toMatchObject({ code: 'INTERNAL' });
  await new Promise((done) => {
    nonsense.close(done);
  });
  await rm(controlSocketPath(home), { force: true });
  server = await start(peer);
});

function frame(from: number): JobEvent {
  return {
    kind: 'rows',
    columns: Array.from({ length: 20 }, (_, at) => `c${at}`),
    tasks: Array.from({ length: 100 }, (_, at) => from + at),
    values: new Float64Array(2000).fill(from),
    failed: [],
  };
}

const progress = {
  kind: 'progress',
  job: 'j-7f3a',
  name: 'strategies.json',
  tasks: 4000,
  done: 0,
  failed: 0,
  cached: 0,
  elapsedMs: 5,
  donePerSec: 1,
  etaMs: null,
  peers: [],
} as const;

/** Watches with rows, lets `act` speak once, and resolves with everything heard when the job has ended. */
async function collect(
  job: string,
  act: (listener: (event: JobEvent) => void) => void,
): Promise<JobEvent[]> {
  const heard: JobEvent[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  await client.watch(job, { rows: true, top: 3 }, (event) => {
    heard.push(event);
    if (event.kind === 'ended' || event.kind === 'broken') resolve();
  });
  for (const listener of peer.listeners) act(listener);
  await ended;
  return heard;
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

async function failure(promise: Promise<unknown>): Promise<MeshError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MeshError);
  return error as MeshError;
}

function status(method: string, path: string): Promise<number | undefined> {
  return new Promise((settle, reject) => {
    const sent = request({ socketPath: controlSocketPath(home), method, path }, (response) => {
      response.resume();
      settle(response.statusCode);
    });
    sent.on('error', reject).end();
  });
}

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition).toBe(true);
}

/** Two control rooms in one process, joined by a pipe as two peers are by a stream. */
async function withOther(other: FakePeer, work: (far: ControlClient) => Promise<void>) {
  const farHome = join(home, 'far');
  const far = await ControlServer.start({
    socketPath: controlSocketPath(farHome),
    handlers: other,
    version: '1.2.3',
  });
  const nearHome = join(home, 'near');
  const near = await ControlServer.start({
    socketPath: controlSocketPath(nearHome),
    handlers: peer,
    version: '9.8.7',
    via: {
      resolve: (name) => (name === 'far' ? 'far-id' : undefined),
      open: async (_id, use) => {
        const [here, there] = duplexPair();
        far.answerMember(there);
        await use(here);
        here.destroy();
        there.destroy();
      },
    },
  });
  try {
    await work(await ControlClient.connect(nearHome, 'far'));
  } finally {
    await near.close({ graceMs: 0 });
    await far.close({ graceMs: 0 });
  }
}
