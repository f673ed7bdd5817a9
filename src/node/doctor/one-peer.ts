// Why one peer is slow, silent or strange, as seen from here: what the mesh knows of it, what its port says, what
// the tailnet says.
import { isIPv6 } from 'node:net';
import { resolvePeerView } from '../control/selector.ts';
import { MeshError } from '../errors.ts';
import { type Finding, ok } from './finding.ts';
import { DEFAULT_PORT } from './machine.ts';
import { checkMesh, dial, lookAtMesh, type MeshReport, unreachable } from './mesh.ts';
import type { System } from './system.ts';
import { checkTailnetPeer } from './tailnet.ts';

/** Throws NOT_FOUND for a name that is neither a peer's nor an address. */
export async function examinePeer(
  home: string,
  system: System,
  who: string,
): Promise<readonly Finding[]> {
  const report = await lookAtMesh(home);
  const known = report === undefined ? undefined : narrowed(report, who);
  if (known !== undefined) {
    const { peer, report: about } = known;
    const findings = checkMesh(about, system.platform).filter(({ id }) => !OWN.has(id));
    return [...findings, ...(await checkTailnetPeer(system, peer.addr))];
  }
  const place = placeOf(who);
  const [word, tailnet] = await Promise.all([dial(place), checkTailnetPeer(system, place.addr)]);
  const shown = `${place.addr}:${place.port}`;
  const named = { name: 'MACHINE', addr: place.addr, place: shown };
  return [
    word === 'open'
      ? ok('peer', `something listens at ${shown}; mesh join --peer ${who}`)
      : unreachable(named, word, system.platform),
    ...tailnet,
  ];
}

/** About this machine, and not about the one that was asked for. */
const OWN: ReadonlySet<string> = new Set(['node', 'node-disk', 'names']);

function narrowed(
  report: MeshReport,
  who: string,
):
  | { readonly peer: MeshReport['peers']['peers'][number]; readonly report: MeshReport }
  | undefined {
  const { peers } = report;
  try {
    const peer = resolvePeerView(
      who,
      peers.peers.filter(({ id }) => id !== peers.self),
    );
    const both = peers.peers.filter(({ id }) => id === peers.self || id === peer.id);
    return { peer, report: { ...report, peers: { ...peers, peers: both } } };
  } catch (error) {
    if (error instanceof MeshError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** An IP address or a host name, with or without a port. */
function placeOf(who: string): { readonly addr: string; readonly port: number } {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9][A-Za-z0-9.-]*))(?::(\d{1,5}))?$/.exec(who) ?? [];
  const addr = isIPv6(who) ? who : (bracketed ?? plain);
  const port = Number(digits ?? DEFAULT_PORT);
  if (addr === undefined || port < 1 || port > 65_535) {
    throw new MeshError('NOT_FOUND', `no peer "${who.slice(0, 80)}", and no address either`, {
      hint: `mesh peers, or mesh doctor --peer IP:${DEFAULT_PORT}`,
    });
  }
  return { addr, port };
}
