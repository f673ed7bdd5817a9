// Two running machines: what one of them answers for the other, over the mesh.
import { chmod, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobSummary, PeersView, StatusView } from '../../src/node/control/api.ts';
import type { Machine } from './harness/machine.ts';
import { MachineRoom } from './harness/machine-room.ts';

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
  const { jobs } = await near.jobs();
  expect(jobs.find(({ name }) => name === 'lent')).toMatchObject({ owner: 'far', state: 'done' });
  const rows = await near.json<{ rows: unknown[] }>(['results', summary.job, '--via', 'far']);
  expect(rows.rows).toHaveLength(12);
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
