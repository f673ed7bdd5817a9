// The pages say what is true: every command in them is typed into a shell, on two hosts with the addresses that
// the pages name, in the order of the pages, and must succeed.
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ControlClient } from '../../src/node/control/client.ts';
import { MESH } from './cli-process.ts';
import { MachineRoom } from './harness/machine-room.ts';
import { systemctlFor } from './harness/systemctl-stub.ts';
import { type Host, noTwoHostsBecause, TwoHosts } from './harness/two-hosts.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const DOCS = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md')).toSorted();
const PAGES = ['README.md', ...DOCS.map((name) => `docs/${name}`)];
const obstacle = await noTwoHostsBecause();
const mustRun = process.env['MESH_TEST_NAMESPACES'] === 'required';

interface Typed {
  readonly page: string;
  readonly command: string;
}

const commands = (await Promise.all(PAGES.map(commandsOf))).flat();

/** Lines of a page that are commands: indented or fenced, without what follows the `#`. */
async function commandsOf(page: string): Promise<Typed[]> {
  const text = await readFile(join(ROOT, page), 'utf8');
  return [...text.matchAll(/^(?: {4})?((?:mesh|id=\$\(mesh) [^\n]*)$/gm)].map((match) => ({
    page,
    command: (match[1] ?? '').replace(/\s+#.*$/, '').trim(),
  }));
}

test('the pages have commands to try', () => {
  expect(commands.length).toBeGreaterThan(15);
});

describe.skipIf(obstacle !== undefined && !mustRun)('in the order of the pages', () => {
  let room: MachineRoom;
  let hosts: TwoHosts;
  let folder: string;
  let session: { readonly PATH: string; readonly HOME: string };

  beforeAll(async () => {
    room = await MachineRoom.open();
    hosts = await TwoHosts.open();
    folder = join(room.path, 'work');
    await mkdir(folder);
    session = await systemctlFor(join(room.path, 'session'), join(room.path, 'user'));
    const shim = join(folder, 'mesh');
    await writeFile(shim, `#!/bin/sh\nexec '${process.execPath}' '${MESH}' "$@"\n`);
    await chmod(shim, 0o755);
    const job = JSON.parse(await readFile(join(ROOT, 'examples/aapl.json'), 'utf8')) as object;
    for (const name of ['strategies.json', 'quick.json']) {
      await writeFile(join(folder, name), JSON.stringify(job));
    }
    const split = { mode: 'walkForward', folds: 4, train: 0.6 };
    await writeFile(join(folder, 'walk-forward.json'), JSON.stringify({ ...job, split }));
    const bare = { ...job, data: undefined, broker: undefined };
    await writeFile(join(folder, 'genomes.json'), JSON.stringify(bare));
    for (const name of ['aapl.csv', 'btc-5m.csv']) {
      await copyFile(join(ROOT, 'examples/aapl.csv'), join(folder, name));
    }
  });

  afterAll(async () => {
    await room.close();
    await hosts.close();
  });

  test.each(commands)('$page: $command', async ({ command }) => {
    const isFirst = command.startsWith('mesh join') && !command.includes('--peer');
    const host = isFirst ? hosts.first : hosts.second;
    await mkdir(homeOf(hosts.second), { recursive: true, mode: 0o700 });
    if (command.includes('--peer')) {
      await copyFile(join(homeOf(hosts.first), 'key'), join(homeOf(hosts.second), 'key'));
    }
    const line = await asTyped(command, homeOf(hosts.second));
    const outcome = await shell(host, line, { MESH_HOME: homeOf(host), ...session, folder });
    expect(outcome).toMatchObject({ status: 0 });
  });

  function homeOf(host: Host): string {
    return join(room.path, host.namespace);
  }
});

/** An id on a page stands for one of a job that exists; what never ends is ended after a second. */
async function asTyped(command: string, home: string): Promise<string> {
  let line = command.replace('| jq .', '| cat');
  if (line.includes('j-7f3a')) {
    const { jobs } = await (await ControlClient.connect(home)).jobs();
    line = line.replaceAll('j-7f3a', jobs.at(-1)?.id ?? '');
  }
  if (line.startsWith('mesh top')) {
    // It wants a terminal, and stays until it is told to go.
    const brief = `timeout --foreground --preserve-status -s INT 1 ${line}`;
    return `TERM=xterm script -qec '${brief}' /dev/null`;
  }
  return / (-w|--watch|-f)\b/.test(line)
    ? `timeout --preserve-status -s INT 2 ${line}; [ $? -le 130 ]`
    : line;
}

interface Surroundings {
  readonly folder: string;
  readonly MESH_HOME: string;
  readonly PATH: string;
  readonly HOME: string;
}

interface Outcome {
  readonly status: number;
  readonly said: string;
}

function shell(
  host: Host,
  line: string,
  { folder, PATH, ...rest }: Surroundings,
): Promise<Outcome> {
  const env = { ...process.env, ...rest, PATH: `${folder}:${PATH}` };
  const words = [...host.through, 'bash', '-c', line];
  return new Promise((settle) => {
    execFile(
      words[0] ?? '',
      words.slice(1),
      { cwd: folder, env, timeout: 60_000, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        const status = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
        settle({ status, said: `${stdout.slice(0, 2_000)}${stderr.slice(0, 2_000)}` });
      },
    );
  });
}
