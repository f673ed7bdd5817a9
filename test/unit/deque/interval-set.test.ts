// The interval set against a plain set of numbers, and the check of intervals from outside.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countTasks,
  type Interval,
  IntervalSet,
  validIntervals,
} from '../../../src/deque/interval-set.ts';

const TASKS = 60;

const anInterval = fc
  .tuple(fc.nat(TASKS), fc.nat(TASKS))
  .map(([a, b]): Interval => [Math.min(a, b), Math.max(a, b)]);
const someIntervals = fc.array(anInterval, { maxLength: 12 });

describe('IntervalSet', () => {
  it('behaves as a set of numbers under any sequence of additions and removals', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('add', 'remove'), anInterval));
    fc.assert(
      fc.property(steps, (operations) => {
        const set = new IntervalSet();
        const model = new Set<number>();
        for (const [operation, [start, end]] of operations) {
          const before = model.size;
          for (const task of range(start, end)) {
            if (operation === 'add') model.add(task);
            else model.delete(task);
          }
          const changed = operation === 'add' ? set.add(start, end) : set.remove(start, end);
          expect(changed).toBe(Math.abs(model.size - before));
          expectEqual(set, model);
        }
      }),
    );
  });

  it('unites, subtracts, intersects and finds gaps as sets of numbers do', () => {
    fc.assert(
      fc.property(someIntervals, someIntervals, anInterval, (a, b, [start, end]) => {
        const [left, right] = [IntervalSet.from(a), IntervalSet.from(b)];
        const [leftModel, rightModel] = [tasksOf(a), tasksOf(b)];
        expectEqual(left.union(right), new Set([...leftModel, ...rightModel]));
        expectEqual(left.subtract(right), without(leftModel, rightModel));
        expectEqual(
          left.intersect(right),
          new Set([...leftModel].filter((task) => rightModel.has(task))),
        );
        expect(left.union(b).intervals()).toEqual(left.union(right).intervals());
        expect(left.subtract(b).intervals()).toEqual(left.subtract(right).intervals());
        expect(left.intersect(b).intervals()).toEqual(left.intersect(right).intervals());
        expect(left.isWithin(right)).toBe(left.subtract(right).isEmpty);
        expect(left.isWithin(left.union(right))).toBe(true);
        expect(left.isApartFrom(right)).toBe(left.intersect(right).isEmpty);
        expect(tasksOf(left.gaps(start, end))).toEqual(without(range(start, end), leftModel));
        const count = Math.abs(end - start);
        const inOrder = [...leftModel].toSorted((one, other) => one - other);
        expectEqual(left.first(count), new Set(inOrder.slice(0, count)));
        expectEqual(left, leftModel);
      }),
    );
  });

  it('melts neighbours together, so that equal sets have equal lists', () => {
    const set = IntervalSet.from([
      [5, 7],
      [0, 3],
    ]);
    set.add(3, 5);
    expect(set.intervals()).toEqual([[0, 7]]);
  });

  it('gives copies that do not follow later changes', () => {
    const set = IntervalSet.from([[0, 10]]);
    const copy = set.clone();
    const list = set.intervals();
    set.remove(0, 5);
    expect(copy.intervals()).toEqual([[0, 10]]);
    expect(list).toEqual([[0, 10]]);
  });

  it('refuses an interval that is none', () => {
    const set = new IntervalSet();
    for (const [start, end] of [
      [3, 2],
      [-1, 2],
      [0.5, 2],
      [0, Number.NaN],
    ] as const) {
      expect(() => set.add(start, end)).toThrow('is an interval of tasks');
    }
  });
});

describe('validIntervals', () => {
  it('accepts disjoint intervals inside the job, in any order', () => {
    expect(validIntervals([], 0)).toBe(true);
    expect(
      validIntervals(
        [
          [5, 10],
          [0, 5],
        ],
        10,
      ),
    ).toBe(true);
  });

  it.each([
    ['no list', '0-5'],
    ['an entry that is no interval', [[0, 1, 2]]],
    ['an empty interval', [[3, 3]]],
    ['a fraction', [[0, 1.5]]],
    ['a negative task', [[-1, 2]]],
    ['a task past the end of the job', [[8, 11]]],
    [
      'an overlap',
      [
        [4, 6],
        [0, 5],
      ],
    ],
    ['numbers as strings', [['0', '5']]],
  ])('refuses %s', (_what, list) => {
    expect(validIntervals(list, 10)).toBe(false);
  });
});

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}

function without(tasks: Iterable<number>, gone: ReadonlySet<number>): Set<number> {
  return new Set([...tasks].filter((task) => !gone.has(task)));
}

function tasksOf(intervals: readonly Interval[]): Set<number> {
  return new Set(intervals.flatMap(([start, end]) => range(start, end)));
}

function expectEqual(set: IntervalSet, model: ReadonlySet<number>): void {
  const list = set.intervals();
  expect(new Set(list.flatMap(([start, end]) => range(start, end)))).toEqual(model);
  expect(set.count).toBe(model.size);
  expect(countTasks(list)).toBe(model.size);
  expect(set.isEmpty).toBe(model.size === 0);
  // Canonical: ascending, never touching.
  for (const [i, [start, end]] of list.entries()) {
    expect(start).toBeLessThan(end);
    if (i > 0) expect(list[i - 1]![1]).toBeLessThan(start);
  }
  for (const task of range(0, TASKS + 1)) expect(set.has(task)).toBe(model.has(task));
}
