// mesh key show | rotate | require: the secret that proves membership. Shown for copying to a machine that no
// other rule admits; replaced when somebody has it who should not; required of whoever opens a connection at all.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ControlClient } from '../control/client.ts';
import { MeshError } from '../errors.ts';
import { type Context, refuseVia, withPeer } from './context.ts';
import { plural } from './output/format.ts';
import { printJson } from './output/json.ts';

export async function key(context: Context, what: string): Promise<number> {
  refuseVia(context, 'key');
  if (what === 'rotate' || what === 'require') return change(context, what);
  if (what !== 'show') {
    throw new MeshError('USAGE', `mesh key can show, rotate, require, not "${what.slice(0, 40)}"`, {
      hint: 'mesh key show',
    });
  }
  const path = join(context.home, 'key');
  const peer = await ControlClient.find(context.home);
  const { key, fingerprint } =
    peer === undefined ? { key: await readKey(path), fingerprint: undefined } : await peer.key();
  if (context.json) printJson(context.out, { v: 1, key, fingerprint, path });
  else {
    context.out.line(key);
    // The key is the data; what one does with it is a remark.
    if (!context.quiet && context.err.isTty) {
      const print = fingerprint === undefined ? '' : `, fingerprint ${fingerprint}`;
      context.err.line(
        `  keep it secret; on a new machine it belongs into ${path}, mode 0600${print}`,
      );
    }
  }
  return 0;
}

async function change(context: Context, what: 'rotate' | 'require'): Promise<number> {
  const view = await withPeer(context, (peer) =>
    what === 'rotate' ? peer.rotateKey() : peer.requireKey(),
  );
  if (context.json) printJson(context.out, view);
  else if (!context.quiet) {
    const { fingerprint, told } = view;
    context.out.line(
      what === 'rotate'
        ? `the mesh key is a new one, fingerprint ${fingerprint}; ${plural(told, 'other peer')} told`
        : `the key is required of every connection from here on; ${plural(told, 'other peer')} told`,
    );
    context.err.line(
      what === 'rotate'
        ? '  peers that are away come back by Tailscale login, invite, approval or a copied key'
        : '  a new machine needs an invite or the key file; peers that are away and have the key find out by themselves',
    );
  }
  return 0;
}

async function readKey(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw new MeshError('NO_NODE', `there is no mesh key in ${path}: this machine never joined`, {
      hint: 'mesh join',
      cause,
    });
  }
}
