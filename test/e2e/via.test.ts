// Two running machines: what one of them answers for the other, over the mesh.
import { chmod, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobSummary, PeersView, StatusView } from '../../src/node/control/api.ts';
import type { LogLine } from '../../src/node/logs/log-line.ts';
import type { Machine } from './harness/machine.ts';
import { MachineRoom } from './harness/machine-room.ts';
import { until } from './harness/until.ts';

let room: MachineRoom;
let near: Machine;
let far: Machine;

beforeAll(async () => {
  room = await MachineRoom.open();
  const machines = await room.mesh(['near', 'far'], ['--slots', '1']);
  [near, far] = machines as [Machine, Machine];
});

afterAll(() => room.close());

test('--via lets another peer answer, by name, address or the end of its id', async () => {
  const { self } = await far.status();
  for (const name of ['far', self.id.slice(-8), `${self.addr}:${self.port}`]) {
    expect((await near.json<StatusView>(['status', '--via', name])).self.id).toBe(self.id);
  }
  expect((await near.json<PeersView>(['peers', '--via', 'far'])).self).toBe(self.id);
  expect((await near.json<StatusView>(['status', '--via', 'near'])).self.name).toBe('near');
});

test('a job submitted through another peer is owned there, data and all', async () => {
  const file = await room.file('aapl.json', await jobOnItsOwnCandles());
  const summary = await near.json<JobSummary>(['submit', file, '--via', 'far', '--name', 'lent']);
  expect(summary).toMatchObject({ done: 12, failed: 0 });
  // The other peer hears of the end a moment later.
  await expect
    .poll(async () => (await near.jobs()).jobs.find(({ name }) => name === 'lent'))
    .toMatchObject({ owner: 'far', state: 'done' });
  const rows = await near.json<{ rows: unknown[] }>(['results', summary.job, '--via', 'far']);
  expect(rows.rows).toHaveLength(12);
});

test('a spec that is not what its hash says makes no job', async () => {
  const specText = '{"v":1}';
  const spec = { sha256: 'a'.repeat(64), bytes: specText.length };
  const request = { name: 'forged', kernel: 'spin', spec, specText, datasets: [], taskCount: 1 };
  await expect((await near.node()).submit(request)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: 'the bytes of the spec are not those that its SHA-256 names',
  });
  expect((await near.jobs()).jobs.map(({ name }) => name)).not.toContain('forged');
});

test('the doctor sees the other peer, its clock among the rest, and is content', async () => {
  const { ok, findings } = await near.json<{ ok: boolean; findings: { id: string }[] }>(['doctor']);
  expect(ok).toBe(true);
  expect(findings).toContainEqual({ id: 'peers', level: 'ok', text: '1 of 1 peer reachable' });
  expect(findings).toContainEqual(expect.objectContaining({ id: 'clocks', level: 'ok' }));
  const keyFile = `${near.home}/key`;
  await chmod(keyFile, 0o644);
  const { status, stdout } = await near.mesh(['doctor']);
  await chmod(keyFile, 0o600);
  expect(status).toBe(1);
  expect(stdout).toContain(`→ chmod 600 '${keyFile}'`);
});

test('the log of both machines tells of the job, from either of them', async () => {
  const { jobs } = await near.jobs();
  const job = jobs.find(({ name }) => name === 'lent');
  const words = ['logs', '--job', job?.id ?? '', '--all'];
  const { stdout } = await near.mesh(words);
  const lines = stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as LogLine);
  for (const mesh of ['near', 'far']) {
    expect(lines).toContainEqual(expect.objectContaining({ mesh, msg: 'a job ended', done: 12 }));
  }
  expect(lines.map(({ time }) => time)).toEqual(
    lines.map(({ time }) => time).toSorted((a, b) => a - b),
  );
  const other = await near.mesh(['logs', '--peer', 'far']);
  expect(other.stdout).toContain('"name":"far"');
  const later = await near.mesh(['logs', '--since', '1ms']);
  expect(later).toEqual({ status: 0, stdout: '', stderr: '' });
  expect((await near.mesh(['logs', '--path'])).stdout).toBe(`${near.home}/logs/node.ndjson\n`);
});

test('a log that is followed tells what comes, until Ctrl-C', async () => {
  const following = near.start(['logs', '-f', '--peer', 'far']);
  await until('the past is told', () => following.stdout().includes('"started"'));
  const file = await room.file('spin.json', {
    version: 1,
    kernel: 'spin',
    tasks: 1,
    costMs: 1,
    mode: 'sleep',
    seed: 1,
  });
  await near.mesh(['submit', file, '--name', 'followed', '-q']);
  await until('the job is told', () => following.stdout().includes('"followed"'));
  following.child.kill('SIGINT');
  expect(await following.finished).toMatchObject({ status: 0, stderr: '' });
});

test('what is a machine’s own stays its own', async () => {
  for (const words of [['leave'], ['stop'], ['join'], ['key', 'show']]) {
    const { status, stderr } = await near.mesh([...words, '--via', 'far']);
    expect({ words, status }).toEqual({ words, status: 2 });
    expect(stderr).toContain('is for the machine it is typed on');
  }
  expect(await far.isRunning()).toBe(true);
});

test('a peer that nobody knows is named, and a machine without a node is told to join', async () => {
  expect(await near.mesh(['status', '--via', 'nobody'])).toMatchObject({
    status: 2,
    stderr: 'error: no peer "nobody"\ntry: mesh peers\n',
  });
  const alone = room.machine('alone');
  expect(await alone.mesh(['status', '--via', 'far'])).toMatchObject({ status: 3 });
});

async function jobOnItsOwnCandles(): Promise<object> {
  const candles = await readFile(new URL('../../examples/aapl.csv', import.meta.url), 'utf8');
  await room.file('aapl.csv', candles);
  return {
    version: 1,
    data: { file: 'aapl.csv', timeframe: '1d' },
    broker: { cash: 10_000, fee: 0.001 },
    strategies: [
      {
        name: 'dip',
        vars: { n: { from: 5, to: 16 } },
        long: { enter: ['rsi($n) < 30'], exit: ['rsi($n) > 60'] },
      },
    ],
  };
}
