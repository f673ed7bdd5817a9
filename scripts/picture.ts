// docs/top.svg: a real `mesh top` of a real mesh, four peers of different speed on this computer in the middle of a
// job, as a terminal showed it. Needs tmux; takes about a minute.
//
//   node scripts/picture.ts [docs/top.svg]
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../src/node/control/client.ts';

const MESH = join(import.meta.dirname, '../bin/mesh.cjs');
const COLUMNS = 100;
const ROWS = 14;
/** Pretended speeds: slots that sleep after each task, known to nobody but themselves. */
const CAST = [
  { name: 'studio', slots: 12, throttle: 1 },
  { name: 'mbp', slots: 10, throttle: 0.8 },
  { name: 'mini', slots: 8, throttle: 0.5 },
  { name: 'air', slots: 4, throttle: 0.4 },
] as const;
/** s until half a minute of load is on the screen. */
const FILL_S = 36;

const folder = mkdtempSync(join(tmpdir(), 'mesh-picture-'));
const homeOf = (name: string): string => join(folder, name);
const socket = `mesh-picture-${process.pid}`;

function mesh(name: string, ...words: readonly string[]): string {
  const options = { env: { ...process.env, MESH_HOME: homeOf(name) }, encoding: 'utf8' } as const;
  return execFileSync(process.execPath, [MESH, ...words], options);
}

function tmux(...words: readonly string[]): string {
  const env = { ...process.env, MESH_HOME: homeOf(CAST[0].name), TERM: 'xterm-256color' };
  return execFileSync('tmux', ['-L', socket, ...words], { encoding: 'utf8', env });
}

async function startPeers(): Promise<void> {
  let first: string | undefined;
  for (const { name, slots, throttle } of CAST) {
    mkdirSync(homeOf(name), { mode: 0o700 });
    if (first !== undefined)
      copyFileSync(join(homeOf(CAST[0].name), 'key'), join(homeOf(name), 'key'));
    const peer = first === undefined ? [] : ['--peer', first];
    const words = ['--name', name, '--slots', `${slots}`, '--throttle', `${throttle}`];
    mesh(name, 'join', '--listen', '127.0.0.1', '--port', '0', '--quiet', ...words, ...peer);
    if (first !== undefined) continue;
    const { self } = await (await ControlClient.connect(homeOf(name))).status();
    first = `${self.addr}:${self.port}`;
  }
}

/** A real grid whose tasks wait as long as a backtest on five-minute candles takes, so that two cores play 34. */
function submitJob(): void {
  const file = join(folder, 'strategies.json');
  const job = { version: 1, kernel: 'spin', mode: 'sleep', seed: 1, name: 'strategies.json' };
  const tasks = 40_000;
  writeFileSync(
    file,
    JSON.stringify({ ...job, tasks, costMs: { lognormal: { mean: 60, sigma: 0.6 } } }),
  );
  mesh(CAST[0].name, 'submit', file, '--detach', '--quiet');
}

type Cell = {
  readonly text: string;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly color: string;
};

const COLORS: Readonly<Record<number, string>> = {
  31: '#ff7b72',
  32: '#3fb950',
  33: '#d29922',
  36: '#39c5cf',
};
const PLAIN = '#d0d7de';

/** One line of `capture-pane -e`: text between the few styles that the screen uses. */
function cellsOf(line: string): readonly Cell[] {
  const cells: Cell[] = [];
  let style = { bold: false, dim: false, color: PLAIN };
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
  for (const [, codes, text] of line.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
    if (text !== undefined) cells.push({ text, ...style });
    else for (const code of (codes || '0').split(';').map(Number)) style = styled(style, code);
  }
  return cells;
}

function styled(style: Omit<Cell, 'text'>, code: number): Omit<Cell, 'text'> {
  if (code === 0) return { bold: false, dim: false, color: PLAIN };
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 39) return { ...style, color: PLAIN };
  return { ...style, color: COLORS[code] ?? style.color };
}

const CELL = { width: 8.4, height: 18 } as const;
const PAD = 14;

function svgOf(lines: readonly string[]): string {
  const width = Math.round(COLUMNS * CELL.width + 2 * PAD);
  const height = lines.length * CELL.height + 2 * PAD;
  const rows = lines.map((line, row) => {
    const y = PAD + (row + 0.75) * CELL.height;
    let column = 0;
    const spans = cellsOf(line).map(({ text, bold, dim, color }) => {
      const x = (PAD + column * CELL.width).toFixed(1);
      const length = (Array.from(text).length * CELL.width).toFixed(1);
      column += Array.from(text).length;
      const weight = bold ? ' font-weight="bold"' : '';
      const opacity = dim ? ' opacity="0.55"' : '';
      return `<tspan x="${x}" textLength="${length}" fill="${color}"${weight}${opacity}>${escaped(text)}</tspan>`;
    });
    return `<text y="${y}" xml:space="preserve">${spans.join('')}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="mesh top: jobs, peers with their load, steals">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">
${rows.join('\n')}
</g>
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

try {
  await startPeers();
  submitJob();
  tmux(
    '-f',
    '/dev/null',
    'new-session',
    '-d',
    '-x',
    `${COLUMNS}`,
    '-y',
    `${ROWS}`,
    `'${process.execPath}' '${MESH}' top`,
  );
  await delay(FILL_S * 1000);
  const lines = tmux('capture-pane', '-e', '-p').trimEnd().split('\n');
  writeFileSync(process.argv[2] ?? 'docs/top.svg', svgOf(lines));
  console.log(lines.join('\n'));
} finally {
  try {
    tmux('kill-server');
  } catch {
    // It has ended by itself.
  }
  for (const { name } of CAST.toReversed()) mesh(name, 'stop', '--quiet');
  rmSync(folder, { recursive: true, force: true });
}
