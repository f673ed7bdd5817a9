// What `mesh submit` does in each situation that its user may be in, beyond those of pipe.test.ts and cli-join.test.ts:
// real processes, real signals, a real terminal.
import { copyFile, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobSummary } from '../../src/node/control/api.ts';
import { MESH } from './cli-process.ts';
import type { Machine } from './harness/machine.ts';
import { MachineRoom } from './harness/machine-room.ts';
import { hasTmux, TmuxScreen } from './harness/tmux.ts';
import { until } from './harness/until.ts';

const mustRun = process.env['MESH_TEST_NAMESPACES'] === 'required';
const LOOPBACK = ['--listen', '127.0.0.1', '--port', '0'];
const EXAMPLES = resolve(import.meta.dirname, '../../examples');

let room: MachineRoom;
let ada: Machine;

beforeAll(async () => {
  room = await MachineRoom.open();
  [ada] = (await room.mesh(['ada', 'bo'], ['--slots', '2'])) as [Machine];
  await copyFile(join(EXAMPLES, 'aapl.csv'), join(room.path, 'aapl.csv'));
  await room.file('aapl.json', await readFile(join(EXAMPLES, 'aapl.json'), 'utf8'));
});

afterAll(() => room.close());

function spinFile(tasks: number, costMs: number): Promise<string> {
  const spin = { version: 1, kernel: 'spin', tasks, costMs, mode: 'sleep', seed: 1 };
  return room.file(`spin-${tasks}-${costMs}.json`, spin);
}

test('a command that is killed leaves its job to the node', async () => {
  const running = ada.start(['submit', await spinFile(120, 20)]);
  await until('a row is out', () => running.stdout().includes('\n'));
  running.child.kill('SIGKILL');
  expect((await running.finished).status).toBe(null);
  expect(await ada.summaryOf('last')).toMatchObject({ state: 'done', tasks: 120, done: 120 });
});

test('--order file tells the rows by task, and --example prints a file that submit takes', async () => {
  const file = await spinFile(150, 4);
  const { stdout } = await ada.mesh(['submit', file, '--order', 'file']);
  const lines = stdout.trim().split('\n').slice(0, -1);
  const tasks = lines.map((line) => (JSON.parse(line) as { task: number }).task);
  expect(tasks).toEqual(Array.from({ length: 150 }, (_, task) => task));
  const example = await ada.mesh(['submit', '--example']);
  expect(example).toMatchObject({ status: 0, stderr: '' });
  const again = await room.file('again.json', example.stdout);
  expect((await ada.mesh(['submit', again, '--dry-run'])).status).toBe(0);
  expect(await ada.mesh(['submit'])).toEqual({
    status: 2,
    stdout: '',
    stderr:
      'error: mesh submit needs a job file\ntry: mesh submit strategies.json; a first one: mesh init\n',
  });
});

test('with -q only the exit status speaks', async () => {
  expect(await ada.mesh(['submit', await spinFile(20, 1), '-q'])).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  });
});

test('progress that no terminal shows is a dated line for every tenth, without colour', async () => {
  const { stderr } = await ada.mesh(['submit', await spinFile(200, 5)]);
  // oxlint-disable-next-line no-control-regex -- this is what must not be there
  expect(stderr).not.toMatch(/\u001b/);
  const lines = stderr.trimEnd().split('\n');
  const dated = lines.filter((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z .*j-\w+.*\d+\/200/.test(line));
  expect(dated.length).toBeGreaterThan(0);
  expect(dated.length).toBeLessThanOrEqual(12);
});

test('the same file again is answered from what is known, and --fresh computes it', async () => {
  const file = join(room.path, 'aapl.json');
  const [first, again, fresh] = [
    await ada.json<JobSummary>(['submit', file]),
    await ada.json<JobSummary>(['submit', file]),
    await ada.json<JobSummary>(['submit', file, '--fresh']),
  ];
  expect([first.cached, again.cached, fresh.cached]).toEqual([0, first.tasks, 0]);
  expect(again.resultsSha256).toBe(first.resultsSha256);
  expect(fresh.resultsSha256).toBe(first.resultsSha256);
  const { stderr } = await ada.mesh(['submit', file, '-o', join(room.path, 'known.csv')]);
  expect(stderr).toMatch(/100% 9,576\/9,576 .* 9,576 known already/);
});

test('rows of a split are about the bars out of sample, and the end says which these are', async () => {
  const job = JSON.parse(await readFile(join(EXAMPLES, 'aapl.json'), 'utf8')) as object;
  const file = await room.file('holdout.json', { ...job, split: { mode: 'holdout', train: 0.7 } });
  const { stretches } = await ada.json<JobSummary>(['submit', file]);
  // Bar 882 of 1,260.
  expect(stretches).toEqual([{ symbol: 'AAPL', from: '2016-11-09T00:00:00.000Z', to: null }]);
  const whole = await ada.json<JobSummary>(['submit', join(room.path, 'aapl.json')]);
  expect(whole.stretches).toBe(undefined);
});

test('--cancel-on-interrupt makes Ctrl-C the end of the job, exit 5', async () => {
  const running = ada.start(['submit', await spinFile(10_000, 20), '--cancel-on-interrupt']);
  await until('a row is out', () => running.stdout().includes('\n'));
  running.child.kill('SIGINT');
  expect((await running.finished).status).toBe(5);
  expect(await ada.summaryOf('last')).toMatchObject({ state: 'cancelled', tasks: 10_000 });
});

describe('without a node', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s saves the job for the next node, exit %d', async (signal, exit) => {
    const cy = room.machine(`alone-${signal}`);
    const words = ['submit', await spinFile(100, 30), '--slots', '1'];
    const running = cy.start(words);
    await until('a row is out', () => running.stdout().includes('\n'));
    running.child.kill(signal);
    const { status, stderr } = await running.finished;
    expect(status).toBe(exit);
    expect(stderr).toContain('saved. Continue: mesh join');
    await cy.join([...LOOPBACK, '--slots', '4']);
    expect(await cy.summaryOf('last')).toMatchObject({ state: 'done', done: 100 });
  });

  test('a second Ctrl-C does not wait for the hand-over that the first began', async () => {
    const dee = room.machine('dee');
    await dee.takeKeyFrom(ada);
    const file = await spinFile(40, 3_000);
    const peer = await ada.place();
    const { self: adaId } = await ada.peers();
    const running = dee.start(['submit', file, '--slots', '1', '--peer', peer]);
    await until('it follows the job', () => running.stderr().includes('/40'));
    // One that takes seconds; the hand-over waits for it.
    await until('it has a task in hand', async () => {
      const { peers } = await ada.peers();
      return peers.some(({ id, running: tasks }) => id !== adaId && tasks > 0);
    });
    running.child.kill('SIGINT');
    await until('it hands over', () => running.stderr().includes('handing'));
    running.child.kill('SIGINT');
    const { status, stderr } = await running.finished;
    expect(status).toBe(130);
    expect(stderr).not.toContain('handed over');
    await ada.mesh(['cancel', 'last']);
  });
});

describe('a home', () => {
  test('whose node was killed: commands say so, and join starts one', async () => {
    const eve = room.machine('eve');
    await eve.join([...LOOPBACK, '--slots', '1']);
    await eve.kill();
    const { status, stderr } = await eve.mesh(['peers']);
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: expect.stringContaining('try: mesh join') as string,
    });
    await eve.join([...LOOPBACK, '--slots', '1']);
    expect(await eve.isRunning()).toBe(true);
  });

  test('that has a node refuses a second one in the foreground, exit 1, with its pid', async () => {
    const { self } = await ada.status();
    const { status, stderr } = await ada.mesh(['join', '-F', ...LOOPBACK]);
    expect(status).toBe(1);
    expect(stderr).toContain(`a node runs in this home already (pid ${self.pid})`);
    expect(await ada.isRunning()).toBe(true);
  });

  test('with a path too long for a socket works all the same', async () => {
    const long = room.machine(join('deep', 'x'.repeat(150)));
    const { status, stderr } = await long.mesh([
      'join',
      ...LOOPBACK,
      '--slots',
      '1',
      '--name',
      'deep',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect((await long.mesh(['peers'])).stdout).toContain('deep');
    expect(await long.mesh(['stop'])).toMatchObject({ status: 0, stdout: 'stopped\n' });
  });

  test('that cannot be written to stops the join, exit 1, and says which', async () => {
    const file = await room.file('a-file', 'not a directory');
    const nobody = room.machine(join('a-file', 'home'));
    const { status, stderr } = await nobody.mesh(['join', ...LOOPBACK]);
    expect(status).toBe(1);
    expect(stderr).toContain(`cannot write to ${join(file, 'home')}`);
    expect(stderr).toContain('try: --home DIRECTORY');
  });
});

describe.skipIf(!hasTmux && !mustRun)('on a terminal', () => {
  let screen: TmuxScreen;

  beforeAll(async () => {
    screen = await TmuxScreen.open({ columns: 100, rows: 30 }, { MESH_HOME: ada.home });
  });

  afterAll(() => screen.close());

  async function type(words: string): Promise<void> {
    await screen.command(`clear; '${process.execPath}' '${MESH}' ${words}; echo over:$?`);
  }

  test('progress is drawn in place, and gives way to the end screen', async () => {
    await type(`submit '${await spinFile(300, 10)}'`);
    await screen.shows(/━.* \d+%  \d+\/300/);
    const text = await screen.shows(/^over:0$/m);
    expect(text).toMatch(/300 backtests in .* on 2 peers/);
    expect(text).not.toMatch(/Ctrl-C detaches/);
    for (const line of await screen.lines()) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('Ctrl-C at the keyboard detaches with two lines that can be typed', async () => {
    await type(`submit '${await spinFile(400, 20)}'`);
    await screen.shows(/━.* \d+%  \d+\/400/);
    await screen.type('C-c');
    const text = await screen.shows(/^over:130$/m);
    expect(text).toMatch(/^detached; job j-\w+ goes on \(\d+\/400 done\)/m);
    expect(text).toMatch(/see it: mesh watch j-\w+ +end it: mesh cancel j-\w+/);
    expect(await ada.summaryOf('last')).toMatchObject({ state: 'done', done: 400 });
  });

  test('`submit -` does not wait for what nobody types', async () => {
    await type('submit -');
    const text = await screen.shows(/^over:2$/m);
    expect(text).toContain('mesh submit - reads the job file from stdin');
    expect(text).toContain('try: mesh submit strategies.json');
  });
});
