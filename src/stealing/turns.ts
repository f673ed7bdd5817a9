// Which job runs next here. A higher priority goes first; jobs of one priority share the slots by the time that
// they were measured to take, divided by their weights. That is deficit round robin (Shreedhar & Varghese,
// SIGCOMM 1995), changed in two ways: what is shared is busy slot-time and not a count of tasks, because tasks of
// two jobs differ in cost; and a job that comes to waiting ones may take a burst first, so that fifty tasks of a
// person who waits do not stand in line behind a night's sweep.
import type { JobBook } from './job-book.ts';
import type { CoreState } from './state.ts';

export const PRIORITY_MIN = -10;
export const PRIORITY_MAX = 10;
export const WEIGHT_MAX = 100;

export function priorityOf({ header }: JobBook): number {
  return header.priority ?? 0;
}

/** Active jobs, the one whose tasks should run next first. */
export function inTurn(state: CoreState): readonly JobBook[] {
  const jobs = state.activeJobs();
  if (jobs.length < 2) return jobs;
  const used = new Map(jobs.map((job) => [job, usedMs(state, job)]));
  return jobs.toSorted(
    (a, b) => priorityOf(b) - priorityOf(a) || (used.get(a) ?? 0) - (used.get(b) ?? 0),
  );
}

/** Work came to a job that had none here: time that it did not ask for is not owed to it, but for a burst. */
export function admitToTurns(state: CoreState): void {
  const jobs = state.activeJobs();
  for (const job of jobs) {
    const hadWork = job.isInTurns;
    job.isInTurns = job.holdsTasks;
    if (hadWork || !job.isInTurns) continue;
    const rivals = jobs.filter(
      (other) => other !== job && other.isInTurns && priorityOf(other) === priorityOf(job),
    );
    if (rivals.length === 0) continue;
    const now = Math.min(...rivals.map((rival) => usedMs(state, rival)));
    const fair = (now - state.limits.turnBurstMs * state.face.slots) * weightOf(job);
    job.servedMs = Math.max(job.servedMs, fair);
  }
}

/** Whether `next` should run instead of `open`, whose window is not empty yet. */
export function outranks(state: CoreState, next: JobBook, open: JobBook): boolean {
  if (priorityOf(next) !== priorityOf(open)) return priorityOf(next) > priorityOf(open);
  const turnMs = state.limits.turnMs * state.face.slots;
  return usedMs(state, next) + turnMs <= usedMs(state, open);
}

/** Most tasks of a window: all of them, or one turn while a job of the same priority waits. */
export function turnTasks(state: CoreState, job: JobBook, tasksMax: number): number {
  const hasRival = state
    .activeJobs()
    .some((other) => other !== job && other.isRunnable && other.hasWaiting && isPeerOf(other, job));
  if (!hasRival) return tasksMax;
  const units = state.limits.turnMs * state.ownRate(job.header.rateKey);
  const tasks = Math.ceil(units / job.costs.meanUnits(0, 0));
  return Math.max(1, Math.min(tasksMax, tasks));
}

function isPeerOf(a: JobBook, b: JobBook): boolean {
  return priorityOf(a) === priorityOf(b);
}

function weightOf({ header }: JobBook): number {
  return header.weight ?? 1;
}

/** Slot-ms that the job had here, those of its running claims as predicted, per weight. */
function usedMs(state: CoreState, job: JobBook): number {
  const unclaimed = state.windowJob() === job ? state.cursor.remaining() : 0;
  const claimed = Math.max(0, job.running.count - unclaimed) * job.runningMeanUnits();
  const claimedMs = (claimed * state.face.slots) / state.ownRate(job.header.rateKey);
  return (job.servedMs + claimedMs) / weightOf(job);
}
