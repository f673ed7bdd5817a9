// mesh retry JOB: new attempts for tasks that used up theirs, under the same job; it runs again until they have ended.
import { type Context, withPeer } from './context.ts';
import { plural } from './output/format.ts';
import { printJson } from './output/json.ts';

export async function retry(context: Context, job: string): Promise<number> {
  const view = await withPeer(context, (peer) => peer.retry(job));
  if (context.json) {
    printJson(context.out, view);
    return 0;
  }
  if (context.quiet) return 0;
  context.out.line(
    view.tasks === 0
      ? `nothing of ${view.job} used up its attempts; what failed by its own fault would fail again`
      : `${plural(view.tasks, 'backtest')} of ${view.job} run again: mesh watch ${view.job}`,
  );
  return 0;
}
