// Results as Parquet, read back by another reader of that form.
import { parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { parquetOf } from '../../../src/node/cli/output/parquet-file.ts';
import type { ResultsView } from '../../../src/node/control/api.ts';

const view: ResultsView = {
  v: 1,
  job: 'j-7f3a',
  columns: ['task', 'sharpe', 'trades'],
  rows: [
    [0, 1.25, 30],
    [1, null, 0],
    [7, -0.1 - 0.2, 4],
  ],
};

async function readBack(given: ResultsView): Promise<unknown> {
  const { buffer } = parquetOf(given);
  return parquetReadObjects({ file: buffer as ArrayBuffer });
}

test('every value survives to the last bit, undefined ones as null', async () => {
  expect(await readBack(view)).toEqual([
    { task: 0, sharpe: 1.25, trades: 30 },
    { task: 1, sharpe: null, trades: 0 },
    { task: 7, sharpe: -0.1 - 0.2, trades: 4 },
  ]);
});

test('a variable has a column of its own: numbers, unless it is a word somewhere', async () => {
  const labels = [
    { name: 'cross', params: { fast: 8, symbol: 'BTC' } },
    { name: 'cross', params: { fast: 9.5, symbol: 7 } },
    { name: 'hold', params: {} },
  ];
  expect(await readBack({ ...view, labels })).toMatchObject([
    { strategy: 'cross', var_fast: 8, var_symbol: 'BTC' },
    { strategy: 'cross', var_fast: 9.5, var_symbol: '7' },
    { strategy: 'hold', var_fast: null, var_symbol: null },
  ]);
});

test('no rows are a file without rows', async () => {
  expect(await readBack({ ...view, rows: [] })).toEqual([]);
});
