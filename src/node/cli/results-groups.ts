// mesh results --by strategy, --by params and --heatmap: what a job found, seen from its variables. The rows come
// from the node once; the grouping happens here, on this machine's time.
import type { ResultsView } from '../control/api.ts';
import type { ControlClient } from '../control/client.ts';
import { parseSort, type RowFilter, type RowOrder } from '../control/row-query.ts';
import { MeshError } from '../errors.ts';
import type { Context } from './context.ts';
import { type Group, groupBy, heatmapOf } from './output/groups.ts';
import { renderGroups, renderHeatmap } from './output/group-screens.ts';
import { printJson } from './output/json.ts';
import { renderTsv } from './output/tsv.ts';

export interface Grouping {
  readonly sort?: string;
  readonly where?: readonly RowFilter[];
}

/** What ranks groups when nothing else is said, as far as the job has it. */
const METRIC_DEFAULT = 'sharpe';

export async function printGroups(
  context: Context,
  peer: ControlClient,
  { job, by, ...grouping }: Grouping & { readonly job: string; readonly by: 'strategy' | 'params' },
): Promise<number> {
  const view = await ask(peer, job, grouping);
  const order = orderOf(view, grouping.sort);
  const groups = groupBy(view, by, order);
  const { out } = context;
  if (context.json) {
    printJson(out, { v: 1, job: view.job, by, metric: order.column, groups });
  } else if (context.quiet) return 0;
  else if (context.plain || !out.isTty) out.line(groupsTsv(groups));
  else out.line(renderGroups(groups, { by, metric: order.column }, out.columns).join('\n'));
  return 0;
}

export async function printHeatmap(
  context: Context,
  peer: ControlClient,
  { job, axes, ...grouping }: Grouping & { readonly job: string; readonly axes: Axes },
): Promise<number> {
  const view = await ask(peer, job, grouping);
  const order = orderOf(view, grouping.sort);
  const map = heatmapOf(view, axes, order);
  const { out } = context;
  if (context.json) printJson(out, { v: 1, job: view.job, metric: order.column, ...map });
  else if (context.quiet) return 0;
  else if (context.plain) {
    const head = [`${map.y}\\${map.x}`, ...map.xs.map(String)];
    out.line(
      renderTsv(
        head,
        map.cells.map((row, at) => [map.ys[at] ?? '', ...row.map((cell) => cell.best)]),
      ),
    );
  } else out.line(renderHeatmap(map, order.column, out.columns).join('\n'));
  return 0;
}

export interface Axes {
  readonly x: string;
  readonly y: string;
}

export function readAxes(text: string): Axes {
  const [x = '', y = '', ...rest] = text.split(',').map((name) => name.trim());
  if (x === '' || y === '' || x === y || rest.length > 0) {
    throw new MeshError('USAGE', `--heatmap must name two variables, not "${text.slice(0, 60)}"`, {
      hint: 'mesh results --heatmap fast,slow',
    });
  }
  return { x, y };
}

function ask(peer: ControlClient, job: string, { where }: Grouping): Promise<ResultsView> {
  return peer.results(job, { labels: true, ...(where === undefined ? {} : { where }) });
}

function orderOf({ columns }: ResultsView, sort: string | undefined): RowOrder {
  const metrics = columns.slice(1);
  const usual = metrics.includes(METRIC_DEFAULT) ? METRIC_DEFAULT : (metrics[0] ?? 'task');
  return parseSort(sort ?? usual, columns);
}

function groupsTsv(groups: readonly Group[]): string {
  const columns = ['group', 'count', 'undefined', 'best', 'median', 'worst', 'bestTask'] as const;
  return renderTsv(
    columns,
    groups.map((group) => columns.map((column) => group[column])),
  );
}
