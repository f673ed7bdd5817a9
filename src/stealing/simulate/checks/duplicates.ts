// S6: without faults no task runs twice.
import { IntervalSet } from '../../../deque/interval-set.ts';
import type { JobId, PeerId } from '../../ids.ts';
import type { Check, Execution } from '../watch.ts';

export function nothingRunsTwice(): Check {
  const ran = new Map<JobId, IntervalSet>();
  return {
    name: 'S6 without faults nothing runs twice',
    ran({ job, intervals, peer }: Execution): string | undefined {
      const before = ran.get(job) ?? new IntervalSet();
      ran.set(job, before);
      for (const [start, end] of intervals) {
        if (before.add(start, end) < end - start) return `${peer} runs [${start}, ${end}) again`;
      }
      return undefined;
    },
  };
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
