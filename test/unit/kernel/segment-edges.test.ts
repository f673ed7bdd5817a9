// Stretches of time whose edges are those of a walk-forward split.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { segmentCount, segmentStarts } from '../../../src/kernel/segment-edges.ts';

describe('stretches', () => {
  it.each([
    [1, 16],
    [2, 16],
    [3, 12],
    [4, 16],
    [5, 10],
    [6, 12],
    [7, 14],
    [8, 16],
    [9, 8],
    [10, 10],
    [15, 14],
    [16, 16],
    [17, 16],
    [1000, 16],
  ])('of %i folds are %i', (folds, segments) => {
    expect(segmentCount(folds)).toBe(segments);
  });

  it('without folds are equal, as are those within a fold', () => {
    expect(segmentStarts(33, [])).toEqual([
      0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 33,
    ]);
    expect(segmentStarts(12, [4, 8])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('are an even number, rise, cover all days, and begin at every fold that is not joined to its neighbour', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { maxLength: 40 }), fc.nat(400), (some, more) => {
        const foldStarts = some.toSorted((a, b) => a - b);
        const days = (foldStarts.at(-1) ?? 0) + more;
        const starts = segmentStarts(days, foldStarts);
        const folds = foldStarts.length + 1;
        expect((starts.length - 1) % 2).toBe(0);
        expect(starts.length - 1).toBe(segmentCount(folds));
        expect([starts[0], starts.at(-1)]).toEqual([0, days]);
        expect(starts).toEqual(starts.toSorted((a, b) => a - b));
        if (folds <= 8) expect(foldStarts.every((start) => starts.includes(start))).toBe(true);
        else expect(starts.slice(1, -1).every((start) => foldStarts.includes(start))).toBe(true);
      }),
    );
  });
});
