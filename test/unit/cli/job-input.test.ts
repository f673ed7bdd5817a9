// What stands in place of a file that was named.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Context } from '../../../src/node/cli/context.ts';
import { readUserFile } from '../../../src/node/jobfile/user-file.ts';
import { readJob } from '../../../src/node/cli/job-input.ts';
import { CSV, fileWith } from '../jobfile/fixture.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mesh-job-input-'));
});
afterEach(() => rm(folder, { recursive: true }));

it.each([
  ['a directory as job file', '.', /cannot read .*: it is a directory, name a file in it/],
  ['no file', 'gone.json', /cannot read .*gone\.json: there is no such file/],
  [
    'an empty job file',
    'empty.json',
    /empty\.json:1:1 error: this is not JSON: a value is expected/,
  ],
  ['a directory of candles', 'folder.json', /error data: .*it is a directory, name a file in it/],
  ['an empty file of candles', 'hollow.json', /hollow\.csv:1:1 error: the file is empty/],
  ['a binary file of candles', 'binary.json', /binary\.csv:1:1 error: the file is no text/],
])('%s is refused by a sentence', async (_, file, sentence) => {
  const put = (name: string, content: string | Uint8Array) =>
    writeFile(join(folder, name), content);
  await mkdir(join(folder, 'candles'));
  await put('empty.json', '');
  await put('hollow.csv', '');
  await put('binary.csv', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 1, 2));
  await put('folder.json', JSON.stringify(fileWith({ data: 'candles' })));
  await put('hollow.json', JSON.stringify(fileWith({ data: 'hollow.csv' })));
  await put('binary.json', JSON.stringify(fileWith({ data: 'binary.csv' })));
  const read = readJob({ json: true } as Context, join(folder, file), {});
  await expect(read).rejects.toThrow(sentence);
});

it('the same folder with candles in it is read', async () => {
  await writeFile(join(folder, 'candles.csv'), CSV);
  await writeFile(join(folder, 'job.json'), JSON.stringify(fileWith({})));
  const prepared = await readJob({ json: true } as Context, join(folder, 'job.json'), {});
  expect(prepared?.taskCount).toBe(1);
});

it.skipIf(process.platform === 'win32')('what has no end is given up at the bound', async () => {
  await expect(readUserFile('/dev/zero', 2 ** 22)).rejects.toThrow('/dev/zero has more than 4 MiB');
  const long = join(folder, 'long.json');
  await writeFile(long, 'x'.repeat(2 ** 20 + 1));
  await expect(readUserFile(long, 2 ** 20)).rejects.toThrow('has more than 1 MiB');
  expect((await readUserFile(long, 2 ** 21)).byteLength).toBe(2 ** 20 + 1);
});

it('a pipe is read to its end, as <(generate) gives one', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const text = JSON.stringify(fileWith({}));
  const [bytes] = await Promise.all([readUserFile(pipe, 2 ** 20), writeFile(pipe, text)]);
  expect(bytes.toString()).toBe(text);
});
