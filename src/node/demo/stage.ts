// The demo's peers: real nodes in processes of their own, each with its own home under one temporary directory and
// a port that the system picks. Nothing of them outlives the demo, however it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { throttleWord } from '../cli/join-options.ts';
import { readStartError } from '../cli/start-error.ts';
import { waitUntil } from '../cli/wait.ts';
import { ControlClient } from '../control/client.ts';
import { MeshError } from '../errors.ts';
import { PEER_ENVIRONMENT, PEER_FLAGS } from '../peer-flags.ts';
import type { Role } from './cast.ts';

/** From spawn to the control socket; four at once on a busy machine. */
const START_MS_MAX = 30_000;
/** Until everybody knows everybody. */
const MEET_MS_MAX = 15_000;
const LOG_CHARS_MAX = 600;

export interface Actor {
  readonly role: Role;
  readonly id: string;
  /** HOST:PORT. */
  readonly addr: string;
  readonly home: string;
  readonly client: ControlClient;
  readonly process: ChildProcess;
}

export class Stage {
  readonly directory: string;
  readonly #processes: ChildProcess[] = [];
  // Whatever ends this process without a chance to wait (a second Ctrl-C, a bug) still clears the stage. After a
  // kill -9 of this process the peers end by themselves: their channel to it is gone.
  readonly #clearAtExit = (): void => {
    for (const child of this.#processes) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  };

  private constructor(directory: string) {
    this.directory = directory;
    process.once('exit', this.#clearAtExit);
  }

  static async open(): Promise<Stage> {
    return new Stage(await mkdtemp(join(tmpdir(), 'mesh-demo-')));
  }

  /** The first of `roles` makes the mesh key; the others get a copy and its address, and all come to know all. */
  async assemble(roles: readonly Role[]): Promise<readonly Actor[]> {
    const [first, ...others] = roles;
    if (first === undefined) return [];
    const founder = await this.#start(first, undefined);
    const actors = [founder, ...(await Promise.all(others.map((r) => this.#start(r, founder))))];
    const haveMet = await waitUntil(() => everybodySees(actors, actors.length), MEET_MS_MAX);
    if (!haveMet) throw new MeshError('INTERNAL', 'the peers of the demo did not find each other');
    return actors;
  }

  /** No goodbye, nothing handed over: as a power cut would. */
  async kill({ process: child }: Actor): Promise<void> {
    const gone = once(child, 'exit');
    if (!child.kill('SIGKILL')) return;
    await gone;
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#processes.map(async (child) => {
        if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }),
    );
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
    process.off('exit', this.#clearAtExit);
  }

  async #start(role: Role, founder: Actor | undefined): Promise<Actor> {
    const home = join(this.directory, role.name);
    await mkdir(join(home, 'logs'), { recursive: true, mode: 0o700 });
    if (founder !== undefined) await copyFile(join(founder.home, 'key'), join(home, 'key'));
    const child = await this.#spawn(role, home, founder);
    let client: ControlClient | undefined;
    await waitUntil(async () => {
      client = await ControlClient.find(home);
      return client !== undefined || hasEnded(child);
    }, START_MS_MAX);
    if (client === undefined) {
      throw (await readStartError(home)) ?? (await notStarted(role, home));
    }
    const { self } = await client.status();
    const addr = `${self.addr}:${self.port}`;
    return { role, id: self.id, addr, home, client, process: child };
  }

  async #spawn(role: Role, home: string, founder: Actor | undefined): Promise<ChildProcess> {
    const program = process.argv[1];
    if (program === undefined) throw new MeshError('INTERNAL', 'cannot tell how mesh was started');
    const words = [
      'join',
      '--foreground',
      `--home=${home}`,
      `--name=${role.name}`,
      '--slots=1',
      `--throttle=${throttleWord(role.throttle)}`,
      '--listen=127.0.0.1',
      '--port=0',
      ...(founder === undefined ? [] : [`--peer=${founder.addr}`]),
    ];
    const log = await open(logPath(home), 'a', 0o600);
    try {
      const child = spawn(
        process.execPath,
        [...PEER_FLAGS, ...process.execArgv, program, ...words],
        {
          cwd: home,
          env: { ...withoutSettings(process.env), ...PEER_ENVIRONMENT },
          // A group of its own: Ctrl-C reaches the demo, and the demo decides.
          detached: true,
          stdio: ['ignore', log.fd, log.fd, 'ipc'],
        },
      );
      child.on('error', () => {});
      this.#processes.push(child);
      return child;
    } finally {
      await log.close();
    }
  }
}

/** What this machine is told to be is not what its pretended ones are: MESH_PEERS would be a real mesh. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('MESH_')),
  );
}

/** Its home is removed with the demo, so what it said last goes into the error. */
async function notStarted({ name }: Role, home: string): Promise<MeshError> {
  const log = await readFile(logPath(home), 'utf8').catch(() => '');
  const last = log.trim().slice(-LOG_CHARS_MAX);
  const what = `the demo's peer ${name} did not start`;
  return new MeshError('INTERNAL', last === '' ? what : `${what}: ${last}`);
}

function logPath(home: string): string {
  return join(home, 'logs', 'node.log');
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

async function everybodySees(actors: readonly Actor[], count: number): Promise<boolean> {
  const views = await Promise.all(actors.map(({ client }) => client.peers()));
  return views.every(({ peers }) => peers.filter(({ state }) => state === 'ok').length === count);
}
