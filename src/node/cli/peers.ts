// mesh peers: who is there and how busy.
import type { PeersView } from '../control/api.ts';
import { type Context, listFormat, refuseVia, withPeer } from './context.ts';
import { lookAgain, readInterval } from './look-again.ts';
import { plural, printable } from './output/format.ts';
import { printJson } from './output/json.ts';
import { renderPeers } from './output/peer-screens.ts';
import { renderTsv } from './output/tsv.ts';

const TSV_COLUMNS = [
  'name',
  'addr',
  'port',
  'state',
  'slots',
  'running',
  'queued',
  'donePerSec',
  'share',
  'rate',
  'done',
  'failed',
  'stole',
  'gave',
  'rttMs',
  'path',
  'version',
  'since',
  'id',
] as const;

export async function peers(
  context: Context,
  flags: { readonly watch?: string | boolean; readonly forget?: string },
): Promise<number> {
  if (flags.forget !== undefined) return forget(context, flags.forget);
  const look = async (): Promise<void> => {
    print(context, await withPeer(context, (peer) => peer.peers()));
  };
  if (flags.watch !== undefined) return lookAgain(context, readInterval(flags.watch), look);
  await look();
  return 0;
}

/** Puts a machine out: its identity, its Tailscale id, and the key that it has. */
async function forget(context: Context, name: string): Promise<number> {
  refuseVia(context, 'peers --forget');
  const view = await withPeer(context, (peer) => peer.forget(name));
  if (context.json) printJson(context.out, view);
  else if (!context.quiet) {
    const { peer, fingerprint, told } = view;
    context.out.line(
      `${printable(peer.name)} is forgotten; the mesh key is a new one, fingerprint ${fingerprint}; ${plural(told, 'other peer')} told`,
    );
  }
  return 0;
}

function print(context: Context, view: PeersView): void {
  switch (listFormat(context)) {
    case 'json':
      printJson(context.out, view);
      return;
    case 'tsv': {
      const rows = view.peers.map((peer) => TSV_COLUMNS.map((column) => peer[column]));
      context.out.line(renderTsv(TSV_COLUMNS, rows));
      return;
    }
    case 'table':
      context.out.line(renderPeers(view, context.out.columns, context.out.paint).join('\n'));
      return;
    case 'none':
  }
}
