// mesh results JOB --overfit: whether the winners may be luck. Has the mesh compute what is missing for it, as a job of
// its own whose rows are found again the next time.
import type { ControlHandlers } from '../control/handlers.ts';
import { MeshError } from '../errors.ts';
import type { Context } from './context.ts';
import { plural } from './output/format.ts';
import { printJson } from './output/json.ts';
import { overfitReport, type OverfitReport, renderOverfit } from './output/overfit.ts';
import { renderTsv } from './output/tsv.ts';

export interface OverfitWish {
  readonly job: string;
  /** Winners on a screen. */
  readonly top: number;
  /** Trials of all generations; absent: the job's tasks. */
  readonly trials?: number | undefined;
}

export async function printOverfit(
  context: Context,
  peer: ControlHandlers,
  { job, top, trials }: OverfitWish,
): Promise<number> {
  const report = await overfit(context, peer, job, trials);
  const { out } = context;
  if (context.json) printJson(out, report);
  else if (context.quiet) return 0;
  else if (context.plain || !out.isTty) out.line(winnersTsv(report));
  else out.line(renderOverfit(report, top, out.columns).join('\n'));
  return 0;
}

async function overfit(
  { err, quiet, json }: Context,
  peer: ControlHandlers,
  job: string,
  trials: number | undefined,
): Promise<OverfitReport> {
  const asked = await peer.segments(job);
  if (err.isTty && !quiet && !json) {
    const tasks = plural(asked.of.length, 'task');
    err.line(`  ${asked.segmentsJob}: the ${asked.segments} segments of ${tasks}`);
  }
  await ended(peer, asked.segmentsJob);
  const [winners, sums] = await Promise.all([
    peer.results(asked.job, { winners: true, labels: true }),
    peer.results(asked.segmentsJob, {}),
  ]);
  return overfitReport(asked, winners, sums, trials);
}

async function ended(peer: ControlHandlers, job: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = await peer.watch(job, { rows: false, top: 0 }, (event) => {
    if (event.kind === 'broken') {
      const hint = `mesh join && mesh watch ${job}`;
      reject(new MeshError('UNREACHABLE', `the node went away (${event.reason})`, { hint }));
    }
    if (event.kind !== 'ended') return;
    if (event.summary.state === 'done') resolve();
    else reject(new MeshError('NOT_FOUND', `${job} was cancelled, and with it the segments`));
  });
  await promise.finally(stop);
}

function winnersTsv({ winners }: OverfitReport): string {
  const columns = ['task', 'sharpe', 'dsr', 'trades', 'name', 'params'] as const;
  const rows = winners.map((winner) => [
    winner.task,
    winner.sharpe,
    winner.dsr,
    winner.trades,
    winner.name,
    JSON.stringify(winner.params),
  ]);
  return renderTsv(columns, rows);
}
