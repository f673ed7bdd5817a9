// S11: a task that kills whatever runs it is given up after few attempts, and no innocent one ever is. With one bound
// that nobody can pass from inside a mesh: a task over which peers, and slots that ran nothing else, died as often as
// there are attempts looks like one that killed them, also when somebody pulled their plugs.
import { countTasks, type Interval } from '../../../deque/interval-set.ts';
import type { JobId } from '../../ids.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import type { Scenario } from '../scenario.ts';
import type { Check, JobTruth, Step, WorldView } from '../watch.ts';

export function onlyPoisonFails(
  scenario: Scenario,
  truths: (job: JobId) => JobTruth | undefined,
): Check {
  const { attemptsMax } = scenario.limits ?? DEFAULT_LIMITS;
  /** Deaths of slots, by the job and the one task that they ran. */
  const alone = new Map<string, number>();
  return {
    name: 'S11 no innocent task is given up',
    stepped({ input, outputs, peer, world }: Step): string | undefined {
      if (input.kind === 'slotDied' && countTasks(input.intervals) === 1) {
        const key = `${input.job} ${input.intervals[0]?.[0]}`;
        alone.set(key, (alone.get(key) ?? 0) + 1);
      }
      for (const output of outputs) {
        if (output.kind !== 'persist' || output.entry.kind !== 'rows') continue;
        const { batch, job } = output.entry;
        if (batch.kind !== 'failures') continue;
        const plan = scenario.jobs.find(({ name }) => name === truths(job)?.header.name);
        const poison = new Set(plan?.poison?.map(({ task }) => task));
        for (const task of tasksOf(batch.intervals)) {
          const died = peerDeaths(world) + (alone.get(`${job} ${task}`) ?? 0);
          if (poison.has(task) || died >= attemptsMax) continue;
          return `${peer} gives up task ${task}, which harms nobody`;
        }
      }
      return undefined;
    },
  };
}

/** Processes that have ended so far. */
function peerDeaths({ peers }: WorldView): number {
  return peers.reduce((sum, { incarnation, core }) => sum + incarnation - (core ? 1 : 0), 0);
}

function tasksOf(intervals: readonly Interval[]): number[] {
  return intervals.flatMap(([start, end]) =>
    Array.from({ length: end - start }, (_, at) => start + at),
  );
}
