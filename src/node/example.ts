// The example that the package carries: a job file on real daily candles. The demo runs it, `mesh init` hands it out.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { MeshError } from './errors.ts';

/** Seen from the bundle, and from the sources. */
const PACKAGE_ROOTS = ['..', '../..'];

export type ExampleName = 'aapl.json' | 'aapl.csv' | 'NOTICE.md';

/** Where it lies on this machine. */
export function exampleFile(name: ExampleName): string {
  const file = PACKAGE_ROOTS.map((root) =>
    resolve(import.meta.dirname, root, 'examples', name),
  ).find((path) => existsSync(path));
  if (file === undefined) {
    throw new MeshError('INTERNAL', `examples/${name} is not in this package`);
  }
  return file;
}
