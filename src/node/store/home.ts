// The directory in which a peer lives: private to its user, and used by one process at a time.
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshError } from '../errors.ts';

const PRIVATE = 0o700;

export interface Home {
  readonly directory: string;
  readonly journal: string;
  readonly blobs: string;
  readonly identity: string;
  readonly members: string;
  readonly log: string;
  readonly incarnation: string;
  release(): Promise<void>;
}

/** Throws ALREADY_RUNNING when another process lives there. */
export async function openHome(directory: string): Promise<Home> {
  try {
    for (const folder of ['', 'run', 'logs']) {
      await mkdir(join(directory, folder), { recursive: true, mode: PRIVATE });
    }
  } catch (cause) {
    throw new MeshError('INTERNAL', `cannot write to ${directory}`, {
      hint: '--home DIRECTORY',
      cause,
    });
  }
  const lock = join(directory, 'run', 'lock');
  await takeLock(lock);
  return {
    directory,
    journal: join(directory, 'journal'),
    blobs: join(directory, 'blobs'),
    identity: join(directory, 'identity'),
    members: join(directory, 'members.json'),
    log: join(directory, 'logs', 'node.ndjson'),
    incarnation: join(directory, 'incarnation'),
    release: () => rm(lock, { force: true }),
  };
}

/** The lock holds a pid; one whose process is gone (kill -9, power cut) is taken over. */
async function takeLock(path: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(`${process.pid}\n`);
      await file.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const pid = Number((await readFile(path, 'utf8').catch(() => '')).trim());
    if (Number.isSafeInteger(pid) && pid > 0 && pid !== process.pid && isAlive(pid)) {
      throw new MeshError('ALREADY_RUNNING', `a node runs in this home already (pid ${pid})`, {
        hint: 'mesh status, or another --home',
      });
    }
    await rm(path, { force: true });
  }
  throw new MeshError('ALREADY_RUNNING', 'another process takes this home again and again');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
