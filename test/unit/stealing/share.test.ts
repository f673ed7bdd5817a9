// How much work changes hands, by table and against a naive sum.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTasks, type Interval } from '../../../src/deque/interval-set.ts';
import { equalFinishWork, seedShares, tasksForWork } from '../../../src/stealing/share.ts';
import { WorkModel } from '../../../src/stealing/work.ts';

const amount = fc.integer({ min: 0, max: 1_000_000_000 });
const rate = fc.double({ min: 0.001, max: 1e6, noNaN: true });
const side = fc.record({ backlogWork: amount, rate });

describe('equalFinishWork', () => {
  it.each([
    // victim's work, its rate, thief's work, its rate, moved, why
    [100, 1, 0, 1, 50, 'equal peers: half'],
    [100, 12, 0, 9, 42.857, '12 cores against 10 at nine tenths: 9 of 21 parts'],
    [100, 1, 20, 1, 40, 'what the thief has counts'],
    [100, 1, 100, 1, 0, 'nothing when both finish together'],
    [10, 1, 100, 1, -45, 'less than nothing when the thief has more'],
    [100, 0, 0, 1, 100, 'everything from a victim that cannot work'],
    [100, 1, 0, 0, 0, 'nothing to a thief that cannot work'],
    [100, 0, 0, 0, 0, 'nothing when nobody can'],
  ])('victim %f at %f, thief %f at %f: %f, %s', (work, own, thiefWork, thiefRate, moved) => {
    const victim = { backlogWork: work, rate: own };
    const thief = { backlogWork: thiefWork, rate: thiefRate };
    expect(equalFinishWork(victim, thief)).toBeCloseTo(moved, 3);
  });

  it('makes both finish at the same moment', () => {
    fc.assert(
      fc.property(side, side, (victim, thief) => {
        const moved = equalFinishWork(victim, thief);
        const victimMs = (victim.backlogWork - moved) / victim.rate;
        const thiefMs = (thief.backlogWork + moved) / thief.rate;
        const both = victim.backlogWork + thief.backlogWork;
        // Subtracting nearly equal amounts costs digits of the larger one.
        const errorMs = (1e-12 * both) / Math.min(victim.rate, thief.rate);
        expect(Math.abs(victimMs - thiefMs)).toBeLessThanOrEqual(1e-9 * victimMs + errorMs);
      }),
    );
  });
});

describe('seedShares', () => {
  it.each<[string, number, [number, number][], number[]]>([
    ['nobody waits', 1, [], []],
    [
      'two equal thieves',
      1,
      [
        [0, 1],
        [0, 1],
      ],
      [100, 100],
    ],
    [
      'by rate',
      1,
      [
        [0, 2],
        [0, 3],
      ],
      [100, 150],
    ],
    [
      'one has its part already',
      1,
      [
        [400, 1],
        [0, 1],
      ],
      [0, 150],
    ],
    [
      'one has some of its part',
      1,
      [
        [60, 1],
        [0, 1],
      ],
      [60, 120],
    ],
    [
      'a peer that cannot run it',
      1,
      [
        [0, 0],
        [0, 1],
      ],
      [0, 150],
    ],
    [
      'a victim that cannot run it',
      0,
      [
        [0, 1],
        [0, 2],
      ],
      [100, 200],
    ],
    ['nobody can run it', 0, [[0, 0]], [0]],
  ])('%s', (_, ownRate, thieves, shares) => {
    const told = thieves.map(([backlogWork, rate]) => ({ backlogWork, rate }));
    const given = seedShares({ backlogWork: 300, rate: ownRate }, told);
    expect(given.map((units) => Math.round(units))).toEqual(shares);
  });

  it('never gives more than there is nor less than nothing, and leaves the victim its own part', () => {
    fc.assert(
      fc.property(side, fc.array(side, { maxLength: 12 }), (victim, thieves) => {
        const shares = seedShares(victim, thieves);
        const given = shares.reduce((sum, units) => sum + units, 0);
        expect(shares.every((units) => units >= 0)).toBe(true);
        expect(given).toBeLessThanOrEqual(victim.backlogWork * (1 + 1e-9));
        const finishMs = (victim.backlogWork - given) / victim.rate;
        for (const [i, units] of shares.entries()) {
          const thief = thieves[i];
          if (thief === undefined || units === 0) continue;
          const thiefMs = (thief.backlogWork + units) / thief.rate;
          expect(thiefMs).toBeLessThanOrEqual(finishMs * (1 + 1e-6) + 1e-6);
        }
      }),
    );
  });
});

describe('tasksForWork', () => {
  // Tasks 0-9 cost 1 each, 10-14 cost 10 each, 15 costs 100.
  const work = new WorkModel([
    { tasks: 10, units: 1 },
    { tasks: 5, units: 10 },
    { tasks: 1, units: 100 },
  ]);

  it.each<[Interval[], number, number, string]>([
    [[[0, 10]], 4, 4, 'as many as fit'],
    [[[0, 10]], 4.4, 4, 'the nearest below'],
    [[[0, 10]], 4.6, 5, 'the nearest above'],
    [[[0, 10]], 0, 0, 'none for nothing'],
    [[[0, 10]], 99, 10, 'all when there is less'],
    [[[0, 16]], 100, 1, 'from the top, where the expensive one lies'],
    [[[0, 16]], 40, 0, 'none rather than more than twice as much'],
    [[[0, 16]], 60, 1, 'the expensive one when that is nearer'],
    [
      [
        [15, 16],
        [0, 10],
      ],
      12,
      10,
      'run order decides what the top is',
    ],
    [[], 5, 0, 'none of nothing'],
  ])('%j for %f units: %i, %s', (intervals, units, tasks) => {
    expect(tasksForWork(work, intervals, units)).toBe(tasks);
  });

  it('comes as near as taking one task at a time from the top can', () => {
    const costs = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(costs, fc.nat(800), (units, wanted) => {
        const model = new WorkModel(units.map((one) => ({ tasks: 1, units: one })));
        const taken = tasksForWork(model, [[0, units.length]], wanted);
        const sums = [0];
        for (const one of units.toReversed()) sums.push((sums.at(-1) ?? 0) + one);
        const best = Math.min(...sums.map((sum) => Math.abs(sum - wanted)));
        expect(Math.abs((sums[taken] ?? 0) - wanted)).toBe(best);
      }),
    );
  });
});

describe('WorkModel', () => {
  const runs = fc.array(
    fc.record({ tasks: fc.integer({ min: 1, max: 6 }), units: fc.integer({ min: 1, max: 1_000 }) }),
    { maxLength: 12 },
  );

  it('sums what a naive list of costs sums', () => {
    fc.assert(
      fc.property(runs, fc.nat(80), fc.nat(80), (list, a, b) => {
        const costs = list.flatMap(({ tasks, units }) =>
          Array.from({ length: tasks }, () => units),
        );
        const work = new WorkModel(list);
        const start = Math.min(a, b, costs.length);
        const end = Math.min(Math.max(a, b), costs.length);
        const expected = sumOf(costs.slice(start, end));
        expect(work.taskCount).toBe(costs.length);
        expect(work.totalUnits).toBe(sumOf(costs));
        expect(work.between(start, end)).toBeCloseTo(expected, 6);
        expect(work.of([[start, end]])).toBeCloseTo(expected, 6);
        if (end > start)
          expect(work.meanUnits(start, end)).toBeCloseTo(expected / (end - start), 6);
        expect(countTasks(work.runs().map(({ tasks }) => [0, tasks] as const))).toBe(costs.length);
      }),
    );
  });

  it('knows a mean also where there is nothing', () => {
    expect(new WorkModel([]).meanUnits(0, 0)).toBe(1);
    expect(new WorkModel([{ tasks: 2, units: 30 }]).meanUnits(1, 1)).toBe(30);
  });

  it.each([[{ tasks: 0, units: 1 }], [{ tasks: 1, units: 0 }]])('has no run like %j', (run) => {
    expect(() => new WorkModel([run])).toThrow('a work run has tasks and costs something');
  });
});

function sumOf(costs: readonly number[]): number {
  return costs.reduce((total, one) => total + one, 0);
}
