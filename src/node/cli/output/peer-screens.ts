// The screens about peers: who is there, this machine, and what `join` says when it is done.
import { stripVTControlCharacters } from 'node:util';
import type { PeersView, PeerView, StatusView } from '../../control/api.ts';
import {
  DEFAULT_PORT,
  formatAgo,
  formatCount,
  formatRate,
  formatRtt,
  formatShare,
  peerAddress,
  plural,
  printable,
  shortPeerId,
} from './format.ts';
import { type Column, cutToWidth, renderBar, renderTable } from './table.ts';
import type { Paint } from './terminal.ts';

const SHARE_BAR_CELLS = 10;
const PEERS_NAMED_MAX = 6;

export function renderPeers(view: PeersView, width: number, paint: Paint): string[] {
  const columns: Column[] = [
    { title: 'PEER', align: 'left' },
    { title: 'ADDRESS', align: 'left' },
    { title: 'STATE', align: 'left' },
    { title: 'BUSY', align: 'right' },
    { title: 'QUEUE', align: 'right' },
    { title: 'DONE/s', align: 'right' },
    { title: 'SHARE', align: 'left' },
    { title: 'STOLE', align: 'right' },
    { title: 'GAVE', align: 'right' },
    { title: 'RTT', align: 'right' },
  ];
  // Without room for the bar the number alone says it; the columns after it matter more.
  const barCells = width < 100 ? 0 : SHARE_BAR_CELLS;
  const rows = view.peers.map((peer) => peerRow(peer, peer.id === view.self, barCells, paint));
  const { peers, slots, donePerSec, queued } = view.totals;
  const totals = [
    plural(peers, 'peer'),
    plural(slots, 'slot'),
    `${formatRate(donePerSec)} backtests/s`,
    `${formatCount(queued)} queued`,
  ].join(' · ');
  return [
    ...renderTable(...narrowed(columns, rows, width), width),
    cutToWidth(`${totals}      ● this machine`, width),
    ...warnings(view).map((line) => cutToWidth(paint('yellow', line), width)),
  ];
}

/** What a person rarely wants, for the machines that make one wonder. */
export function renderWidePeers(
  view: PeersView,
  width: number,
  paint: Paint,
  nowMs: number,
): string[] {
  const columns: Column[] = [
    { title: 'PEER', align: 'left' },
    { title: 'ID', align: 'left' },
    { title: 'ADDRESS', align: 'left' },
    { title: 'STATE', align: 'left' },
    { title: 'PATH', align: 'left' },
    { title: 'RTT', align: 'right' },
    { title: 'SLOTS', align: 'right' },
    { title: 'RATE', align: 'right' },
    { title: 'DONE', align: 'right' },
    { title: 'FAILED', align: 'right' },
    { title: 'VERSION', align: 'left' },
    { title: 'UP', align: 'left' },
  ];
  const rows = view.peers.map((peer) => [
    peer.id === view.self ? `${printable(peer.name)} ●` : printable(peer.name),
    shortPeerId(peer.id),
    peerAddress(peer.addr, peer.port),
    peer.state === 'ok' ? peer.state : paint('yellow', peer.state),
    peer.path,
    formatRtt(peer.rttMs),
    formatCount(peer.slots),
    peer.rate === 0 ? '-' : formatRate(peer.rate),
    formatCount(peer.done),
    formatCount(peer.failed),
    printable(peer.version),
    formatAgo(peer.since, nowMs).replace(/ ago$/, ''),
  ]);
  const note = 'RATE: units of work per millisecond, as measured      ● this machine';
  return [
    ...renderTable(columns, rows, width),
    cutToWidth(note, width),
    ...warnings(view).map((line) => cutToWidth(paint('yellow', line), width)),
  ];
}

/** On a narrow screen whole columns go, those first that a person misses least. */
function narrowed(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): [readonly Column[], readonly (readonly string[])[]] {
  let kept = columns.map((_, at) => at);
  const pick = <T>(cells: readonly T[]): readonly T[] => kept.flatMap((at) => cells[at] ?? []);
  for (const title of ['ADDRESS', 'GAVE', 'RTT', 'STOLE', 'DONE/s']) {
    const table = renderTable(pick(columns), rows.map(pick), Number.POSITIVE_INFINITY);
    if (table.every((line) => stripVTControlCharacters(line).length <= width)) break;
    kept = kept.filter((at) => columns[at]?.title !== title);
  }
  return [pick(columns), rows.map(pick)];
}

function peerRow(peer: PeerView, isSelf: boolean, barCells: number, paint: Paint): string[] {
  const share = formatShare(peer.share).padStart(4);
  return [
    isSelf ? `${printable(peer.name)} ●` : printable(peer.name),
    peerAddress(peer.addr, peer.port),
    peer.state === 'ok' ? peer.state : paint('yellow', peer.state),
    `${peer.running}/${peer.slots}`,
    formatCount(peer.queued),
    formatRate(peer.donePerSec),
    barCells === 0 ? share : `${renderBar(peer.share, barCells)} ${share}`,
    formatCount(peer.stole),
    formatCount(peer.gave),
    formatRtt(peer.rttMs),
  ];
}

function warnings(view: PeersView): string[] {
  const own = view.peers.find((peer) => peer.id === view.self)?.version;
  return view.peers.flatMap((peer) => [
    ...(own !== undefined && peer.version !== own && peer.state !== 'lost'
      ? [`${printable(peer.name)} runs mesh ${printable(peer.version)}, this is ${own}`]
      : []),
    ...(peer.path === 'relay'
      ? [`${printable(peer.name)} is reached through a relay (${formatRtt(peer.rttMs)})`]
      : []),
  ]);
}

const STEPS_BACK: Readonly<Record<NonNullable<StatusView['stepsBack']>, string>> = {
  leaving: 'this peer is leaving the mesh',
  drained: 'this peer takes no work: mesh undrain',
  sparing: 'on battery below half: this peer goes on with its own jobs and takes no work of others',
};

export function renderStatus(status: StatusView, nowMs: number, paint: Paint): string[] {
  const { self, mesh, disk } = status;
  const age = formatAgo(status.since, nowMs).replace(/ ago$/, '');
  const kind = status.embedded ? 'a submit runs' : 'node running';
  const lines = [
    `this machine  ${printable(self.name)}  ${shortPeerId(self.id)}  ${addressWithPort(self.addr, self.port)}   ${kind} ${age} (pid ${self.pid}), mesh ${self.version}`,
    `mesh          ${plural(mesh.peers, 'peer')}, ${plural(mesh.slots, 'slot')}; ${mesh.reachable} of ${mesh.peers} reachable`,
    `work          ${status.running}/${status.slots} slots busy, ${formatCount(status.queued)} queued here, ${plural(status.jobs, 'job')} running, ${status.owned} owned here`,
  ];
  const keep = `${formatKeep(disk.keep.ms)}, ${formatGigabytes(disk.keep.bytes)} at most`;
  lines.push(
    `disk          ${formatGigabytes(disk.usedBytes)} of jobs and data, ended jobs stay ${keep}; ${disk.safety}`,
  );
  if (status.stepsBack !== null) lines.push(paint('yellow', STEPS_BACK[status.stepsBack]));
  if (disk.state !== 'ok') {
    const free = `${(disk.freeBytes / 1e9).toFixed(1)} GB free`;
    lines.push(paint('red', `the disk is ${disk.state} (${free}): rows are kept on other peers`));
    if (disk.refuses !== null) {
      const forHowLong = formatAgo(disk.refuses.since, nowMs).replace(/ ago$/, '');
      lines.push(paint('red', `  for ${forHowLong}: ${disk.refuses.reason}`));
    }
    for (const name of disk.damaged) {
      lines.push(
        paint('red', `  journal/${name} is damaged: what it held is on other peers' disks`),
      );
    }
  }
  lines.push('  details: mesh peers   mesh jobs   mesh doctor');
  return lines;
}

function formatGigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 0)} GB`;
}

function formatKeep(ms: number): string {
  const hours = ms / 3_600_000;
  return hours >= 48 ? `${Math.round(hours / 24)} days` : `${hours.toFixed(1)} hours`;
}

/** What `join` says when the node is up. */
export function renderJoined(status: StatusView, peers: PeersView, paint: Paint): string[] {
  const { self } = status;
  const face = `(peer ${shortPeerId(self.id)}, ${plural(status.slots, 'slot')}, ${addressWithPort(self.addr, self.port)})`;
  const others = peers.peers.filter((peer) => peer.id !== peers.self && peer.state !== 'lost');
  if (others.length === 0) {
    return [
      `${paint('bold', printable(self.name))} started a new mesh of one ${face}`,
      `  on the other machines: mesh join --peer ${peerAddress(self.addr, self.port)}`,
      '  submit here: mesh submit strategies.json    keep it: mesh service install',
    ];
  }
  const named = others
    .slice(0, PEERS_NAMED_MAX)
    .map(
      (peer) => `${printable(peer.name)} ${plural(peer.slots, 'slot')} ${formatRtt(peer.rttMs)}`,
    );
  const rest = others.length - named.length;
  if (rest > 0) named.push(`${rest} more`);
  const queued = others.reduce((sum, peer) => sum + peer.queued, 0);
  return [
    `${paint('bold', printable(self.name))} joined the mesh ${face}`,
    `  found ${plural(others.length, 'peer')}: ${named.join(' · ')}`,
    ...(queued > 0
      ? [`  work is coming in: ${plural(queued, 'backtest')} queued on other peers`]
      : []),
    '  see it: mesh top    submit here: mesh submit strategies.json    keep it: mesh service install',
  ];
}

function addressWithPort(addr: string, port: number): string {
  return port === DEFAULT_PORT ? `${printable(addr)}:${port}` : peerAddress(addr, port);
}
