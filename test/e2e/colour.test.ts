// When mesh paints: only on a terminal that takes colour, unless somebody says otherwise; and how wide it draws.
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ControlServer } from '../../src/node/control/server.ts';
import { controlSocketPath } from '../../src/node/control/socket.ts';
import { FakePeer } from '../unit/control/fake-peer.ts';
import { MESH } from './cli-process.ts';
import { hasTmux, TmuxScreen } from './harness/tmux.ts';

const run = promisify(execFile);
const mustRun = process.env['MESH_TEST_NAMESPACES'] === 'required';
/** That of util-linux; macOS has another one, with other flags. */
const hasScript = /util/.test(String(spawnSync('script', ['--version']).stdout));
const GREEN = '\x1b[32m';

let home: string;
let server: ControlServer;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'mesh-colour-'));
  const { version } = JSON.parse(
    await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  const socketPath = controlSocketPath(home);
  server = await ControlServer.start({ socketPath, handlers: new FakePeer(), version });
});

afterAll(async () => {
  await server.close({ graceMs: 0 });
  await rm(home, { recursive: true, force: true });
});

/** The ticks of the doctor are green, and it needs no network. */
async function doctor(
  place: 'terminal' | 'pipe',
  env: Readonly<Record<string, string>>,
  flags = '',
): Promise<string> {
  // On a build server even a terminal gets no colour.
  const { NO_COLOR: _no, FORCE_COLOR: _force, CI: _ci, ...rest } = process.env;
  const line = `'${process.execPath}' '${MESH}' ${flags} doctor; true`;
  const words = place === 'pipe' ? ['sh', '-c', line] : ['script', '-qec', line, '/dev/null'];
  const options = { env: { ...rest, TERM: 'xterm-256color', MESH_HOME: home, ...env } };
  return (await run(words[0] ?? '', words.slice(1), options)).stdout;
}

test.each([
  ['a pipe', {}, '', false],
  ['a pipe with FORCE_COLOR', { FORCE_COLOR: '1' }, '', true],
  ['a pipe with --color always', {}, '--color always', true],
] as const)('%s', async (_place, env, flags, isPainted) => {
  const text = await doctor('pipe', env, flags);
  expect(text).toContain('Node 2');
  expect(text.includes(GREEN)).toBe(isPainted);
});

describe.skipIf(!hasScript && !mustRun)('on a terminal', () => {
  test.each([
    ['mesh paints', {}, '', true],
    ['NO_COLOR is obeyed', { NO_COLOR: '1' }, '', false],
    ['a dumb terminal gets text', { TERM: 'dumb' }, '', false],
    ['--no-color is obeyed', {}, '--no-color', false],
  ] as const)('%s', async (_what, env, flags, isPainted) => {
    const text = await doctor('terminal', env, flags);
    expect(text).toContain('Node 2');
    expect(text.includes(GREEN)).toBe(isPainted);
  });
});

describe.skipIf(!hasTmux && !mustRun)('in a terminal', () => {
  test.each([40, 80, 200])('of %d columns every line of a table fits', async (columns) => {
    const screen = await TmuxScreen.open({ columns, rows: 30 }, { MESH_HOME: home });
    try {
      await screen.command(`clear; '${process.execPath}' '${MESH}' peers; echo "over"`);
      const text = await screen.shows(/^over$/m);
      const lines = (await screen.lines()).slice(0, text.split('\n').indexOf('over'));
      const peers = lines.filter((line) => /^(PEER|studio|mbp-m3)/.test(line));
      // A line that is too long goes on in the next one, which then begins with neither.
      expect(peers).toHaveLength(3);
      expect(lines.filter((line) => line !== '')).toHaveLength(4);
    } finally {
      await screen.close();
    }
  });
});
