// What a peer knows of the speeds of its own slots.
import { expect, it } from 'vitest';
import { SlotSpeeds } from '../../../src/stealing/slot-speeds.ts';

const MEMORY_MS = 1_000;
const FRESH_MS = 3_000;

/** Two slots ran tasks of 500 units of work `a`: the first took 250 ms, the second 1,000. */
function known(): SlotSpeeds {
  const speeds = new SlotSpeeds({ memoryMs: MEMORY_MS, freshMs: FRESH_MS });
  speeds.measured('a', { slot: 0, units: 500, busyMs: 250 }, 250);
  speeds.measured('a', { slot: 1, units: 500, busyMs: 1_000 }, 1_000);
  return speeds;
}

it('a slot has its own speed, and one that ran nothing has none', () => {
  const speeds = known();
  expect(speeds.of('a', 0, { ms: 1_000, mean: 1 })).toBe(2);
  expect(speeds.of('a', 1, { ms: 1_000, mean: 1 })).toBe(0.5);
  expect(speeds.of('a', 2, { ms: 1_000, mean: 1 })).toBeUndefined();
});

it('a slot whose thread was moved to a slower core is believed to be slow after its memory', () => {
  const speeds = known();
  for (let i = 1; i <= 4; i++)
    speeds.measured('a', { slot: 0, units: 500, busyMs: 1_000 }, 1_000 * (1 + i));
  expect(speeds.of('a', 0, { ms: 5_000, mean: 1 })).toBeCloseTo(0.5, 0);
});

it('of other work a slot is as much faster or slower than its neighbours', () => {
  const speeds = known();
  expect(speeds.of('b', 0, { ms: 1_000, mean: 10 })).toBe(16);
  expect(speeds.of('b', 1, { ms: 1_000, mean: 10 })).toBe(4);
});

it('a speed is forgotten some seconds after the last task, and later where tasks are long', () => {
  const speeds = known();
  expect(speeds.of('a', 0, { ms: 250 + FRESH_MS, mean: 1 })).toBe(2);
  expect(speeds.of('a', 0, { ms: 251 + FRESH_MS, mean: 1 })).toBeUndefined();
  expect(speeds.of('a', 1, { ms: 1_000 + 4_000, mean: 1 })).toBe(0.5);
  expect(speeds.of('a', 1, { ms: 1_001 + 4_000, mean: 1 })).toBeUndefined();
});
