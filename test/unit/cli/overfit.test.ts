// What `results --overfit` makes of the segments: numbers per winner, and the screen.
import { expect, test } from 'vitest';
import { overfitReport, renderOverfit } from '../../../src/node/cli/output/overfit.ts';

const SEGMENTS = 16;
/** Days, sum, squares, cubes, fourth powers, days of a year, error: one segment of a strategy that earns so much a day. */
function segment(task: number, mean: number): (number | null)[] {
  const returns = Array.from({ length: 10 }, (_, day) => mean + (day % 2 === 0 ? 0.01 : -0.01));
  const power = (k: number): number => returns.reduce((sum, r) => sum + r ** k, 0);
  return [task, 10, power(1), power(2), power(3), power(4), 252, 0];
}

const failed = [0, null, null, null, null, null, null, 2];
const of = [7, 3, 5];
const asked = {
  v: 1 as const,
  job: 'j-aaaa',
  segmentsJob: 'j-bbbb',
  segments: SEGMENTS,
  of,
  winners: 2,
  drawn: [3, 5, 7],
  trials: { tasks: 1_000, ranked: 900, sharpeVariance: 0.5 },
};
const winners = {
  v: 1 as const,
  job: 'j-aaaa',
  columns: ['task', 'sharpe', 'trades'],
  rows: [
    [7, 1.5, 40],
    [3, 1.4, 1_200],
  ],
  labels: [
    { name: 'cross', params: { fast: 8 } },
    { name: 'dip', params: {} },
  ],
};

function sumsOf(means: readonly (number | undefined)[]) {
  const rows = means.flatMap((mean, at) =>
    Array.from({ length: SEGMENTS }, (_, nth) =>
      mean === undefined ? failed : segment(at * SEGMENTS + nth, mean),
    ),
  );
  return { v: 1 as const, job: 'j-bbbb', columns: [], rows };
}

test('winners come by their Deflated Sharpe Ratio; one that is best everywhere is no luck', () => {
  const report = overfitReport(asked, winners, sumsOf([0.0005, 0.002, 0]));
  expect(report.winners.map(({ task }) => task)).toEqual([3, 7]);
  expect(report.winners[0]?.dsr).toBeGreaterThan(report.winners[1]?.dsr ?? 1);
  expect(report).toMatchObject({ trials: 1_000, drawn: 3, pbo: 0, lossShare: 0, why: null });
  const more = overfitReport(asked, winners, sumsOf([0.0005, 0.002, 0]), 1e6);
  expect(more.luckySharpe).toBeGreaterThan(report.luckySharpe ?? 9);
  expect(more.winners[1]?.dsr).toBeLessThan(report.winners[1]?.dsr ?? 0);
});

test('a task that failed has no ratio, and with one strategy left nothing can be compared', () => {
  const report = overfitReport(asked, winners, sumsOf([undefined, 0.001, undefined]));
  expect(report.winners.map(({ task, dsr }) => [task, dsr === null])).toEqual([
    [3, false],
    [7, true],
  ]);
  expect(report).toMatchObject({ drawn: 1, pbo: null, why: 'it takes two strategies that traded' });
});

test('the screen names the winners, the trials, and what cannot be told', () => {
  const screen = renderOverfit(overfitReport(asked, winners, sumsOf([0.0005, 0.002, 0])), 1, 76);
  expect(screen.slice(0, 3)).toEqual([
    'SHARPE  DEFLATED  TRADES  STRATEGY',
    expect.stringMatching(/^ {2}1\.40 +\d\.\d{3} +1,200 {2}dip \(s3\)$/),
    '  … 1 more winner (--top)',
  ]);
  expect(screen.join('\n')).toContain('trials     1,000 (');
  expect(screen.join('\n')).toContain('overfit    0%: so often');
  const none = renderOverfit(
    overfitReport(asked, winners, sumsOf([undefined, 0, undefined])),
    5,
    76,
  );
  expect(none.join('\n')).toContain(
    'overfit    cannot be told: it takes two strategies that traded',
  );
  for (const line of [...screen, ...none]) expect(line.length).toBeLessThanOrEqual(76);
});
