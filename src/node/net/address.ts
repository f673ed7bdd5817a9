// Where peers may be: the address ranges from which a connection is taken at all, and the spellings people and
// peers use for an address. The range proves nothing about who is there; it only keeps everybody else out.
import { BlockList, isIP, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';

export const DEFAULT_PORT = 7420;

/** A place to dial: an IP address and a port. */
export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

// Tailscale gives its nodes these (tailscale/net/tsaddr); ChromeOS has a corner of the first for itself.
const TAILNET = new BlockList();
TAILNET.addSubnet('100.64.0.0', 10, 'ipv4');
TAILNET.addSubnet('fd7a:115c:a1e0::', 48, 'ipv6');
const TAILNET_HOLE = new BlockList();
TAILNET_HOLE.addSubnet('100.115.92.0', 23, 'ipv4');
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

export function isTailnetIp(ip: string): boolean {
  return contains(TAILNET, ip) && !contains(TAILNET_HOLE, ip);
}

export function isLoopbackIp(ip: string): boolean {
  return contains(LOOPBACK, ip);
}

/** Loopback or an address of one of this machine's interfaces: whoever connects from there is a process here. */
export function isOwnIp(ip: string): boolean {
  return isLoopbackIp(ip) || interfaceIps().includes(ip);
}

/** This machine's tailnet address, IPv4 before IPv6; undefined while it has none. */
export function ownTailnetIp(): string | undefined {
  const ips = interfaceIps().filter(isTailnetIp);
  return ips.find((ip) => isIPv4(ip)) ?? ips[0];
}

/** Which remote addresses may talk to this peer at all: tailnet, loopback, and what the user allows on top. */
export class AddressRule {
  readonly #allowed = new BlockList();

  /** `allowNets`: `192.168.7.0/24`, or a single address. Throws a RangeError on anything else. */
  constructor(allowNets: readonly string[] = []) {
    for (const net of allowNets) {
      const [ip = '', prefix] = net.split('/');
      const family = isIP(ip);
      if (family === 0) throw new RangeError(`${net} is not an address range`);
      const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
      this.#allowed.addSubnet(ip, bits, family === 4 ? 'ipv4' : 'ipv6');
    }
  }

  allows(ip: string): boolean {
    return isTailnetIp(ip) || isLoopbackIp(ip) || contains(this.#allowed, ip);
  }
}

/** `100.64.0.1`, `100.64.0.1:7420`, `fd7a::1`, `[fd7a::1]:7420`, `/ip4/100.64.0.1/tcp/7420`. */
export function parseEndpoint(text: string): Endpoint | undefined {
  if (text.startsWith('/')) return parseMultiaddr(text);
  if (isIP(text) !== 0) return { ip: text, port: DEFAULT_PORT };
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<v4>[0-9.]+))(?::(?<port>\d{1,5}))?$/.exec(text);
  const ip = match?.groups?.['v6'] ?? match?.groups?.['v4'];
  const port = Number(match?.groups?.['port'] ?? DEFAULT_PORT);
  return ip !== undefined && isIP(ip) !== 0 && isPort(port) ? { ip, port } : undefined;
}

/** `studio` or `studio:7420`, to be looked up. */
export function parseHostName(text: string): { host: string; port: number } | undefined {
  const match = /^(?<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))(?::(?<port>\d{1,5}))?$/.exec(text);
  const port = Number(match?.groups?.['port'] ?? DEFAULT_PORT);
  const host = match?.groups?.['host'];
  return host !== undefined && isPort(port) ? { host, port } : undefined;
}

/** `100.64.0.1:7420` or `[fd7a::1]:7420`. */
export function formatEndpoint({ ip, port }: Endpoint): string {
  return isIPv4(ip) ? `${ip}:${port}` : `[${ip}]:${port}`;
}

export function isSameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.ip === b.ip && a.port === b.port;
}

export function toMultiaddr({ ip, port }: Endpoint): Multiaddr {
  return multiaddr(`/ip${isIPv4(ip) ? 4 : 6}/${ip}/tcp/${port}`);
}

/** Undefined for anything but plain TCP over IP. */
export function endpointOf(address: Multiaddr): Endpoint | undefined {
  const parts = address.getComponents();
  const ip = parts.find((part) => part.name === 'ip4' || part.name === 'ip6')?.value;
  const port = Number(parts.find((part) => part.name === 'tcp')?.value);
  if (ip === undefined || isIP(ip) === 0 || !isPort(port)) return undefined;
  return { ip: unmapped(ip), port };
}

function parseMultiaddr(text: string): Endpoint | undefined {
  try {
    return endpointOf(multiaddr(text));
  } catch {
    // The library throws a plain Error for whatever is no multiaddr.
    return undefined;
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** `::ffff:100.64.0.1` is 100.64.0.1: a listener on `::` sees IPv4 peers that way. */
function unmapped(ip: string): string {
  const mapped = ip.toLowerCase().startsWith('::ffff:') ? ip.slice(7) : ip;
  return isIPv4(mapped) ? mapped : ip;
}

function contains(ranges: BlockList, ip: string): boolean {
  const plain = unmapped(ip);
  const family = isIP(plain);
  return family !== 0 && ranges.check(plain, family === 4 ? 'ipv4' : 'ipv6');
}

function interfaceIps(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map((entry) => entry.address),
  );
}
