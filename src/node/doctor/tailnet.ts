// Tailscale on this machine, as its command line tool tells: whether it is up, and whether peers are reached through
// a relay, which costs tens of milliseconds a steal.
import { type Command, type Finding, ok, warning } from './finding.ts';
import type { System } from './system.ts';

interface TailnetReport {
  readonly state: string;
  readonly peers: readonly {
    readonly name: string;
    readonly ips: readonly string[];
    readonly isOnline: boolean;
    /** Region of the relay through which its traffic goes just now; undefined: direct, or no traffic. */
    readonly relay: string | undefined;
  }[];
}

const UP: Command = ['tailscale', 'up'];

/** Undefined when it makes no sense: another version of the tool, or an error page. */
function readTailscale(text: string): TailnetReport | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { BackendState: state, Peer: peers } = fields(value);
  if (typeof state !== 'string') return undefined;
  return { state, peers: Object.values(fields(peers)).map(peerOf) };
}

function peerOf(value: unknown): TailnetReport['peers'][number] {
  const { DNSName, HostName, TailscaleIPs, Online, Active, CurAddr, Relay } = fields(value);
  const ips = Array.isArray(TailscaleIPs)
    ? TailscaleIPs.filter((ip) => typeof ip === 'string')
    : [];
  const isRelayed = Active === true && text(CurAddr) === '' && text(Relay) !== '';
  return {
    name: text(DNSName).split('.')[0] || text(HostName) || 'a machine',
    ips,
    isOnline: Online === true,
    relay: isRelayed ? text(Relay) : undefined,
  };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `addresses`: those of the mesh's peers. */
export async function checkTailscale(
  system: System,
  addresses: readonly string[],
): Promise<readonly Finding[]> {
  const answer = await system.run('tailscale', ['status', '--json']);
  if (answer === undefined) {
    const found = await system.run('tailscale', ['version']);
    return found === undefined
      ? [ok('tailscale', 'no Tailscale on this machine: only this network and copied keys')]
      : [warning('tailscale', 'Tailscale does not answer', 'tailscale up', UP)];
  }
  const report = readTailscale(answer);
  if (report === undefined) return [];
  if (report.state !== 'Running') {
    return [
      warning('tailscale', `Tailscale is not connected (${report.state})`, 'tailscale up', UP),
    ];
  }
  const inMesh = report.peers.filter(({ ips }) => ips.some((ip) => addresses.includes(ip)));
  const relayed = inMesh.filter(({ relay }) => relay !== undefined);
  if (relayed.length === 0) {
    return [
      ok(
        'tailscale',
        inMesh.length === 0 ? 'Tailscale is up' : 'Tailscale is up; no peer is behind a relay',
      ),
    ];
  }
  return relayed.map(({ name, relay }) =>
    warning(
      'tailscale-relay',
      `${name} is reached through the relay ${relay}: every steal waits for it`,
      `tailscale ping ${name}   (opens the direct way, or says why there is none)`,
    ),
  );
}

/** What the tailnet says about one address: the four reasons of silence are told apart. */
export async function checkTailnetPeer(system: System, addr: string): Promise<readonly Finding[]> {
  const answer = await system.run('tailscale', ['status', '--json']);
  const report = answer === undefined ? undefined : readTailscale(answer);
  if (report === undefined || report.state !== 'Running') return checkTailscale(system, [addr]);
  const peer = report.peers.find(({ ips }) => ips.includes(addr));
  if (peer === undefined) {
    return isTailnet(addr)
      ? [warning('tailscale', `${addr} is no machine of this tailnet`, 'tailscale status')]
      : [];
  }
  if (!peer.isOnline) {
    return [
      warning(
        'tailscale',
        `Tailscale says that ${peer.name} is offline`,
        'wake it; there: tailscale up',
      ),
    ];
  }
  return peer.relay === undefined
    ? [ok('tailscale', `Tailscale says that ${peer.name} is online`)]
    : checkTailscale(system, [addr]);
}

/** 100.64.0.0/10, and Tailscale's part of the IPv6 unique local addresses. */
function isTailnet(addr: string): boolean {
  return /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^fd7a:115c:a1e0:/i.test(addr);
}
