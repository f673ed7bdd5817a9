// mesh results [JOB]: tables, files and streams of what a job found, and who found it.
import type { JobSummary, ResultsView } from '../control/api.ts';
import type { ControlClient } from '../control/client.ts';
import type { ResultsQuery } from '../control/handlers.ts';
import { parseWhere, type RowFilter } from '../control/row-query.ts';
import { MeshError } from '../errors.ts';
import { printFailed } from './results-failed.ts';
import { printOverfit } from './results-overfit.ts';
import { type Grouping, printGroups, printHeatmap, readAxes } from './results-groups.ts';
import { type Context, withPeer } from './context.ts';
import { parseChoice, parseWhole } from './options.ts';
import { renderEfficiency } from './output/efficiency-screen.ts';
import { renderResults, renderShares, renderTrades } from './output/job-screens.ts';
import { printJson } from './output/json.ts';
import { resultLines, resultsFormat, writeResults } from './output/results-file.ts';
import { renderTsv } from './output/tsv.ts';
import { TOP_MAX } from './watch.ts';

export interface ResultsFlags {
  readonly by?: string;
  readonly heatmap?: string;
  readonly top?: string;
  readonly winners?: boolean;
  readonly sort?: string;
  readonly where?: string;
  readonly task?: string;
  readonly trades?: boolean;
  readonly failed?: boolean;
  readonly output?: string;
  readonly efficiency?: boolean;
  readonly overfit?: boolean;
  readonly trials?: string;
}

/** A screenful; a pipe or a file gets all rows. */
const TOP_ON_SCREEN = 20;
const TASK_MAX = 2 ** 31 - 1;
/** More than anybody's miner tries in its life. */
const TRIALS_MAX = 1e15;

export async function results(context: Context, job: string, flags: ResultsFlags): Promise<number> {
  const { output } = flags;
  if (output !== undefined) resultsFormat(output);
  if (flags.by !== undefined) {
    const by = parseChoice(flags.by, '--by', ['peer', 'strategy', 'params']);
    return withPeer(context, (peer) =>
      by === 'peer'
        ? byPeer(context, peer, job)
        : printGroups(context, peer, { job, by, ...readGrouping(flags) }),
    );
  }
  if (flags.efficiency === true) return withPeer(context, (peer) => efficiency(context, peer, job));
  if (flags.heatmap !== undefined) {
    const axes = readAxes(flags.heatmap);
    return withPeer(context, (peer) =>
      printHeatmap(context, peer, { job, axes, ...readGrouping(flags) }),
    );
  }
  if (flags.overfit === true) {
    const top = flags.top === undefined ? TOP_ON_SCREEN : readTop(flags.top);
    const trials =
      flags.trials === undefined
        ? undefined
        : parseWhole(flags.trials, '--trials', { min: 1, max: TRIALS_MAX });
    return withPeer(context, (peer) => printOverfit(context, peer, { job, top, trials }));
  }
  if (flags.failed === true) return withPeer(context, (peer) => printFailed(context, peer, job));
  const query = readQuery(context, flags);
  if (flags.trades === true) {
    const task = readTask(flags.task);
    if (task === undefined) {
      throw new MeshError('USAGE', '--trades needs --task', {
        hint: `mesh results ${job} --task 17 --trades`,
      });
    }
    return withPeer(context, (peer) => trades(context, peer, { job, task }));
  }
  const view = await withPeer(context, (peer) => peer.results(job, query));
  if (output !== undefined) {
    await writeResults(output, view);
    if (!context.quiet) context.err.line(`${view.rows.length} rows written to ${output}`);
  } else printResults(context, view);
  return 0;
}

function readGrouping({ sort, where }: ResultsFlags): Grouping {
  return {
    ...(sort === undefined ? {} : { sort }),
    ...(where === undefined ? {} : { where: parseWhere(where) }),
  };
}

function readTask(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  // The screens write tasks as s2328.
  return parseWhole(text.replace(/^s/, ''), '--task', { min: 0, max: TASK_MAX });
}

function readTop(text: string): number {
  return parseWhole(text, '--top', { min: 0, max: TOP_MAX });
}

function readQuery(context: Context, flags: ResultsFlags): ResultsQuery {
  const task = readTask(flags.task);
  const onTask: RowFilter[] =
    task === undefined ? [] : [{ column: 'task', comparison: '=', value: task }];
  const where = [...onTask, ...(flags.where === undefined ? [] : parseWhere(flags.where))];
  const onScreen = context.out.isTty && !context.json && !context.plain;
  const top =
    flags.top === undefined
      ? onScreen && flags.output === undefined && flags.winners !== true
        ? TOP_ON_SCREEN
        : undefined
      : readTop(flags.top);
  return {
    labels: !context.plain,
    ...(flags.winners === true ? { winners: true } : {}),
    ...(top === undefined ? {} : { top }),
    ...(flags.sort === undefined ? {} : { sort: flags.sort }),
    ...(where.length === 0 ? {} : { where }),
  };
}

function printResults(context: Context, view: ResultsView): void {
  const { out } = context;
  if (context.json) printJson(out, view);
  else if (context.quiet) return;
  else if (context.plain) out.line(renderTsv(view.columns, view.rows));
  else if (out.isTty) out.line(renderResults(view, out.columns).join('\n'));
  else out.write(resultLines(view));
}

async function efficiency(context: Context, peer: ControlClient, job: string): Promise<number> {
  const summary = await peer.summary(job, { top: 0 });
  const { out } = context;
  if (context.json) printJson(out, summary);
  else if (!context.quiet) out.line(renderEfficiency(summary, out.columns).join('\n'));
  return 0;
}

async function byPeer(context: Context, peer: ControlClient, job: string): Promise<number> {
  const summary = await peer.summary(job, { top: 0 });
  const { out } = context;
  if (context.json) printJson(out, summary);
  else if (context.quiet) return 0;
  else if (context.plain) out.line(plainShares(summary));
  else if (out.isTty) out.line(renderShares(summary, out.columns).join('\n'));
  else {
    const columns = ['done', 'share', 'name', 'addr', 'slots', 'rate'] as const;
    const rows = summary.peers.map((share) => columns.map((column) => share[column]));
    out.line(renderTsv(columns, rows));
  }
  return 0;
}

/** What `… | sort | uniq -c` used to print: count and address, nothing else. */
function plainShares({ peers }: JobSummary): string {
  return peers.map((share) => `${share.done}\t${share.addr}`).join('\n');
}

async function trades(
  context: Context,
  peer: ControlClient,
  { job, task }: { readonly job: string; readonly task: number },
): Promise<number> {
  const view = await peer.trades(job, task);
  const { out } = context;
  if (context.json) printJson(out, view);
  else if (context.quiet) return 0;
  else if (context.plain || !out.isTty) {
    const columns = [
      'side',
      'entryBar',
      'exitBar',
      'entryTime',
      'exitTime',
      'size',
      'entryPrice',
      'exitPrice',
      'pnl',
      'exitReason',
    ] as const;
    out.line(
      renderTsv(
        columns,
        view.trades.map((trade) => columns.map((name) => trade[name])),
      ),
    );
  } else out.line(renderTrades(view, out.columns).join('\n'));
  return 0;
}
