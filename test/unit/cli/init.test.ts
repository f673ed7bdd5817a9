// mesh init gives a folder that runs as it is, and takes nothing away.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../../../src/node/cli/context.ts';
import { init } from '../../../src/node/cli/init.ts';
import { noPaint } from '../../../src/node/cli/output/terminal.ts';
import { prepareJob } from '../../../src/node/jobfile/prepare.ts';

const NAMES = ['aapl-NOTICE.md', 'aapl.csv', 'strategies.json', 'strategies.schema.json'];

let folder: string;
let printed: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mesh-init-'));
  printed = [];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function print(text: string): void {
  printed.push(text);
}

function context(more: Partial<Context> = {}): Context {
  const out = { isTty: false, columns: 80, paint: noPaint, write: print, line: print };
  return {
    home: folder,
    version: '1.2.3',
    json: false,
    plain: false,
    quiet: false,
    verbose: false,
    via: undefined,
    canAsk: false,
    timeoutMs: undefined,
    out,
    err: out,
    ...more,
  };
}

test('a new folder has a job file that is valid with its candles, and the schema that it names', async () => {
  const target = join(folder, 'new', 'deep');
  expect(await init(context(), target, {})).toBe(0);
  expect((await readdir(target)).toSorted()).toEqual(NAMES);
  const text = await readFile(join(target, 'strategies.json'), 'utf8');
  const outcome = await prepareJob({
    fileName: 'strategies.json',
    text,
    readFile: (name) => readFile(join(target, name)),
  });
  expect(outcome).toMatchObject({ ok: true });
  const { $schema } = JSON.parse(text) as { $schema: string };
  const schema = JSON.parse(await readFile(join(target, $schema), 'utf8')) as { title: string };
  expect(schema.title).toBe('mesh strategies v1');
  expect(printed.slice(-2)).toEqual([
    `see what it would be:  mesh submit ${target}/strategies.json --dry-run`,
    `run it:                mesh submit ${target}/strategies.json`,
  ]);
});

test('what lies there stays, is named, and nothing is written beside it', async () => {
  await writeFile(join(folder, 'strategies.json'), 'mine');
  await expect(init(context(), folder, {})).rejects.toMatchObject({
    code: 'USAGE',
    message: `strategies.json is in ${folder} already; nothing was written`,
  });
  expect(await readdir(folder)).toEqual(['strategies.json']);
  expect(await readFile(join(folder, 'strategies.json'), 'utf8')).toBe('mine');
});

test('--force overwrites; a second time in a row is no conflict', async () => {
  await writeFile(join(folder, 'strategies.json'), 'mine');
  expect(await init(context({ quiet: true }), folder, { force: true })).toBe(0);
  const text = await readFile(join(folder, 'strategies.json'), 'utf8');
  expect(text).toContain('"version": 1');
  expect(await init(context({ json: true }), folder, {})).toBe(0);
  const told = JSON.parse(printed.join('')) as { files: string[] };
  expect(told).toMatchObject({ v: 1, folder });
  expect(told.files.toSorted()).toEqual(NAMES);
});

test('a place that cannot be written to is said in words', async () => {
  await writeFile(join(folder, 'file'), '');
  await expect(init(context(), join(folder, 'file', 'below'), {})).rejects.toMatchObject({
    code: 'DISK',
    message: `cannot write into ${join(folder, 'file', 'below')}: ENOTDIR`,
  });
});
