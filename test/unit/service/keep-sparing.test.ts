// Which batteries keep a peer from the work of others, and how often it is told.
import { expect, test } from 'vitest';
import { keepSparing, shouldSpare } from '../../../src/node/service/keep-sparing.ts';

test.each([
  [true, 49, false, true],
  [true, 50, false, false],
  [true, 54, true, true],
  [true, 55, true, false],
  [true, undefined, false, false],
  [false, 10, true, false],
  [undefined, undefined, true, false],
] as const)(
  'on battery %s at %s percent, sparing %s before: %s',
  (isOnBattery, batteryPercent, before, expected) => {
    expect(shouldSpare({ isOnBattery, batteryPercent }, before)).toBe(expected);
  },
);

test('every change is told once, and what cannot be read changes nothing', async () => {
  const told: boolean[] = [];
  let looks = 0;
  let percent: number | Error = 40;
  const stop = keepSparing(
    (isWanted) => void told.push(isWanted),
    async () => {
      looks++;
      if (percent instanceof Error) throw percent;
      return { isOnBattery: true, batteryPercent: percent };
    },
    5,
  );
  await expect.poll(() => looks).toBeGreaterThan(3);
  expect(told).toEqual([true]);
  percent = new Error('pmset is away');
  const before = looks;
  await expect.poll(() => looks).toBeGreaterThan(before + 2);
  percent = 80;
  await expect.poll(() => told).toEqual([true, false]);
  stop();
});
