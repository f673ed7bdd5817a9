// Unequal tasks for several peers: everybody gets its share of the long ones and of the short ones. Whoever got a share
// of the same work in long tasks only would end with a few slots busy, and whoever got short ones only could not help.
import type { Interval } from '../deque/interval-set.ts';
import type { WorkModel } from './work.ts';

/**
 * Splits tasks among takers and who keeps the rest. Each task goes to the side that is furthest behind its share of the
 * work so far.
 *
 * @param intervals in the order in which they run; each interval is cut where costs change.
 * @param shares units for each taker; what they leave stays.
 * @param kept tasks that stay in any case: the first to run.
 * @returns the tasks of each taker, in the order in which they run.
 */
export function stratify(
  work: WorkModel,
  intervals: readonly Interval[],
  { shares, kept }: { readonly shares: readonly number[]; readonly kept: number },
): Interval[][] {
  const total = work.of(intervals);
  const taken = shares.reduce((sum, units) => sum + units, 0);
  // Whoever keeps the rest is a side like any other: the first.
  const sides = [Math.max(0, total - taken), ...shares].map((units) => new Side(units / total));
  const [keeper] = sides;
  let toKeep = kept;
  for (const { start, end, units } of work.pieces(intervals)) {
    for (const side of sides) side.due += side.part * (end - start) * units;
    let from = Math.min(end, start + toKeep);
    keeper?.take([start, from], units);
    toKeep -= from - start;
    for (const side of sides) {
      const whole = Math.min(end - from, Math.max(0, Math.floor(side.due / units)));
      side.take([from, from + whole], units);
      from += whole;
    }
    for (; from < end; from++) furthestBehind(sides)?.take([from, from + 1], units);
  }
  return sides.slice(1).map(({ given }) => given);
}

class Side {
  /** Of all work, 0..1. */
  readonly part: number;
  /** Units of its part that it has not got yet. */
  due = 0;
  readonly given: Interval[] = [];

  constructor(part: number) {
    this.part = part;
  }

  take([start, end]: Interval, units: number): void {
    if (start === end) return;
    this.due -= (end - start) * units;
    const last = this.given.at(-1);
    if (last?.[1] === start) this.given[this.given.length - 1] = [last[0], end];
    else this.given.push([start, end]);
  }
}

function furthestBehind(sides: readonly Side[]): Side | undefined {
  return sides.reduce<Side | undefined>(
    (most, side) => (most === undefined || side.due > most.due ? side : most),
    undefined,
  );
}
