// What a job came to: who did which share, the proof of its rows, and its best tasks by name.
import { countTasks } from '../../deque/interval-set.ts';
import type { TaskRunner } from '../../kernel/job.ts';
import { parseFilters } from '../../kernel/row-filter.ts';
import type { JobEnding } from '../../stealing/job.ts';
import type { JobStatus } from '../../stealing/status.ts';
import type { JobSummary, PeerShareView, RankedTask, ResultsView } from '../control/api.ts';
import type { SummaryQuery, ResultsQuery } from '../control/handlers.ts';
import { type PackedRows, type RowQuery, selectRows } from '../control/row-query.ts';
import { picked } from './rows.ts';

export interface FinishedRows extends PackedRows {
  readonly resultsSha256: string | null;
}

/** `runner` undefined: the job's data is not on this machine, so its tasks have no names here. */
export function summaryOf(
  job: JobStatus,
  shown: {
    readonly id: string;
    readonly query: SummaryQuery;
    readonly peers: readonly PeerShareView[];
  },
  rows: FinishedRows,
  runner: TaskRunner | undefined,
): JobSummary {
  const { header, ending } = job;
  const failed = ending?.failed ?? job.failed;
  return {
    v: 1,
    job: shown.id,
    name: header.name,
    state: ending?.state ?? 'running',
    tasks: header.taskCount,
    done: ending?.done ?? Math.max(0, job.counted - failed),
    failed,
    cached: countTasks(header.cached ?? []),
    disputed: ending?.disputed ?? 0,
    lost: ending?.lost ?? 0,
    checked: ending?.checked ?? 0,
    elapsedMs: Math.round(job.elapsedMs * 1000) / 1000,
    resultsSha256: rows.resultsSha256,
    peers: shown.peers,
    efficiency: efficiencyView(ending),
    steals: ending?.steals ?? 0,
    messages: ending?.messages ?? 0,
    resultMessages: ending?.resultMessages ?? 0,
    top: runner === undefined ? [] : topOf(rows, shown.query, runner),
    ...stretchesOf(runner),
  };
}

/** Where a date range or a split left bars out. */
function stretchesOf(runner: TaskRunner | undefined): Pick<JobSummary, 'stretches'> {
  const stretches = (runner?.ranges ?? []).map(({ symbol, fromMs, toMs }) => ({
    symbol,
    from: fromMs === null ? null : new Date(fromMs).toISOString(),
    to: toMs === null ? null : new Date(toMs).toISOString(),
  }));
  return stretches.every(({ from, to }) => from === null && to === null) ? {} : { stretches };
}

function efficiencyView(ending: JobEnding | undefined): JobSummary['efficiency'] {
  if (ending === undefined) return { bound: 0, greedy: 0 };
  const { boundsMs, ...ratios } = ending.efficiency;
  return boundsMs === undefined ? ratios : { ...ratios, boundsMs };
}

/** A kernel without the column that ranks backtests ranks nothing. */
export function topOf(rows: PackedRows, query: SummaryQuery, runner: TaskRunner): RankedTask[] {
  if (query.sort === undefined && runner.rankBy === undefined) return [];
  const places = selectRows(rows, amongTheBest(query, runner), runner.rankBy);
  return places.map((place) => rankedTask(rows, place, runner));
}

/** A list of the best is made of the rows that pass the job's own filter; a list of all rows is a list of all. */
export function amongTheBest<T extends RowQuery>(
  query: T,
  runner: Pick<TaskRunner, 'filter'> | undefined,
): T {
  const own = runner?.filter?.flatMap(parseFilters) ?? [];
  if (query.top === undefined || own.length === 0) return query;
  return { ...query, where: [...(query.where ?? []), ...own] };
}

/** Winners of a job that does not say how many it keeps. */
const KEEP_DEFAULT = 100;

/** The best by the job's own ranking that pass its filter, as many as it keeps. */
export function winnersQuery(
  runner: Pick<TaskRunner, 'keep' | 'filter'>,
): RowQuery & { readonly top: number } {
  return amongTheBest({ top: runner.keep ?? KEEP_DEFAULT }, runner);
}

function rankedTask(rows: PackedRows, place: number, runner: TaskRunner): RankedTask {
  const task = rows.tasks[place] ?? 0;
  const width = rows.columns.length;
  const metrics = rows.columns.map((column, at) => [
    column,
    orNull(rows.values[place * width + at]),
  ]);
  return { task, ...runner.label(task), metrics: Object.fromEntries(metrics) };
}

export function resultsView(
  id: string,
  all: PackedRows,
  query: ResultsQuery,
  runner: TaskRunner,
): ResultsView {
  const rows =
    query.winners === true
      ? picked(all, selectRows(all, winnersQuery(runner), runner.rankBy))
      : all;
  const width = rows.columns.length;
  const places = selectRows(rows, amongTheBest(query, runner), runner.rankBy);
  const table = places.map((place) => {
    const values = rows.values.subarray(place * width, (place + 1) * width);
    return [rows.tasks[place] ?? 0, ...Array.from(values, orNull)];
  });
  const labels = places.map((place) => runner.label(rows.tasks[place] ?? 0));
  return {
    v: 1,
    job: id,
    columns: ['task', ...rows.columns],
    rows: table,
    ...(query.labels === true ? { labels } : {}),
  };
}

function orNull(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}
