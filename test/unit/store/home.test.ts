// A home belongs to one process at a time; the lock of a dead one is in nobody's way.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHome } from '../../../src/node/store/home.ts';

const CHILD = fileURLToPath(
  new URL(`./locking-child${extname(import.meta.filename)}`, import.meta.url),
);

let directory: string;
let home: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'home-'));
  home = join(directory, 'mesh');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('openHome', { timeout: 60_000 }, () => {
  it('makes a directory that is private, and leaves no lock behind', async () => {
    const opened = await openHome(home);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    const [pid] = (await readFile(join(home, 'run', 'lock'), 'utf8')).split('\n');
    expect(pid).toBe(`${process.pid}`);
    await opened.release();
    expect(await readdir(join(home, 'run'))).toEqual([]);
  });

  it('says ALREADY_RUNNING with the pid while another process lives there, and lets in after its kill', async () => {
    const [first, said] = await startChild();
    expect(said).toBe('lives here');
    await expect(openHome(home)).rejects.toMatchObject({
      code: 'ALREADY_RUNNING',
      message: expect.stringContaining(`pid ${first.pid}`),
    });
    first.kill('SIGKILL');
    await ended(first);
    await (await openHome(home)).release();
  });

  it('lets exactly one of several processes take over a dead one', async () => {
    const [dead] = await startChild();
    dead.kill('SIGKILL');
    await ended(dead);
    const rivals = await Promise.all(Array.from({ length: 4 }, () => startChild()));
    expect(rivals.map(([, said]) => said).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'ALREADY_RUNNING',
      'ALREADY_RUNNING',
      'ALREADY_RUNNING',
      'lives here',
    ]);
    await Promise.all(
      rivals.map(([child]) => {
        child.stdin!.end();
        return ended(child);
      }),
    );
  });

  it('takes a lock for a dead one when its pid came back as another process', async () => {
    const [dead] = await startChild();
    const lock = join(home, 'run', 'lock');
    const [, socket = ''] = (await readFile(lock, 'utf8')).split('\n');
    dead.kill('SIGKILL');
    await ended(dead);
    // What a power cut leaves: a lock, a socket that nobody listens on, and a pid that somebody else has by now.
    await writeFile(lock, `${process.ppid}\n${socket}\n`);
    const opened = await openHome(home);
    await opened.release();
    expect(await readdir(join(home, 'run'))).toEqual([]);
  });

  it('takes a lock without a pid for a dead one', async () => {
    await (await openHome(home)).release();
    await writeFile(join(home, 'run', 'lock'), 'no pid');
    await (await openHome(home)).release();
  });

  it('says which directory cannot be written', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(openHome(join(directory, 'file', 'home'))).rejects.toThrow(
      `cannot write to ${directory}`,
    );
  });
});

/** A child and the first thing that it says. */
async function startChild(): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, [CHILD, home], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = await new Promise<string>((resolve) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
  return [child, said];
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
  });
}
