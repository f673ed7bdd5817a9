// S6: without faults no task runs twice, but for tail copies: at most two runs of one task, and at most 5 % extra
// work or one task per slot of each peer.
import { countTasks, IntervalSet } from '../../../deque/interval-set.ts';
import type { JobId, PeerId } from '../../ids.ts';
import type { Check, Execution, WorldView } from '../watch.ts';

/** Of all work. */
const EXTRA_PART = 0.05;

export function nothingRunsTwice(): Check {
  const once = new Map<JobId, IntervalSet>();
  const twice = new Map<JobId, IntervalSet>();
  let [units, extraUnits, longest] = [0, 0, 0];
  return {
    name: 'S6 without faults nothing runs twice, but for tail copies',
    ran(execution: Execution): string | undefined {
      const { job, intervals, peer } = execution;
      const tasks = countTasks(intervals);
      units += execution.units;
      longest = Math.max(longest, execution.units / Math.max(1, tasks));
      const [first, second] = [setOf(once, job), setOf(twice, job)];
      const again = first.intersect(intervals);
      for (const [start, end] of intervals) first.add(start, end);
      extraUnits += (execution.units * again.count) / Math.max(1, tasks);
      for (const [start, end] of again.intervals()) {
        if (second.add(start, end) < end - start)
          return `${peer} runs [${start}, ${end}) a third time`;
      }
      return undefined;
    },
    over({ scenario }: WorldView): string | undefined {
      const slots = scenario.peers.reduce((sum, peer) => sum + peer.slots, 0);
      const budget = Math.max(EXTRA_PART * units, slots * longest);
      return extraUnits <= budget ? undefined : `${extraUnits} units of ${units} were extra`;
    },
  };
}

function setOf(sets: Map<JobId, IntervalSet>, job: JobId): IntervalSet {
  const known = sets.get(job) ?? new IntervalSet();
  sets.set(job, known);
  return known;
}

/** Not a judgement: counts for reports and for the judgements of tests. */
export class WorkCount {
  readonly tasks = new Map<PeerId, number>();
  readonly units = new Map<PeerId, number>();
  firstMs: number | undefined;
  lastMs = 0;

  readonly check: Check = {
    name: 'counts',
    ran: ({ atMs, peer, intervals, units }) => {
      const tasks = intervals.reduce((sum, [start, end]) => sum + end - start, 0);
      this.tasks.set(peer, (this.tasks.get(peer) ?? 0) + tasks);
      this.units.set(peer, (this.units.get(peer) ?? 0) + units);
      this.firstMs ??= atMs;
      this.lastMs = atMs;
      return undefined;
    },
  };
}
