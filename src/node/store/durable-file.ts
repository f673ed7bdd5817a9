// Small files, directories and disk errors, with the care that a power cut asks for. On a Mac Node's fsync is
// F_FULLFSYNC: it reaches the disk, not only its cache.
import { closeSync, fsync, openSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { MeshError } from '../errors.ts';

/** Resolves when what was written to a descriptor is on the disk. */
export const flushed = promisify(fsync);

/** Makes a new or renamed file's name as durable as its bytes. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = openSync(path, 'r');
  try {
    await flushed(directory);
  } finally {
    closeSync(directory);
  }
}

/** Writes a small file so that after a crash it is either the old or the new one. */
export async function replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

export function diskError(cause: unknown): MeshError {
  if (cause instanceof MeshError) return cause;
  const code = (cause as { code?: string } | undefined)?.code ?? 'unknown error';
  const message = isNoSpace(cause)
    ? 'the disk is full: nothing new is kept until there is space'
    : `this disk does not keep records (${code})`;
  return new MeshError('DISK', message, { cause, hint: 'df -h' });
}

/** No space, over quota, or a limit on the size of files: goes away when somebody makes room. */
export function isNoSpace(cause: unknown): boolean {
  const code = (cause as { code?: string } | undefined)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
}
