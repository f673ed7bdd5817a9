// mesh peers: who is there and how busy.
import { setTimeout as delay } from 'node:timers/promises';
import type { PeersView } from '../control/api.ts';
import { type Context, listFormat, refuseVia, withPeer } from './context.ts';
import { plural, printable } from './output/format.ts';
import { parseDuration } from './options.ts';
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

const WATCH_MS_DEFAULT = '1s';

export async function peers(
  context: Context,
  flags: { readonly watch?: string | boolean; readonly forget?: string },
): Promise<number> {
  if (flags.forget !== undefined) return forget(context, flags.forget);
  if (flags.watch === undefined) {
    print(context, await withPeer(context, (peer) => peer.peers()));
    return 0;
  }
  const text = flags.watch === true ? WATCH_MS_DEFAULT : String(flags.watch);
  return watchPeers(context, Math.max(100, parseDuration(text, '--watch')));
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

/** Until Ctrl-C, or until nobody reads. On a terminal the table is drawn over itself; elsewhere each look is printed after the last. */
async function watchPeers(context: Context, everyMs: number): Promise<number> {
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  process.once('SIGINT', stop);
  process.stdout.once('error', stop);
  try {
    while (!stopped.signal.aborted) {
      const view = await withPeer(context, (peer) => peer.peers());
      if (listFormat(context) === 'table') context.out.write('\x1b[H\x1b[2J');
      print(context, view);
      await delay(everyMs, undefined, { signal: stopped.signal }).catch(() => {});
    }
    return 0;
  } finally {
    process.off('SIGINT', stop);
    process.stdout.off('error', stop);
  }
}
