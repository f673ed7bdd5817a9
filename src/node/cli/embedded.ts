// A submit on a machine without a node: this process is the peer, with its own slots, until the job has ended.
// Same home, same identity, same lock as the node that `join` would start.
import type { ControlHandlers } from '../control/handlers.ts';
import type { Daemon, DaemonOptions } from '../daemon.ts';
import { MeshError } from '../errors.ts';
import type { Context } from './context.ts';
import type { Departure } from './follow.ts';
import { reachPeers } from './join.ts';
import { type JoinOptions, readJoinFlags } from './join-options.ts';
import { formatCount, plural, printable } from './output/format.ts';
import type { ProgressEvent } from '../control/api.ts';
import { withSettings } from './settings.ts';

/** A person waits at the keyboard; what cannot be handed over in this time is found by census. */
const HANDOVER_MS_MAX = 5000;
const DEFAULT_WAIT_MS = 15_000;
/** ms given to peers of config.json and MESH_PEERS before the job begins: as to members, whom nobody named either. */
const SETTLED_PEERS_MS = 1_500;
const PEERS_NAMED_MAX = 3;

export interface EmbeddedPeer {
  readonly handlers: ControlHandlers;
  close(): Promise<void>;
}

export async function startEmbedded(
  context: Context,
  options: {
    readonly peers: readonly string[];
    readonly slots: number | undefined;
    readonly memoryBytes: number | undefined;
  },
): Promise<EmbeddedPeer> {
  const settled = readJoinFlags(await withSettings(context.home, { wait: `${DEFAULT_WAIT_MS}ms` }));
  const daemon = await startDaemon(context, settled, options);
  try {
    await reachPeers(daemon.handlers, options, DEFAULT_WAIT_MS);
  } catch (error) {
    // Who names a peer wants it to help: working alone would be another job than the one that was asked for.
    await daemon.close();
    throw error;
  }
  const others = (await otherPeers(daemon.handlers)).length;
  // Who never works still has to when there is nobody else.
  if (settled.noWork === true && others > 0) await daemon.handlers.drain(true);
  if (!context.quiet && !context.json) {
    context.err.line(
      others > 0
        ? 'no mesh node runs here, so this command is one until the job ends (mesh join makes it permanent)'
        : 'no mesh node runs here: this machine works alone (mesh join --peer ADDRESS brings in others)',
    );
  }
  return daemon;
}

/** On any port when another peer of this machine has the usual one: nobody needs to know where to find this one. */
async function startDaemon(
  context: Context,
  settled: JoinOptions,
  { slots, memoryBytes }: { slots: number | undefined; memoryBytes: number | undefined },
): Promise<Daemon> {
  const { Daemon } = await import('../daemon.ts');
  const options: DaemonOptions = {
    // Peers that are always named help when they come; those of this command are waited for by who reaches them.
    ...settled,
    waitMs: SETTLED_PEERS_MS,
    home: context.home,
    version: context.version,
    embedded: true,
    ...(slots === undefined ? {} : { slots }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
  try {
    return await Daemon.start(options);
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== 'ADDRESS_IN_USE') throw error;
    return Daemon.start({ ...options, port: 0 });
  }
}

/** The person goes, the job need not: others take it over, or it waits on this disk. */
export async function handOver(
  context: Context,
  peer: EmbeddedPeer,
  why: Departure,
  last: ProgressEvent | undefined,
): Promise<void> {
  const say = (line: string): void => {
    if (why !== 'pipe' && !context.quiet && !context.json) context.err.line(line);
  };
  const others = await otherPeers(peer.handlers);
  if (others.length === 0) {
    say('nobody to hand over to; saved. Continue: mesh join');
    return;
  }
  const left = last === undefined ? 0 : last.tasks - last.done - last.failed;
  const named = others.slice(0, PEERS_NAMED_MAX).map(printable).join(', ');
  const more = others.length > PEERS_NAMED_MAX ? ' …' : '';
  const what = left > 0 ? `${formatCount(left)} unfinished backtests` : 'the job';
  say(`handing ${what} to ${named}${more} (Ctrl-C again drops them)`);
  const view = await peer.handlers.leave({ timeoutMs: HANDOVER_MS_MAX });
  say(`${plural(view.handedOver, 'backtest')} handed over; the job goes on there`);
}

async function otherPeers(handlers: ControlHandlers): Promise<readonly string[]> {
  const { self, peers } = await handlers.peers();
  return peers.filter((peer) => peer.id !== self && peer.state === 'ok').map((peer) => peer.name);
}
