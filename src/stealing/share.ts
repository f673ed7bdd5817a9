// How much work changes hands, in units. Pure arithmetic: the policy of a steal on one page.
//
// A steal equalises the moment at which both sides finish (weighted form of Hendler & Shavit's steal-half,
// PODC 2002; weights are measured rates, as in weighted factoring, Banicescu & Carino). Seeding is the same
// idea for several thieves at once: everybody gets the share of the work that its rate has of all rates.
import type { Interval } from '../deque/interval-set.ts';
import type { WorkModel } from './work.ts';

export interface Side {
  /** Work it still has, units. */
  readonly backlogWork: number;
  /** Units per ms. */
  readonly rate: number;
}

/** Units that the victim gives so that both finish together; 0 or less: nothing to give. */
export function equalFinishWork(victim: Side, thief: Side): number {
  const rates = victim.rate + thief.rate;
  if (rates <= 0) return 0;
  const both = victim.backlogWork + thief.backlogWork;
  return (both * thief.rate) / rates - thief.backlogWork;
}

/** Units for each of several thieves (in their order) so that they and the victim all finish together. A
 * thief that has more than its part already gets nothing, and the others share without it. */
export function seedShares(victim: Side, thieves: readonly Side[]): number[] {
  const shares = thieves.map(() => 0);
  const open = new Set(thieves.keys());
  for (;;) {
    let work = victim.backlogWork;
    let rates = victim.rate;
    for (const i of open) {
      work += thieves[i]?.backlogWork ?? 0;
      rates += thieves[i]?.rate ?? 0;
    }
    const finishMs = rates > 0 ? work / rates : 0;
    const full = [...open].filter((i) => {
      const thief = thieves[i];
      return thief !== undefined && thief.backlogWork >= finishMs * thief.rate;
    });
    if (full.length === 0) {
      for (const i of open) {
        const thief = thieves[i];
        if (thief !== undefined) shares[i] = finishMs * thief.rate - thief.backlogWork;
      }
      return shares;
    }
    for (const i of full) open.delete(i);
  }
}

/** How many tasks from the high end of `intervals` (run order) come nearest to `units`. */
export function tasksForWork(
  work: WorkModel,
  intervals: readonly Interval[],
  units: number,
): number {
  let left = units;
  let tasks = 0;
  for (let i = intervals.length - 1; i >= 0; i--) {
    const [start, end] = intervals[i] ?? [0, 0];
    const whole = work.between(start, end);
    if (whole <= left) {
      tasks += end - start;
      left -= whole;
      continue;
    }
    return tasks + nearestCount(work, [start, end], left);
  }
  return tasks;
}

/** Binary search: tasks at the high end of one interval whose units come nearest to `units`. */
function nearestCount(work: WorkModel, [start, end]: Interval, units: number): number {
  let low = 0;
  let high = end - start;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (work.between(end - middle, end) <= units) low = middle;
    else high = middle - 1;
  }
  const below = units - work.between(end - low, end);
  const above = low < end - start ? work.between(end - low - 1, end) - units : below + 1;
  return above < below ? low + 1 : low;
}
