// Where a peer listens: its tailnet address and loopback, never all interfaces. A tailnet address that is not up
// yet (Tailscale starts after us, or logs in later) is tried again until it is; a port that somebody else holds
// is an error that names the port.
import { createServer } from 'node:net';
import { MeshError } from '../errors.ts';
import {
  type Endpoint,
  formatEndpoint,
  isLoopbackIp,
  isTailnetIp,
  ownTailnetIp,
} from './address.ts';

const LOOPBACK_IP = '127.0.0.1';

export interface ListenWish {
  /** Instead of this machine's tailnet address. */
  readonly ip?: string | undefined;
  /** 0: any free port, the same on every address. */
  readonly port: number;
}

/** The addresses to listen on, the one to announce in front. */
export function listenIps({ ip }: ListenWish): string[] {
  const first = ip ?? ownTailnetIp();
  if (first === undefined || isLoopbackIp(first)) return [first ?? LOOPBACK_IP];
  return [first, LOOPBACK_IP];
}

/**
 * Which of the wished addresses can be bound now. Throws ADDRESS_IN_USE, and USAGE for an address that this
 * machine does not have; a tailnet address that it does not have yet is left out.
 */
export async function bindable(wish: ListenWish): Promise<Endpoint[]> {
  const endpoints: Endpoint[] = [];
  let { port } = wish;
  for (const ip of listenIps(wish)) {
    const bound = await tryBind({ ip, port });
    if (bound === undefined && !isTailnetIp(ip)) {
      throw bindError(
        { ip, port },
        Object.assign(new Error('no such address'), { code: 'EADDRNOTAVAIL' }),
      );
    }
    if (bound === undefined) continue;
    port = bound;
    endpoints.push({ ip, port });
  }
  return endpoints;
}

/** The port bound for a moment; undefined when this machine lacks the address. */
async function tryBind(endpoint: Endpoint): Promise<number | undefined> {
  const { ip, port } = endpoint;
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRNOTAVAIL') resolve(undefined);
      else reject(bindError(endpoint, error));
    });
    server.listen({ host: ip, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : port),
      );
    });
  });
}

export function bindError(endpoint: Endpoint, cause: NodeJS.ErrnoException): MeshError {
  const { port } = endpoint;
  if (cause.code === 'EADDRINUSE') {
    const hint = `Another program, perhaps another peer, has port ${port}. Choose one: mesh join --port ${port + 1}`;
    return new MeshError('ADDRESS_IN_USE', `port ${port} is in use on ${endpoint.ip}`, {
      hint,
      cause,
    });
  }
  const words: Record<string, string> = {
    EACCES: 'not permitted',
    EADDRNOTAVAIL: 'this machine does not have that address',
  };
  const what = words[cause.code ?? ''] ?? cause.message;
  return new MeshError('USAGE', `cannot listen on ${formatEndpoint(endpoint)}: ${what}`, { cause });
}
