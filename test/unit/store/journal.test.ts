// The journal on a real disk: what was acknowledged is there, whatever happened to the process or the files.
import { spawn, spawnSync } from 'node:child_process';
import { type FileHandle, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { Journal, type JournalOptions } from '../../../src/node/store/journal.ts';
import { HEADER_BYTES, RECORD_BYTES_MAX } from '../../../src/node/store/record.ts';
import { segmentName } from '../../../src/node/store/recovery.ts';

let parent: string;
let directory: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'journal-'));
  directory = join(parent, 'journal');
});

afterEach(() => rm(parent, { recursive: true, force: true }));

describe('Journal', { timeout: 60_000 }, () => {
  it('recovers what was appended, in order and by key, and goes on where it stopped', async () => {
    const first = await Journal.open(directory);
    await first.append('a', bytes('one'));
    await Promise.all([first.append('b', bytes('two')), first.append('a', bytes(''))]);
    expect(await readAll(first, 'a')).toEqual(['one', '']);
    await first.close();

    expect(await recovered()).toEqual(['a one', 'b two', 'a ']);
    const second = await Journal.open(directory);
    await second.append('b', bytes('three'));
    expect(await readAll(second, 'b')).toEqual(['two', 'three']);
    expect(await readAll(second, 'nobody')).toEqual([]);
    await second.close();
    expect(await recovered()).toEqual(['a one', 'b two', 'a ', 'b three']);
  });

  it('acknowledges whatever waits with one flush', async () => {
    const store = await Journal.open(directory);
    await store.append('j', bytes('first'));
    const flush = await spyOnFlush();
    const order: number[] = [];
    const numbers = Array.from({ length: 500 }, (_, i) => i);
    await Promise.all(
      numbers.map(async (i) => {
        await store.append('j', bytes(`${i}`));
        order.push(i);
      }),
    );
    expect(order).toEqual(numbers);
    expect(flush).toHaveBeenCalledTimes(1);
    vi.restoreAllMocks();
    await store.close();
  });

  it('begins a new segment when one is full, and reads them as one', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => `record ${i} ${'x'.repeat(100)}`);
    const store = await Journal.open(directory, { segmentBytesMax: 1_000 });
    for (const text of texts) await store.append('j', bytes(text));
    expect(await readAll(store, 'j')).toEqual(texts);
    await store.close();
    expect((await segments()).length).toBeGreaterThan(4);
    expect(await recovered()).toEqual(texts.map((text) => `j ${text}`));
  });

  it('frees what a forgotten key takes, keeps the rest, and survives the next start', async () => {
    const store = await Journal.open(directory, { segmentBytesMax: 2_000 });
    for (let i = 0; i < 60; i++) {
      await store.append(i < 40 ? `old ${i % 2}` : 'new', bytes(`${i} ${'x'.repeat(100)}`));
    }
    const before = store.usage();
    store.forget('old 0');
    expect(store.usage().liveBytes).toBeLessThan(before.liveBytes);
    expect(await store.clean()).toBeGreaterThan(0);
    store.forget('old 1');
    await store.clean();
    expect(await readAll(store, 'old 1')).toEqual([]);
    const kept = await readAll(store, 'new');
    expect(kept).toHaveLength(20);
    expect(store.usage().bytes).toBeLessThan(before.bytes / 2 + 1_200_000);
    expect(await store.clean()).toBe(0);
    await store.append('new', bytes('last'));
    await store.close();
    expect(await recovered()).toEqual([...kept.map((text) => `new ${text}`), 'new last']);
  });

  it('reads a cleaned segment as a whole one, and names it when a record of it is gone', async () => {
    const store = await Journal.open(directory, { segmentBytesMax: 2_000 });
    for (let i = 0; i < 30; i++)
      await store.append(i % 4 === 0 ? 'kept' : 'old', bytes(`${i}`.repeat(40)));
    store.forget('old');
    await store.clean();
    const texts = await readAll(store, 'kept');
    await store.close();
    // The last segment is still written, so it was not cleaned.
    const names = (await recovered()).slice(0, 6);
    expect(names).toEqual(texts.slice(0, 6).map((text) => `kept ${text}`));
    const path = join(directory, segmentName(1));
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, whole.length - 10));
    const damaged = await Journal.open(directory);
    expect(damaged.usage().damaged).toEqual([segmentName(1)]);
    await damaged.close();
  });

  it('finds a whole prefix at every truncation point, keeps the torn tail aside, and goes on', async () => {
    const texts = ['a', 'bc', '', 'def', 'ghij'];
    const { whole, ends, path } = await written(texts);
    for (let cut = 0; cut < whole.length; cut++) {
      await rm(directory, { recursive: true });
      await (await Journal.open(directory)).close();
      await writeFile(path, whole.subarray(0, cut));
      const kept = ends.filter((end) => end <= cut).length;
      const good = ends[kept - 1] ?? HEADER_BYTES;

      const store = await Journal.open(directory);
      await store.append('j', bytes('next'));
      expect(store.usage().damaged).toEqual([]);
      await store.close();

      expect(await recovered()).toEqual([...texts.slice(0, kept), 'next'].map((t) => `j ${t}`));
      const torn = await readFile(`${path}.torn`).catch(() => Buffer.alloc(0));
      expect(torn).toEqual(withoutZeros(whole.subarray(good, cut)));
    }
  });

  it('refuses a record that no recovery would read, and everything once it is closed', async () => {
    const store = await Journal.open(directory);
    await expect(store.append('j', new Uint8Array(RECORD_BYTES_MAX))).rejects.toThrow('longer');
    await store.append('j', new Uint8Array(RECORD_BYTES_MAX - 1));
    await store.close();
    await expect(store.append('j', bytes('late'))).rejects.toThrow('closed');
    expect(await recovered()).toHaveLength(1);
  });

  it('sets the single file of an early build aside', async () => {
    await writeFile(directory, 'old');
    await (await Journal.open(directory)).close();
    expect(await readdir(parent)).toEqual(['journal', 'journal.old']);
  });

  it('loses no acknowledged record when the process is killed', async () => {
    for (let round = 0; round < 3; round++) {
      await rm(directory, { recursive: true, force: true });
      const acknowledged = await appendUntilKilled(50 + 40 * round);
      const texts = await recovered();
      expect(acknowledged).toBeGreaterThanOrEqual(50);
      expect(texts.length).toBeGreaterThanOrEqual(acknowledged);
      expect(texts).toEqual(texts.map((_, i) => `j ${i}`));
    }
  });

  it('says what did not fit, keeps on when there is room, and has room for what is vital', async () => {
    const script = fileURLToPath(siblingUrl('filling-child'));
    // The limit is in blocks of 512 or 1,024 bytes, whatever the shell.
    const child = spawnSync('sh', [
      '-c',
      'ulimit -f 400 && exec "$0" "$@"',
      process.execPath,
      script,
      directory,
    ]);
    expect(child.stderr.toString()).toBe('');
    const said = JSON.parse(child.stdout.toString()) as { fill: number };
    expect(said).toEqual({
      outcomes: ['kept', 'DISK EFBIG', 'kept'],
      fill: expect.any(Number),
      vital: 'kept',
      refusal: null,
    });
    expect(said.fill).toBeGreaterThan(5);
    expect(await recovered()).toHaveLength(3 + said.fill);
    expect(await segments()).toEqual([segmentName(1)]);
  });
});

describe('Journal after a failed flush', () => {
  afterEach(() => vi.restoreAllMocks());

  it('never flushes that segment again, and keeps what comes in a new one', async () => {
    const store = await Journal.open(directory);
    await store.append('j', bytes('before'));
    const flush = await spyOnFlush();
    flush.mockRejectedValueOnce(Object.assign(new Error('i/o error'), { code: 'EIO' }));

    const failing = store.append('j', bytes('unsure'));
    await expect(failing).rejects.toMatchObject({ code: 'DISK', cause: { code: 'EIO' } });
    expect(store.usage()).toMatchObject({ refusal: expect.stringContaining('EIO') });
    await store.append('j', bytes('after'));
    expect(store.usage().refusal).toBe(undefined);
    expect(await readAll(store, 'j')).toEqual(['before', 'after']);
    await store.close();
    expect(await segments()).toEqual([segmentName(1), segmentName(2)]);
    // The first segment holds it, and the second says that it counts for nothing.
    expect(await recovered()).toEqual(['j before', 'j after']);
  });
});

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

async function readAll(store: Journal, key: string): Promise<string[]> {
  const found: string[] = [];
  await store.read(key, (record) => found.push(Buffer.from(record).toString()));
  return found;
}

async function recovered(options: JournalOptions = {}): Promise<string[]> {
  const found: string[] = [];
  const visit = ({ key, payload }: { key: string; payload: Uint8Array }): void => {
    found.push(`${key} ${Buffer.from(payload).toString()}`);
  };
  await (await Journal.open(directory, { ...options, visit })).close();
  return found;
}

async function segments(): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.segment'));
}

/** A segment with these records and nothing behind them, and where each ends. */
async function written(
  texts: readonly string[],
): Promise<{ whole: Buffer; ends: number[]; path: string }> {
  const store = await Journal.open(directory);
  const ends: number[] = [];
  let end = HEADER_BYTES;
  for (const text of texts) {
    await store.append('j', bytes(text));
    end += HEADER_BYTES + 1 + text.length;
    ends.push(end);
  }
  await store.close();
  const path = join(directory, segmentName(1));
  return { whole: (await readFile(path)).subarray(0, end), ends, path };
}

function withoutZeros(tail: Buffer): Buffer {
  let end = tail.length;
  while (end > 0 && tail[end - 1] === 0) end--;
  return tail.subarray(0, end);
}

async function spyOnFlush(): Promise<MockInstance<FileHandle['datasync']>> {
  const probe = await open(parent);
  const fileHandle = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  return vi.spyOn(fileHandle, 'datasync');
}

/** Returns how many records a child had acknowledged when it was killed in the middle of the next. */
async function appendUntilKilled(records: number): Promise<number> {
  const child = spawn(process.execPath, [fileURLToPath(siblingUrl('appending-child')), directory]);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (said.split('\n').length > records) child.kill('SIGKILL');
  });
  await new Promise((resolve) => {
    child.once('close', resolve);
  });
  return said.split('\n').length - 1;
}

function siblingUrl(name: string): URL {
  return new URL(`./${name}${extname(import.meta.filename)}`, import.meta.url);
}
