// Before the first real process: the package is built and unpacked once, and every test runs what a user would install.
// A bundle also starts in half the time of its sources, and these tests start some hundred nodes.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../../..');

declare module 'vitest' {
  interface ProvidedContext {
    /** The package as `npm pack` makes it, a .tgz. */
    readonly tarball: string;
    /** bin/mesh.cjs of the same, unpacked. */
    readonly program: string;
  }
}

/** One package for all projects of a run: this process is theirs, and the module is loaded for each. */
const PLACE = 'MESH_TEST_PACKED';

export async function setup(project: TestProject): Promise<void> {
  const place = (process.env[PLACE] ??= await pack());
  project.provide('tarball', join(place, 'mesh.tgz'));
  project.provide('program', join(place, 'package', 'bin', 'mesh.cjs'));
}

export async function teardown(): Promise<void> {
  const place = process.env[PLACE];
  if (place !== undefined) await rm(place, { recursive: true, force: true });
}

async function pack(): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), 'mesh-packed-'));
  await run('npm', ['pack', '--pack-destination', place], { cwd: root });
  const tarball = join(place, 'mesh.tgz');
  await rename(join(place, (await readdir(place))[0] ?? ''), tarball);
  await run('tar', ['-xzf', tarball, '-C', place]);
  return place;
}
