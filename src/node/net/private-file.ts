// Small files that nobody else may read and that are never half written: the key, the identity, the members.
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Undefined when there is no such file. Reads at most `bytesMax`: a larger file is not ours. */
export async function readPrivateFile(path: string, bytesMax: number): Promise<Buffer | undefined> {
  try {
    const content = await readFile(path);
    if (content.byteLength > bytesMax) throw new RangeError(`${path} is too large to be ours`);
    return content;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces `path` as a whole, on disk when this returns, readable by this user alone. */
export async function writePrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
