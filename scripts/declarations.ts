// The library's types for the package: tsc writes a declaration for every source that the face can reach; those that
// the face's own declarations name are kept, the rest goes. A user installs one package, so a type from another one
// would be a hole: that fails the build.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export function writeDeclarations(root: string): void {
  const folder = join(root, 'dist', 'types');
  const { status, stdout } = spawnSync('tsc', ['-p', 'tsconfig.types.json'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`tsc: ${stdout}`);
  const kept = reachable(join(folder, 'index.d.ts'));
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && !kept.has(file)) rmSync(file);
  }
}

function reachable(entry: string): ReadonlySet<string> {
  const found = new Set([entry]);
  // A set that grows while it is walked is walked to its new end.
  for (const file of found) {
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)) {
      if (name.startsWith('.')) found.add(join(dirname(file), name.replace(/\.[tj]s$/, '.d.ts')));
      else if (!name.startsWith('node:')) {
        throw new Error(`${relative(dirname(entry), file)} needs types of the package ${name}`);
      }
    }
  }
  return found;
}
