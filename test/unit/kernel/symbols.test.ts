// A job over several datasets: which task is which, and the same rows as each dataset gives alone.
import { describe, expect, it } from 'vitest';
import { compileBacktest } from '../../../src/kernel/backtest.ts';
import { compileJob } from '../../../src/kernel/compile.ts';
import { syntheticCandles } from '../../../src/node/jobfile/synthetic.ts';
import { resultOf, specOf } from './fixture.ts';

const NAMES = ['a', 'b', 'c'];
const shas = NAMES.map((name) => name.repeat(64));
const markets = NAMES.map((_, i) =>
  syntheticCandles({ seed: i + 1, bars: 200 + i, stepMs: 3_600_000, startMs: 0 }),
);
const strategy = {
  vars: [{ name: 'n', values: [3, 5, 8, 13] }],
  long: { enter: ['close > sma($n)'], exit: ['close < sma($n)'] },
  size: { kind: 'equity', value: '1' } as const,
};
const alone = specOf([strategy, { ...strategy, name: 'other' }], { fee: 0.001 });
const [dataset] = alone.datasets;
const datasets = shas.map((sha256, i) => ({ ...dataset, sha256, symbol: NAMES[i] ?? '' }));
const several = { ...alone, datasets } as typeof alone;
const candles = new Map(shas.map((sha256, i) => [sha256, markets[i] ?? fail()]));

describe('a job over several datasets', () => {
  const joined = compileJob(several, candles);

  it('runs all strategies on the first, then on the next, with the rows of each alone', () => {
    expect(joined.taskCount).toBe(24);
    for (const [at, market] of markets.entries()) {
      const one = compileBacktest(alone, market);
      for (const index of [0, 5, 7]) {
        const together = resultOf(joined, at * 8 + index);
        expect(together).toEqual(resultOf(one, index));
        expect(together.trades.length).toBeGreaterThan(3);
      }
    }
  });

  it('gives the same rows in any order, with few of its datasets kept at work', () => {
    const forward = Array.from({ length: 24 }, (_, task) => resultOf(joined, task).row);
    const hopping = Array.from({ length: 24 }, (_, i) => (i * 7) % 24);
    for (const task of hopping) expect(resultOf(joined, task).row).toEqual(forward[task]);
  });

  it('names the symbol with the values of the variables', () => {
    expect(joined.label(0)).toEqual({ name: 's0', params: { symbol: 'a', n: 3 } });
    expect(joined.label(23)).toEqual({ name: 'other', params: { symbol: 'c', n: 13 } });
    expect(() => joined.label(24)).toThrow('no task 24');
  });

  it('states work for all of its tasks, and for those of a sample', () => {
    const total = (runs: typeof joined.workRuns) => runs.reduce((sum, { tasks }) => sum + tasks, 0);
    expect(total(joined.workRuns)).toBe(24);
    const sampled = compileJob({ ...several, sample: { count: 7, seed: 3 } }, candles);
    expect([sampled.taskCount, total(sampled.workRuns)]).toEqual([7, 7]);
    const symbols = Array.from({ length: 7 }, (_, i) => sampled.label(i).params['symbol']);
    expect(new Set(symbols)).toEqual(new Set(NAMES));
  });

  it('does not compile while one of them is missing', () => {
    expect(() => compileJob(several, new Map([...candles].slice(1)))).toThrow('is missing');
  });
});

function fail(): never {
  throw new Error('no such market');
}
