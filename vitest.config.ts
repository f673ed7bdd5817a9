// Four kinds of test: pure tables and properties (unit), seeded simulation (sim), real processes (e2e), and those of
// them that measure (measured).
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Real processes whose shares, speeds or moments are judged: whatever runs beside them would be judged too. */
const MEASURED = ['alive', 'cli-pack', 'demo', 'kill', 'late-peer', 'shares', 'two-hosts'].map(
  (name) => `test/e2e/${name}.test.ts`,
);
const REAL = {
  globalSetup: ['test/e2e/harness/packed.ts'],
  testTimeout: 120_000,
  hookTimeout: 60_000,
};

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
          ...REAL,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: MEASURED,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...REAL,
          name: 'measured',
          include: MEASURED,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
