// The deque against a plain list of tasks in run order.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntervalDeque } from '../../../src/deque/deque.ts';
import type { Interval } from '../../../src/deque/interval-set.ts';

const TASKS = 40;

const someIntervals = fc.array(
  fc
    .tuple(fc.nat(TASKS), fc.nat(TASKS))
    .map(([a, b]): Interval => [Math.min(a, b), Math.max(a, b)]),
  { maxLength: 5 },
);

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('pushBottom', 'pushTop', 'removeAll'),
      intervals: someIntervals,
    }),
    fc.record({ kind: fc.constantFrom('popBottom', 'stealTop'), tasks: fc.nat(TASKS) }),
  ),
);

describe('IntervalDeque', () => {
  it('behaves as a list of distinct tasks under any sequence of pushes, pops, steals and removals', () => {
    fc.assert(
      fc.property(steps, (operations) => {
        const deque = new IntervalDeque();
        let model: number[] = [];
        for (const step of operations) {
          if ('intervals' in step) {
            const listed = tasksOf(step.intervals);
            const fresh = [...new Set(listed)].filter((task) => !model.includes(task));
            if (step.kind === 'pushBottom') {
              expect(deque.pushBottom(step.intervals)).toBe(fresh.length);
              model = [...fresh, ...model];
            } else if (step.kind === 'pushTop') {
              expect(deque.pushTop(step.intervals)).toBe(fresh.length);
              model = [...model, ...fresh];
            } else {
              const rest = model.filter((task) => !listed.includes(task));
              expect(deque.removeAll(step.intervals)).toBe(model.length - rest.length);
              model = rest;
            }
          } else if (step.kind === 'popBottom') {
            expect(tasksOf(deque.popBottom(step.tasks))).toEqual(model.slice(0, step.tasks));
            model = model.slice(step.tasks);
          } else {
            const cut = Math.max(0, model.length - step.tasks);
            expect(tasksOf(deque.stealTop(step.tasks))).toEqual(model.slice(cut));
            model = model.slice(0, cut);
          }
          expect(tasksOf(deque.intervals())).toEqual(model);
          expect(deque.taskCount).toBe(model.length);
          for (const task of model) expect(deque.has(task)).toBe(true);
        }
      }),
    );
  });

  it('lets slots take the low end of the bottom interval and thieves the high end of the top one', () => {
    const deque = new IntervalDeque();
    deque.pushTop([
      [0, 100],
      [500, 600],
    ]);
    expect(deque.popBottom(10)).toEqual([[0, 10]]);
    expect(deque.stealTop(30)).toEqual([[570, 600]]);
    expect(deque.stealTop(100)).toEqual([
      [70, 100],
      [500, 570],
    ]);
    expect(deque.intervals()).toEqual([[10, 70]]);
  });

  it('never returns more intervals than the taker can carry', () => {
    const deque = new IntervalDeque();
    deque.pushTop([
      [0, 2],
      [4, 6],
      [8, 10],
      [12, 14],
    ]);
    expect(deque.popBottom(100, 1)).toEqual([[0, 2]]);
    expect(deque.stealTop(100, 2)).toEqual([
      [8, 10],
      [12, 14],
    ]);
    expect(deque.intervals()).toEqual([[4, 6]]);
  });

  it('melts what is given back with what it was cut from', () => {
    const deque = new IntervalDeque();
    deque.pushTop([[0, 100]]);
    deque.pushBottom(deque.popBottom(40));
    deque.pushTop(deque.stealTop(40));
    expect(deque.intervals()).toEqual([[0, 100]]);
  });

  it('refuses to take a negative number of tasks', () => {
    expect(() => new IntervalDeque().popBottom(-1)).toThrow('not negative');
    expect(() => new IntervalDeque().stealTop(Number.NaN)).toThrow('not negative');
  });
});

function tasksOf(intervals: readonly Interval[]): number[] {
  return intervals.flatMap(([start, end]) =>
    Array.from({ length: end - start }, (_, i) => start + i),
  );
}
