// All machines of one test in one temporary directory, so that whatever the test leaves behind, running or on
// disk, is found and taken away by that directory's name.
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Running } from '../cli-process.ts';
import { Machine, type Surroundings } from './machine.ts';
import { killNow, type ProcessView, processesNaming } from './processes.ts';
import { until } from './until.ts';

export class MachineRoom {
  readonly path: string;
  readonly #commands: Running[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  static async open(): Promise<MachineRoom> {
    return new MachineRoom(await realpath(await mkdtemp(join(tmpdir(), 'mesh-room-'))));
  }

  machine(name: string, surroundings: Surroundings = {}): Machine {
    return new Machine({ name, home: join(this.path, name) }, surroundings, (running) =>
      this.#commands.push(running),
    );
  }

  /** Machines that are one mesh on loopback: the first begins it, the others join the first. */
  async mesh(names: readonly string[], words: readonly string[] = []): Promise<Machine[]> {
    const machines = names.map((name) => this.machine(name));
    const [first, ...others] = machines;
    if (first === undefined) return [];
    await first.join([...LOOPBACK, ...words]);
    const peer = await first.place();
    for (const other of others) {
      await other.takeKeyFrom(first);
      await other.join([...LOOPBACK, ...words, '--peer', peer]);
    }
    for (const machine of machines) await machine.untilSees(names);
    return machines;
  }

  /** Puts a file into the room; returns its path. */
  async file(name: string, content: string | object): Promise<string> {
    const path = join(this.path, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  /** Everything that still runs on these machines. */
  running(): Promise<ProcessView[]> {
    return processesNaming(this.path);
  }

  async close(): Promise<void> {
    // The commands first: one that is just starting a node would leave it behind.
    for (const { child } of this.#commands) child.kill('SIGKILL');
    await until('nothing runs', async () => {
      const left = await this.running();
      for (const { pid } of left) killNow(pid);
      return left.length === 0;
    });
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Peers of one machine: an address that no other machine reaches, whatever port is free. */
export const LOOPBACK = ['--listen', '127.0.0.1', '--port', '0'];
