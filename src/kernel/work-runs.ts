// Costs of consecutive tasks, run-length encoded.

import type { WorkRun } from './job.ts';

/** Without empty runs, neighbours of one cost joined. */
export function mergeRuns(runs: readonly WorkRun[]): WorkRun[] {
  const merged: WorkRun[] = [];
  for (const run of runs) {
    if (run.tasks === 0) continue;
    const last = merged.at(-1);
    if (last?.units === run.units) {
      merged[merged.length - 1] = { units: run.units, tasks: last.tasks + run.tasks };
    } else merged.push(run);
  }
  return merged;
}
