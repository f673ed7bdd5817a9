// One pretended machine: a home of its own, the commands that a person types there, and the node that `mesh join`
// leaves running in the background.
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  JobsView,
  JobSummary,
  PeersView,
  PeerView,
  StatusView,
} from '../../../src/node/control/api.ts';
import { isAlive } from '../../../src/node/alive.ts';
import { ControlClient } from '../../../src/node/control/client.ts';
import { controlSocketPath, probeSocket } from '../../../src/node/control/socket.ts';
import { type Finished, type ProcessOptions, type Running, startMesh } from '../cli-process.ts';
import { killNow } from './processes.ts';
import { until } from './until.ts';

export type Surroundings = Pick<ProcessOptions, 'env' | 'through' | 'program'>;

export class Machine {
  readonly name: string;
  readonly home: string;
  readonly #surroundings: Surroundings;
  readonly #onStart: (running: Running) => void;

  constructor(
    place: { readonly name: string; readonly home: string },
    surroundings: Surroundings,
    onStart: (running: Running) => void,
  ) {
    this.name = place.name;
    this.home = place.home;
    this.#surroundings = surroundings;
    this.#onStart = onStart;
  }

  start(words: readonly string[], stdin?: string): Running {
    const options = { home: this.home, ...this.#surroundings };
    const running = startMesh(words, stdin === undefined ? options : { ...options, stdin });
    this.#onStart(running);
    return running;
  }

  mesh(words: readonly string[], stdin?: string): Promise<Finished> {
    return this.start(words, stdin).finished;
  }

  /** The one object that a command prints with --json; a command that failed throws what it said. */
  async json<T>(words: readonly string[]): Promise<T> {
    const { status, stdout, stderr } = await this.mesh([...words, '--json']);
    if (status !== 0) throw new Error(`mesh ${words.join(' ')} exits ${status}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** `mesh join` in the background under this machine's name, on a free loopback port unless `words` say other. */
  async join(words: readonly string[] = []): Promise<void> {
    const { status, stderr } = await this.mesh(['join', '--name', this.name, ...words]);
    if (status !== 0) throw new Error(`${this.name} cannot join (exit ${status}): ${stderr}`);
  }

  async takeKeyFrom(other: Machine): Promise<void> {
    await mkdir(this.home, { recursive: true, mode: 0o700 });
    await copyFile(join(other.home, 'key'), join(this.home, 'key'));
  }

  /** For conditions that a test waits for: asking the node itself costs no process. */
  node(): Promise<ControlClient> {
    return ControlClient.connect(this.home);
  }

  async isRunning(): Promise<boolean> {
    return (await probeSocket(controlSocketPath(this.home))) === 'live';
  }

  async status(): Promise<StatusView> {
    return (await this.node()).status();
  }

  async peers(): Promise<PeersView> {
    return (await this.node()).peers();
  }

  async jobs(): Promise<JobsView> {
    return (await this.node()).jobs();
  }

  /** What the node knows of itself, exact at this moment. */
  async self(): Promise<PeerView> {
    const { self, peers } = await this.peers();
    const own = peers.find(({ id }) => id === self);
    if (own === undefined) throw new Error(`${this.name} does not list itself`);
    return own;
  }

  async place(): Promise<string> {
    const { self } = await this.status();
    return `${self.addr}:${self.port}`;
  }

  /** Until this machine sees all of `names`, itself included, in good health. */
  async untilSees(names: readonly string[]): Promise<void> {
    await until(`${this.name} sees ${names.join(', ')}`, async () => {
      const { peers } = await this.peers();
      return names.every((name) => peers.some((peer) => peer.name === name && peer.state === 'ok'));
    });
  }

  /** Follows a job to its end from here. */
  async summaryOf(job: string): Promise<JobSummary> {
    const { status, stdout, stderr } = await this.mesh(['watch', job, '--json']);
    if (stdout === '') throw new Error(`mesh watch ${job} exits ${status}: ${stderr}`);
    return JSON.parse(stdout) as JobSummary;
  }

  /** kill -9 of the node; resolves when it is gone. */
  async kill(): Promise<void> {
    const { self } = await this.status();
    killNow(self.pid);
    await until(`${this.name} is dead`, async () => !(await isAlive(self.pid)));
  }
}
