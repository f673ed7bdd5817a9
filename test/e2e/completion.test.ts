// Completion in the real shells, with the names that a running node knows.
import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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

function lacks(program: string): boolean {
  return spawnSync(program, ['--version']).status !== 0 && !mustRun;
}

/** Bash's own variables for a Tab after `line`, and what comes back. */
function ask(line: string, cursor: number): string {
  return `COMP_WORDS=(${line}); COMP_CWORD=${cursor}; _mesh; printf '%s ' "\${COMPREPLY[@]}"; echo`;
}

let home: string;
let server: ControlServer;
let env: Record<string, string>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'mesh-tab-'));
  const { version } = JSON.parse(
    await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  const socketPath = controlSocketPath(home);
  server = await ControlServer.start({ socketPath, handlers: new FakePeer(), version });
  const shim = join(home, 'mesh');
  await writeFile(shim, `#!/bin/sh\nexec '${process.execPath}' '${MESH}' "$@"\n`);
  await chmod(shim, 0o755);
  env = {
    PATH: `${home}:${process.env['PATH'] ?? ''}`,
    MESH_HOME: home,
    HOME: home,
    TERM: 'xterm',
  };
});

afterAll(async () => {
  await server.close({ graceMs: 0 });
  await rm(home, { recursive: true, force: true });
});

test('bash completes a verb, a live job and a peer, even when the script is read twice', async () => {
  const script = [
    'source <(mesh completion bash)',
    'source <(mesh completion bash)',
    ask('mesh canc', 1),
    ask('mesh watch j-', 2),
    ask('mesh status --via s', 3),
  ].join('\n');
  const { stdout, stderr } = await run('bash', ['--norc', '-c', script], { env });
  expect({ stdout, stderr }).toEqual({ stdout: 'cancel \nj-7f3a \nstudio \n', stderr: '' });
});

test.skipIf(lacks('fish'))('fish completes with what each word is', async () => {
  const script = `mesh completion fish | source
    complete -C 'mesh canc'; complete -C 'mesh watch j-'; complete -C 'mesh status --via s'`;
  const { stdout } = await run('fish', ['--no-config', '-c', script], { env });
  expect(stdout.split('\n')).toEqual([
    'cancel\tend a job; rows that exist stay',
    'j-7f3a\tstrategies.json (running)',
    'studio\t100.77.179.14 ok',
    '',
  ]);
});

describe.skipIf(!hasTmux && !mustRun)('typed into a terminal', () => {
  test('bash completes at the Tab key', async () => {
    const screen = await TmuxScreen.open({ columns: 100, rows: 20 }, env);
    try {
      await screen.command("PS1='> ' exec bash --norc --noprofile");
      await screen.command("PS1='> '; source <(mesh completion bash); echo ready");
      await screen.shows(/^ready$/m);
      await screen.type('-l', 'mesh watch j-');
      await screen.type('Tab');
      await screen.shows(/mesh watch j-7f3a/);
    } finally {
      await screen.close();
    }
  });

  test.skipIf(lacks('zsh'))('zsh completes at the Tab key, and shows what each is', async () => {
    const screen = await TmuxScreen.open({ columns: 100, rows: 20 }, env);
    try {
      await screen.command('exec zsh -f');
      await screen.command(
        "PS1='> '; autoload -U compinit; compinit -u -D; source <(mesh completion zsh); echo ready",
      );
      await screen.shows(/^ready$/m);
      await screen.type('-l', 'mesh canc');
      await screen.type('Tab');
      await screen.shows(/> mesh cancel/);
      await screen.type('Tab');
      await screen.shows(/j-7f3a +-- strategies\.json \(running\)/);
    } finally {
      await screen.close();
    }
  });
});
