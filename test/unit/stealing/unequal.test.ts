// Tasks of unequal length: the order in which they run, and how they are split among peers.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTasks, type Interval, IntervalSet } from '../../../src/deque/interval-set.ts';
import { stratify } from '../../../src/stealing/stratify.ts';
import { WorkModel } from '../../../src/stealing/work.ts';

const run = fc.record({
  tasks: fc.integer({ min: 1, max: 9 }),
  units: fc.integer({ min: 1, max: 50_000 }),
});
const someRuns = fc.array(run, { minLength: 1, maxLength: 30 });

/** Tasks 0 to 9: three of 2 ms, one of 9 ms, four of 5 ms, two of 2 ms. */
const MIXED = new WorkModel([
  { tasks: 3, units: 2_000 },
  { tasks: 1, units: 9_000 },
  { tasks: 4, units: 5_000 },
  { tasks: 2, units: 2_000 },
]);

describe('longest first', () => {
  it.each<[string, readonly Interval[], readonly Interval[]]>([
    [
      'all tasks, equal ones as they were',
      [[0, 10]],
      [
        [3, 4],
        [4, 8],
        [0, 3],
        [8, 10],
      ],
    ],
    [
      'what is cut by others',
      [
        [1, 2],
        [5, 9],
      ],
      [
        [5, 8],
        [1, 2],
        [8, 9],
      ],
    ],
    ['nothing', [], []],
  ])('%s', (_, intervals, ordered) => {
    expect(MIXED.longestFirst(intervals)).toEqual(ordered);
  });

  it.each([
    ['they are equal', new WorkModel([{ tasks: 10, units: 50_000 }])],
    [
      'the longest is shorter than a millisecond',
      new WorkModel([
        { tasks: 5, units: 10 },
        { tasks: 5, units: 999 },
      ]),
    ],
    [
      'they are of more kinds than a list should have',
      new WorkModel(Array.from({ length: 4_097 }, (_, i) => ({ tasks: 1, units: 1_000 + i }))),
    ],
  ])('tasks stay as they are where %s', (_, work) => {
    const intervals: Interval[] = [
      [4, 6],
      [0, 2],
    ];
    expect(work.longestFirst(intervals)).toBe(intervals);
  });

  it('loses no task, and none runs before a longer one', () => {
    fc.assert(
      fc.property(someRuns, (runs) => {
        const work = new WorkModel(runs);
        const ordered = work.longestFirst([[0, work.taskCount]]);
        expect(IntervalSet.from(ordered).intervals()).toEqual([[0, work.taskCount]]);
        expect(countTasks(ordered)).toBe(work.taskCount);
        if (!work.isOrdered) return;
        const units = ordered.map(([start]) => work.between(start, start + 1));
        expect(units).toEqual(units.toSorted((a, b) => b - a));
      }),
    );
  });
});

describe('unequal tasks for several peers', () => {
  it.each<[string, readonly number[], number, readonly (readonly Interval[])[]]>([
    [
      'half of each kind for a peer that gets half',
      [19_500],
      0,
      [
        [
          [5, 8],
          [1, 2],
          [8, 9],
        ],
      ],
    ],
    ['nothing for who gets nothing', [0], 0, [[]]],
    [
      'all of it',
      [39_000],
      0,
      [
        [
          [3, 8],
          [0, 3],
          [8, 10],
        ],
      ],
    ],
    [
      'the first ones stay where slots wait for them',
      [39_000],
      7,
      [
        [
          [2, 3],
          [8, 10],
        ],
      ],
    ],
  ])('%s', (_, shares, kept, parts) => {
    const queue = MIXED.longestFirst([[0, 10]]);
    expect(stratify(MIXED, queue, { shares, kept })).toEqual(parts);
  });

  it('each gets its share but for one task, of the long ones as of all, and nobody gets what another has', () => {
    const parts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(someRuns, parts, (runs, weights) => {
        const work = new WorkModel(runs);
        const queue = work.longestFirst([[0, work.taskCount]]);
        const sum = 1 + weights.reduce((all, weight) => all + weight, 0);
        const shares = weights.map((weight) => (weight / sum) * work.totalUnits);
        const given = stratify(work, queue, { shares, kept: 0 });
        const all = given.flat();
        expect(IntervalSet.from(all).count).toBe(countTasks(all));
        const longest = Math.max(...runs.map(({ units }) => units));
        for (const [i, part] of given.entries()) {
          // Whoever is furthest behind gets the next task: nobody is ahead by more than one task, and so nobody is
          // behind by more than what all others are ahead.
          expect(work.of(part)).toBeLessThanOrEqual((shares[i] ?? 0) + longest + 1e-6);
          expect(work.of(part)).toBeGreaterThanOrEqual(
            (shares[i] ?? 0) - longest * weights.length - 1e-6,
          );
        }
      }),
    );
  });
});
