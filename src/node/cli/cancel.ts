// mesh cancel JOB…: tasks that run end by themselves, the rest is never started, rows that exist stay.
import { MeshError } from '../errors.ts';
import { type Context, withPeer } from './context.ts';
import { printJson } from './output/json.ts';

export async function cancel(
  context: Context,
  selectors: readonly string[],
  flags: { readonly yes?: boolean },
): Promise<number> {
  if (selectors.includes('all') && flags.yes !== true) {
    throw new MeshError('USAGE', 'cancelling all jobs of the mesh needs --yes', {
      hint: 'mesh cancel all --yes',
    });
  }
  const cancelled: string[] = [];
  await withPeer(context, async (peer) => {
    for (const selector of selectors) cancelled.push(...(await peer.cancel(selector)).jobs);
  });
  if (context.json) printJson(context.out, { v: 1, jobs: cancelled });
  else if (!context.quiet) {
    context.out.line(cancelled.length === 0 ? 'no job runs' : `cancelled ${cancelled.join(', ')}`);
  }
  return 0;
}
