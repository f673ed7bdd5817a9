// mesh peers: who is there and how busy.
import type { PeersView } from '../control/api.ts';
import { type Context, listFormat, refuseVia, withPeer } from './context.ts';
import { lookAgain, readInterval } from './look-again.ts';
import { parseChoice } from './options.ts';
import { plural, printable } from './output/format.ts';
import { printJson } from './output/json.ts';
import { renderPeers, renderWidePeers } from './output/peer-screens.ts';
import { renderTsv } from './output/tsv.ts';
import { byMost, byName } from './peer-order.ts';

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

export interface PeersFlags {
  readonly watch?: string | boolean;
  readonly forget?: string;
  readonly sort?: string;
  readonly wide?: boolean;
}

const ORDERS = {
  name: byName,
  rate: byMost((peer) => peer.rate),
  share: byMost((peer) => peer.share),
  queue: byMost((peer) => peer.queued),
} as const;
const ORDER_NAMES = Object.keys(ORDERS) as (keyof typeof ORDERS)[];

export async function peers(context: Context, flags: PeersFlags): Promise<number> {
  if (flags.forget !== undefined) return forget(context, flags.forget);
  const order =
    flags.sort === undefined ? undefined : parseChoice(flags.sort, '--sort', ORDER_NAMES);
  const look = async (): Promise<void> => {
    const view = await withPeer(context, (peer) => peer.peers());
    const sorted = order === undefined ? view.peers : view.peers.toSorted(ORDERS[order]);
    print(context, { ...view, peers: sorted }, flags.wide === true);
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

function print(context: Context, view: PeersView, isWide: boolean): void {
  switch (listFormat(context)) {
    case 'json':
      printJson(context.out, view);
      return;
    case 'tsv': {
      const rows = view.peers.map((peer) => TSV_COLUMNS.map((column) => peer[column]));
      context.out.line(renderTsv(TSV_COLUMNS, rows));
      return;
    }
    case 'table': {
      const { columns, paint } = context.out;
      const lines = isWide
        ? renderWidePeers(view, columns, paint, Date.now())
        : renderPeers(view, columns, paint);
      context.out.line(lines.join('\n'));
      return;
    }
    case 'none':
  }
}
