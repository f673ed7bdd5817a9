// A file that a user names: read whole, within a bound, whatever it is. A pipe (`mesh submit <(generate)`) has no size that
// could be asked for, and /dev/zero no end.
import { type FileHandle, open } from 'node:fs/promises';
import { MeshError } from '../errors.ts';

/** Bytes of a job file: ten thousand strategies written out are 5 MB. */
export const JOB_FILE_BYTES_MAX = 64 * 2 ** 20;
/** Bytes of a data file, as text: twenty years of one-minute candles are 700 MB. */
export const DATA_FILE_BYTES_MAX = 2 ** 31;
/** Of what is no file on a disk: it is kept in pieces until its end is known. */
const STREAM_BYTES_MAX = 2 ** 28;
const CHUNK_BYTES = 2 ** 20;

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory, name a file in it',
  EACCES: 'this user may not read it',
};

/** Throws BAD_INPUT with a sentence that names the file. */
export async function readUserFile(file: string, bytesMax: number): Promise<Buffer> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    const stats = await handle.stat();
    if (stats.isDirectory()) throw Object.assign(new Error('EISDIR'), { code: 'EISDIR' });
    return stats.isFile()
      ? await readWhole(handle, { file, size: stats.size, bytesMax })
      : await readStream(handle, { file, bytesMax: Math.min(bytesMax, STREAM_BYTES_MAX) });
  } catch (cause) {
    if (cause instanceof MeshError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const why = WHY[code ?? ''] ?? (cause as Error).message;
    throw new MeshError('BAD_INPUT', `cannot read ${file}: ${why}`, { cause });
  } finally {
    await handle?.close();
  }
}

async function readWhole(
  handle: FileHandle,
  { file, size, bytesMax }: { file: string; size: number; bytesMax: number },
): Promise<Buffer> {
  if (size > bytesMax) throw tooLong(file, bytesMax);
  // One byte more than it has: whoever still writes to it is found out, and no half row is taken for a whole one.
  const buffer = Buffer.allocUnsafe(size + 1);
  let at = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, at, buffer.byteLength - at, at);
    if (bytesRead === 0) return buffer.subarray(0, at);
    at += bytesRead;
    if (at > size) {
      throw new MeshError('BAD_INPUT', `cannot read ${file}: it grows while it is read`, {
        hint: 'once more, when nothing writes to it',
      });
    }
  }
}

async function readStream(
  handle: FileHandle,
  { file, bytesMax }: { file: string; bytesMax: number },
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, null, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    bytes += bytesRead;
    if (bytes > bytesMax) throw tooLong(file, bytesMax);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

export function tooLong(file: string, bytesMax: number): MeshError {
  return new MeshError('BAD_INPUT', `${file} has more than ${bytesMax / 2 ** 20} MiB`);
}
