// The window that a group takes from: nothing is both handed down and given away.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countTasks, type Interval } from '../../../../src/deque/interval-set.ts';
import { HandedWindow } from '../../../../src/stealing/tiers/handed-window.ts';

function windowOf(...intervals: Interval[]): HandedWindow {
  const window = new HandedWindow();
  window.open({ jobNumber: 7, intervals, microBatchTasks: 1 });
  return window;
}

describe('the window of a group', () => {
  test('is taken from at the near end and shrunk at the far one, both in run order', () => {
    const window = windowOf([20, 24], [0, 3]);
    expect(window.window()).toEqual({ id: 1, jobNumber: 7 });
    expect(window.take(2)).toEqual([[20, 22]]);
    expect(window.shrink(4)).toEqual([
      [23, 24],
      [0, 3],
    ]);
    expect(window.remaining()).toBe(1);
    expect(window.take(9)).toEqual([[22, 23]]);
    expect(window.window()).toBeUndefined();
    expect(window.shrink(1)).toEqual([]);
  });

  test('opens again only when it is empty', () => {
    const window = windowOf([0, 2]);
    expect(() => window.open({ jobNumber: 8, intervals: [[5, 6]], microBatchTasks: 1 })).toThrow(
      'exhausted',
    );
    window.take(2);
    expect(window.open({ jobNumber: 8, intervals: [[5, 6]], microBatchTasks: 1 })).toBe(2);
  });

  test('gives each task once, whoever takes and shrinks in whatever order', () => {
    const move = fc.record({ isTake: fc.boolean(), tasks: fc.nat(20) });
    const lengths = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(lengths, fc.array(move), (sizes, moves) => {
        const intervals = sizes.map((size, i): Interval => [100 * i, 100 * i + size]);
        const window = windowOf(...intervals);
        const near: Interval[] = [];
        let far: Interval[] = [];
        for (const { isTake, tasks } of moves) {
          if (isTake) near.push(...window.take(tasks));
          else far = [...window.shrink(tasks), ...far];
        }
        const left = window.take(Number.POSITIVE_INFINITY);
        const all = [...near, ...left, ...far];
        expect(all.flatMap(tasksOf)).toEqual(intervals.flatMap(tasksOf));
        expect(countTasks(all)).toBe(countTasks(intervals));
      }),
    );
  });
});

function tasksOf([start, end]: Interval): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}
