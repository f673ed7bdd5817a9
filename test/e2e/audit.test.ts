// One of three real peers lies on a third of its rows: the job of another ends with the rows of a plain loop, and
// its log names the liar.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobSummary } from '../../src/node/control/api.ts';
import type { LogLine } from '../../src/node/logs/log-line.ts';
import type { Machine } from './harness/machine.ts';
import { MachineRoom } from './harness/machine-room.ts';

const LIAR = resolve(import.meta.dirname, 'lying-peer.ts');
const JOB = { version: 1, kernel: 'spin', tasks: 600, costMs: 4, mode: 'sleep', seed: 3 };

let room: MachineRoom;

beforeEach(async () => {
  room = await MachineRoom.open();
});

afterEach(() => room.close());

test('a lying peer is quarantined, and its rows run again', { timeout: 60_000 }, async () => {
  const [studio, mini] = (await room.mesh(['studio', 'mini'], ['--slots', '2'])) as [
    Machine,
    Machine,
  ];
  const liar = room.machine('liar');
  await liar.takeKeyFrom(studio);
  const wish = { home: liar.home, name: 'liar', slots: 2, listen: '127.0.0.1', port: 0 };
  const peers = [await studio.place()];
  const child = spawn(process.execPath, [LIAR, JSON.stringify({ ...wish, peers })], {
    stdio: 'ignore',
  });
  try {
    await studio.untilSees(['studio', 'mini', 'liar']);
    await mini.untilSees(['studio', 'mini', 'liar']);
    const file = await room.file('spin.json', JOB);
    const summary = await studio.json<JobSummary>(['submit', file]);
    const alone = room.machine('alone');
    const truth = await alone.json<JobSummary>(['submit', file, '--audit', 'none']);
    expect(summary).toMatchObject({ state: 'done', done: 600, failed: 0, disputed: 0 });
    expect(summary.resultsSha256).toBe(truth.resultsSha256);
    const { stdout } = await studio.mesh(['logs', '--json', '--level', 'warn']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LogLine);
    const said = lines.map((line) => JSON.stringify(line)).join('\n');
    expect(said).toContain('it is quarantined');

    // The next life of the peer that caught it, and a job that the liar would be good for.
    await studio.kill();
    await studio.join([
      '--listen',
      '127.0.0.1',
      '--port',
      '0',
      '--slots',
      '2',
      '--peer',
      await mini.place(),
    ]);
    await studio.untilSees(['studio', 'mini']);
    const next = await studio.json<JobSummary>(['submit', file]);
    expect(next.resultsSha256).toBe(truth.resultsSha256);
    const shares = next.peers.filter(({ done }) => done > 0).map(({ name }) => name);
    expect(shares.toSorted()).toEqual(['mini', 'studio']);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit').catch(() => undefined);
  }
});

test('two peers with different rows: disputed, exit 4', { timeout: 60_000 }, async () => {
  const [studio] = (await room.mesh(['studio'], ['--slots', '2'])) as [Machine];
  const liar = room.machine('liar');
  await liar.takeKeyFrom(studio);
  const wish = { home: liar.home, name: 'liar', slots: 4, listen: '127.0.0.1', port: 0 };
  const peers = [await studio.place()];
  const child = spawn(process.execPath, [LIAR, JSON.stringify({ ...wish, peers })], {
    stdio: 'ignore',
  });
  try {
    await studio.untilSees(['studio', 'liar']);
    const words = ['submit', await room.file('spin.json', JOB), '--audit', 'all', '--json'];
    const { status, stdout } = await studio.mesh(words);
    const { disputed } = JSON.parse(stdout) as JobSummary;
    expect(status).toBe(4);
    expect(disputed).toBeGreaterThan(10);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit').catch(() => undefined);
  }
});
