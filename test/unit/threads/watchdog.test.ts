// What is stuck, and what is only long, many, or asleep.
import { expect, test } from 'vitest';
import { LOOK_MS, Watchdog } from '../../../src/node/threads/watchdog.ts';

const stuckAfter = (
  progress: (look: number) => string | undefined,
  timeoutMs?: number,
): number | undefined => {
  const watchdog = new Watchdog();
  for (let look = 0; look < 100; look++) {
    const found = watchdog.look([{ slot: 3, progress: progress(look), timeoutMs }]);
    if (found.length > 0) return look * LOOK_MS;
  }
  return undefined;
};

test.each([
  ['a claim without progress', () => 'claim', 1_000, 1_100],
  ['nothing, when the job sets no limit', () => 'claim', undefined, undefined],
  ['nothing, while rows arrive', (look: number) => `claim ${look >> 3}`, 1_000, undefined],
  ['nothing, while it has claimed nothing', () => undefined, 1_000, undefined],
  ['a claim that stops in the middle', (look: number) => `${Math.min(look, 20)}`, 500, 2_600],
])('is stuck: %s', (_, progress, timeoutMs, expected) => {
  expect(stuckAfter(progress, timeoutMs)).toBe(expected);
});

test('names a slot once, and watches it anew', () => {
  const watchdog = new Watchdog();
  const sight = { slot: 0, progress: 'claim', timeoutMs: 200 };
  const found = Array.from({ length: 8 }, () => watchdog.look([sight]).length);
  expect(found).toEqual([0, 0, 0, 1, 0, 0, 0, 1]);
});
