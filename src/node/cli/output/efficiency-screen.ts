// mesh results JOB --efficiency: how near the job came to what its tasks and these machines allow, and why not nearer.
import type { JobSummary } from '../../control/api.ts';
import { formatCount, formatDuration, plural, printable } from './format.ts';
import { type Column, renderTable } from './table.ts';

const BOUNDS = {
  area: 'all work on all slots',
  longest: 'the longest backtest on the fastest slot',
  prefix: 'the longest backtests on the fastest slots',
  granularity: 'whole backtests on whole slots',
  latency: 'the way there and back',
} as const;

export function renderEfficiency(summary: JobSummary, width: number): string[] {
  const { efficiency, elapsedMs } = summary;
  const { boundsMs } = efficiency;
  if (summary.done > 0 && summary.cached === summary.done) {
    return [
      `all ${formatCount(summary.done)} were known already: nothing ran (--fresh computes them)`,
    ];
  }
  if (summary.state === 'running') return ['the job has not ended; its efficiency is known then'];
  const lines = [`took ${formatDuration(elapsedMs)}`];
  if (boundsMs !== undefined) {
    const columns: Column[] = [
      { title: 'AT LEAST', align: 'right' },
      { title: 'BECAUSE OF', align: 'left' },
    ];
    const names = Object.keys(BOUNDS) as (keyof typeof BOUNDS)[];
    const rows = names
      .filter((name) => boundsMs[name] > 0)
      .toSorted((a, b) => boundsMs[b] - boundsMs[a])
      .map((name) => [formatDuration(boundsMs[name]), BOUNDS[name]]);
    lines.push('', ...renderTable(columns, rows, width));
  }
  lines.push(
    '',
    `${percent(efficiency.bound)} of the best that any schedule could do`,
    `${percent(efficiency.greedy)} of one queue without latency: what the mesh costs`,
  );
  if (efficiency.lpt !== undefined) {
    lines.push(
      `${percent(efficiency.lpt)} of the same queue, longest first: what order could give`,
    );
  }
  lines.push('', ...renderShareErrors(summary, width), '', messagesText(summary));
  return lines;
}

/** Each peer's share of the work beside its share of the speed. */
function renderShareErrors({ peers }: JobSummary, width: number): string[] {
  const rateSum = peers.reduce((sum, peer) => sum + peer.rate, 0);
  if (rateSum <= 0) return [];
  const columns: Column[] = [
    { title: 'PEER', align: 'left' },
    { title: 'SHARE', align: 'right' },
    { title: 'SPEED', align: 'right' },
    { title: 'OFF BY', align: 'right' },
  ];
  const rows = peers.map((peer) => [
    printable(peer.name),
    percent(peer.share),
    percent(peer.rate / rateSum),
    ((peer.share - peer.rate / rateSum) * 100).toFixed(1),
  ]);
  return renderTable(columns, rows, width);
}

function messagesText({ steals, messages, resultMessages, tasks }: JobSummary): string {
  const perTask = (count: number): string => (count / Math.max(1, tasks)).toPrecision(2);
  return (
    `${plural(steals, 'steal')} with ${plural(messages, 'message')} (${perTask(messages)} per backtest), ` +
    `${formatCount(resultMessages)} messages for rows`
  );
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)}%`;
}
