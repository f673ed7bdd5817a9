// A `tailscale` for PATH that answers what mesh asks it: who is behind which address. It stands before a real one,
// so that no test depends on whether the machine is on a tailnet.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export interface TailnetNode {
  readonly ip: string;
  readonly name: string;
  readonly login: string;
}

/** The environment of a machine whose tailscale knows `nodes`, itself first; none: it is not logged in. */
export async function tailscaleOf(
  directory: string,
  nodes: readonly TailnetNode[],
): Promise<{ PATH: string }> {
  await mkdir(directory, { recursive: true });
  const cases = nodes.map(({ ip, ...node }) => `"whois --json ${ip}:"*) ${print(whois(node))};;`);
  const script = [
    '#!/bin/sh',
    'case "$*" in',
    `"status --json") ${print(status(nodes))};;`,
    ...cases,
    '*) echo "peer not found" >&2; exit 1;;',
    'esac',
  ];
  const path = join(directory, 'tailscale');
  await writeFile(path, `${script.join('\n')}\n`);
  await chmod(path, 0o755);
  return { PATH: `${directory}${delimiter}${process.env['PATH'] ?? ''}` };
}

function print(answer: object): string {
  return `echo '${JSON.stringify(answer)}'`;
}

function whois({ name, login }: Omit<TailnetNode, 'ip'>): object {
  return {
    Node: { ID: 1, StableID: `n-${name}`, Name: `${name}.tail1234.ts.net.` },
    UserProfile: { LoginName: login },
  };
}

function status(nodes: readonly TailnetNode[]): object {
  const [self, ...others] = nodes;
  if (self === undefined) return { BackendState: 'NeedsLogin', Self: null, Peer: null, User: null };
  const logins = [...new Set(nodes.map(({ login }) => login))];
  const userOf = (login: string): number => logins.indexOf(login) + 1;
  const peerOf = ({ ip, name, login }: TailnetNode): object => ({
    HostName: name,
    DNSName: `${name}.tail1234.ts.net.`,
    TailscaleIPs: [ip],
    UserID: userOf(login),
    Online: true,
    Active: true,
    CurAddr: `${ip}:41641`,
  });
  return {
    BackendState: 'Running',
    Self: peerOf(self),
    User: Object.fromEntries(logins.map((login) => [userOf(login), { LoginName: login }])),
    Peer: Object.fromEntries(others.map((node) => [`nodekey:${node.name}`, peerOf(node)])),
  };
}
