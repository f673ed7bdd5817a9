// Runs `mesh` as people do: as a process of its own, with pipes.
import { type ChildProcess, spawn } from 'node:child_process';
import { inject } from 'vitest';

/** Of the package as it is published. */
export const MESH = inject('program');

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** What it has said so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly finished: Promise<Finished>;
}

export interface ProcessOptions {
  readonly home: string;
  readonly stdin?: string;
  /** On top of this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** The words of a program that becomes mesh, such as `ip netns exec NAME`. */
  readonly through?: readonly string[];
  /** The program, when it is not this release's. */
  readonly program?: string;
}

export function startMesh(words: readonly string[], options: ProcessOptions): Running {
  const { home, env, through = [], program: mesh = MESH } = options;
  const [program = '', ...rest] = [...through, process.execPath, mesh, ...words];
  const child = spawn(program, rest, {
    env: { ...process.env, ...env, MESH_HOME: home, NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(options.stdin ?? '');
  const finished = new Promise<Finished>((settle, reject) => {
    child.on('error', reject);
    child.on('close', (status) => settle({ status, stdout, stderr }));
  });
  return { child, stdout: () => stdout, stderr: () => stderr, finished };
}

export function mesh(words: readonly string[], options: ProcessOptions): Promise<Finished> {
  return startMesh(words, options).finished;
}
