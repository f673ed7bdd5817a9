// The endless redial, on a clock of the test's own.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Redial } from '../../../src/node/net/redial.ts';
import type { PeerId } from '../../../src/stealing/ids.ts';

const MINI = 'mini' as PeerId;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a member that does not answer', () => {
  test('is dialled at once, then ever more seldom, for ever, at most half a minute apart', async () => {
    const atMs: number[] = [];
    const redial = new Redial(async () => {
      atMs.push(Date.now());
      throw new Error('nobody');
    });
    const startMs = Date.now();
    redial.now(MINI);
    await vi.advanceTimersByTimeAsync(600_000);
    const gaps = atMs.slice(1).map((ms, i) => ms - atMs[i]!);
    expect(atMs[0]).toBe(startMs);
    expect(gaps[0]).toBeGreaterThanOrEqual(250);
    expect(gaps[0]).toBeLessThanOrEqual(500);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(30_000);
    expect(gaps.slice(8).every((gap) => gap >= 15_000)).toBe(true);
    expect(atMs.length).toBeGreaterThan(20);
    redial.stopAll();
  });

  test('that said goodbye is asked once and then left in peace', async () => {
    const dial = vi.fn<() => Promise<void>>().mockRejectedValue(new Error('nobody'));
    const redial = new Redial(dial);
    redial.now(MINI, true);
    await vi.advanceTimersByTimeAsync(14_000);
    expect(dial).toHaveBeenCalledTimes(1);
    redial.stopAll();
  });

  test('is dialled at once when somebody says that it is there', async () => {
    const dial = vi.fn<() => Promise<void>>().mockRejectedValue(new Error('nobody'));
    const redial = new Redial(dial);
    redial.now(MINI, true);
    await vi.advanceTimersByTimeAsync(1);
    redial.now(MINI);
    expect(dial).toHaveBeenCalledTimes(2);
    redial.stopAll();
  });

  test('is not dialled twice at the same time', async () => {
    const dial = vi.fn<() => Promise<void>>(() => new Promise(() => undefined));
    const redial = new Redial(dial);
    redial.now(MINI);
    redial.now(MINI);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(dial).toHaveBeenCalledTimes(1);
    redial.stopAll();
  });
});

test('a connected peer is left alone, and a stopped redial is silent', async () => {
  const dial = vi.fn<() => Promise<void>>().mockResolvedValue(undefined);
  const redial = new Redial(dial);
  redial.now(MINI);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(dial).toHaveBeenCalledTimes(1);
  redial.stopAll();
  redial.now(MINI);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(dial).toHaveBeenCalledTimes(1);
});
