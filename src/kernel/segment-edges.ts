// Where the stretches of time begin into which a strategy's returns are cut: sixteen equal ones, or, where the bars are the
// folds of a walk-forward split, such that every fold's edge is one of theirs. Their number is even, because halves are
// made of them, and at most 16, which are 12,870 halves.

const SEGMENTS_MAX = 16;

/** Stretches of so many folds; 1: there is no split. */
export function segmentCount(folds: number): number {
  if (folds > SEGMENTS_MAX / 2) return Math.min(SEGMENTS_MAX, folds - (folds % 2));
  const each = Math.floor(SEGMENTS_MAX / folds);
  return folds * (folds % 2 === 1 && each % 2 === 1 ? each - 1 : each);
}

/** `days`: returns in all; `foldStarts`: the first return of every fold but the first, ascending. Gives the first of each
 * stretch, and `days`. A fold is cut into equal stretches; where folds are too many, neighbours are one. */
export function segmentStarts(days: number, foldStarts: readonly number[]): number[] {
  const bounds = [0, ...foldStarts, days];
  const folds = bounds.length - 1;
  const segments = segmentCount(folds);
  return Array.from({ length: segments + 1 }, (_, segment) => {
    const place = (segment * folds) / segments;
    const fold = Math.min(folds - 1, Math.floor(place));
    const [start = 0, end = 0] = bounds.slice(fold, fold + 2);
    if (segments < folds) return segment === segments ? days : start;
    const each = segments / folds;
    return start + Math.floor(((segment - fold * each) * (end - start)) / each);
  });
}
