// What failed, as a person reads it.
import { expect, test } from 'vitest';
import { renderFailed } from '../../../src/node/cli/results-failed.ts';

test('mesh results --failed names each task with its input, its error and what to do', () => {
  const failure = { task: 17, name: 'rsi', params: { n: 9 }, code: 92, attempts: 3 };
  const slow = {
    ...failure,
    error: 'it took too long',
    mayRetry: true,
    reason: 'a task took long',
  };
  const own = {
    ...failure,
    task: 18,
    error: 'bad stop',
    mayRetry: false,
    attempts: 0,
    reason: null,
  };
  const view = { v: 1 as const, job: 'j-7f3a', failed: 60, failures: [slow, own] };
  expect(renderFailed(view)).toEqual([
    's17  rsi n=9',
    '    it took too long (3 attempts): a task took long',
    's18  rsi n=9',
    '    bad stop',
    '… and 58 more: mesh results j-7f3a --failed --json',
    '  new attempts: mesh retry j-7f3a',
  ]);
  expect(renderFailed({ ...view, failed: 1, failures: [own] })).toEqual([
    's18  rsi n=9',
    '    bad stop',
  ]);
  expect(renderFailed({ ...view, failed: 0, failures: [] })).toEqual(['nothing failed']);
});
