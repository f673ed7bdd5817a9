// mesh top as lines of text: a pure function of the snapshot, of what the person did, and of the terminal's size.
import type { JobView, PeerView, SnapshotEvent, StealView } from '../../control/api.ts';
import type { RankedTask } from '../../control/api.ts';
import { rowId, topRows, type TopState } from '../top-state.ts';
import {
  formatCount,
  formatDuration,
  formatRate,
  formatRtt,
  formatShare,
  plural,
  printable,
  shortPeerId,
} from './format.ts';
import { renderTop } from './job-screens.ts';
import { type Column, cutToWidth, renderTable } from './table.ts';
import type { Paint } from './terminal.ts';

export interface TopView {
  readonly snapshot: SnapshotEvent | undefined;
  readonly state: TopState;
  /** Why there is no fresh snapshot. */
  readonly trouble?: string | undefined;
  /** The best of a job, when they were asked for and are here. */
  readonly best?: { readonly job: string; readonly tasks: readonly RankedTask[] } | undefined;
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const KEYS = 'q quit  ? help';
const SAMPLES = 30;
const BAR_CELLS_MAX = 50;
const HELP = [
  '  ↑ ↓    select a job or a peer          Enter  details',
  '  s      sort the peers by another column',
  '  /      filter by name, Esc shows all',
  '  b      the best results of the job',
  '  c      cancel the job (asks)           d      drain the peer, or take it back (asks)',
  '  p      pause the screen',
  '  q      quit; the jobs go on',
  '',
  '  LAST 30s is the load of each peer, a sample a second: █ all slots busy, ▁ none.',
  '  STEALS are who took work from whom; this peer sees its own one by one.',
  '  SHARE is by work, of the last 30 s.',
];

/** At most `rows` lines of at most `columns` characters. */
export function renderTopScreen(view: TopView, size: ScreenSize, paint: Paint): string[] {
  const { snapshot } = view;
  const lines =
    snapshot === undefined
      ? [head(undefined, view.state, size.columns, paint), '', ' waiting for the node …']
      : page(view, snapshot, size, paint);
  const foot = footLine(view, paint);
  const body = lines.slice(0, size.rows - (foot === '' ? 0 : 1));
  return (foot === '' ? body : [...body, foot]).map((line) => cutToWidth(line, size.columns));
}

function page(view: TopView, snapshot: SnapshotEvent, size: ScreenSize, paint: Paint): string[] {
  const title = head(snapshot, view.state, size.columns, paint);
  switch (view.state.page) {
    case 'help':
      return [title, '', ...HELP, '', ' any key: back'];
    case 'details':
      return [title, '', ...details(view.state, snapshot), '', ' any key: back'];
    case 'best':
      return [title, '', ...bestLines(view.best, size.columns), '', ' any key: back'];
    case 'main':
      return [title, ...main(view.state, snapshot, size, paint)];
  }
}

function head(
  snapshot: SnapshotEvent | undefined,
  state: TopState,
  columns: number,
  paint: Paint,
): string {
  const totals = snapshot?.peers.totals;
  const facts =
    snapshot === undefined || totals === undefined
      ? []
      : [
          plural(totals.peers, 'peer'),
          plural(totals.slots, 'slot'),
          `${formatRate(totals.donePerSec)} backtests/s`,
          clock(snapshot.peers.at),
        ];
  const left = ` mesh top  ${facts.join('  ')}${state.isPaused ? '  PAUSED' : ''}`;
  const gap = columns - left.length - KEYS.length - 1;
  const text = gap > 1 ? `${left}${' '.repeat(gap)}${KEYS} ` : left;
  return paint('bold', text);
}

/** By the clock on the wall of whoever looks. */
function clock(iso: string): string {
  return new Date(iso).toTimeString().slice(0, 8);
}

function main(state: TopState, snapshot: SnapshotEvent, size: ScreenSize, paint: Paint): string[] {
  const rows = topRows(state, snapshot);
  const jobs = rows.flatMap((row) => (row.kind === 'job' ? [row.job] : []));
  const peers = rows.flatMap((row) => (row.kind === 'peer' ? [row.peer] : []));
  const steals = stealLines(snapshot.steals, size.columns);
  // Head, gap, titles, gap and foot are always there; peers go before jobs, and steals take what is left.
  const room = Math.max(0, size.rows - 5);
  const jobRows = Math.max(1, Math.min(jobs.length, room - Math.min(peers.length, room - 1)));
  const table = peerTable(peers, state, snapshot, size.columns);
  return [
    ...(jobs.length === 0
      ? [' no jobs yet; on any machine: mesh submit strategies.json']
      : jobs
          .slice(0, jobRows)
          .map((job) => marked(jobLine(job, size.columns - 1, paint), job.id, state, paint))),
    '',
    ...table
      .slice(0, 1 + Math.max(1, room - jobRows))
      .map((line, at) =>
        at === 0
          ? ` ${paint('dim', line)}`
          : marked(line, rowId({ kind: 'peer', peer: peers[at - 1] as PeerView }), state, paint),
      ),
    '',
    ...steals,
  ];
}

function marked(line: string, id: string, state: TopState, paint: Paint): string {
  return id === state.selected ? `${paint('cyan', '▶')}${line}` : ` ${line}`;
}

function jobLine(job: JobView, width: number, paint: Paint): string {
  const fraction = job.tasks === 0 ? 1 : (job.done + job.failed) / job.tasks;
  const eta = job.etaMs === null ? '' : formatDuration(job.etaMs);
  const tail =
    job.state === 'running'
      ? `${formatShare(fraction).padStart(4)}  ${formatRate(job.donePerSec)}/s  ${eta}`
      : `${job.state}  ${formatCount(job.done)}/${formatCount(job.tasks)}`;
  const failed = job.failed > 0 ? `  ${formatCount(job.failed)} failed` : '';
  const name = printable(job.name).slice(0, 20);
  const facts = `${tail}${failed}`;
  const cells = Math.min(BAR_CELLS_MAX, width - job.id.length - name.length - facts.length - 6);
  if (cells < 5) return `${paint('bold', job.id)}  ${name}  ${facts}`;
  const full = Math.round(Math.min(1, fraction) * cells);
  const bar = `${paint('green', '━'.repeat(full))}${paint('dim', '╌'.repeat(cells - full))}`;
  return `${paint('bold', job.id)}  ${name}  ${bar}  ${facts}`;
}

function peerTable(
  peers: readonly PeerView[],
  state: TopState,
  snapshot: SnapshotEvent,
  columns: number,
): string[] {
  const history = new Map(snapshot.history.map(({ id, busy }) => [id, busy]));
  const sorted = (title: string, order: TopState['order']): string =>
    state.order === order ? `${title}▾` : title;
  const titles: Column[] = [
    { title: sorted('PEER', 'name'), align: 'left' },
    { title: 'STATE', align: 'left' },
    { title: 'BUSY', align: 'right' },
    { title: sorted('QUEUE', 'queue'), align: 'right' },
    { title: sorted('DONE/s', 'done/s'), align: 'right' },
    { title: sorted('SHARE', 'share'), align: 'right' },
    { title: sorted('STOLE', 'stole'), align: 'right' },
    { title: 'LAST 30s', align: 'left' },
  ];
  const cells = peers.map((peer) => [
    peer.id === snapshot.peers.self ? `${printable(peer.name)} ●` : printable(peer.name),
    peer.state,
    `${peer.running}/${peer.slots}`,
    formatCount(peer.queued),
    formatRate(peer.donePerSec),
    formatShare(peer.share),
    formatCount(peer.stole),
  ]);
  const used = renderTable(titles, cells, columns - 1).map((line) => line.length);
  // The newest samples are the last ones: on a narrow screen the oldest give way.
  const room = Math.max(0, columns - 2 - Math.max(...used.slice(1), (used[0] ?? 0) - 10) - 2);
  const rows = cells.map((row, at) => [
    ...row,
    sparkline(history.get(peers[at]?.id ?? '') ?? [], Math.min(SAMPLES, room)),
  ]);
  return renderTable(titles, rows, columns - 1);
}

/** One character a second; a peer that was not there yet leaves a blank. */
export function sparkline(busy: readonly number[], cells: number): string {
  const shown = cells <= 0 ? [] : busy.slice(-cells);
  const blocks = '▁▂▃▄▅▆▇█';
  return shown
    .map((share) => blocks[Math.min(7, Math.floor(Math.max(0, share) * 7.999))] ?? ' ')
    .join('');
}

function stealLines(steals: readonly StealView[], columns: number): string[] {
  if (steals.length === 0) return [' STEALS   none yet'];
  const lines: string[] = [];
  let line = ' STEALS ';
  for (const steal of steals) {
    const text = stealText(steal);
    if (line.trim() !== 'STEALS' && line.length + text.length + 2 > columns - 1) {
      lines.push(line);
      line = ' '.repeat(8);
    }
    line += `  ${text}`;
  }
  return [...lines, line];
}

function stealText({ at, thief, victim, tasks, refused }: StealView): string {
  const from = victim === null ? '' : ` ← ${printable(victim)}`;
  const what = refused === null ? formatCount(tasks) : `(${printable(refused)})`;
  return `${clock(at)} ${printable(thief)}${from} ${what}`;
}

function details(state: TopState, snapshot: SnapshotEvent): string[] {
  const row = topRows(state, snapshot).find((known) => rowId(known) === state.selected);
  if (row === undefined) return [' it is gone'];
  const pairs = row.kind === 'job' ? jobDetails(row.job) : peerDetails(row.peer);
  return pairs.map(([name, value]) => `  ${name.padEnd(10)} ${value}`);
}

function jobDetails(job: JobView): readonly (readonly [string, string])[] {
  return [
    ['job', `${job.id}  ${printable(job.name)}`],
    ['state', job.state],
    ['done', `${formatCount(job.done)} of ${formatCount(job.tasks)}`],
    ['failed', formatCount(job.failed)],
    ['speed', `${formatRate(job.donePerSec)} backtests/s`],
    ['eta', job.etaMs === null ? '-' : formatDuration(job.etaMs)],
    ['owner', printable(job.owner)],
    ['submitted', clock(job.submittedAt)],
    ['whole id', printable(job.jobId)],
  ];
}

function peerDetails(peer: PeerView): readonly (readonly [string, string])[] {
  return [
    ['peer', `${printable(peer.name)}  ${shortPeerId(peer.id)}`],
    ['address', `${printable(peer.addr)}:${peer.port}  (${peer.path}, ${formatRtt(peer.rttMs)})`],
    ['state', `${peer.state}, mesh ${printable(peer.version)}, since ${clock(peer.since)}`],
    ['slots', `${peer.running} of ${peer.slots} busy, ${formatCount(peer.queued)} tasks queued`],
    ['speed', `${formatRate(peer.donePerSec)} backtests/s, ${peer.rate.toFixed(1)} units/ms`],
    ['share', formatShare(peer.share)],
    ['done', `${formatCount(peer.done)}, ${formatCount(peer.failed)} failed`],
    ['steals', `took ${formatCount(peer.stole)}, gave ${formatCount(peer.gave)}`],
  ];
}

function bestLines(best: TopView['best'], columns: number): string[] {
  if (best === undefined) return [' asking …'];
  if (best.tasks.length === 0) return [` ${best.job} has no results to rank yet`];
  return [` best of ${best.job}`, ...renderTop(best.tasks, columns - 2).map((line) => ` ${line}`)];
}

function footLine({ state, trouble }: TopView, paint: Paint): string {
  if (trouble !== undefined) return paint('red', ` ${trouble}`);
  if (state.asking !== undefined) {
    return paint('yellow', ` ${printable(state.asking.question)}  y yes · any other key no`);
  }
  if (state.isTyping) return ` /${printable(state.filter)}▏ Enter keeps it, Esc shows all`;
  if (state.remark !== '') return paint('dim', ` ${state.remark}`);
  return state.filter === '' ? '' : ` only "${printable(state.filter)}" · Esc shows all`;
}
