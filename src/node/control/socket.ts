// Where a home's control socket is, and whether somebody answers there.
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';

/** Bytes of a socket's path: bind fails at 104 on macOS, 108 on Linux, each with the closing NUL. */
const SOCKET_PATH_BYTES_MAX = 103;
/** A live peer accepts in well under a millisecond; its main thread never computes. */
const PROBE_MS_MAX = 2000;

export function controlSocketPath(home: string): string {
  const usual = join(resolve(home), 'run', 'mesh.sock');
  if (Buffer.byteLength(usual) <= SOCKET_PATH_BYTES_MAX) return usual;
  const digest = createHash('sha256').update(resolve(home)).digest('hex').slice(0, 16);
  return join(tmpdir(), `mesh-${userInfo().uid}`, `${digest}.sock`);
}

/** `stale`: the socket's file is there, its process is not. */
export type SocketState = 'live' | 'stale' | 'absent';

export function probeSocket(path: string): Promise<SocketState> {
  return new Promise((settle, reject) => {
    const socket = connect(path);
    socket.setTimeout(PROBE_MS_MAX);
    const end = (state: SocketState): void => {
      socket.destroy();
      settle(state);
    };
    socket.once('connect', () => end('live'));
    // A stopped process still accepts; one that does not even do that holds the socket all the same.
    socket.once('timeout', () => end('live'));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') end('absent');
      else if (error.code === 'ECONNREFUSED' || error.code === 'ENOTSOCK') end('stale');
      else reject(error);
    });
  });
}
