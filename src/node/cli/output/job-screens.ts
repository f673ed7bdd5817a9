// The screens about jobs: the list, the end of a job, who did what, and tables of results.
import { stripVTControlCharacters } from 'node:util';
import type {
  JobsView,
  JobSummary,
  RankedTask,
  ResultsView,
  TradesView,
} from '../../control/api.ts';
import {
  formatAgo,
  formatCount,
  formatDuration,
  formatMetric,
  formatRate,
  metricName,
  plural,
  printable,
  shownMetrics,
  taskTitle,
} from './format.ts';
import { type Column, cutToWidth, renderTable } from './table.ts';
import type { Paint } from './terminal.ts';

export function renderJobs({ jobs }: JobsView, nowMs: number, width: number): string[] {
  if (jobs.length === 0) return ['no jobs yet; try: mesh submit strategies.json'];
  const columns: Column[] = [
    { title: 'ID', align: 'left' },
    { title: 'NAME', align: 'left' },
    { title: 'STATE', align: 'left' },
    { title: 'DONE', align: 'right' },
    { title: 'FAILED', align: 'right' },
    { title: 'DONE/s', align: 'right' },
    { title: 'ETA', align: 'right' },
    { title: 'OWNER', align: 'left' },
    { title: 'STARTED', align: 'left' },
  ];
  const hasPriorities = jobs.some((job) => job.priority !== 0);
  if (hasPriorities) columns.push({ title: 'PRIO', align: 'right' });
  const rows = jobs.map((job) => [
    job.id,
    printable(job.name).slice(0, 32),
    job.state,
    `${formatCount(job.done)}/${formatCount(job.tasks)}`,
    formatCount(job.failed),
    job.state === 'running' ? formatRate(job.donePerSec) : '-',
    job.etaMs === null ? '-' : formatDuration(job.etaMs),
    printable(job.owner),
    formatAgo(job.submittedAt, nowMs),
    ...(hasPriorities ? [String(job.priority)] : []),
  ]);
  const stuck = jobs.flatMap(({ id, name, stuck: reason }) =>
    reason === null
      ? []
      : [
          cutToWidth(
            `${id} (${printable(name).slice(0, 32)}) runs nowhere: ${printable(reason)}; submit its file again to run it with what is here`,
            width,
          ),
        ],
  );
  return [...renderTable(columns, rows, width), ...stuck];
}

/** The end of `submit` and `watch`. */
export function renderSummary(summary: JobSummary, width: number, paint: Paint): string[] {
  const { state, tasks, done, failed, cached, peers } = summary;
  const working = peers.filter((peer) => peer.done > 0).length;
  // A job of rows that were all known ran nowhere: there are no shares and no speed to speak of.
  const ran = working > 0 || cached < done;
  const took = formatDuration(summary.elapsedMs);
  const where = ran ? `${took} on ${plural(working, 'peer')}` : `${took}, all known already`;
  const head =
    state === 'cancelled'
      ? `cancelled after ${formatCount(done + failed)} of ${formatCount(tasks)} backtests, ${where}`
      : `${formatCount(tasks)} backtests in ${where}`;
  const counts = [
    `${formatCount(done)} ok`,
    paint(failed > 0 ? 'red' : 'dim', `${formatCount(failed)} failed`),
    ...(cached > 0 && ran ? [`${formatCount(cached)} known already`] : []),
    ...(summary.disputed > 0 ? [paint('red', `${formatCount(summary.disputed)} disputed`)] : []),
    ...(ran ? [plural(summary.steals, 'steal')] : []),
  ].join(' · ');
  const alone = ran ? aloneText(summary) : '';
  const isShort = `${head}${alone}   ${stripVTControlCharacters(counts)}`.length <= width;
  const first = `${paint('bold', head)}${alone}`;
  return [
    ...(isShort ? [`${first}   ${counts}`] : [first, `  ${counts}`]),
    ...(peers.length > 1 && ran ? indent(renderShares(summary, width - 2)) : []),
    ...(summary.top.length > 0 ? indent(renderTop(summary.top, width - 2)) : []),
    ...stretchLines(summary, width),
    ...againLines(summary),
    `  all results: mesh results ${summary.job}    who did what: mesh results ${summary.job} --by peer`,
    ...(failed > 0 ? [`  what failed: mesh results ${summary.job} --failed`] : []),
  ];
}

const STRETCHES_SHOWN_MAX = 4;

/** Which bars the rows are about, where these are not all. */
function stretchLines({ stretches = [] }: JobSummary, width: number): string[] {
  const lines = stretches.slice(0, STRETCHES_SHOWN_MAX).map(({ symbol, from, to }) => {
    const of = symbol === null ? '' : ` of ${printable(symbol)}`;
    const since = from === null ? '' : ` from ${dayText(from)}`;
    return `  rows are about the bars${of}${since}${to === null ? '' : ` before ${dayText(to)}`}`;
  });
  const rest = stretches.length - lines.length;
  const all = rest > 0 ? [...lines, `  and of ${rest} more datasets`] : lines;
  return all.map((line) => cutToWidth(line, width));
}

/** The day alone where it begins. */
function dayText(time: string): string {
  return time.endsWith('T00:00:00.000Z') ? time.slice(0, 10) : `${time.slice(0, 16)}Z`;
}

/** What ran again, and why; nothing when nothing did. */
function againLines({ lost, checked, disputed }: JobSummary): string[] {
  const why = [
    ...(lost > 0 ? [`${plural(lost, 'backtest')} of peers that were lost`] : []),
    ...(checked > 0
      ? [`${formatCount(checked)} to compare the rows${disputed > 0 ? '' : ', all equal'}`]
      : []),
  ];
  return why.length === 0 ? [] : [`  ran again: ${why.join(' · ')}`];
}

/** How long the fastest of the peers would have taken by itself, at the speeds that were measured. */
function aloneText({ state, peers, efficiency, elapsedMs }: JobSummary): string {
  const rates = peers.map((peer) => peer.rate);
  const fastest = Math.max(0, ...rates);
  if (state !== 'done' || efficiency.bound <= 0 || fastest <= 0 || peers.length < 2) return '';
  const together = rates.reduce((sum, rate) => sum + rate, 0);
  const aloneMs = (elapsedMs * efficiency.bound * together) / fastest;
  // A job of some tenths of a second is over before its parts have gone round.
  if (aloneMs <= elapsedMs) return ' (too short to gain by sharing)';
  return ` (the fastest alone: about ${formatDuration(aloneMs)})`;
}

export function renderShares(summary: JobSummary, width: number): string[] {
  const { peers, efficiency, cached, done } = summary;
  if (done > 0 && cached === done) {
    return [`all ${formatCount(done)} were known already, so nobody computed any (--fresh does)`];
  }
  const columns: Column[] = [
    { title: 'COUNT', align: 'right' },
    { title: 'SHARE', align: 'right' },
    { title: 'PEER', align: 'left' },
    { title: 'ADDRESS', align: 'left' },
    { title: 'SLOTS', align: 'right' },
    { title: 'SPEED', align: 'right' },
  ];
  const rateSum = peers.reduce((sum, peer) => sum + peer.rate, 0);
  const rows = peers.map((peer) => [
    formatCount(peer.done),
    `${(peer.share * 100).toFixed(1)}%`,
    printable(peer.name),
    printable(peer.addr),
    formatCount(peer.slots),
    rateSum > 0 ? `${((peer.rate / rateSum) * 100).toFixed(1)}%` : '-',
  ]);
  const lines = renderTable(columns, rows, width);
  if (efficiency.bound > 0) {
    const percent = (efficiency.bound * 100).toFixed(1);
    lines.push(cutToWidth(`efficiency ${percent}% of what these speeds allow`, width));
  }
  return lines;
}

export function renderTop(top: readonly RankedTask[], width: number): string[] {
  const names = shownMetrics(Object.keys(top[0]?.metrics ?? {}));
  const rows = top.map((task) => [
    ...names.map((name) => formatMetric(name, task.metrics[name])),
    taskTitle(task.task, task),
  ]);
  return renderTable([...metricColumns(names), { title: 'STRATEGY', align: 'left' }], rows, width);
}

export function renderResults(view: ResultsView, width: number): string[] {
  if (view.rows.length === 0) return ['no rows'];
  const names = shownMetrics(view.columns.slice(1));
  const places = names.map((name) => view.columns.indexOf(name));
  const rows = view.rows.map((row, at) => [
    ...places.map((place, nth) => formatMetric(names[nth] ?? '', row[place])),
    taskTitle(row[0] ?? 0, view.labels?.[at]),
  ]);
  return renderTable([...metricColumns(names), { title: 'STRATEGY', align: 'left' }], rows, width);
}

export function renderTrades({ trades }: TradesView, width: number): string[] {
  if (trades.length === 0) return ['no trades'];
  const columns: Column[] = [
    { title: 'SIDE', align: 'left' },
    { title: 'ENTRY', align: 'left' },
    { title: 'EXIT', align: 'left' },
    { title: 'BARS', align: 'right' },
    { title: 'SIZE', align: 'right' },
    { title: 'ENTRY PRICE', align: 'right' },
    { title: 'EXIT PRICE', align: 'right' },
    { title: 'PNL', align: 'right' },
    { title: 'REASON', align: 'left' },
  ];
  const rows = trades.map((trade) => [
    trade.side,
    trade.entryTime.slice(0, 16).replace('T', ' '),
    trade.exitTime.slice(0, 16).replace('T', ' '),
    formatCount(trade.exitBar - trade.entryBar),
    Number(trade.size.toPrecision(6)).toString(),
    Number(trade.entryPrice.toPrecision(8)).toString(),
    Number(trade.exitPrice.toPrecision(8)).toString(),
    trade.pnl.toFixed(2).replace('-', '−'),
    trade.exitReason,
  ]);
  return renderTable(columns, rows, width);
}

function metricColumns(names: readonly string[]): Column[] {
  return names.map((name) => ({
    title: metricName(name).toUpperCase(),
    align: 'right',
  }));
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
