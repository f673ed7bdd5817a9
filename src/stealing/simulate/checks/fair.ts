// L7: jobs that all have work left share the slots' time by their weights, those of the highest priority alone. Judged over
// any ten seconds where nothing goes wrong and everybody may run everything.
import type { JobId } from '../../ids.ts';
import type { Scenario } from '../scenario.ts';
import type { Check, Execution, JobTruth, WorldView } from '../watch.ts';

const BIN_MS = 1_000;
const WINDOW_BINS = 10;
/** Of the slots' time. */
const ERROR_MAX = 0.05;
/** ms until a new job's data is everywhere. */
const SETTLE_MS = 1_000;
/** Part of a job's work from which on some peer may have none of it left. */
const BACKLOG_PART = 0.9;
/** ms of one task: a longer one lies in more than one bin. */
const TASK_MS_MAX = 200;

/** Whether every slot has the choice among all jobs all the time. */
export function everySlotMayChoose({ faults, jobs, peers }: Scenario): boolean {
  if (faults.length > 0 || jobs.length < 2) return false;
  const slowest = Math.min(...peers.map(({ unitsPerMs }) => unitsPerMs));
  return jobs.every(
    (job) =>
      job.onlyPeers === undefined &&
      job.notPeers === undefined &&
      job.poison === undefined &&
      job.cancelAfterMs === undefined &&
      job.workError === undefined &&
      job.runs.every(({ units }) => units <= TASK_MS_MAX * slowest),
  );
}

interface Progress {
  /** ms of slots, by bin. */
  readonly slotMs: number[];
  units: number;
  /** When `BACKLOG_PART` of it was done; until then everybody had some of it. */
  scarceMs: number;
  lastMs: number;
}

export function timeIsShared(truths: (job: JobId) => JobTruth | undefined): Check {
  const progress = new Map<JobId, Progress>();
  return {
    name: 'L7 jobs share the time of the slots by priority and weight',
    ran({ job, atMs, startedMs, units }: Execution): undefined {
      const known = progress.get(job) ?? { slotMs: [], units: 0, scarceMs: Infinity, lastMs: 0 };
      progress.set(job, known);
      const bin = Math.floor(atMs / BIN_MS);
      known.slotMs[bin] = (known.slotMs[bin] ?? 0) + atMs - startedMs;
      known.units += units;
      known.lastMs = atMs;
      const isScarce = known.units >= BACKLOG_PART * (truths(job)?.totalUnits ?? 0);
      if (isScarce) known.scarceMs = Math.min(known.scarceMs, atMs);
    },
    over({ jobs, nowMs }: WorldView): string | undefined {
      for (let bin = 0; (bin + WINDOW_BINS) * BIN_MS <= nowMs; bin++) {
        const unfair = unfairIn(bin, jobs, progress);
        if (unfair !== undefined) return unfair;
      }
      return undefined;
    },
  };
}

function unfairIn(
  bin: number,
  jobs: readonly JobTruth[],
  progress: ReadonlyMap<JobId, Progress>,
): string | undefined {
  const [fromMs, untilMs] = [bin * BIN_MS, (bin + WINDOW_BINS) * BIN_MS];
  const waiting: { truth: JobTruth; slotMs: number }[] = [];
  for (const truth of jobs) {
    const known = progress.get(truth.header.job);
    if (truth.submittedAtMs >= untilMs || (known !== undefined && known.lastMs < fromMs)) continue;
    const waits = truth.submittedAtMs + SETTLE_MS <= fromMs && (known?.scarceMs ?? 0) >= untilMs;
    if (!waits) return undefined;
    waiting.push({ truth, slotMs: sum((known?.slotMs ?? []).slice(bin, bin + WINDOW_BINS)) });
  }
  if (waiting.length < 2) return undefined;
  const total = sum(waiting.map(({ slotMs }) => slotMs));
  const highest = Math.max(...waiting.map(({ truth }) => truth.header.priority ?? 0));
  const weightOf = ({ header: { priority = 0, weight = 1 } }: JobTruth): number =>
    priority === highest ? weight : 0;
  const weights = sum(waiting.map(({ truth }) => weightOf(truth)));
  for (const { truth, slotMs } of waiting) {
    const [share, due] = [slotMs / total, weightOf(truth) / weights];
    if (Math.abs(share - due) > ERROR_MAX)
      return `${truth.header.name} has ${percent(share)} of the time from ${fromMs} to ${untilMs} ms, and ${percent(due)} is due`;
  }
  return undefined;
}

function sum(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
