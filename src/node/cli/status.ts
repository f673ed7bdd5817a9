// mesh status: this machine, and what to type next.
import { type Context, withPeer } from './context.ts';
import { printJson } from './output/json.ts';
import { renderStatus } from './output/peer-screens.ts';

export async function status(context: Context): Promise<number> {
  const view = await withPeer(context, (peer) => peer.status());
  if (context.json) printJson(context.out, view);
  else if (!context.quiet) {
    context.out.line(renderStatus(view, Date.now(), context.out.paint).join('\n'));
  }
  return 0;
}
