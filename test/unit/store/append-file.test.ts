// The plain store on a real disk: what was acknowledged is there, whatever happened to the process or the file.
import { spawn, spawnSync } from 'node:child_process';
import { type FileHandle, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppendFile } from '../../../src/node/store/append-file.ts';
import { RECORD_BYTES_MAX } from '../../../src/node/store/store.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'append-file-'));
  path = join(directory, 'journal');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('AppendFile', { timeout: 60_000 }, () => {
  it('recovers what was appended, in order, and hands it over once', async () => {
    const first = await AppendFile.open(path);
    expect(first.recovered()).toEqual([]);
    await first.append(bytes('one'));
    await Promise.all([
      first.append(bytes('two')),
      first.append(bytes('')),
      first.append(bytes('four')),
    ]);
    await first.close();

    const second = await AppendFile.open(path);
    await second.append(bytes('five'));
    expect(second.recovered().map(text)).toEqual(['one', 'two', '', 'four']);
    expect(second.recovered()).toEqual([]);
    await second.close();
    expect(await recoveredTexts()).toEqual(['one', 'two', '', 'four', 'five']);
  });

  it('acknowledges whatever waits with one flush', async () => {
    const store = await AppendFile.open(path);
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 500 }, async (_, i) => {
        await store.append(bytes(`${i}`));
        order.push(i);
      }),
    );
    expect(order).toEqual(Array.from({ length: 500 }, (_, i) => i));
    await store.close();
    expect(await recoveredTexts()).toHaveLength(500);
  });

  it('finds a whole prefix at every truncation point, keeps the torn tail aside, and goes on', async () => {
    const texts = ['a', 'bc', '', 'def', 'ghij'];
    const { whole, ends } = await written(texts);
    for (let cut = 0; cut < whole.length; cut++) {
      await writeFile(path, whole.subarray(0, cut));
      await rm(`${path}.torn`, { force: true });
      const kept = ends.filter((end) => end <= cut).length;
      const good = ends[kept - 1] ?? 0;

      const store = await AppendFile.open(path);
      expect(store.recovered().map(text)).toEqual(texts.slice(0, kept));
      await store.append(bytes('next'));
      await store.close();

      expect(await recoveredTexts()).toEqual([...texts.slice(0, kept), 'next']);
      const torn = await readFile(`${path}.torn`).catch(() => Buffer.alloc(0));
      expect(torn).toEqual(whole.subarray(good, cut));
    }
  });

  it('detects every flipped bit: what is recovered is a prefix of what was written', async () => {
    const texts = ['abc', 'de', 'f'];
    const { whole, ends } = await written(texts);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await writeFile(path, flipped);
      const intact = ends.filter((end) => end <= bit >> 3).length;
      expect(await recoveredTexts()).toEqual(texts.slice(0, intact));
    }
  });

  it('refuses a record that no recovery would read', async () => {
    const store = await AppendFile.open(path);
    await expect(store.append(new Uint8Array(RECORD_BYTES_MAX + 1))).rejects.toThrow('longer');
    await store.append(new Uint8Array(RECORD_BYTES_MAX));
    await store.close();
    await expect(store.append(bytes('late'))).rejects.toThrow('closed');
    const reopened = await AppendFile.open(path);
    expect(reopened.recovered().map(({ byteLength }) => byteLength)).toEqual([RECORD_BYTES_MAX]);
    await reopened.close();
  });

  it('loses no acknowledged record when the process is killed', async () => {
    for (let round = 0; round < 3; round++) {
      await rm(path, { force: true });
      const acknowledged = await appendUntilKilled(50 + 40 * round);
      const texts = await recoveredTexts();
      expect(acknowledged).toBeGreaterThanOrEqual(50);
      expect(texts.length).toBeGreaterThanOrEqual(acknowledged);
      expect(texts).toEqual(texts.map((_, i) => `${i}`));
    }
  });

  it('truncates back what did not fit, says so, and keeps on when there is room', async () => {
    const script = fileURLToPath(siblingUrl('filling-child'));
    // The limit is in blocks of 512 or 1,024 bytes, whatever the shell: 40 lie between 1,500 and 100,000 bytes.
    const child = spawnSync('sh', [
      '-c',
      'ulimit -f 40 && exec "$0" "$@"',
      process.execPath,
      script,
      path,
    ]);
    expect(child.stderr.toString()).toBe('');
    expect(JSON.parse(child.stdout.toString())).toEqual(['kept', 'DISK EFBIG', 'kept']);
    const store = await AppendFile.open(path);
    expect(store.recovered().map(({ byteLength }) => byteLength)).toEqual([1000, 500]);
    await store.close();
    await expect(stat(`${path}.torn`)).rejects.toThrow('ENOENT');
  });
});

describe('AppendFile after a failed flush', () => {
  afterEach(() => vi.restoreAllMocks());

  it('refuses what waits and everything after, because nobody knows what the disk holds', async () => {
    const store = await AppendFile.open(path);
    await store.append(bytes('before'));
    const probe = await open(path);
    const fileHandle = Object.getPrototypeOf(probe) as FileHandle;
    await probe.close();
    const flush = vi
      .spyOn(fileHandle, 'datasync')
      .mockRejectedValueOnce(Object.assign(new Error('i/o error'), { code: 'EIO' }));

    const failing = store.append(bytes('lost'));
    await expect(failing).rejects.toMatchObject({ code: 'DISK', cause: { code: 'EIO' } });
    await expect(store.append(bytes('after'))).rejects.toThrow('failed to flush');
    expect(flush).toHaveBeenCalledTimes(1);
    await store.close();
    expect((await recoveredTexts())[0]).toBe('before');
  });
});

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

function text(record: Uint8Array): string {
  return new TextDecoder().decode(record);
}

async function recoveredTexts(): Promise<string[]> {
  const store = await AppendFile.open(path);
  const texts = store.recovered().map(text);
  await store.close();
  return texts;
}

/** The file's bytes, and where each record ends. */
async function written(texts: readonly string[]): Promise<{ whole: Buffer; ends: number[] }> {
  const store = await AppendFile.open(path);
  const ends: number[] = [];
  for (const content of texts) {
    await store.append(bytes(content));
    ends.push((await stat(path)).size);
  }
  await store.close();
  return { whole: await readFile(path), ends };
}

/** Number of records that a child saw acknowledged before SIGKILL. */
function appendUntilKilled(acknowledgedMin: number): Promise<number> {
  const child = spawn(process.execPath, [fileURLToPath(siblingUrl('appending-child')), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.split('\n').length > acknowledgedMin) child.kill('SIGKILL');
  });
  return new Promise((resolve) => {
    // The last line may be cut: the record before it was acknowledged all the same.
    child.on('close', () => resolve(output.split('\n').length - 1));
  });
}

function siblingUrl(name: string): URL {
  return new URL(`./${name}${extname(import.meta.filename)}`, import.meta.url);
}
