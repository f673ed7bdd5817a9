// `npm run check`: everything that can be known without running the product. One tool a line; the first
// that fails stops the run, so that its message is the last thing on the screen.
import { spawnSync } from 'node:child_process';

const steps: readonly (readonly [what: string, ...command: string[]])[] = [
  ['types', 'tsc', '-p', '.'],
  ['types of the pure rooms, without Node', 'tsc', '-p', 'src/tsconfig.core.json'],
  [
    'lint, arrows between rooms',
    'oxlint',
    '--type-aware',
    '--deny-warnings',
    'src',
    'scripts',
    'test',
  ],
  ['format', 'biome', 'format', '.'],
  ['unused code', 'knip'],
  ['the compiled kernel is what its sources give', 'node', 'scripts/build-simd.ts', '--check'],
  ['the package as it is published', 'node', 'scripts/build.ts'],
  ['its entries', 'publint', '--strict'],
];

for (const [what, command, ...args] of steps) {
  process.stdout.write(`- ${what}: ${[command, ...args].join(' ')}\n`);
  const { status } = spawnSync(command ?? '', args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
