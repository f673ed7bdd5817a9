// From what a person or a member list calls an address to an open, authenticated connection, and from the many
// ways in which that fails to the one error that a person can act on.
import { lookup } from 'node:dns/promises';
import type { Connection } from '@libp2p/interface';
import type { Libp2p } from 'libp2p';
import { MeshError } from '../errors.ts';
import {
  type AddressRule,
  type Endpoint,
  formatEndpoint,
  parseEndpoint,
  parseHostName,
  toMultiaddr,
} from './address.ts';
import type { Members } from './members.ts';
import type { Tailscale } from './tailscale.ts';

/** Connect and noise: two and a half round trips, and one second of SYN repeat on a lossy line. */
const DIAL_TIMEOUT_MS = 4000;

/** Always a fresh connection: which of several to keep is decided by the hello, not by the library. */
export async function dial(
  node: Libp2p,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<Connection> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]);
  return node.dial(toMultiaddr(endpoint), { force: true, signal: limit });
}

/** What `addr` may mean, best first: an address, a member's name, a name that the system can look up. */
export async function resolvePeer(addr: string, members: Members): Promise<Endpoint[]> {
  const direct = parseEndpoint(addr);
  if (direct !== undefined) return [direct];
  const member = members.named(addr);
  if (member !== undefined) return member.addrs.flatMap((text) => parseEndpoint(text) ?? []);
  const name = parseHostName(addr);
  if (name === undefined) {
    const hint = 'An address is an IP, host:port, the name of a known peer, or a multiaddr.';
    throw new MeshError('USAGE', `${addr} is not an address`, { hint });
  }
  try {
    const found = await lookup(name.host, { all: true });
    return found.map(({ address }) => ({ ip: address, port: name.port }));
  } catch (cause) {
    const hint = 'Use the 100.x address that `tailscale ip` prints on that machine.';
    throw new MeshError('UNREACHABLE', `no machine is called ${name.host}`, { hint, cause });
  }
}

/** A dial outside the allowed ranges would be refused by our own gater, without a word about why. */
export function checkAllowed(endpoint: Endpoint, rule: AddressRule): void {
  if (rule.allows(endpoint.ip)) return;
  const hint =
    'Use its 100.x address (`tailscale ip` there), or allow its network: mesh join --allow-net.';
  throw new MeshError('USAGE', `${endpoint.ip} is no tailnet address`, { hint });
}

/** Whether anything in the chain of causes says that nobody listens there. */
export function isConnectionRefused(error: unknown): boolean {
  return causes(error).some((cause) => (cause as NodeJS.ErrnoException).code === 'ECONNREFUSED');
}

/** The error for the person who typed the address. */
export async function unreachable(
  addr: string,
  tried: readonly Endpoint[],
  failure: { readonly error: unknown; readonly tailscale: Tailscale },
): Promise<MeshError> {
  const { error, tailscale } = failure;
  const [first] = tried;
  const place = first === undefined ? addr : formatEndpoint(first);
  const said = first === undefined ? undefined : await tailscale.describe(first.ip);
  const advice = isConnectionRefused(error)
    ? 'Nothing listens there: start it with `mesh join` on that machine.'
    : 'Is the machine on, connected to Tailscale, and is `mesh join` running there?';
  const hint = said === undefined ? advice : `${said}\n${advice}`;
  return new MeshError('UNREACHABLE', `${place} does not answer: ${reasonOf(error)}`, {
    hint,
    cause: error,
  });
}

function reasonOf(error: unknown): string {
  const all = causes(error);
  const code = all
    .map((cause) => (cause as NodeJS.ErrnoException).code)
    .find((text) => text?.startsWith('E'));
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'no route to it';
  if (code === 'ECONNRESET') return 'it hung up (perhaps it does not accept this address)';
  if (all.some((cause) => cause.name === 'TimeoutError' || cause.name === 'AbortError'))
    return 'timed out';
  return code ?? all[0]?.message ?? 'unknown reason';
}

/** The error, its causes and the parts of aggregates, flat; bounded against cycles. */
export function causes(error: unknown): Error[] {
  const found: Error[] = [];
  const open: unknown[] = [error];
  while (open.length > 0 && found.length < 32) {
    const next = open.shift();
    if (!(next instanceof Error)) continue;
    found.push(next);
    open.push(next.cause, ...((next as AggregateError).errors ?? []));
  }
  return found;
}
