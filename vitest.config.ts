// Three kinds of test: pure tables and properties (unit), seeded simulation (sim), real processes (e2e).
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Real daemons share two cores in CI: these measure a share or a time, take a port that others may have, or use all of
 * the machine. */
const ALONE = [
  ...[
    'alive',
    'cli-pack',
    'demo',
    'errors',
    'kill',
    'late-peer',
    'net-kill',
    'outsiders',
    'pages',
    'shares',
  ],
  ...['two-hosts', 'two-releases'],
].map((name) => `test/e2e/${name}.test.ts`);

export default defineConfig({
  test: {
    // By itself vitest leaves a core free, and of two cores uses one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'sim',
          include: ['test/sim/**/*.test.ts'],
          testTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ALONE,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e-alone',
          include: ALONE,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
