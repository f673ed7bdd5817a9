// What a real mesh reaches: real daemons on this machine's loopback, each with a home and a cgroup of its own.
// Shares and makespans beside what the peers' own throughput allows; `--json` for machines.
//
//   node scripts/bench-mesh.ts [--json] [--only sleep,throttle,steal] [--rounds 5]
//
// The throttle case needs root and the cpu cgroup controller (v1 or v2); without them it says so and is left out.
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { JobSummary } from '../src/node/control/api.ts';
import { ControlClient } from '../src/node/control/client.ts';
import { CpuGroup } from './cpu-group.ts';

const MAIN = join(import.meta.dirname, '../src/node/main.ts');
const BENCH_PEER = join(import.meta.dirname, 'bench-peer.ts');

interface Peer {
  readonly name: string;
  readonly home: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly control: ControlClient;
}

interface Line {
  readonly what: string;
  readonly figure: string;
  readonly goal: string;
  readonly ok: boolean;
}

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: 'sleep,throttle,steal' },
    rounds: { type: 'string', default: '5' },
  },
});
const rounds = Number(flags.rounds);
const folder = mkdtempSync(join(tmpdir(), 'mesh-bench-'));
const peers: Peer[] = [];
const lines: Line[] = [];
let homes = 0;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

async function startPeer(
  name: string,
  slots: number,
  first: Peer | undefined,
  more: { readonly seeding?: boolean; readonly group?: CpuGroup } = {},
): Promise<Peer> {
  const home = join(folder, `home-${homes++}`);
  mkdirSync(home, { mode: 0o700 });
  if (first !== undefined) copyFileSync(join(first.home, 'key'), join(home, 'key'));
  const port = await freePort();
  const wish = {
    home,
    name,
    slots,
    port,
    seeding: more.seeding ?? true,
    peers: first ? [`127.0.0.1:${first.port}`] : [],
  };
  const child = spawn(process.execPath, [BENCH_PEER, JSON.stringify(wish)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (child.pid !== undefined) more.group?.add(child.pid);
  const control = await until(() => ControlClient.find(home));
  const peer: Peer = { name, home, port, child, control };
  peers.push(peer);
  if (first !== undefined)
    await until(async () => (await control.peers()).totals.peers > 1 || undefined);
  return peer;
}

async function until<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 600; tries++) {
    const found = await probe();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('a peer did not come up');
}

function stopPeers(): void {
  for (const peer of peers.splice(0)) peer.child.kill('SIGKILL');
}

interface Job {
  readonly tasks: number;
  readonly costMs: number;
  readonly mode: 'sleep' | 'spin';
}

let files = 0;

/** Submits through the real command line, and calls `atThird` once a third of the tasks is done. */
async function run(peer: Peer, job: Job, atThird?: () => void): Promise<JobSummary> {
  const file = join(folder, `job-${files++}.json`);
  writeFileSync(file, JSON.stringify({ version: 1, kernel: 'spin', seed: 1, ...job }));
  const before = new Set((await peer.control.jobs()).jobs.map((known) => known.jobId));
  const args = [MAIN, '--home', peer.home, 'submit', file, '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise((resolve) => child.once('close', resolve));
  if (atThird !== undefined) {
    await until(async () => {
      const { jobs } = await peer.control.jobs();
      const ours = jobs.find((known) => !before.has(known.jobId));
      return (ours !== undefined && ours.done >= job.tasks / 3) || undefined;
    });
    atThird();
  }
  await ended;
  return JSON.parse(output) as JobSummary;
}

function doneBy(summary: JobSummary, name: string): number {
  return summary.peers.find((peer) => peer.name === name)?.done ?? 0;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function benchSleep(): Promise<void> {
  const one = await startPeer('one', 12, undefined);
  const two = await startPeer('two', 10, one);
  const job: Job = { tasks: 300, costMs: 50, mode: 'sleep' };
  await run(two, { ...job, tasks: 44 });
  const runs: JobSummary[] = [];
  for (let i = 0; i < rounds; i++) runs.push(await run(two, job));
  const elapsedMs = median(runs.map((summary) => summary.elapsedMs));
  const counts = runs.map((summary) => doneBy(summary, 'one'));
  lines.push({
    what: '300 x 50 ms on 12 + 10 slots, median ms beside the bound 700',
    figure: `${elapsedMs.toFixed(0)} = ${(elapsedMs / 700).toFixed(3)} x`,
    goal: '<= 1.05 x',
    ok: elapsedMs <= 1.05 * 700,
  });
  lines.push({
    what: 'tasks of the 12 slots (optimal 160..168)',
    figure: counts.join(' '),
    goal: '158..170',
    ok: counts.every((count) => count >= 158 && count <= 170),
  });
  stopPeers();
}

/** Tasks per ms of one peer alone, over `tasks`. */
async function soloRate(peer: Peer, tasks: number): Promise<number> {
  const job: Job = { tasks, costMs: 10, mode: 'spin' };
  const summary = await run(peer, job);
  return tasks / summary.elapsedMs;
}

async function benchThrottle(): Promise<void> {
  const group = CpuGroup.make('mesh-bench');
  if (group === undefined) {
    lines.push({
      what: 'throttle after a third',
      figure: 'no cpu cgroup here',
      goal: '-',
      ok: true,
    });
    return;
  }
  try {
    const alone = await startPeer('alone', 1, undefined, { group });
    await soloRate(alone, 50);
    const full = await soloRate(alone, 300);
    group.limit(1 / 3);
    const slow = await soloRate(alone, 100);
    group.limit(1);
    stopPeers();
    const one = await startPeer('one', 1, undefined);
    await startPeer('two', 1, one, { group });
    const tasks = Math.round((full * 2 * 8_000) / 100) * 100;
    const job: Job = { tasks, costMs: 10, mode: 'spin' };
    await run(one, { ...job, tasks: 40 });
    const misses: number[] = [];
    const spans: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const before = tasks / 3;
      const summary = await run(one, job, () => group.limit(slow / full));
      group.limit(1);
      // Both at full speed for the first third, then one at its throttled rate.
      const restMs = (tasks - before) / (full + slow);
      const ideal = (before / 2 + slow * restMs) / tasks;
      misses.push(Math.abs(doneBy(summary, 'two') / tasks - ideal) * 100);
      spans.push(summary.elapsedMs / (before / (2 * full) + restMs));
    }
    lines.push({
      what: `share of a peer throttled to ${(slow / full).toFixed(2)} after a third: points off its solo throughput`,
      figure: `${median(misses).toFixed(1)} (${misses.map((miss) => miss.toFixed(1)).join(' ')})`,
      goal: '<= 3',
      ok: median(misses) <= 3,
    });
    lines.push({
      what: 'its makespan beside the bound from the solo figures',
      figure: `${median(spans).toFixed(3)} x`,
      goal: '<= 1.08 x',
      ok: median(spans) <= 1.08,
    });
  } finally {
    stopPeers();
    await group.remove();
  }
}

async function benchSteal(): Promise<void> {
  const job: Job = { tasks: 600, costMs: 10, mode: 'spin' };
  const spans: Record<'seeded' | 'stolen', number[]> = { seeded: [], stolen: [] };
  for (const [kind, seeding] of [
    ['seeded', true],
    ['stolen', false],
  ] as const) {
    const one = await startPeer('one', 1, undefined, { seeding });
    await startPeer('two', 1, one, { seeding });
    await run(one, { ...job, tasks: 40 });
    for (let i = 0; i < rounds; i++) spans[kind].push((await run(one, job)).elapsedMs);
    stopPeers();
  }
  const ratio = median(spans.stolen) / median(spans.seeded);
  lines.push({
    what: 'stealing alone beside seeding, makespan',
    figure: `${ratio.toFixed(3)} x (${median(spans.stolen).toFixed(0)} / ${median(spans.seeded).toFixed(0)} ms)`,
    goal: '<= 1.15 x',
    ok: ratio <= 1.15,
  });
}

try {
  const wanted = flags.only.split(',');
  if (wanted.includes('sleep')) await benchSleep();
  if (wanted.includes('throttle')) await benchThrottle();
  if (wanted.includes('steal')) await benchSteal();
} finally {
  stopPeers();
  rmSync(folder, { recursive: true, force: true });
}
if (flags.json) console.log(JSON.stringify({ v: 1, lines }));
else
  for (const line of lines)
    console.log(`${line.ok ? 'ok  ' : 'MISS'} ${line.what}: ${line.figure} (goal ${line.goal})`);
process.exit(lines.every((line) => line.ok) ? 0 : 1);
