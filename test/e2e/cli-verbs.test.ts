// Every verb as a process against a peer that answers what it is told to: what is printed where, and the exit
// status.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobEvent, ProgressEvent } from '../../src/node/control/api.ts';
import { ControlServer } from '../../src/node/control/server.ts';
import { controlSocketPath } from '../../src/node/control/socket.ts';
import { FakePeer, jobSummary, peersView, statusView } from '../unit/control/fake-peer.ts';
import { mesh, type Running, startMesh } from './cli-process.ts';

let home: string;
let peer: FakePeer;
let server: ControlServer;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'mesh-verbs-'));
  peer = new FakePeer();
  const { version } = JSON.parse(
    await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  server = await startServer(version);
});

afterEach(async () => {
  await server.close({ graceMs: 0 });
  await rm(home, { recursive: true, force: true });
});

function startServer(version: string): Promise<ControlServer> {
  return ControlServer.start({ socketPath: controlSocketPath(home), handlers: peer, version });
}

describe('a list', () => {
  test('on a pipe is TSV with raw numbers', async () => {
    const { status, stdout, stderr } = await mesh(['peers'], { home });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [head, first] = stdout.split('\n').map((line) => line.split('\t'));
    expect(first?.[head?.indexOf('share') ?? -1]).toBe('0.424');
    expect(head).toContain('rttMs');
    expect((await mesh(['jobs'], { home })).stdout.split('\n')[1]?.split('\t')[0]).toBe('j-7f3a');
  });

  test('with --json is the view itself', async () => {
    expect(JSON.parse((await mesh(['peers', '--json'], { home })).stdout)).toEqual(peersView());
    expect(JSON.parse((await mesh(['--json', 'status'], { home })).stdout)).toEqual(statusView());
  });

  test('whose reader is gone ends without a word', async () => {
    for (const words of [['peers'], ['peers', '-w', '100ms']]) {
      const running = startMesh(words, { home });
      running.child.stdout?.destroy();
      const { status, stderr } = await running.finished;
      expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: '' });
    }
  });

  test('with -q is silent', async () => {
    expect(await mesh(['peers', '-q'], { home })).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});

describe('results', () => {
  test('on a pipe are NDJSON, with --plain TSV', async () => {
    const { stdout } = await mesh(['results', 'j-7f3', '--where', 'sharpe>1', '--sort', 'sharpe'], {
      home,
    });
    expect(JSON.parse(stdout)).toEqual({ type: 'result', task: 0, metrics: { sharpe: null } });
    expect(peer.asked).toEqual([
      {
        job: 'j-7f3aq0w9e8',
        query: {
          labels: true,
          sort: 'sharpe',
          where: [{ column: 'sharpe', comparison: '>', value: 1 }],
        },
      },
    ]);
    expect((await mesh(['results', '--plain'], { home })).stdout).toBe('task\tsharpe\n0\t\n');
  });

  test('by peer in plain are count and address, nothing else', async () => {
    const { stdout } = await mesh(['results', 'last', '--by', 'peer', '--plain'], { home });
    expect(stdout).toBe('2300\t100.77.179.14\n1697\t100.77.179.15\n');
  });

  test('go to a file whole', async () => {
    const file = join(home, 'all.csv');
    const { status, stdout } = await mesh(['results', '-o', file], { home });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(await readFile(file, 'utf8')).toBe('task,sharpe\n0,\n');
  });

  test('of one task show its trades', async () => {
    const { stdout } = await mesh(['results', '--task', 's17', '--trades', '--json'], { home });
    expect(JSON.parse(stdout)).toEqual({ v: 1, trades: [] });
    expect(peer.asked).toEqual([{ job: 'j-7f3aq0w9e8', task: 17 }]);
  });

  test('by params on a pipe are TSV, a heatmap with --json is a matrix', async () => {
    peer.resultsView = {
      v: 1,
      job: 'j-7f3a',
      columns: ['task', 'sharpe'],
      rows: [
        [0, 1.5],
        [1, 2.5],
      ],
      labels: [1, 2].map((fast) => ({ name: 'cross', params: { fast, slow: 50 } })),
    };
    const { stdout } = await mesh(['results', '--by', 'params'], { home });
    expect(stdout.split('\n')[1]).toBe('fast=1\t1\t0\t1.5\t1.5\t1.5\t0');
    const map = await mesh(['results', '--heatmap', 'fast,slow', '--json'], { home });
    expect(JSON.parse(map.stdout)).toMatchObject({
      metric: 'sharpe',
      xs: [1, 2],
      ys: [50],
      cells: [[{ best: 1.5 }, { best: 2.5 }]],
    });
    expect((await mesh(['results', '--heatmap', 'fast'], { home })).status).toBe(2);
  });

  test('of a job that does not exist exit 2', async () => {
    const { status, stderr } = await mesh(['results', 'nope'], { home });
    expect(status).toBe(2);
    expect(stderr).toBe('error: no job "nope"\ntry: mesh jobs\n');
  });
});

test('cancel says what it cancelled, key shows the key alone', async () => {
  expect((await mesh(['cancel', 'last'], { home })).stdout).toBe('cancelled j-7f3aq0w9e8\n');
  expect(await mesh(['key', 'show'], { home })).toEqual({
    status: 0,
    stdout: 'secret\n',
    stderr: '',
  });
});

test('join on a running node adds the peer, or says why it cannot', async () => {
  const { status, stderr } = await mesh(['join', '--peer', '100.1.2.3', '--wait', '1s'], { home });
  expect(status).toBe(3);
  expect(stderr).toBe(
    'error: 100.1.2.3 did not answer within 1000 ms\ntry: mesh status, on that machine\n',
  );
  const again = await mesh(['join'], { home });
  expect(again.status).toBe(0);
  expect(again.stdout).toContain('a node runs here already (pid 4242)');
});

test('a bug behind the socket exits 1 with its sentence', async () => {
  const { status, stderr } = await mesh(['leave'], { home });
  expect(status).toBe(1);
  expect(stderr).toContain('error: a bug of ours');
});

test('another version of the running node is named, but not to scripts', async () => {
  await server.close({ graceMs: 0 });
  server = await startServer('9.9.9');
  expect((await mesh(['status'], { home })).stderr).toContain('the running node is mesh 9.9.9');
  expect((await mesh(['status', '--json'], { home })).stderr).toBe('');
});

describe('watch', () => {
  test.each([
    [{ state: 'done', failed: 0 }, 0],
    [{ state: 'done', failed: 3 }, 4],
    [{ state: 'cancelled', failed: 0 }, 5],
  ] as const)('of a job that ends as %o exits %d', async (change, expected) => {
    const summary = jobSummary(change);
    peer.firstEvents = [progress, { kind: 'ended', summary }];
    const { status, stdout, stderr } = await mesh(['watch', '--json'], { home });
    expect(status).toBe(expected);
    expect(JSON.parse(stdout)).toEqual(summary);
    expect(stderr).toBe('');
  });

  test('on a pipe prints rows as they come, then the summary; progress goes to stderr', async () => {
    const running = startMesh(['watch'], { home });
    await told(running, progress);
    await told(running, {
      kind: 'rows',
      columns: ['sharpe'],
      tasks: [7],
      values: Float64Array.of(Number.NaN),
      failed: [],
    });
    await expect
      .poll(running.stdout)
      .toBe('{"type":"result","task":7,"metrics":{"sharpe":null}}\n');
    await told(running, { kind: 'ended', summary: jobSummary({ failed: 0 }) });
    const { status, stdout, stderr } = await running.finished;
    expect(status).toBe(0);
    expect(JSON.parse(stdout.split('\n')[1] ?? '')).toMatchObject({
      type: 'summary',
      job: 'j-7f3a',
    });
    expect(stderr).toMatch(/^\d{4}-\d\d-\d\dT\S+Z j-7f3a 61% 2,437\/4,000 88\.0\/s 3 failed\n$/);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    'that gets %s detaches with exit %d, and the job goes on',
    async (signal, expected) => {
      const running = startMesh(['watch'], { home });
      await told(running, progress);
      await expect.poll(running.stderr).toContain('2,437');
      running.child.kill(signal);
      const { status, stderr } = await running.finished;
      expect(status).toBe(expected);
      expect(stderr).toContain('detached; job j-7f3a goes on (2,437/4,000 done)');
      expect(stderr).toContain('mesh watch j-7f3a');
      expect(stderr).not.toContain('at '.repeat(2));
      await expect.poll(() => peer.listeners.size).toBe(0);
    },
  );

  test('that waits longer than --timeout exits 6', async () => {
    const { status, stderr } = await mesh(['watch', '--timeout', '200ms'], { home });
    expect(status).toBe(6);
    expect(stderr).toContain('try: mesh watch j-7f3a');
  });

  test('whose node dies exits 3', async () => {
    const running = startMesh(['watch'], { home });
    await told(running, progress);
    await server.close({ graceMs: 0 });
    const { status, stderr } = await running.finished;
    expect(status).toBe(3);
    expect(stderr).toContain('error: the node went away');
    server = await startServer('0.1.0');
  });

  test('whose reader has enough exits 0 without a word about pipes', async () => {
    const running = startMesh(['watch'], { home });
    await watching();
    running.child.stdout?.destroy();
    const rows: JobEvent = {
      kind: 'rows',
      columns: ['sharpe'],
      tasks: Array.from({ length: 1000 }, (_, task) => task),
      values: new Float64Array(1000),
      failed: [],
    };
    for (const listener of peer.listeners) listener(rows);
    const { status, stderr } = await running.finished;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('submit', () => {
  const spin = { version: 1, kernel: 'spin', tasks: 3, costMs: 1, mode: 'sleep', seed: 1 };
  let file: string;

  beforeEach(async () => {
    file = join(home, 'spin.json');
    await writeFile(file, JSON.stringify(spin));
  });

  test('uploads what the peer lacks, and names it by its hash', async () => {
    expect(await mesh(['submit', file, '-d', '-q'], { home })).toEqual({
      status: 0,
      stdout: 'j-7f3a\n',
      stderr: '',
    });
    const [{ specText = '' } = {}] = peer.asked as { specText?: string }[];
    const sha256 = createHash('sha256').update(specText).digest('hex');
    expect(peer.blobs.size).toBe(0);
    expect(peer.asked).toEqual([
      {
        name: 'spin.json',
        kernel: 'spin',
        spec: { sha256, bytes: specText.length },
        specText,
        datasets: [],
        taskCount: 3,
      },
    ]);
  });

  test('detached says on stderr what to do next', async () => {
    const { stdout, stderr } = await mesh(['submit', file, '-d'], { home });
    expect(stdout).toBe('j-7f3a\n');
    expect(stderr).toContain('on the disks of 2 peers');
    expect(stderr).toContain('mesh watch j-7f3a');
    const { stdout: json } = await mesh(['submit', '-', '-d', '--json'], {
      home,
      stdin: JSON.stringify(spin),
    });
    expect(JSON.parse(json)).toEqual({ v: 1, job: 'j-7f3a', jobId: 'j-7f3aq0w9e8', copies: 2 });
  });

  test('follows the job to its end and exits as the job did', async () => {
    peer.firstEvents = [progress, { kind: 'ended', summary: jobSummary() }];
    const { status, stdout } = await mesh(['submit', file, '--json', '--name', 'mine'], { home });
    expect(status).toBe(4);
    expect(JSON.parse(stdout)).toEqual(jobSummary());
    expect(peer.asked).toMatchObject([{ name: 'mine' }, { options: { rows: false, top: 10 } }]);
  });

  test('writes all results to a file when the job has ended', async () => {
    peer.firstEvents = [{ kind: 'ended', summary: jobSummary({ failed: 0 }) }];
    const out = join(home, 'all.json');
    const { status } = await mesh(['submit', file, '-o', out, '-q'], { home });
    expect(status).toBe(0);
    expect(JSON.parse(await readFile(out, 'utf8'))).toMatchObject({ columns: ['task', 'sharpe'] });
  });

  test('that gets Ctrl-C leaves the job to the node', async () => {
    const running = startMesh(['submit', file], { home });
    await told(running, progress);
    await expect.poll(running.stderr).toContain('2,437');
    running.child.kill('SIGINT');
    const { status, stderr } = await running.finished;
    expect(status).toBe(130);
    expect(stderr).toContain('detached; job j-7f3a goes on');
  });

  test('with --max-fails cancels the job when too many have failed, and exits 5', async () => {
    const running = startMesh(['submit', file, '--max-fails', '2'], { home });
    await told(running, progress);
    await expect.poll(() => peer.asked).toContainEqual({ cancel: 'j-7f3aq0w9e8' });
    const summary = jobSummary({ state: 'cancelled' });
    await told(running, { kind: 'ended', summary });
    const { status, stderr } = await running.finished;
    expect(status).toBe(5);
    expect(stderr).toContain('stopped: 3 of 4,000 backtests failed (--max-fails 2)');
  });

  test('with --cancel-on-interrupt takes Ctrl-C for the end of the job, and exits 5', async () => {
    const running = startMesh(['submit', file, '--cancel-on-interrupt', '--json'], { home });
    await watching();
    running.child.kill('SIGINT');
    await expect.poll(() => peer.asked).toContainEqual({ cancel: 'j-7f3aq0w9e8' });
    await told(running, { kind: 'ended', summary: jobSummary({ state: 'cancelled' }) });
    const { status, stdout } = await running.finished;
    expect(status).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'cancelled' });
  });

  test('with --where asks for the best of what passes', async () => {
    peer.firstEvents = [{ kind: 'ended', summary: jobSummary({ failed: 0 }) }];
    await mesh(['submit', file, '--json', '--where', 'trades>30', '--sort', 'cagr'], { home });
    const where = [{ column: 'trades', comparison: '>', value: 30 }];
    expect(peer.asked.at(-1)).toMatchObject({ options: { where, sort: 'cagr', top: 10 } });
  });

  test('with --embed always is refused where a node runs', async () => {
    const { status, stderr } = await mesh(['submit', file, '--embed', 'always'], { home });
    expect(status).toBe(1);
    expect(stderr).toContain('a node runs in this home');
  });
});

const progress: ProgressEvent = {
  kind: 'progress',
  job: 'j-7f3a',
  name: 'strategies.json',
  tasks: 4000,
  done: 2437,
  failed: 3,
  cached: 0,
  elapsedMs: 28_000,
  donePerSec: 88,
  etaMs: 18_000,
  peers: [],
};

/** Until a process watches; a process that ended instead says why. */
async function watching(): Promise<void> {
  await expect.poll(() => peer.listeners.size, { timeout: 10_000 }).toBe(1);
}

async function told(_running: Running, event: JobEvent): Promise<void> {
  await watching();
  for (const listener of peer.listeners) listener(event);
}
