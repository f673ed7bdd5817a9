// What a command costs before it does anything: `mesh peers` on a warm node, and `mesh --help`, beside an empty
// Node script in the same run. Whole processes, taken in turn, so that a busy machine is busy for all alike.
//
//   npm run build && node scripts/bench-cli.ts [--json] [--rounds 15]
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = join(import.meta.dirname, '..');

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '15' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'mesh-bench-cli-'));
const home = join(folder, 'home');
/** As it is installed: the bundle, and no sources beside it. */
const MESH = join(folder, 'package/bin/mesh.cjs');
for (const part of ['bin', 'dist', 'package.json']) {
  cpSync(join(ROOT, part), join(folder, 'package', part), { recursive: true });
}
const empty = join(folder, 'empty.mjs');
writeFileSync(empty, '');

const commands: Readonly<Record<string, readonly string[]>> = {
  'empty Node script': [empty],
  'mesh --help': [MESH, '--help'],
  'mesh peers': [MESH, '--home', home, 'peers'],
};

function wallMs(args: readonly string[]): number {
  const beforeMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return performance.now() - beforeMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const timesMs: Record<string, number[]> = {};
try {
  wallMs([MESH, '--home', home, 'join', '--slots', '1', '--listen', '127.0.0.1', '--port', '0']);
  for (let round = -2; round < Number(flags.rounds); round++) {
    for (const [name, args] of Object.entries(commands)) {
      const ms = wallMs(args);
      // The first rounds fill the disk cache.
      if (round >= 0) (timesMs[name] ??= []).push(ms);
    }
  }
} finally {
  spawnSync(process.execPath, [MESH, '--home', home, 'stop']);
  rmSync(folder, { recursive: true, force: true });
}

const baseMs = median(timesMs['empty Node script'] ?? []);
const rows = Object.entries(timesMs).map(([name, times]) => ({
  name,
  medianMs: Math.round(median(times) * 10) / 10,
  times: Math.round((median(times) / baseMs) * 100) / 100,
}));
if (flags.json) console.log(JSON.stringify({ v: 1, rows }));
else
  for (const row of rows) console.log(`${row.name.padEnd(20)} ${row.medianMs} ms   ${row.times} x`);
