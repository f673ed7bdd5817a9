// Who is among the best: the job file's filter, and how many it keeps.
import { expect, test } from 'vitest';
import { amongTheBest, resultsView, topOf } from '../../../src/node/answers/summary.ts';
import type { TaskRunner } from '../../../src/kernel/job.ts';

const rows = {
  columns: ['sharpe', 'trades'],
  tasks: [0, 1, 2, 3, 4],
  values: Float64Array.of(3, 5, 2, 50, 1, 40, 4, 31, Number.NaN, 99),
};

const label = (task: number) => ({ name: `s${task}`, params: {} });

function runner(change: Partial<TaskRunner> = {}): TaskRunner {
  const none = { taskCount: 5, columns: rows.columns, rankBy: 'sharpe', workRuns: [] };
  return { ...none, run: () => {}, waitMs: () => 0, trades: () => [], label, ...change };
}

const filtered = runner({ filter: ['trades >= 30', 'sharpe > 0'] });

function tasksOf(query: Parameters<typeof resultsView>[2], of: TaskRunner): unknown[] {
  return resultsView('j', rows, query, of).rows.map(([task]) => task);
}

test('the best are those that pass the filter of the job file; a list of all rows has all', () => {
  expect(topOf(rows, { top: 3 }, filtered).map(({ task }) => task)).toEqual([3, 1, 2]);
  expect(tasksOf({ top: 2 }, filtered)).toEqual([3, 1]);
  expect(tasksOf({}, filtered)).toEqual([0, 1, 2, 3, 4]);
  expect(tasksOf({ top: 9 }, runner())).toEqual([3, 0, 1, 2, 4]);
});

test('a filter of the command counts as well, and one without a job file stays as it is', () => {
  const where = [{ column: 'trades', comparison: '<', value: 45 }] as const;
  expect(tasksOf({ top: 9, where }, filtered)).toEqual([3, 2]);
  expect(amongTheBest({ top: 9, where }, undefined)).toEqual({ top: 9, where });
});

test('winners are chosen by the job’s ranking, whatever order they are asked for in', () => {
  const keeping = runner({ keep: 2 });
  expect(tasksOf({ winners: true, sort: 'trades' }, keeping)).toEqual([3, 0]);
  expect(tasksOf({ winners: true, sort: 'trades:asc' }, keeping)).toEqual([0, 3]);
  expect(tasksOf({ winners: true, sort: 'trades', top: 1 }, keeping)).toEqual([3]);
  const where = [{ column: 'trades', comparison: '<', value: 10 }] as const;
  expect(tasksOf({ winners: true, where }, keeping)).toEqual([0]);
});

test('winners are as many of the best as the job keeps, a hundred when it does not say', () => {
  expect(tasksOf({ winners: true }, runner({ keep: 2 }))).toEqual([3, 0]);
  expect(tasksOf({ winners: true }, { ...filtered, keep: 2 })).toEqual([3, 1]);
  expect(tasksOf({ winners: true, top: 1 }, filtered)).toEqual([3]);
  expect(tasksOf({ winners: true }, filtered)).toEqual([3, 1, 2]);
});
