// What a bench makes of the generations that it ran, and how it looks.
import { expect, test } from 'vitest';
import { testOf } from '../../../src/node/bench/cluster-test.ts';
import {
  renderClusterTests,
  renderMachineBench,
} from '../../../src/node/cli/output/bench-screen.ts';
import { noPaint } from '../../../src/node/cli/output/terminal.ts';
import type { JobSummary } from '../../../src/node/control/api.ts';
import { jobSummary } from '../control/fake-peer.ts';

function summary(...done: readonly number[]): JobSummary {
  const peers = done.map((count, at) => ({
    id: `p${at}`,
    name: ['studio', 'air'][at] ?? '',
    addr: '',
    slots: [12, 10][at] ?? 1,
    done: count,
    share: 0,
    rate: [600, 400][at] ?? 0,
  }));
  return jobSummary({ peers, done: done.reduce((a, b) => a + b, 0) });
}

const shared = testOf({ kind: 'spin', population: 10, generations: 2 }, 1000, [
  summary(7, 3),
  summary(5, 5),
]);
const short = testOf({ kind: 'backtest', population: 10, generations: 1 }, 10, [summary(10, 0)]);

test('counts add up over the generations, shares stand beside speeds', () => {
  expect(shared).toMatchObject({ tasks: 20, perSec: 20, isTooShort: false });
  expect(shared.peers).toEqual([
    { name: 'studio', slots: 12, done: 12, share: 0.6, speed: 0.6 },
    { name: 'air', slots: 10, done: 8, share: 0.4, speed: 0.4 },
  ]);
  expect(short.isTooShort).toBe(true);
});

test('the screen has the old cluster beside it', () => {
  const lines = renderClusterTests([shared, short], 120, noPaint);
  expect(lines).toContain('  20 in 1.0 s, 20.0/s (2.0 x the old cluster)');
  expect(lines).toContain('  studio     12     12  60.0%  60.0%');
  expect(lines.join('\n')).toContain('too short to share');
  expect(lines.at(-1)).toContain('99.3% and 0.7% of the work, 9.8 backtests/s');
});

test.each([40, 80, 200])('the screens fit %d columns', (width) => {
  const machine = { slots: 12, oneThread: 5000, allSlots: 48_000 };
  const lines = [
    ...renderClusterTests([shared, short], width, noPaint),
    ...renderMachineBench(machine, width, noPaint),
  ];
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
});
