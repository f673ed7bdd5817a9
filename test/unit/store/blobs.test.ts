// Blobs: under the name of their hash or not at all.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlobStore } from '../../../src/node/store/blobs.ts';

const CONTENT = new Uint8Array(10_000).map((_, i) => (i * 31) % 251);
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');
const OTHER = '0'.repeat(64);

let directory: string;
let blobs: BlobStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'blobs-'));
  blobs = await BlobStore.open(join(directory, 'blobs'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('BlobStore', () => {
  it('keeps what has the hash that was named, and reads it whole, in part, and shared', async () => {
    expect(await blobs.has(SHA256)).toBe(false);
    await blobs.write(SHA256, [CONTENT.subarray(0, 7), CONTENT.subarray(7)]);
    expect(await blobs.has(SHA256)).toBe(true);
    expect(await blobs.size(SHA256)).toBe(CONTENT.byteLength);
    expect(new Uint8Array(await blobs.read(SHA256))).toEqual(CONTENT);
    expect(new Uint8Array(await blobs.readShared(SHA256))).toEqual(CONTENT);
    expect(await blobs.readRange(SHA256, 9_990, 100)).toEqual(CONTENT.subarray(9_990));
  });

  it('keeps nothing, not even a temporary file, of bytes with another hash', async () => {
    await expect(blobs.write(OTHER, [CONTENT])).rejects.toMatchObject({ code: 'BAD_INPUT' });
    expect(await readdir(join(directory, 'blobs'))).toEqual([]);
  });

  it('keeps a small one from memory, and leaves nothing behind where the disk does not take it', async () => {
    await blobs.keep(SHA256, CONTENT);
    expect(new Uint8Array(await blobs.read(SHA256))).toEqual(CONTENT);
    expect(await readdir(join(directory, 'blobs'))).toEqual([SHA256]);
    await rm(join(directory, 'blobs'), { recursive: true });
    await expect(blobs.keep(SHA256, CONTENT)).rejects.toMatchObject({ code: 'DISK' });
    expect(await readdir(directory)).toEqual([]);
  });

  it('says NOT_FOUND for what it has not', async () => {
    await expect(blobs.read(OTHER)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(blobs.readShared(OTHER)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await blobs.size(OTHER)).toBeUndefined();
    expect(await blobs.finish(OTHER)).toBe(false);
  });

  it('builds no path from a name that is no hash', async () => {
    for (const name of [
      '../../etc/passwd',
      '',
      SHA256.toUpperCase(),
      `${SHA256}/..`,
      `${SHA256}\n`,
    ]) {
      await expect(blobs.has(name)).rejects.toMatchObject({ code: 'BAD_INPUT' });
      await expect(blobs.download(name)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    }
  });

  it('takes up a download where it stopped', async () => {
    const first = await blobs.download(SHA256);
    expect(first.offset).toBe(0);
    await first.write(CONTENT.subarray(0, 3_000));
    await first.write(CONTENT.subarray(3_000, 5_000));
    expect(first.offset).toBe(5_000);
    expect(await blobs.has(SHA256)).toBe(false);

    const later = await (await BlobStore.open(join(directory, 'blobs'))).download(SHA256);
    expect(later.offset).toBe(5_000);
    await later.write(CONTENT.subarray(5_000));
    expect(await blobs.finish(SHA256)).toBe(true);
    expect(new Uint8Array(await blobs.read(SHA256))).toEqual(CONTENT);
    expect(await readdir(join(directory, 'blobs'))).toEqual([SHA256]);
  });

  it('survives two downloads of one blob at once', async () => {
    const [one, two] = [await blobs.download(SHA256), await blobs.download(SHA256)];
    await one.write(CONTENT.subarray(0, 6_000));
    await two.write(CONTENT.subarray(0, 4_000));
    await two.write(CONTENT.subarray(4_000));
    await one.write(CONTENT.subarray(6_000));
    expect(await blobs.finish(SHA256)).toBe(true);
    expect(await blobs.finish(SHA256)).toBe(true);
  });

  it('deletes a download with the wrong bytes, so that the next begins anew', async () => {
    const download = await blobs.download(SHA256);
    await download.write(new Uint8Array(10_000));
    expect(await blobs.finish(SHA256)).toBe(false);
    expect((await blobs.download(SHA256)).offset).toBe(0);
    expect(await readdir(join(directory, 'blobs'))).toEqual([]);
  });
});
