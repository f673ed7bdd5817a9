// The directory in which a peer lives: private to its user, and used by one process at a time.
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '../alive.ts';
import { MeshError } from '../errors.ts';

const PRIVATE = 0o700;

/** Tries to take over a dead process's lock, when others try too. */
const TAKEOVERS_MAX = 3;

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
  // The lock appears with its content in it, by a link: an empty one would look like a dead process's.
  const own = `${path}.${process.pid}`;
  await writeFile(own, `${process.pid}\n`, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < TAKEOVERS_MAX; attempt++) {
      if (await linkIfFree(own, path)) return;
      const pid = await ownerOf(path);
      if (pid !== undefined && pid !== process.pid && (await isAlive(pid)))
        throw alreadyRunning(pid);
      await setAside(path, pid);
    }
    throw new MeshError('ALREADY_RUNNING', 'another process takes this home again and again');
  } finally {
    await rm(own, { force: true });
  }
}

async function linkIfFree(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** Removes a dead process's lock. A rename has one winner; who finds that it moved the fresh lock of somebody
 * who was quicker puts that back. */
async function setAside(path: string, deadPid: number | undefined): Promise<void> {
  const aside = `${path}.${process.pid}.dead`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return;
  }
  const moved = await ownerOf(aside);
  if (moved !== deadPid && moved !== undefined) await linkIfFree(aside, path);
  await rm(aside, { force: true });
}

/** The pid in a lock; undefined when there is none. */
async function ownerOf(path: string): Promise<number | undefined> {
  const pid = Number((await readFile(path, 'utf8').catch(() => '')).trim());
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

function alreadyRunning(pid: number): MeshError {
  return new MeshError('ALREADY_RUNNING', `a node runs in this home already (pid ${pid})`, {
    hint: 'mesh status, or another --home',
  });
}
