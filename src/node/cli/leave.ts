// mesh leave: give queue and jobs to the others, then go. mesh stop: go at once, the others find the work.
import { isAlive } from '../alive.ts';
import { ControlClient } from '../control/client.ts';
import { MeshError } from '../errors.ts';
import { type Context, refuseVia, withPeer } from './context.ts';
import { plural, printable } from './output/format.ts';
import { printJson } from './output/json.ts';
import { waitUntil } from './wait.ts';

/** Handing over is one message per job and batch; a minute is for a mesh that is busy and far away. */
const LEAVE_MS_DEFAULT = 60_000;
/** From the answer to the end of the process: closing files and connections. */
const EXIT_MS_MAX = 10_000;

export async function leave(context: Context): Promise<number> {
  refuseVia(context, 'leave');
  const timeoutMs = context.timeoutMs ?? LEAVE_MS_DEFAULT;
  const { view, pid } = await withPeer(context, async (peer) => {
    const { self } = await peer.status();
    return { view: await peer.leave({ timeoutMs }), pid: self.pid };
  });
  await waitForEnd(pid);
  if (context.json) printJson(context.out, view);
  else if (!context.quiet) {
    const heirs = view.heirs.map(printable).join(', ');
    context.out.line(
      view.handedOver > 0
        ? `left the mesh; ${plural(view.handedOver, 'unfinished backtest')} went to ${heirs}`
        : 'left the mesh; there was no unfinished work to hand over',
    );
  }
  return 0;
}

export async function stop(context: Context): Promise<number> {
  refuseVia(context, 'stop');
  const peer = await ControlClient.find(context.home);
  if (peer !== undefined) {
    const { self } = await peer.status();
    await peer.stop();
    await waitForEnd(self.pid);
  }
  // What is wanted holds: nothing runs. A script may say stop twice.
  const text = peer === undefined ? 'no node was running' : 'stopped';
  if (context.json) printJson(context.out, { v: 1, stopped: peer !== undefined });
  else if (!context.quiet) context.out.line(text);
  return 0;
}

/** The socket closes before the files do; only a process that is gone has let go of its home. */
async function waitForEnd(pid: number): Promise<void> {
  if (await waitUntil(async () => !(await isAlive(pid)), EXIT_MS_MAX)) return;
  throw new MeshError('TIMEOUT', `the node (pid ${pid}) still runs after it was told to stop`, {
    hint: `kill ${pid}`,
  });
}
