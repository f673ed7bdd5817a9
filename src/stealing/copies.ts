// Tail copies: when nothing is left to steal, an idle peer may run a second copy of a long task that a slower peer
// holds. Costs are deterministic, so a task that is long is long everywhere: what is copied is a task on a slow
// peer, never a slow task. The first row wins, the other must be equal (the ledger raises an alarm otherwise).
//
// The holder decides, because it alone knows how far it is and that there is no other copy: at most one at a time,
// within 5 % extra work or one task per slot. A claim that has made no progress for long (a thread that hangs) is
// given out of that budget, and a copy that makes none is given up, so that another may take its place.
//
// Speculation as in Dolly (Ananthanarayanan et al., NSDI 2013), with its cap on extra work; changed: no clones from
// the start, only against a holder that would end later.
import { countTasks, type Interval, IntervalSet } from '../deque/interval-set.ts';
import type { Belief } from './beliefs.ts';
import { isCoarse, taskMsHere } from './horizon.ts';
import type { PeerId } from './ids.ts';
import type { JobBook } from './job-book.ts';
import type { CoreState } from './state.ts';

/** A copy is worth it when it ends within this part of what the holder still needs. */
const GAIN = 0.8;
/** Of this peer's part of the work. */
const EXTRA_WORK_PART = 0.05;

export interface Copy {
  readonly to: PeerId;
  readonly untilMs: number;
}

/** Long tasks of a job that slots here run and the thief would end sooner; at most as many as it can start at once. */
export function copiesFor(
  state: CoreState,
  job: JobBook,
  thief: Belief,
  slots: number,
): Interval[] {
  if (!job.isRunnable || job.hasWaiting || !isCoarse(state, job)) return [];
  if (state.windowJob() === job) return [];
  const rate = state.rateOn(thief, job) / Math.max(1, thief.face.slots);
  if (rate <= 0) return [];
  const copies: Interval[] = [];
  for (const { task, leftMs, isStuck } of claimedTasks(state, job)) {
    if (copies.length >= slots) break;
    const units = job.costs.between(task, task + 1);
    const theirMs = units / rate + thief.rttMs;
    if (hasCopy(state, job, task)) continue;
    if (!isStuck && (theirMs > leftMs * GAIN || !mayCopy(state, job, units))) continue;
    if (!isStuck) job.copiedUnits += units;
    const patienceMs = patience(state, theirMs);
    job.copies.set(task, { to: thief.face.peer, untilMs: state.nowMs + patienceMs });
    copies.push([task, task + 1]);
  }
  return IntervalSet.from(copies).intervals();
}

/** These came as copies: as long as their holder runs them, no third one is given from here. */
export function runsElsewhereToo(
  state: CoreState,
  job: JobBook,
  holder: PeerId,
  intervals: readonly Interval[],
): void {
  // Nobody is sent more copies than its slots can start.
  if (countTasks(intervals) > state.face.slots) return;
  for (const [start, end] of intervals) {
    for (let task = start; task < end; task++) {
      const perSlot = state.ownRate(job.header.rateKey) / Math.max(1, state.face.slots);
      const untilMs = state.nowMs + patience(state, job.costs.between(task, task + 1) / perSlot);
      job.copies.set(task, { to: holder, untilMs });
    }
  }
}

/** Those of the tasks that run elsewhere too. Whoever got one as any other would not know what it is, and a third might begin. */
export function copiesAmong(
  state: CoreState,
  job: JobBook,
  tasks: readonly Interval[],
): readonly Interval[] {
  if (job.copies.size === 0) return [];
  const copies = [...job.copies.keys()].filter((task) => hasCopy(state, job, task));
  return IntervalSet.from(copies.map((task): Interval => [task, task + 1]))
    .intersect(IntervalSet.from(tasks))
    .intervals();
}

/** What may be given away of what was taken for that; copies go back, for the slots here. */
export function withoutCopies(state: CoreState, job: JobBook, taken: Interval[]): Interval[] {
  const copies = copiesAmong(state, job, taken);
  if (copies.length === 0) return taken;
  job.queue.pushBottom(copies);
  const kept = IntervalSet.from(copies);
  return taken.flatMap((interval) => IntervalSet.from([interval]).subtract(kept).intervals());
}

/** Whether a peer may hold a task of the job that would end sooner here: worth one question. */
export function mayBeSlow(state: CoreState, job: JobBook, belief: Belief): boolean {
  const running = belief.progress.get(job.header.job)?.running ?? [];
  if (!job.isRunnable || running.length === 0 || !isCoarse(state, job)) return false;
  const rate = state.rateOn(belief, job) / Math.max(1, belief.face.slots);
  if (rate <= 0) return false;
  const theirMs = job.costs.meanUnits(0, 0) / rate;
  const hereMs = taskMsHere(state, job) + belief.rttMs;
  const sinceMs = state.nowMs - belief.unchangedSinceMs;
  return hereMs <= theirMs * GAIN || hereMs <= sinceMs * GAIN;
}

/** DESIGN: nothing finished for max(5 s, 4 x predicted) is no progress. */
function patience(state: CoreState, predictedMs: number): number {
  return Math.max(state.limits.progressMs, 4 * predictedMs);
}

function hasCopy(state: CoreState, job: JobBook, task: number): boolean {
  const copy = job.copies.get(task);
  if (copy === undefined) return false;
  return state.nowMs < copy.untilMs && state.beliefs.get(copy.to)?.state === 'ok';
}

function mayCopy(state: CoreState, job: JobBook, units: number): boolean {
  const own = job.costs.of(job.ledger.madeBy(state.self).union(job.running).intervals());
  const oneEach = state.face.slots * job.costs.meanUnits(0, 0);
  return job.copiedUnits + units <= Math.max(EXTRA_WORK_PART * own, oneEach);
}

interface Claimed {
  readonly task: number;
  /** ms until it should end here; of one that is overdue as long again as it took so far. */
  readonly leftMs: number;
  readonly isStuck: boolean;
}

/** What the slots run, the one that ends last first. */
function claimedTasks(state: CoreState, job: JobBook): Claimed[] {
  const claimed: Claimed[] = [];
  for (let slot = 0; slot < state.face.slots; slot++) {
    const claim = state.cursor.claimOf(slot);
    if (claim?.jobNumber !== job.jobNumber) continue;
    const open = IntervalSet.from(claim.intervals).intersect(job.running).intervals();
    const ageMs = state.atClaimMs(slot);
    let endsMs = 0;
    for (const [start, end] of open) {
      for (let task = start; task < end; task++) {
        const units = job.costs.between(task, task + 1);
        endsMs += units / (state.ownRate(job.header.rateKey) / Math.max(1, state.face.slots));
        const leftMs = endsMs > ageMs ? endsMs - ageMs : ageMs;
        claimed.push({ task, leftMs, isStuck: ageMs > patience(state, endsMs) });
      }
    }
  }
  return claimed.toSorted((a, b) => b.leftMs - a.leftMs || a.task - b.task);
}
