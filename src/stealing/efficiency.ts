// Lower bounds of a job's makespan on cores of given speeds, and what a central queue without latency would
// need: the two yardsticks of a finished job. Costs and speeds are in units and units per ms.
import type { WorkModel } from './work.ts';

/** Above this many tasks the greedy queue is not played out: it is within a task of the area bound there, and
 * the main thread has better to do (6 ms at this size on 22 cores, measured). */
const GREEDY_TASKS_MAX = 10_000;

/** The largest of: area (all work over all speeds), longest task on the fastest core, and for equal tasks
 * granularity (the least T in which the cores finish that many whole tasks). */
export function boundMs(work: WorkModel, cores: readonly number[]): number {
  const speed = cores.reduce((sum, core) => sum + core, 0);
  const fastest = cores.reduce((max, core) => Math.max(max, core), 0);
  if (speed <= 0 || work.taskCount === 0) return 0;
  const longest = longestTask(work);
  const bounds = [work.totalUnits / speed, longest / fastest];
  const isEqual = longest * work.taskCount === work.totalUnits;
  if (isEqual) bounds.push(granularityMs(work.taskCount, longest, cores));
  return Math.max(...bounds);
}

/** Makespan when the next task in order always goes to the core that is free first (Graham 1969). */
export function greedyMs(work: WorkModel, cores: readonly number[]): number {
  const usable = cores.filter((core) => core > 0);
  if (usable.length === 0 || work.taskCount === 0) return 0;
  if (work.taskCount > GREEDY_TASKS_MAX) return boundMs(work, cores);
  const freeAtMs = usable.map(() => 0);
  let endMs = 0;
  for (let task = 0; task < work.taskCount; task++) {
    const units = work.between(task, task + 1);
    let best = 0;
    let bestEndMs = Number.POSITIVE_INFINITY;
    for (const [i, core] of usable.entries()) {
      const end = (freeAtMs[i] ?? 0) + units / core;
      if (end < bestEndMs) {
        best = i;
        bestEndMs = end;
      }
    }
    freeAtMs[best] = bestEndMs;
    endMs = Math.max(endMs, bestEndMs);
  }
  return endMs;
}

function longestTask(work: WorkModel): number {
  return work.runs().reduce((max, run) => Math.max(max, run.units), 0);
}

/** min T with sum of floor(T * speed / units) >= tasks, by bisection to a part in a million. */
function granularityMs(tasks: number, units: number, cores: readonly number[]): number {
  const finished = (ms: number): number =>
    cores.reduce((sum, core) => sum + Math.floor((ms * core) / units + 1e-9), 0);
  let low = 0;
  let high = (tasks * units) / cores.reduce((max, core) => Math.max(max, core), 0);
  for (let i = 0; i < 60 && high - low > high * 1e-6; i++) {
    const middle = (low + high) / 2;
    if (finished(middle) >= tasks) high = middle;
    else low = middle;
  }
  return high;
}
