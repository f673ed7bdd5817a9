// A mesh of real processes on hosts of their own, to be hurt: each run of a scenario does harm, waits for the job that
// runs meanwhile, and says what is wrong with it.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { JobSummary, PeersView } from '../../src/node/control/api.ts';
import { ControlClient } from '../../src/node/control/client.ts';
import type { Rng } from '../../src/stealing/rng.ts';
import { mesh } from '../../test/e2e/cli-process.ts';
import { sequentialResultsSha256 } from '../../test/independent/sequential.ts';
import { PEER_ENVIRONMENT, PEER_FLAGS } from '../../src/node/peer-flags.ts';
import { type Host, Hosts } from './hosts.ts';

const run = promisify(execFile);

const MAIN = resolve(import.meta.dirname, '../../src/node/main.ts');
const SLOTS = 2;
/** ms until a peer answers, a job ends, or a condition holds; a run that waits in vain has failed. */
const PATIENCE_MS = 60_000;

export interface RunningJob {
  readonly id: string;
  readonly tasks: number;
  readonly expectedSha256: string;
}

export class Fighter {
  readonly host: Host;
  readonly name: string;
  readonly home: string;
  child: ChildProcess | undefined;
  /** Ended without having been asked to. */
  crashed: string | undefined;

  constructor(host: Host, name: string, home: string) {
    this.host = host;
    this.name = name;
    this.home = home;
  }

  get isUp(): boolean {
    return this.child !== undefined;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  node(): Promise<ControlClient> {
    return ControlClient.connect(this.home);
  }

  /** undefined while nobody answers. */
  async peers(): Promise<PeersView | undefined> {
    return this.node().then(
      (node) => node.peers(),
      () => undefined,
    );
  }

  async done(): Promise<number> {
    const view = await this.peers();
    return view?.peers.find(({ id }) => id === view.self)?.done ?? 0;
  }

  signal(name: NodeJS.Signals): void {
    this.child?.kill(name);
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    this.child = undefined;
    const gone = new Promise((settle) => {
      child.once('exit', settle);
    });
    child.kill('SIGKILL');
    await gone;
  }
}

export class Arena {
  readonly hosts: Hosts;
  readonly fighters: readonly Fighter[];
  readonly #path: string;
  #jobs = 0;

  private constructor(hosts: Hosts, path: string) {
    this.hosts = hosts;
    this.#path = path;
    this.fighters = hosts.all.map(
      (host, i) =>
        new Fighter(host, ['ada', 'bo', 'cy', 'di'][i] ?? `p${i}`, join(path, `home${i}`)),
    );
  }

  static async open(tag: string, count: number): Promise<Arena> {
    const path = await mkdtemp(join(tmpdir(), `mesh-chaos-${tag}-`));
    const arena = new Arena(await Hosts.open(tag, count), path);
    try {
      const [first, ...others] = arena.fighters;
      if (first === undefined) throw new Error('an arena has fighters');
      await arena.start(first);
      for (const other of others) {
        await mkdir(other.home, { recursive: true, mode: 0o700 });
        await copyFile(join(first.home, 'key'), join(other.home, 'key'));
      }
      await Promise.all(others.map((other) => arena.start(other)));
      await arena.whole();
      return arena;
    } catch (error) {
      await arena.close();
      throw error;
    }
  }

  /** Starts a peer; the others are named, for its home may be new. */
  async start(fighter: Fighter): Promise<void> {
    const [word = '', ...rest] = fighter.host.through;
    const others = this.fighters.filter((other) => other !== fighter && other.isUp);
    const words = ['join', '--foreground', '--name', fighter.name, '--slots', `${SLOTS}`];
    words.push('--listen', fighter.host.ip, ...others.flatMap(({ host }) => ['--peer', host.ip]));
    const child = spawn(word, [...rest, process.execPath, ...PEER_FLAGS, MAIN, ...words], {
      env: { ...process.env, ...PEER_ENVIRONMENT, MESH_HOME: fighter.home, NO_COLOR: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2_000)));
    child.once('exit', (code, signal) => {
      if (fighter.child !== child) return;
      fighter.child = undefined;
      fighter.crashed = `${fighter.name} ended by itself (${code ?? signal}): ${said}`;
    });
    fighter.child = child;
    await this.until(`${fighter.name} answers`, async () => (await fighter.peers()) !== undefined);
  }

  /** Every peer runs and sees every other in good health. */
  async whole(): Promise<void> {
    await this.until('everybody sees everybody', async () => {
      const views = await Promise.all(this.fighters.map((fighter) => fighter.peers()));
      return views.every(
        (view) => view?.peers.filter(({ state }) => state === 'ok').length === this.fighters.length,
      );
    });
  }

  /** Resolves when the id is printed. */
  async submit(
    fighter: Fighter,
    rng: Rng,
    totalMs = 2_500,
  ): Promise<RunningJob & { copies: number }> {
    const tasks = 150 + Math.floor(rng.nextFloat() * 300);
    const slots = SLOTS * this.fighters.length;
    const spec = {
      version: 1,
      kernel: 'spin',
      tasks,
      costMs: Math.round((totalMs * slots) / tasks),
      mode: 'sleep',
      seed: rng.nextUint32(),
    };
    const file = join(this.#path, `job${this.#jobs++}.json`);
    await writeFile(file, JSON.stringify(spec));
    const words = ['submit', file, '--detach', '--json'];
    const { status, stdout, stderr } = await mesh(words, { home: fighter.home });
    if (status !== 0) throw new Error(`submit exits ${status}: ${stderr}`);
    const answer = JSON.parse(stdout) as { jobId: string; copies: number };
    const expectedSha256 = await sequentialResultsSha256(file);
    return { id: answer.jobId, tasks, expectedSha256, copies: answer.copies };
  }

  /** What is wrong with the job's end as `fighter` tells it; undefined when all is right. */
  async verdict(
    fighter: Fighter,
    job: RunningJob,
    patienceMs = PATIENCE_MS,
  ): Promise<string | undefined> {
    const giveUpMs = performance.now() + patienceMs;
    for (;;) {
      const summary = await summaryOf(fighter, job.id);
      if (summary?.state === 'done') return judge(fighter, job, summary);
      if (performance.now() > giveUpMs) {
        return `${fighter.name} tells of no end: ${JSON.stringify(summary ?? 'no such job')}`;
      }
      await delay(50);
    }
  }

  async until(what: string, look: () => Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
    const giveUpMs = performance.now() + patienceMs;
    while (!(await look())) {
      const crashed = this.fighters.find((fighter) => fighter.crashed !== undefined)?.crashed;
      if (crashed !== undefined) throw new Error(crashed);
      if (performance.now() > giveUpMs) throw new Error(`waited in vain until ${what}`);
      await delay(50);
    }
  }

  /** The last lines of everybody's log, to be read after a failure. */
  async logs(): Promise<string> {
    const texts = this.fighters.map(async ({ name, home }) => {
      const folder = join(home, 'logs');
      const names = await readdir(folder).catch(() => []);
      const parts = await Promise.all(
        names.map((file) => readFile(join(folder, file), 'utf8').catch(() => '')),
      );
      return `--- ${name}\n${parts.join('').split('\n').slice(-40).join('\n')}`;
    });
    return (await Promise.all(texts)).join('\n');
  }

  async close(): Promise<void> {
    await Promise.all(this.fighters.map((fighter) => fighter.kill()));
    await this.hosts.close();
    // A scenario may have mounted a small disk there.
    for (const { home } of this.fighters) await run('umount', [home]).catch(() => {});
    await rm(this.#path, { recursive: true, force: true });
  }
}

async function summaryOf(fighter: Fighter, job: string): Promise<JobSummary | undefined> {
  const node = await fighter.node().catch(() => undefined);
  const known = (await node?.jobs().catch(() => undefined))?.jobs.find(
    ({ jobId }) => jobId === job,
  );
  if (node === undefined || known?.state !== 'done') return undefined;
  return node.summary(job, { top: 1 }).catch(() => undefined);
}

function judge(fighter: Fighter, job: RunningJob, summary: JobSummary): string | undefined {
  const counted = summary.peers.reduce((sum, { done }) => sum + done, 0);
  const isRight =
    summary.done === job.tasks &&
    summary.failed === 0 &&
    counted === job.tasks &&
    summary.resultsSha256 === job.expectedSha256;
  if (isRight) return undefined;
  const { done, failed, resultsSha256 } = summary;
  return `${fighter.name}: ${JSON.stringify({ tasks: job.tasks, done, failed, counted, resultsSha256, expected: job.expectedSha256 })}`;
}
