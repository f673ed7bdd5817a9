// Who is alive, by real processes: one that is silent while it holds work, and one whose wall clock is days away.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobSummary } from '../../src/node/control/api.ts';
import type { Machine } from './harness/machine.ts';
import { MachineRoom } from './harness/machine-room.ts';
import { until } from './harness/until.ts';

const CLOCK = pathToFileURL(resolve(import.meta.dirname, 'harness/shifted-clock.mjs')).href;
const DAYS_MS = 3 * 86_400_000;
const LOOPBACK = ['--listen', '127.0.0.1', '--port', '0', '--slots', '1'];
/** ms after which the work of a silent peer runs elsewhere at the latest. */
const SILENT_MS_MAX = 20_000;

let room: MachineRoom;

beforeEach(async () => {
  room = await MachineRoom.open();
});

afterEach(() => room.close());

function spinFile(tasks: number, costMs: number): Promise<string> {
  const spin = { version: 1, kernel: 'spin', tasks, costMs, mode: 'sleep', seed: 1 };
  return room.file(`spin-${tasks}.json`, spin);
}

test('work of a peer that is silent runs elsewhere within 20 s, and its return changes nothing', async () => {
  const [ada, bo] = (await room.mesh(['ada', 'bo'], ['--slots', '1'])) as [Machine, Machine];
  const file = await spinFile(200, 20);
  expect((await ada.mesh(['submit', file, '-d', '-q'])).status).toBe(0);
  await until('bo has work', async () => (await bo.self()).queued > 10);
  const { self } = await bo.status();
  process.kill(self.pid, 'SIGSTOP');
  const frozenMs = performance.now();
  const summary = await ada.summaryOf('last');
  expect(summary).toMatchObject({ state: 'done', done: 200, failed: 0 });
  expect(performance.now() - frozenMs).toBeLessThan(SILENT_MS_MAX + 200 * 20);
  process.kill(self.pid, 'SIGCONT');
  await bo.untilSees(['ada', 'bo']);
  const again = await bo.summaryOf('last');
  expect(again.resultsSha256).toBe(summary.resultsSha256);
  expect(again.peers.reduce((sum, { done }) => sum + done, 0)).toBe(200);
});

test.each([
  ['ahead', DAYS_MS],
  ['behind', -DAYS_MS],
])(
  'a peer whose clock is three days %s works like any other, and the doctor names it',
  async (word, byMs) => {
    const [ada] = (await room.mesh(['ada'], ['--slots', '1'])) as [Machine];
    const odd = room.machine('odd', {
      env: { NODE_OPTIONS: `--import=${CLOCK}`, SHIFTED_BY_MS: String(byMs) },
    });
    await odd.takeKeyFrom(ada);
    await odd.join([...LOOPBACK, '--peer', await ada.place()]);
    const file = await spinFile(120, 20);
    for (const machine of [ada, odd]) {
      const summary = await machine.json<JobSummary>(['submit', file]);
      expect(summary).toMatchObject({ state: 'done', done: 120, failed: 0 });
      expect(summary.elapsedMs).toBeLessThan(60_000);
      const shares = summary.peers.filter(({ done }) => done > 20).map(({ name }) => name);
      expect(shares.toSorted()).toEqual(['ada', 'odd']);
    }
    const { findings } = await ada.json<{ findings: { id: string; text: string }[] }>(['doctor']);
    expect(findings.find(({ id }) => id === 'clocks')?.text).toBe(
      `the clock of odd is 3.0 days ${word}: times on screens are off (nothing else is)`,
    );
  },
);
