// How far a job is: a block that is redrawn in place on a terminal, and one dated line now and then elsewhere.
import type { ProgressEvent } from '../../control/api.ts';
import {
  formatCount,
  formatDuration,
  formatMetric,
  formatRate,
  formatShare,
  metricName,
  plural,
  printable,
  shownMetrics,
  taskTitle,
} from './format.ts';
import { cutToWidth } from './table.ts';
import type { Paint, Terminal } from './terminal.ts';

/** Redraws per second: smooth to the eye, and 1 % of a core. */
const REDRAW_MS = 100;
/** Off a terminal: a line for every tenth of the job, or when nothing was said for this long. */
const LINE_MS_MAX = 30_000;
const PEERS_SHOWN_MAX = 8;
const BEST_METRICS_MAX = 3;
const COPIES_SHOWN_MAX = 3;

export interface ProgressView {
  show(event: ProgressEvent): void;
  /** Removes what must not stay on the screen. */
  clear(): void;
}

export function renderProgress(
  event: ProgressEvent,
  width: number,
  paint: Paint,
  dataNames?: ReadonlyMap<string, string>,
): string[] {
  const slots = event.peers.reduce((sum, peer) => sum + peer.slots, 0);
  const lines = [
    [
      paint('bold', `job ${event.job}`),
      printable(event.name),
      `${formatCount(event.tasks)} backtests`,
      `${plural(event.peers.length, 'peer')}, ${plural(slots, 'slot')}`,
      paint('dim', '(Ctrl-C detaches; the job goes on)'),
    ].join('  '),
    barLine(event, width, paint),
    ...peerLines(event, width),
    ...copyLines(event, dataNames),
    ...bestLine(event),
  ];
  return lines.map((line) => cutToWidth(line, width));
}

function barLine(event: ProgressEvent, width: number, paint: Paint): string {
  const fraction = event.tasks === 0 ? 1 : (event.done + event.failed) / event.tasks;
  const facts = [
    formatShare(fraction),
    `${formatCount(event.done)}/${formatCount(event.tasks)}`,
    `${formatRate(event.donePerSec)}/s`,
    event.etaMs === null ? 'eta -' : `eta ${formatDuration(event.etaMs)}`,
    ...(event.failed > 0 ? [`${formatCount(event.failed)} failed`] : []),
    ...(event.cached > 0 ? [`${formatCount(event.cached)} known already`] : []),
  ].join('  ');
  const barWidth = Math.min(60, Math.max(0, width - facts.length - 4));
  const full = Math.round(Math.min(1, fraction) * barWidth);
  return ` ${paint('green', '━'.repeat(full))}${paint('dim', '╌'.repeat(barWidth - full))}  ${facts}`;
}

function peerLines(event: ProgressEvent, width: number): string[] {
  const shown = event.peers.slice(0, PEERS_SHOWN_MAX).map((peer) => {
    const busy = `${peer.running}/${peer.slots}`;
    return `${printable(peer.name)} ${busy} ${formatShare(peer.share)}`;
  });
  const rest = event.peers.length - shown.length;
  if (rest > 0) shown.push(`and ${rest} more`);
  const lines: string[] = [];
  let line = '  ';
  for (const text of shown) {
    if (line.trim() !== '' && line.length + text.length + 3 > width) {
      lines.push(line);
      line = '  ';
    }
    line += ` ${text}  `;
  }
  return [...lines, line].map((text) => text.trimEnd()).filter((text) => text !== '');
}

function copyLines(
  { copies = [] }: ProgressEvent,
  dataNames?: ReadonlyMap<string, string>,
): string[] {
  const shown = copies.slice(0, COPIES_SHOWN_MAX).map(({ peer, sha256, sentBytes, bytes }) => {
    const name = dataNames?.get(sha256) ?? `data ${sha256.slice(0, 8)}`;
    return `   copying ${printable(name)} to ${printable(peer)}  ${formatShare(sentBytes / bytes)}`;
  });
  const rest = copies.length - shown.length;
  return rest > 0 ? [...shown, `   and ${plural(rest, 'more copy', 'more copies')}`] : shown;
}

function bestLine({ best }: ProgressEvent): string[] {
  if (best === undefined) return [];
  const metrics = shownMetrics(Object.keys(best.metrics))
    .slice(0, BEST_METRICS_MAX)
    .map((name) => `${metricName(name)} ${formatMetric(name, best.metrics[name])}`);
  return [`   best  ${[taskTitle(best.task, best), ...metrics].join('  ')}`];
}

/** One line for a log file. */
export function renderProgressLine(event: ProgressEvent, at: Date): string {
  const fraction = event.tasks === 0 ? 1 : (event.done + event.failed) / event.tasks;
  const time = at.toISOString().replace(/\.\d+Z$/, 'Z');
  return [
    `${time} ${event.job} ${formatShare(fraction)}`,
    `${formatCount(event.done)}/${formatCount(event.tasks)} ${formatRate(event.donePerSec)}/s`,
    ...(event.failed > 0 ? [`${formatCount(event.failed)} failed`] : []),
    ...(event.cached > 0 ? [`${formatCount(event.cached)} known already`] : []),
  ].join(' ');
}

export interface ProgressOptions {
  readonly nowMs: () => number;
  /** What people call the job's data, by SHA-256. */
  readonly dataNames?: ReadonlyMap<string, string> | undefined;
}

export function openProgress(terminal: Terminal, options: ProgressOptions): ProgressView {
  return terminal.isTty ? liveBlock(terminal, options) : progressLines(terminal, options);
}

function liveBlock(terminal: Terminal, { nowMs, dataNames }: ProgressOptions): ProgressView {
  let height = 0;
  let drawnMs = -Infinity;
  const erase = (): string => (height === 0 ? '' : `\r\x1b[${height}A\x1b[0J`);
  return {
    show(event) {
      if (nowMs() - drawnMs < REDRAW_MS) return;
      drawnMs = nowMs();
      const lines = renderProgress(event, terminal.columns, terminal.paint, dataNames);
      // One write: a terminal that gets the erase and the lines apart flickers.
      terminal.write(`${erase()}${lines.join('\n')}\n`);
      height = lines.length;
    },
    clear() {
      terminal.write(erase());
      height = 0;
    },
  };
}

function progressLines(terminal: Terminal, { nowMs }: ProgressOptions): ProgressView {
  let saidTenth = -1;
  let saidMs = nowMs();
  return {
    show(event) {
      const finished = event.done + event.failed;
      const tenth = event.tasks === 0 ? 10 : Math.floor((finished * 10) / event.tasks);
      if (tenth <= saidTenth && nowMs() - saidMs < LINE_MS_MAX) return;
      saidTenth = tenth;
      saidMs = nowMs();
      terminal.line(renderProgressLine(event, new Date(nowMs())));
    },
    clear() {},
  };
}
