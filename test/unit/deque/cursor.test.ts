// The cursor driven from one thread, as the simulator drives it: the model is a list of unclaimed tasks.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClaimView } from '../../../src/deque/claim-view.ts';
import { WINDOW_SEGMENTS_MAX, WindowCursor } from '../../../src/deque/cursor.ts';
import type { Interval } from '../../../src/deque/interval-set.ts';

const SLOTS = 3;

const disjointIntervals = fc
  .array(fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 8 })
  .map((runs) => {
    let at = 0;
    return runs.map(([gap, length]): Interval => {
      const start = at + gap;
      at = start + length;
      return [start, at];
    });
  });

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('open' as const),
      intervals: disjointIntervals,
      micro: fc.integer({ min: 1, max: 20 }),
    }),
    fc.record({ kind: fc.constant('claim' as const), slot: fc.nat(SLOTS - 1) }),
    fc.record({ kind: fc.constant('shrink' as const), tasks: fc.nat(30) }),
    fc.record({
      kind: fc.constant('setMicroBatch' as const),
      micro: fc.integer({ min: 1, max: 20 }),
    }),
  ),
  { maxLength: 60, size: 'max' },
);

describe('a slot that stands aside', () => {
  it('claims nothing, finishes what it has, and is woken when it may claim again', () => {
    const cursor = WindowCursor.create(SLOTS);
    const [first, second] = slotsOf(cursor);
    cursor.open({ jobNumber: 1, intervals: [[0, 3]], microBatchTasks: 1 });
    expect(first!.claim()).toMatchObject({ intervals: [[0, 1]] });
    cursor.keepAside(new Set([0]));
    expect(cursor.claimOf(0)).toMatchObject({ intervals: [[0, 1]] });
    expect(first!.claim()).toBe('dry');
    expect(second!.claim()).toMatchObject({ intervals: [[1, 2]] });
    const epoch = first!.wakeEpoch();
    cursor.keepAside(new Set([0]));
    expect(first!.wakeEpoch()).toBe(epoch);
    cursor.keepAside(new Set());
    expect(first!.wakeEpoch()).not.toBe(epoch);
    expect(first!.claim()).toMatchObject({ intervals: [[2, 3]] });
  });
});

describe('WindowCursor in one thread', () => {
  it('hands out claims from the low end and shrinks the high end, each task once', () => {
    fc.assert(
      fc.property(steps, (operations) => {
        const cursor = WindowCursor.create(SLOTS);
        const views = slotsOf(cursor);
        let unclaimed: number[] = [];
        let micro = 1;
        let jobNumber = 0;
        for (const step of operations) {
          if (step.kind === 'open') {
            cursor.shrink(unclaimed.length);
            jobNumber++;
            micro = step.micro;
            unclaimed = tasksOf(step.intervals);
            const id = cursor.open({
              jobNumber,
              intervals: step.intervals,
              microBatchTasks: micro,
            });
            expect(cursor.window()).toEqual({ id, jobNumber });
          } else if (step.kind === 'claim') {
            const guided = Math.ceil(unclaimed.length / (2 * SLOTS));
            const size = Math.min(Math.max(guided, Math.ceil(micro / 8)), micro);
            const claim = views[step.slot]!.claim();
            if (unclaimed.length === 0) {
              expect(claim).toBe('dry');
              expect(cursor.claimOf(step.slot)).toBeUndefined();
            } else {
              expect(claim).toMatchObject({ jobNumber });
              const taken = tasksOf(claim === 'dry' ? [] : claim.intervals);
              expect(taken).toEqual(unclaimed.slice(0, size));
              expect(tasksOf(cursor.claimOf(step.slot)!.intervals)).toEqual(taken);
              unclaimed = unclaimed.slice(size);
            }
          } else if (step.kind === 'shrink') {
            const cut = Math.max(0, unclaimed.length - step.tasks);
            expect(tasksOf(cursor.shrink(step.tasks))).toEqual(unclaimed.slice(cut));
            unclaimed = unclaimed.slice(0, cut);
          } else {
            micro = step.micro;
            cursor.setMicroBatch(micro);
          }
          expect(cursor.remaining()).toBe(unclaimed.length);
          if (unclaimed.length === 0) expect(cursor.window()).toBeUndefined();
        }
      }),
    );
  });

  it.each([
    [
      'one task when claims are of a few',
      8,
      [8, 8, 8, 8, 8, 8, 8, 8, 8, 7, 6, 4, 3, 2, 2, 1, 1, 1, 1],
    ],
    ['an eighth of a micro-batch when they are of many', 64, [25, 19, 14, 11, 8, 8, 8, 7]],
  ])('makes claims smaller towards the end, down to %s', (_, microBatchTasks, expected) => {
    const cursor = WindowCursor.create(2);
    const [view] = slotsOf(cursor);
    cursor.open({ jobNumber: 1, intervals: [[0, 100]], microBatchTasks });
    const sizes: number[] = [];
    for (let claim = view!.claim(); claim !== 'dry'; claim = view!.claim()) {
      sizes.push(tasksOf(claim.intervals).length);
    }
    expect(sizes).toEqual(expected);
  });

  it('keeps the claim of a dead slot until main clears it, however many windows come after', () => {
    const cursor = WindowCursor.create(2);
    const [dead, alive] = slotsOf(cursor);
    cursor.open({ jobNumber: 7, intervals: [[10, 12]], microBatchTasks: 1 });
    const claim = dead!.claim();
    for (let job = 8; job < 12; job++) {
      while (alive!.claim() !== 'dry');
      cursor.open({ jobNumber: job, intervals: [[0, 2]], microBatchTasks: 1 });
    }
    expect(cursor.claimOf(0)).toEqual(claim);
    expect(claim).toMatchObject({ jobNumber: 7, intervals: [[10, 11]] });
    cursor.clearClaim(0);
    expect(cursor.claimOf(0)).toBeUndefined();
  });

  it('forgets a claim when the slot has finished it', () => {
    const cursor = WindowCursor.create(1);
    const [view] = slotsOf(cursor);
    cursor.open({ jobNumber: 1, intervals: [[0, 2]], microBatchTasks: 1 });
    view!.claim();
    view!.finish();
    expect(cursor.claimOf(0)).toBeUndefined();
  });

  it('passes over a window id that a record still names when the ids come round', () => {
    const cursor = WindowCursor.create(2, 65_533);
    const [stuck, alive] = slotsOf(cursor);
    const tasks: Interval[] = [[100, 102]];
    const named = cursor.open({ jobNumber: 1, intervals: tasks, microBatchTasks: 1 });
    stuck!.claim();
    const seen = new Set<number>();
    for (let opened = 0; opened < 2 ** 16 + 10; opened++) {
      while (alive!.claim() !== 'dry');
      seen.add(cursor.open({ jobNumber: 2, intervals: [[0, 1]], microBatchTasks: 1 }));
    }
    expect(named).toBe(65_534);
    expect(seen.has(named)).toBe(false);
    expect(seen.size).toBe(2 ** 16 - 1);
    expect(cursor.claimOf(0)).toEqual({ jobNumber: 1, window: named, intervals: [[100, 101]] });
  });

  it('does not let a table that was copied for an old window serve a new one of the same id', () => {
    const cursor = WindowCursor.create(2);
    const [rare, busy] = slotsOf(cursor);
    const first = cursor.open({ jobNumber: 1, intervals: [[50, 52]], microBatchTasks: 1 });
    rare!.claim();
    rare!.finish();
    let id = -1;
    for (let opened = 0; opened < 2 ** 16; opened++) {
      while (busy!.claim() !== 'dry');
      id = cursor.open({ jobNumber: 2, intervals: [[7, 8]], microBatchTasks: 1 });
    }
    expect(id).toBe(first);
    expect(rare!.claim()).toEqual({ jobNumber: 2, window: id, intervals: [[7, 8]] });
  });

  it('opens nothing while tasks are unclaimed, nothing empty, and nothing too large', () => {
    const cursor = WindowCursor.create(1);
    const open = (intervals: Interval[]) => () =>
      cursor.open({ jobNumber: 1, intervals, microBatchTasks: 1 });
    expect(open([])).toThrow('0 segments');
    expect(open([[3, 3]])).toThrow('segment [3, 3)');
    expect(open([[0, 2 ** 24]])).toThrow('16777216 tasks');
    expect(
      open(Array.from({ length: WINDOW_SEGMENTS_MAX + 1 }, (_, i) => [2 * i, 2 * i + 1])),
    ).toThrow('257 segments');
    open([[0, 2 ** 24 - 1]])();
    expect(cursor.remaining()).toBe(2 ** 24 - 1);
    expect(open([[0, 1]])).toThrow('exhausted');
    expect(cursor.shrink(2 ** 24)).toEqual([[0, 2 ** 24 - 1]]);
    open([[0, 1]])();
  });

  it('ends a wait whose epoch has passed at once', () => {
    const cursor = WindowCursor.create(1);
    const [view] = slotsOf(cursor);
    const epoch = view!.wakeEpoch();
    expect(view!.waitForWork(epoch, 1)).toBe('timedOut');
    cursor.open({ jobNumber: 1, intervals: [[0, 1]], microBatchTasks: 1 });
    expect(view!.waitForWork(epoch, 60_000)).toBe('woken');
  });
});

function slotsOf(cursor: WindowCursor): ClaimView[] {
  return Array.from({ length: cursor.slots }, (_, slot) => cursor.claims(slot));
}

function tasksOf(intervals: readonly Interval[]): number[] {
  return intervals.flatMap(([start, end]) =>
    Array.from({ length: end - start }, (_, i) => start + i),
  );
}
