// The examples that come with the package are what they say: real candles, and files that run.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { prepareJob } from '../../../src/node/jobfile/prepare.ts';

const EXAMPLES = join(import.meta.dirname, '../../../examples');

it('aapl.csv is the file of the npm package that its notice names', async () => {
  const original = createRequire(import.meta.url).resolve('@observablehq/sample-datasets/aapl.csv');
  expect(await readFile(join(EXAMPLES, 'aapl.csv'))).toEqual(await readFile(original));
});

it('aapl.json is thousands of backtests on it', async () => {
  const text = await readFile(join(EXAMPLES, 'aapl.json'), 'utf8');
  const readExample = (path: string): Promise<Uint8Array> => readFile(join(EXAMPLES, path));
  const outcome = await prepareJob({ fileName: 'aapl.json', text, readFile: readExample });
  expect(outcome).toMatchObject({ ok: true, prepared: { kernel: 'backtest' } });
  expect(outcome.ok && outcome.prepared.taskCount).toBeGreaterThan(9_000);
  expect(outcome.ok && outcome.prepared.datasets[0]?.barCount).toBe(1_260);
});
