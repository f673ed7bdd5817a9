// What a bench found, beside what an older cluster of two machines did in the same two tests.
import type { ClusterTest } from '../../bench/cluster-test.ts';
import type { MachineBench } from '../../bench/machine-bench.ts';
import { formatCount, formatDuration, formatRate, printable } from './format.ts';
import { type Column, cutToWidth, renderTable } from './table.ts';
import type { Paint } from './terminal.ts';

/** Ray on two Macs of 12 and 10 cores, whose owner measured it: 1,000 evaluations in 102 s, 993 on the head node. */
const OLD_CLUSTER = {
  perSec: 9.8,
  text: 'the old cluster (Ray, 12 + 10 cores): 99.3% and 0.7% of the work, 9.8 backtests/s',
} as const;

export function renderMachineBench(bench: MachineBench, width: number, paint: Paint): string[] {
  const { slots, oneThread, allSlots } = bench;
  const times = oneThread > 0 ? allSlots / oneThread : 0;
  const lines = [
    `${paint('bold', 'this machine')}  ${formatCount(slots)} slots, real backtests on 1,260 daily candles`,
    `  one thread   ${formatRate(oneThread)}/s   (the kernel alone)`,
    `  all slots    ${formatRate(allSlots)}/s   (${times.toFixed(1)} x, through a node, every row on disk)`,
  ];
  return lines.map((line) => cutToWidth(line, width));
}

export function renderClusterTests(
  tests: readonly ClusterTest[],
  width: number,
  paint: Paint,
): string[] {
  return [
    ...tests.flatMap((test) => [...renderTest(test, width, paint), '']),
    cutToWidth(OLD_CLUSTER.text, width),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function renderTest(test: ClusterTest, width: number, paint: Paint): string[] {
  const { kind, population, generations, tasks, wallMs, perSec, peers, isTooShort } = test;
  const what = kind === 'spin' ? 'spin tasks of 100 ms' : 'real backtests';
  const head = `population ${population} x ${generations} generations, ${what}`;
  const columns: Column[] = [
    { title: 'PEER', align: 'left' },
    { title: 'SLOTS', align: 'right' },
    { title: 'TASKS', align: 'right' },
    { title: 'SHARE', align: 'right' },
    { title: 'SPEED', align: 'right' },
  ];
  const rows = peers.map((peer) => [
    printable(peer.name),
    formatCount(peer.slots),
    formatCount(peer.done),
    percent(peer.share),
    percent(peer.speed),
  ]);
  const times = perSec / OLD_CLUSTER.perSec;
  const remark = isTooShort
    ? '  too short to share: a generation is over before it would arrive'
    : '';
  return [
    cutToWidth(paint('bold', head), width),
    cutToWidth(
      `  ${formatCount(tasks)} in ${formatDuration(wallMs)}, ${formatRate(perSec)}/s (${times.toFixed(1)} x the old cluster)${remark}`,
      width,
    ),
    ...renderTable(columns, rows, width - 2).map((line) => `  ${line}`),
  ];
}
