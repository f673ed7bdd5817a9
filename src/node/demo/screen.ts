// The demo as people read it: one line per thing that happened, with the second it happened in; on a terminal a
// block below them that shows the work being shared, redrawn in place.
import type { ProgressEvent } from '../control/api.ts';
import { formatCount, formatRate, formatShare, plural } from '../cli/output/format.ts';
import { type Column, cutToWidth, renderBar, renderTable } from '../cli/output/table.ts';
import type { Terminal } from '../cli/output/terminal.ts';
import type { Role } from './cast.ts';
import type { DemoReport } from './verdict.ts';

const REDRAW_MS = 100;
const BAR_WIDTH = 24;
/** Where no block can be redrawn: a line for every quarter. */
const QUARTERS = 4;

export class Screen {
  readonly #terminal: Terminal;
  readonly #animated: boolean;
  readonly #startedMs = performance.now();
  #height = 0;
  #drawnMs = -Infinity;
  #quarter = 0;

  constructor(terminal: Terminal, options: { readonly animated: boolean }) {
    this.#terminal = terminal;
    this.#animated = options.animated && terminal.isTty;
  }

  say(text: string): void {
    this.clear();
    const seconds = `${Math.round((performance.now() - this.#startedMs) / 1000)} s`;
    this.#line(`${this.#terminal.paint('dim', seconds.padStart(5))}  ${text}`);
  }

  good(text: string): void {
    this.say(`${this.#terminal.paint('green', '✓')} ${text}`);
  }

  progress(event: ProgressEvent, killed: string | undefined): void {
    if (this.#animated) this.#redraw(event, killed);
    else this.#sayQuarter(event);
  }

  clear(): void {
    if (this.#height > 0) this.#terminal.write(`\x1b[${this.#height}A\x1b[0J`);
    this.#height = 0;
  }

  opening(roles: readonly Role[]): void {
    const speeds = roles.map(({ name, pace }) => `${name} ${pace}`).join(', ');
    this.say(`mesh demo – ${roles.length} pretend Macs on this computer: ${speeds}`);
    this.say('nobody tells the mesh how fast they are: it has to measure');
  }

  report(report: DemoReport): void {
    this.clear();
    const { paint, columns } = this.#terminal;
    for (const { text, isTrue } of report.claims) {
      this.say(`${isTrue ? paint('green', '✓') : paint('red', '✗')} ${text}`);
    }
    this.#line('');
    for (const line of tableOf(report)) this.#line(cutToWidth(`       ${line}`, columns));
    this.#line('');
    this.#line(
      cutToWidth(
        '       speed: as measured while the job ran, for as long as a peer lived',
        columns,
      ),
    );
    this.#line(
      report.ok
        ? '       your turn: mesh init    mesh submit strategies.json    on every machine: mesh join    mesh peers'
        : paint('red', '       not everything came true: see ✗ above'),
    );
  }

  #redraw(event: ProgressEvent, killed: string | undefined): void {
    const nowMs = performance.now();
    if (nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    const { columns } = this.#terminal;
    const fraction = (event.done + event.failed) / event.tasks;
    const lines = [
      `       ${renderBar(fraction, BAR_WIDTH * 2)} ${formatShare(fraction)}  ${formatCount(event.done)}/${formatCount(event.tasks)}  ${formatRate(event.donePerSec)}/s`,
      ...event.peers.map((peer) => {
        const mark = peer.id === killed ? '✂' : ' ';
        return `     ${mark} ${peer.name.padEnd(8)} ${renderBar(peer.share, BAR_WIDTH)} ${formatShare(peer.share).padStart(4)}`;
      }),
    ].map((line) => cutToWidth(line, columns));
    // One write: a terminal that gets the erase and the lines apart flickers.
    const erase = this.#height > 0 ? `\x1b[${this.#height}A\x1b[0J` : '';
    this.#terminal.write(`${erase}${lines.join('\n')}\n`);
    this.#height = lines.length;
  }

  #sayQuarter(event: ProgressEvent): void {
    const quarter = Math.floor((event.done * QUARTERS) / event.tasks);
    if (quarter <= this.#quarter || quarter >= QUARTERS) return;
    this.#quarter = quarter;
    const shares = event.peers.map(({ name, share }) => `${name} ${formatShare(share)}`).join(', ');
    this.say(`${formatShare(event.done / event.tasks)} done: ${shares}`);
  }

  #line(text: string): void {
    this.#terminal.line(text);
  }
}

function tableOf({ peers, tasks, elapsedMs, steals }: DemoReport): string[] {
  const columns: Column[] = [
    { title: 'PEER', align: 'left' },
    { title: 'SHARE OF SLOTS', align: 'right' },
    { title: 'SHARE OF SPEED', align: 'right' },
    { title: 'SHARE OF WORK', align: 'right' },
    { title: 'BACKTESTS', align: 'right' },
    { title: '', align: 'left' },
  ];
  const rows = peers.map((peer) => [
    peer.name,
    percent(peer.slotShare),
    percent(peer.speedShare),
    percent(peer.workShare),
    formatCount(peer.done),
    peer.wasKilled ? '✂ killed' : '',
  ]);
  const seconds = (elapsedMs / 1000).toFixed(1);
  const perSec = formatRate(tasks / (elapsedMs / 1000));
  return [
    ...renderTable(columns, rows, Number.POSITIVE_INFINITY),
    `${formatCount(tasks)} backtests in ${seconds} s, ${perSec}/s, ${plural(steals, 'steal')}`,
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}
