// What a job found, by strategy, by variable and by pairs of variables.
import { describe, expect, test } from 'vitest';
import { failLimitOf, parseFailLimit } from '../../../src/node/cli/fail-limit.ts';
import { renderGroups, renderHeatmap } from '../../../src/node/cli/output/group-screens.ts';
import { groupBy, heatmapOf } from '../../../src/node/cli/output/groups.ts';
import { passing } from '../../../src/node/cli/output/results-file.ts';
import type { ResultsView } from '../../../src/node/control/api.ts';
import { parseSort } from '../../../src/node/control/row-query.ts';

/** A grid of fast x slow x stop; sharpe = fast - slow / 10, undefined where fast is 9; and one strategy more. */
const rows = [5, 9, 10].flatMap((fast) =>
  [20, 100].flatMap((slow) => [1, 2].map((stop) => ({ fast, slow, stop }))),
);
const view: ResultsView = {
  v: 1,
  job: 'j-7f3a',
  columns: ['task', 'sharpe', 'maxDrawdown'],
  rows: [
    ...rows.map(({ fast, slow, stop }, task) => [
      task,
      fast === 9 ? null : fast - slow / 10,
      0.1 * stop,
    ]),
    [12, 7, 0.5],
  ],
  labels: [...rows.map((params) => ({ name: 'cross', params })), { name: 'hold', params: {} }],
};
const bySharpe = parseSort('sharpe', view.columns);

describe('grouped', () => {
  test('by strategy, the best one first', () => {
    expect(groupBy(view, 'strategy', bySharpe)).toEqual([
      { group: 'cross', count: 12, undefined: 4, best: 8, median: 1.5, worst: -5, bestTask: 8 },
      { group: 'hold', count: 1, undefined: 0, best: 7, median: 7, worst: 7, bestTask: 12 },
    ]);
    const byDrawdown = parseSort('maxDrawdown', view.columns);
    expect(groupBy(view, 'strategy', byDrawdown).map(({ best }) => best)).toEqual([0.1, 0.5]);
  });

  test('by params, each variable together and its values by size', () => {
    const groups = groupBy(view, 'params', bySharpe);
    expect(groups.map(({ group, count, best }) => [group, count, best])).toEqual([
      ['fast=5', 4, 3],
      ['fast=9', 4, null],
      ['fast=10', 4, 8],
      ['slow=20', 6, 8],
      ['slow=100', 6, 0],
      ['stop=1', 6, 8],
      ['stop=2', 6, 8],
    ]);
  });

  test.each([40, 80, 200])('fits %d columns', (width) => {
    const groups = groupBy(view, 'params', bySharpe);
    for (const line of renderGroups(groups, { by: 'params', metric: 'sharpe' }, width)) {
      expect(line.length).toBeLessThanOrEqual(width);
    }
  });
});

describe('a heatmap', () => {
  const map = heatmapOf(view, { x: 'fast', y: 'slow' }, bySharpe);

  test('has the best of every pair, whatever the other variables were', () => {
    expect(map).toMatchObject({ xs: [5, 9, 10], ys: [20, 100] });
    expect(map.cells).toEqual([
      [
        { best: 3, task: 0, count: 2 },
        { best: null, task: null, count: 2 },
        { best: 8, task: 8, count: 2 },
      ],
      [
        { best: -5, task: 2, count: 2 },
        { best: null, task: null, count: 2 },
        { best: 0, task: 10, count: 2 },
      ],
    ]);
  });

  test('is drawn darker where it is better', () => {
    expect(renderHeatmap(map, 'sharpe', 80)).toEqual([
      'best sharpe over all other variables   ░░ −5  ██ 8',
      ' slow',
      '   20 ▓▓· ██',
      '  100 ░░· ▒▒',
      '      5   10  fast',
      'best: fast=10 slow=20 (s8)',
    ]);
  });

  test('of a drawdown is darker where it is smaller', () => {
    const drawdown = parseSort('maxDrawdown', view.columns);
    const small = heatmapOf(view, { x: 'fast', y: 'stop' }, drawdown);
    expect(renderHeatmap(small, 'maxDrawdown', 80)).toContain('    1 ██████');
    expect(renderHeatmap(small, 'maxDrawdown', 80)).toContain('    2 ░░░░░░');
  });

  test('of variables that no strategy has names those that there are', () => {
    expect(() => heatmapOf(view, { x: 'fast', y: 'nope' }, bySharpe)).toThrow(
      expect.objectContaining({ code: 'USAGE', hint: 'its variables are fast, slow, stop' }),
    );
  });
});

test('--max-fails is a count or a part of the job', () => {
  expect(failLimitOf(parseFailLimit('20'), 400)).toBe(20);
  expect(failLimitOf(parseFailLimit('1_000'), 400)).toBe(1000);
  expect(failLimitOf(parseFailLimit('5%'), 399)).toBe(19);
  expect(failLimitOf(parseFailLimit('0'), 399)).toBe(0);
  for (const text of ['', '%', '-1', '2.5', '101%', 'many']) {
    expect(() => parseFailLimit(text)).toThrow('--max-fails must be 20 or 5%');
  }
});

test('rows that come in pass --where, and failures always do', () => {
  const event = {
    kind: 'rows',
    columns: ['sharpe', 'code'],
    tasks: [3, 4, 5],
    values: Float64Array.of(1, 0, 2, 0, Number.NaN, 7),
    failed: [5],
  } as const;
  const where = [{ column: 'sharpe', comparison: '>', value: 1.5 }] as const;
  expect(passing(event, where)).toEqual({
    ...event,
    tasks: [4, 5],
    values: Float64Array.of(2, 0, Number.NaN, 7),
  });
  expect(passing(event, undefined)).toBe(event);
});
