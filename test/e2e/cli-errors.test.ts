// What a person gets who made a mistake: each its own sentence and its own exit status.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mesh } from './cli-process.ts';

let home: string;
let spinFile: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'mesh-cli-'));
  spinFile = join(home, 'spin.json');
  await writeFile(
    spinFile,
    JSON.stringify({ version: 1, kernel: 'spin', tasks: 3, costMs: 1, mode: 'sleep', seed: 1 }),
  );
});

afterAll(() => rm(home, { recursive: true, force: true }));

describe('without a node', () => {
  test.each([
    ['peers'],
    ['jobs'],
    ['watch'],
    ['results'],
    ['status'],
    ['cancel last'],
    ['leave'],
    ['key show'],
  ])('mesh %s exits 3 and says how to get one', async (words) => {
    const { status, stdout, stderr } = await mesh(words.split(' '), { home });
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toMatch(/^error: .+\ntry: mesh join\n$/);
  });

  test.each([[['--embed', 'never']], [['--detach']]])('mesh submit %o exits 3', async (flags) => {
    const { status, stderr } = await mesh(['submit', spinFile, ...flags], { home });
    expect(status).toBe(3);
    expect(stderr).toContain('try: mesh join && mesh submit');
  });

  test('mesh stop has nothing to do', async () => {
    expect(await mesh(['stop'], { home })).toEqual({
      status: 0,
      stdout: 'no node was running\n',
      stderr: '',
    });
  });

  test('--json puts the error on one line of stderr', async () => {
    const { status, stdout, stderr } = await mesh(['peers', '--json'], { home });
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: 'NO_NODE',
        message: 'no mesh node runs on this machine',
        hint: 'mesh join',
        exit: 3,
      },
    });
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});

describe('a mistyped command exits 2', () => {
  test.each([
    [['peer'], "error: unknown command 'peer'\ntry: mesh peers\n"],
    [['peers', '--jsno'], "error: unknown option '--jsno'\ntry: --json\n"],
    [
      ['submit'],
      'error: mesh submit needs a job file\ntry: mesh submit strategies.json; a first one: mesh init\n',
    ],
    [['submit', '-', '--embed', 'perhaps'], '--embed must be one of auto, never, always'],
    [['watch', '--timeout', 'soon'], '--timeout must be a duration'],
    [['results', '--by', 'moon'], '--by must be one of peer'],
    [['results', '--trades'], '--trades needs --task'],
    [['results', '--where', 'trades'], 'cannot read the condition'],
    [['results', '-o', 'x.xls'], 'must end in .ndjson, .csv, .json or .parquet'],
    [['cancel', 'all'], '--yes'],
    [['key', 'melt'], 'mesh key can show'],
    [['schema', 'plans'], 'no schema "plans"'],
    [['join', '--listen', '0.0.0.0'], 'one address, not all'],
    [['start', '--head', '--num-cpus=12'], 'here:          mesh join --slots 12'],
    [['help', 'everything'], 'no help on "everything"'],
  ])('%o', async (words, sentence) => {
    const { status, stdout, stderr } = await mesh(words, { home });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(sentence);
  });
});

describe('a file that is wrong exits 65 and submits nothing', () => {
  test('that does not exist', async () => {
    const { status, stderr } = await mesh(['submit', join(home, 'none.json')], { home });
    expect(status).toBe(65);
    expect(stderr).toMatch(/^error: cannot read .*none\.json: there is no such file\n$/);
  });

  test('that is not JSON, with its line', async () => {
    const { status, stderr } = await mesh(['submit', '-'], {
      home,
      stdin: '{"version": 1,\n oops}',
    });
    expect(status).toBe(65);
    expect(stderr).toMatch(/2:\d+/);
    expect(stderr).toContain('nothing was submitted');
  });

  test('that has an unknown key, as one line for scripts', async () => {
    const stdin = JSON.stringify({ version: 1, kernel: 'spin', tasks: 3, costMs: 1, sede: 1 });
    const { status, stderr } = await mesh(['submit', '-', '--json'], { home, stdin });
    expect(status).toBe(65);
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } };
    expect(error.code).toBe('BAD_INPUT');
    expect(error.message).toContain('sede');
  });
});

describe('help', () => {
  test('needs no node and goes to stdout', async () => {
    for (const words of [[], ['--help'], ['help'], ['submit', '--help'], ['help', 'exit-codes']]) {
      const { status, stdout, stderr } = await mesh(words, { home });
      expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: '' });
      expect(stdout.length).toBeGreaterThan(300);
    }
  });

  test('begins with the three commands that one needs', async () => {
    const { stdout } = await mesh([], { home });
    expect(
      stdout
        .split('\n')
        .slice(1, 4)
        .map((line) => line.trim().split(' ').slice(0, 2)),
    ).toEqual([
      ['mesh', 'join'],
      ['mesh', 'submit'],
      ['mesh', 'peers'],
    ]);
  });
});
