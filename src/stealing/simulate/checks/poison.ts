// S11: a task that kills whatever runs it is given up after few attempts, and no innocent one ever is.
import type { JobId } from '../../ids.ts';
import type { Scenario } from '../scenario.ts';
import type { Check, JobTruth, Step } from '../watch.ts';

export function onlyPoisonFails(
  scenario: Scenario,
  truths: (job: JobId) => JobTruth | undefined,
): Check {
  return {
    name: 'S11 no innocent task is given up',
    stepped({ outputs, peer }: Step): string | undefined {
      for (const output of outputs) {
        if (output.kind !== 'persist' || output.entry.kind !== 'rows') continue;
        const { batch, job } = output.entry;
        if (batch.kind !== 'failures') continue;
        const plan = scenario.jobs.find(({ name }) => name === truths(job)?.header.name);
        const poison = new Set(plan?.poison?.map(({ task }) => task));
        for (const [start, end] of batch.intervals) {
          for (let task = start; task < end; task++) {
            if (!poison.has(task)) return `${peer} gives up task ${task}, which harms nobody`;
          }
        }
      }
      return undefined;
    },
  };
}
