// One process at a time lives in a home. The lock names a pid and a socket on which that process listens for as long
// as it lives: a pid alone lies after a power cut, when the next start gives the same number to somebody else.
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { isAlive } from '../alive.ts';
import { MeshError } from '../errors.ts';

/** Tries to take over a dead process's lock, when others try too. */
const TAKEOVERS_MAX = 3;
/** Bytes of a socket's path: bind fails at 104 on macOS, 108 on Linux, each with the closing NUL. */
const SOCKET_PATH_BYTES_MAX = 103;
/** ms: the system answers for a process that lives, even a stopped one, in well under one. */
const PROBE_MS_MAX = 2_000;

export interface HomeLock {
  release(): Promise<void>;
}

/** Throws ALREADY_RUNNING while another process holds the lock at `path`. */
export async function takeHomeLock(path: string): Promise<HomeLock> {
  // The lock appears with its content in it, by a link: an empty one would look like a dead process's.
  const own = `${path}.${process.pid}`;
  const presence = await openPresence(dirname(path));
  const text = `${process.pid}\n${presence?.socket ?? ''}\n`;
  await writeFile(own, text, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < TAKEOVERS_MAX; attempt++) {
      if (await linkIfFree(own, path)) {
        return {
          release: async () => {
            await rm(path, { force: true });
            await presence?.close();
          },
        };
      }
      const found = await readFile(path, 'utf8').catch(() => '');
      const pid = await holderOf(found);
      if (pid !== undefined) throw alreadyRunning(pid);
      await setAside(path, found);
    }
    throw new MeshError('ALREADY_RUNNING', 'another process takes this home again and again');
  } catch (error) {
    await presence?.close();
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/** The pid of the process that holds a lock with that text; undefined when it is gone. */
async function holderOf(lock: string): Promise<number | undefined> {
  const [first = '', socket = ''] = lock.split('\n');
  const pid = Number(first.trim());
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return undefined;
  if (!(await isAlive(pid))) return undefined;
  // Without a socket (its path would have been too long) the pid is all there is to go by.
  return socket === '' || (await isListening(socket)) ? pid : undefined;
}

function isListening(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    const end = (listens: boolean): void => {
      probe.destroy();
      resolve(listens);
    };
    probe.setTimeout(PROBE_MS_MAX, () => end(true));
    probe.once('connect', () => end(true));
    probe.once('error', (error: NodeJS.ErrnoException) => {
      end(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT' && error.code !== 'ENOTSOCK');
    });
  });
}

interface Presence {
  readonly socket: string;
  close(): Promise<void>;
}

/** undefined where a home's path leaves no room for a socket's name. */
async function openPresence(directory: string): Promise<Presence | undefined> {
  const socket = join(directory, `alive-${randomBytes(4).toString('hex')}`);
  if (Buffer.byteLength(socket) > SOCKET_PATH_BYTES_MAX) return undefined;
  const server = createServer((visitor) => visitor.destroy());
  server.unref();
  await listen(server, socket);
  return {
    socket,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
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

/** Removes a dead process's lock and its socket. A rename has one winner; who finds that it moved the fresh lock of
 * somebody who was quicker puts that back. */
async function setAside(path: string, dead: string): Promise<void> {
  const aside = `${path}.${process.pid}.dead`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return;
  }
  const moved = await readFile(aside, 'utf8').catch(() => '');
  if (moved === dead) {
    const socket = dead.split('\n')[1] ?? '';
    if (dirname(socket) === dirname(path)) await rm(socket, { force: true });
  } else await linkIfFree(aside, path);
  await rm(aside, { force: true });
}

function alreadyRunning(pid: number): MeshError {
  return new MeshError('ALREADY_RUNNING', `a node runs in this home already (pid ${pid})`, {
    hint: 'mesh status, or another --home',
  });
}
