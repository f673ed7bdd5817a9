// A polite node drains when it should rest, once, and comes back, once.
import { expect, test } from 'vitest';
import { keepPolite } from '../../../src/node/service/keep-polite.ts';

test('a polite node drains once for a user and comes back once it may', async () => {
  const asked: boolean[] = [];
  let looks = 0;
  let facts = { isOnBattery: false, idleMs: 0 };
  const stop = keepPolite(
    { drain: (isWanted) => void asked.push(isWanted) },
    async () => {
      looks++;
      return facts;
    },
    5,
  );
  await expect.poll(() => looks).toBeGreaterThan(3);
  expect(asked).toEqual([true]);
  facts = { isOnBattery: false, idleMs: 10 * 60_000 };
  await expect.poll(() => asked).toEqual([true, false]);
  const before = looks;
  await expect.poll(() => looks).toBeGreaterThan(before + 3);
  stop();
  expect(asked).toEqual([true, false]);
});
