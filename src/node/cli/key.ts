// mesh key show: the secret that proves membership, for copying to a machine that no other rule admits.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ControlClient } from '../control/client.ts';
import { MeshError } from '../errors.ts';
import { type Context, refuseVia } from './context.ts';
import { printJson } from './output/json.ts';

export async function key(context: Context, what: string): Promise<number> {
  if (what !== 'show') {
    throw new MeshError('USAGE', `mesh key can show, not "${what.slice(0, 40)}"`, {
      hint: 'mesh key show',
    });
  }
  const path = join(context.home, 'key');
  refuseVia(context, 'key');
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
