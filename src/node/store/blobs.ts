// Job files and candles, kept by the SHA-256 of their content: a name can be checked, never guessed, and is never
// a path that somebody chose. A blob appears under its name only when it is whole and right; what a broken
// download left behind is taken up where it stopped.
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  createReadStream,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MeshError } from '../errors.ts';
import { diskError, flushed, isNoSpace, syncDirectory } from './durable-file.ts';

const SHA256 = /^[0-9a-f]{64}$/;

/** Where a blob's bytes go as they come, in order. */
export interface Download {
  /** Bytes that are here already. */
  readonly offset: number;
  write(chunk: Uint8Array): Promise<void>;
}

export class BlobStore {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string): Promise<BlobStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new BlobStore(directory);
  }

  async has(sha256: string): Promise<boolean> {
    return (await this.size(sha256)) !== undefined;
  }

  /** All that are here, with what is left of downloads under the blob's own name. */
  async list(): Promise<{ sha256: string; bytes: number; writtenMs: number }[]> {
    const names = await readdir(this.#directory);
    const found = await Promise.all(
      names.map(async (name) => {
        const known = await stat(join(this.#directory, name)).catch(() => undefined);
        const sha256 = name.slice(0, 64);
        if (known === undefined || !SHA256.test(sha256)) return [];
        return [{ sha256, bytes: known.size, writtenMs: known.mtimeMs }];
      }),
    );
    return found.flat();
  }

  /** Whole or in part. */
  async remove(sha256: string): Promise<void> {
    const path = this.#path(sha256);
    const names = await readdir(this.#directory);
    const own = names.filter((name) => name.startsWith(sha256));
    for (const name of own) await rm(join(dirname(path), name), { force: true });
  }

  /** Bytes; undefined when it is not here. */
  async size(sha256: string): Promise<number | undefined> {
    return sizeOf(this.#path(sha256));
  }

  async read(sha256: string): Promise<Uint8Array> {
    try {
      return await readFile(this.#path(sha256));
    } catch (cause) {
      throw notHere(sha256, cause);
    }
  }

  /** Less than `length` at the end of the blob. */
  async readRange(sha256: string, offset: number, length: number): Promise<Uint8Array> {
    const file = await open(this.#path(sha256), 'r');
    try {
      const buffer = new Uint8Array(length);
      const { bytesRead } = await file.read(buffer, 0, length, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  /** Memory that all slots of this machine share. */
  async readShared(sha256: string): Promise<SharedArrayBuffer> {
    const path = this.#path(sha256);
    const bytes = await sizeOf(path);
    if (bytes === undefined) throw notHere(sha256);
    const buffer = new SharedArrayBuffer(bytes);
    const file = await open(path, 'r');
    try {
      const target = new Uint8Array(buffer);
      let at = 0;
      while (at < bytes) {
        const { bytesRead } = await file.read(target, at, bytes - at, at);
        if (bytesRead === 0)
          throw new MeshError('DISK', `blob ${sha256.slice(0, 12)} is cut short`);
        at += bytesRead;
      }
    } finally {
      await file.close();
    }
    return buffer;
  }

  /** Keeps what `body` yields if its SHA-256 is the one named; nothing otherwise. */
  async write(
    sha256: string,
    body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const path = this.#path(sha256);
    const temporary = `${path}.${randomBytes(6).toString('hex')}`;
    const hash = createHash('sha256');
    const file = await open(temporary, 'wx', 0o600);
    try {
      try {
        for await (const chunk of body) {
          hash.update(chunk);
          await file.writeFile(chunk);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      if (hash.digest('hex') !== sha256) {
        throw new MeshError('BAD_INPUT', 'the bytes are not those that the SHA-256 names');
      }
      await rename(temporary, path);
      await syncDirectory(this.#directory);
    } catch (error) {
      await rm(temporary, { force: true });
      // Anything else may be the body's own.
      throw isNoSpace(error) ? diskError(error) : error;
    }
  }

  /** A small blob that is whole in memory, and whose SHA-256 has been looked at. What takes microseconds is done at once, so
   * that only the disk itself is waited for: a miner's loop waits for this at every generation. */
  async keep(sha256: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(sha256);
    const temporary = `${path}.${randomBytes(6).toString('hex')}`;
    try {
      const file = openSync(temporary, 'wx', 0o600);
      try {
        writeFileSync(file, bytes);
        await flushed(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
      await syncDirectory(this.#directory);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw diskError(error);
    }
  }

  /** Takes up a download where it stopped. Two at once do no harm: both write the same bytes to the same place. */
  async download(sha256: string): Promise<Download> {
    const path = this.#partial(sha256);
    let offset = (await sizeOf(path)) ?? 0;
    return {
      get offset() {
        return offset;
      },
      async write(chunk) {
        const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
        try {
          for (let at = 0; at < chunk.byteLength; ) {
            const { bytesWritten } = await file.write(
              chunk,
              at,
              chunk.byteLength - at,
              offset + at,
            );
            at += bytesWritten;
          }
        } finally {
          await file.close();
        }
        offset += chunk.byteLength;
      },
    };
  }

  /** Whether the download is the blob; a wrong one is deleted, so that the next attempt begins anew. */
  async finish(sha256: string): Promise<boolean> {
    const partial = this.#partial(sha256);
    if ((await sizeOf(partial)) === undefined) return this.has(sha256);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(partial)) hash.update(chunk as Uint8Array);
    if (hash.digest('hex') !== sha256) {
      await rm(partial, { force: true });
      return false;
    }
    const file = await open(partial, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, this.#path(sha256));
    await syncDirectory(this.#directory);
    return true;
  }

  #path(sha256: string): string {
    if (!SHA256.test(sha256))
      throw new MeshError('BAD_INPUT', 'a blob is named by 64 hex characters');
    return join(this.#directory, sha256);
  }

  #partial(sha256: string): string {
    return `${this.#path(sha256)}.partial`;
  }
}

function notHere(sha256: string, cause?: unknown): MeshError {
  return new MeshError('NOT_FOUND', `blob ${sha256.slice(0, 12)} is not on this disk`, { cause });
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}
