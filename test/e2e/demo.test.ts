// The demo as a visitor runs it: everything it claims comes true, and nothing of it is left, however it ends.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { DemoReport } from '../../src/node/demo/verdict.ts';
import { MESH } from './cli-process.ts';

/** The demo's own temporary directory: what is left is seen, and so are its processes, by their --home. */
let place: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'mesh-e2e-demo-'));
});

afterEach(() => rm(place, { recursive: true, force: true }));

test('what the demo claims comes true, in little time, with the default port taken', async () => {
  const taken = await takeDefaultPort();
  try {
    const startedMs = performance.now();
    const { status, stdout, stderr } = await start('--fast', '--json').finished;
    const report = JSON.parse(stdout) as DemoReport;
    const untrue = report.claims.filter(({ isTrue }) => !isTrue);
    expect({ status, stderr, untrue }).toEqual({ status: 0, stderr: '', untrue: [] });
    expect(report.claims).toHaveLength(4);
    expect(report).toMatchObject({ v: 1, ok: true, resultsSha256: report.loopSha256 });
    expect(report.heldByKilled / report.tasks).toBeGreaterThan(0.05);
    expect(report.peers.map(({ name }) => name)).toEqual(['studio', 'mbp', 'mini', 'air']);
    expect(report.peers.reduce((sum, { done }) => sum + done, 0)).toBe(report.tasks);
    // Slots say that all are equal; work says who is fast, of those who lived.
    const lived = report.peers.filter(({ name, wasKilled }) => name !== 'mbp' && !wasKilled);
    expect(lived.length).toBeGreaterThan(1);
    expect(lived).toEqual(lived.toSorted((a, b) => b.workShare - a.workShare));
    // 15 s on two quiet cores; the bound is that of a machine that does other things.
    expect(performance.now() - startedMs).toBeLessThan(40_000);
  } finally {
    taken?.close();
  }
  await expectNothingLeft();
});

test('Ctrl-C takes all of it away', async () => {
  const demo = start();
  await vi.waitUntil(() => demo.stdout().includes('submitted on studio'), { timeout: 60_000 });
  expect(processesLeft()).not.toEqual([]);
  demo.child.kill('SIGINT');
  const { status, stdout, stderr } = await demo.finished;
  expect({ status, stderr }).toEqual({ status: 130, stderr: '' });
  expect(stdout).toContain('nothing of the demo is left');
  await expectNothingLeft();
});

test('peers of a demo that was killed end by themselves', async () => {
  const demo = start();
  await vi.waitUntil(() => demo.stdout().includes('found each other'), { timeout: 60_000 });
  demo.child.kill('SIGKILL');
  await demo.finished;
  await vi.waitUntil(() => processesLeft().length === 0, { timeout: 20_000 });
});

interface Demo {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly finished: Promise<{ status: number | null; stdout: string; stderr: string }>;
}

function start(...flags: readonly string[]): Demo {
  const child = spawn(process.execPath, [MESH, 'demo', ...flags], {
    env: { ...process.env, TMPDIR: place, MESH_HOME: join(place, 'unused') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = new Promise<{ status: number | null; stdout: string; stderr: string }>(
    (settle, reject) => {
      child.on('error', reject);
      child.on('close', (status) => settle({ status, stdout, stderr }));
    },
  );
  return { child, stdout: () => stdout, finished };
}

async function expectNothingLeft(): Promise<void> {
  expect(processesLeft()).toEqual([]);
  // Node's own cache of compiled code is no part of the demo.
  const left = (await readdir(place)).filter((name) => name !== 'node-compile-cache');
  expect(left).toEqual([]);
}

function processesLeft(): string[] {
  const all = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
  return all.split('\n').filter((line) => line.includes(`--home=${place}`));
}

/** Undefined: somebody else has it, which serves as well. */
function takeDefaultPort(): Promise<Server | undefined> {
  return new Promise((settle) => {
    const server = createServer();
    server.once('error', () => settle(undefined));
    server.listen(7420, '127.0.0.1', () => settle(server));
  });
}
