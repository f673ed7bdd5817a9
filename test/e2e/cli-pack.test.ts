// The package as a user gets it: packed, installed elsewhere, run from there.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');

let place: string;
let installed: string;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'mesh-pack-'));
  const prefix = join(place, 'prefix');
  await run('npm', ['install', '-g', '--offline', '--prefix', prefix, inject('tarball')]);
  installed = join(prefix, 'lib', 'node_modules', 'strategy-mesh');
  await mkdir(join(place, 'tmp'));
});

afterAll(() => rm(place, { recursive: true, force: true }));

function meshWith(words: readonly string[], nodeFlags: readonly string[] = []) {
  const env = { ...process.env, MESH_HOME: join(place, 'home'), TMPDIR: join(place, 'tmp') };
  const program = join(place, 'prefix', 'bin', 'mesh');
  return run(process.execPath, [...nodeFlags, program, ...words], { env, cwd: place }).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      status: error.code,
      stdout: error.stdout,
      stderr: error.stderr,
    }),
  );
}

test('the installed package says its version and its help', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  expect(await meshWith(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  expect((await meshWith(['--help'])).stdout).toContain('mesh submit strategies.json');
});

test('the installed package is one package without sources, with the notices of what it bundles', async () => {
  const names = await readdir(installed);
  expect(names).not.toContain('src');
  expect(names).not.toContain('node_modules');
  const dist = await readdir(join(installed, 'dist'));
  for (const name of ['main.js', 'slot.js', 'index.js']) expect(dist).toContain(name);
  const notices = await readFile(join(installed, 'dist', 'THIRD-PARTY-NOTICES'), 'utf8');
  for (const name of ['commander', 'libp2p', 'zod'])
    expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'));
});

test('errors of the installed package have their exit status', async () => {
  expect(await meshWith(['peers'])).toMatchObject({ status: 3 });
  expect(await meshWith(['submit', join(place, 'none.json')])).toMatchObject({ status: 65 });
});

test('a peer runs from the installed package, slots and all', async () => {
  const file = join(place, 'spin.json');
  await writeFile(
    file,
    JSON.stringify({ version: 1, kernel: 'spin', tasks: 20, costMs: 1, mode: 'sleep', seed: 1 }),
  );
  const { status, stdout, stderr } = await meshWith([
    'submit',
    file,
    '--json',
    '--slots',
    '1',
    '--timeout',
    '60s',
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ v: 1, tasks: 20, done: 20, failed: 0 });
});

test('the demo runs from the installed package, candles and all: on a pipe plain lines and a table', async () => {
  const { status, stdout, stderr } = await meshWith(['demo', '--fast']);
  expect(stdout).not.toContain('✗');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  // oxlint-disable-next-line no-control-regex -- the escape is what must not be there
  expect(stdout).not.toMatch(/\u001b/);
  expect(stdout).toContain('none of them is a head');
  expect(stdout).toMatch(/PEER +SHARE OF SLOTS +SHARE OF SPEED +SHARE OF WORK/);
  expect(stdout).toMatch(/(mbp|mini|air) .*killed\n/);
  // Node's own cache of compiled code is no part of the demo.
  const left = (await readdir(join(place, 'tmp'))).filter((name) => name !== 'node-compile-cache');
  expect(left).toEqual([]);
  const { stdout: processes } = await run('ps', ['-eo', 'pid,args']);
  expect(processes.split('\n').filter((line) => line.includes(`--home=${place}`))).toEqual([]);
});

test('the installed package is a library as well', async () => {
  const script = "console.log(Object.keys(await import('strategy-mesh')).join())";
  const cwd = join(place, 'prefix', 'lib');
  const words = ['--input-type=module', '--eval', script];
  const { stdout } = await run(process.execPath, words, { cwd });
  expect(stdout.trim().split(',')).toEqual(
    expect.arrayContaining(['connect', 'ControlClient', 'MeshError', 'prepareJob']),
  );
});

test('the example of the library page compiles in strict TypeScript and does what it says', async () => {
  const page = await readFile(join(root, 'docs/library.md'), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const folder = join(place, 'prefix', 'lib');
  await writeFile(join(folder, 'example.mts'), example);
  await copyFile(join(root, 'examples/aapl.csv'), join(folder, 'aapl.csv'));
  const strict = [
    '--strict',
    '--exactOptionalPropertyTypes',
    '--noPropertyAccessFromIndexSignature',
  ];
  const platform = ['--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  const roots = ['--typeRoots', join(root, 'node_modules/@types')];
  const tsc = join(root, 'node_modules/.bin/tsc');
  await run(tsc, [...strict, ...platform, ...roots, 'example.mts'], { cwd: folder });
  const env = { ...process.env, MESH_HOME: join(place, 'library-home') };
  const { stdout, stderr } = await run(process.execPath, ['example.mjs'], { cwd: folder, env });
  expect(stderr).toBe('');
  const lines = stdout.trim().split('\n');
  expect(lines[0]).toMatch(/^job j-/);
  expect(
    lines
      .slice(1, 11)
      .map((line) => Number(line.split(' ')[0]))
      .toSorted((a, b) => a - b),
  ).toEqual(Array.from({ length: 10 }, (_, at) => at + 5));
  expect(lines[11]).toMatch(/^10 backtests in \d+ ms, [0-9a-f]{64}$/);
  expect(lines[12]).toBe('NOT_FOUND 2');
});

test('a Node that is too old gets one sentence', async () => {
  const shim = join(place, 'old-node.cjs');
  await writeFile(shim, "Object.defineProperty(process, 'version', { value: 'v20.20.2' });");
  const { status, stdout, stderr } = await meshWith(['peers'], ['--require', shim]);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toBe(
    `error: mesh needs Node.js 22.18 or newer; this is v20.20.2 (${process.execPath})\n` +
      'try: install Node.js 24 from https://nodejs.org, or: brew install node\n',
  );
});
