// Lower bounds of a job's makespan on cores of given speeds, and what a central queue without latency would
// need: the yardsticks of a finished job. Costs and speeds are in units and units per ms, times in ms.
import type { JobEfficiency } from './job.ts';
import type { WorkModel } from './work.ts';

/** One slot of one peer. */
export interface Core {
  readonly speed: number;
  /** ms that its first task travels and its last row comes back; 0 where the job was submitted. */
  readonly delayMs: number;
}

/** Above this many tasks queues are not played out: they are within a task of the area bound there, and
 * the main thread has better to do (6 ms at this size on 22 cores, measured). */
const PLAYED_TASKS_MAX = 10_000;

/** No schedule is faster than the largest of these. */
export type Bounds = NonNullable<JobEfficiency['boundsMs']>;

export function boundsOf(work: WorkModel, cores: readonly Core[]): Bounds {
  const usable = cores.filter(({ speed }) => speed > 0);
  if (usable.length === 0 || work.taskCount === 0) {
    return { area: 0, longest: 0, prefix: 0, granularity: 0, latency: 0 };
  }
  const speeds = usable.map(({ speed }) => speed).toSorted((a, b) => b - a);
  const total = speeds.reduce((sum, speed) => sum + speed, 0);
  const longest = work.runs().reduce((max, run) => Math.max(max, run.units), 0);
  const isEqual = longest * work.taskCount === work.totalUnits;
  return {
    area: work.totalUnits / total,
    longest: longest / (speeds[0] ?? total),
    prefix: prefixMs(work, speeds),
    granularity: isEqual ? granularityMs(work.taskCount, longest, speeds) : 0,
    latency: latencyMs(work.totalUnits, usable),
  };
}

export function boundMs(work: WorkModel, cores: readonly Core[]): number {
  return Math.max(...Object.values(boundsOf(work, cores)));
}

/** Makespan when the next task always goes to the core that ends it first (Graham 1969): in task order, or the
 * longest first, which shows what order could give. */
export function greedyMs(
  work: WorkModel,
  cores: readonly Core[],
  order: 'given' | 'longestFirst' = 'given',
): number {
  const speeds = cores.map(({ speed }) => speed).filter((speed) => speed > 0);
  if (speeds.length === 0 || work.taskCount === 0) return 0;
  if (work.taskCount > PLAYED_TASKS_MAX) return boundMs(work, cores);
  const freeAtMs = speeds.map(() => 0);
  let endMs = 0;
  for (const units of costsOf(work, order)) {
    let best = 0;
    let bestEndMs = Number.POSITIVE_INFINITY;
    for (const [i, speed] of speeds.entries()) {
      const end = (freeAtMs[i] ?? 0) + units / speed;
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

function costsOf(work: WorkModel, order: 'given' | 'longestFirst'): number[] {
  const costs = work
    .runs()
    .flatMap(({ tasks, units }) => Array.from({ length: tasks }, () => units));
  return order === 'given' ? costs : costs.toSorted((a, b) => b - a);
}

/** max over k of the k longest tasks on the k fastest cores. */
function prefixMs(work: WorkModel, speeds: readonly number[]): number {
  const runs = work.runs().toSorted((a, b) => b.units - a.units);
  let [units, speed, k, bound] = [0, 0, 0, 0];
  for (const run of runs) {
    for (let i = 0; i < run.tasks; i++) {
      if (k === speeds.length) return bound;
      units += run.units;
      speed += speeds[k++] ?? 0;
      bound = Math.max(bound, units / speed);
    }
  }
  return bound;
}

/** min T with sum of floor(T * speed / units) >= tasks, by bisection to a part in a million. */
function granularityMs(tasks: number, units: number, speeds: readonly number[]): number {
  const finished = (ms: number): number =>
    speeds.reduce((sum, speed) => sum + Math.floor((ms * speed) / units + 1e-9), 0);
  let low = 0;
  let high = (tasks * units) / (speeds[0] ?? 1);
  for (let i = 0; i < 60 && high - low > high * 1e-6; i++) {
    const middle = (low + high) / 2;
    if (finished(middle) >= tasks) high = middle;
    else low = middle;
  }
  return high;
}

/** min T with sum of speed * max(0, T - delay) >= work: near cores first, as long as the next one still helps. */
function latencyMs(units: number, cores: readonly Core[]): number {
  const nearFirst = cores.toSorted((a, b) => a.delayMs - b.delayMs);
  let [speed, headStart, endMs] = [0, units, Number.POSITIVE_INFINITY];
  for (const core of nearFirst) {
    if (core.delayMs >= endMs) break;
    speed += core.speed;
    headStart += core.speed * core.delayMs;
    endMs = headStart / speed;
  }
  return endMs;
}
