// mesh drain [PEER], mesh undrain [PEER]: a machine that gives its queue to the others and takes nothing, until told
// otherwise or started again. It stays a member: its rows are read, and jobs that it answers for go on.
import { type Context, withPeer } from './context.ts';
import { plural, printable } from './output/format.ts';
import { printJson } from './output/json.ts';
import { waitUntil } from './wait.ts';

/** A micro-batch is milliseconds, but a single task may be long; who is in no hurry passes --timeout. */
const DRAIN_MS_DEFAULT = 30_000;

export async function drain(context: Context, peerName: string | undefined): Promise<number> {
  const place = peerName === undefined ? context : { ...context, via: peerName };
  const { name, left } = await withPeer(place, async (peer) => {
    await peer.drain(true);
    let status = await peer.status();
    await waitUntil(async () => {
      status = await peer.status();
      return status.running === 0 && status.queued === 0;
    }, context.timeoutMs ?? DRAIN_MS_DEFAULT);
    return { name: status.self.name, left: status.running + status.queued };
  });
  if (context.json) printJson(context.out, { v: 1, peer: name, state: 'draining', left });
  else if (!context.quiet) {
    const rest =
      left === 0
        ? 'it holds no work any more'
        : `${plural(left, 'backtest')} still there; it takes no more`;
    context.out.line(`${printable(name)} drains: ${rest}; back with mesh undrain`);
  }
  return 0;
}

export async function undrain(context: Context, peerName: string | undefined): Promise<number> {
  const place = peerName === undefined ? context : { ...context, via: peerName };
  const name = await withPeer(place, async (peer) => {
    await peer.drain(false);
    return (await peer.status()).self.name;
  });
  if (context.json) printJson(context.out, { v: 1, peer: name, state: 'ok' });
  else if (!context.quiet) context.out.line(`${printable(name)} takes work again`);
  return 0;
}
