// Between deque and slots: keeps a window open while there is something to run, and sizes the micro-batches
// that slots claim from it. The main thread never hands out single tasks; slots help themselves.
import { type Interval, IntervalSet } from '../deque/interval-set.ts';
import { WINDOW_SEGMENTS_MAX, WINDOW_TASKS_MAX } from '../deque/cursor.ts';
import { invariant } from '../invariant.ts';
import type { JobBook } from './job-book.ts';
import type { CoreState } from './state.ts';
import { admitToTurns, inTurn, outranks, turnTasks } from './turns.ts';

/** Opens the next window when the slots have claimed all of the last one, or when another job's turn has come:
 * what is unclaimed then goes back, so that a job waits for one micro-batch and not for a window. */
export function refillWindow(state: CoreState): void {
  if (state.isDraining) return;
  admitToTurns(state);
  const next = inTurn(state).find((job) => canOpen(state, job));
  if (next === undefined) return;
  const current = state.windowJob();
  if (current !== undefined) {
    if (current === next || !outranks(state, next, current)) return;
    closeWindow(state, current);
  }
  if (openRetry(state, next) || openRechecks(state, next)) return;
  if (next.queue.taskCount === 0) return;
  const tasks = turnTasks(state, next, WINDOW_TASKS_MAX);
  const intervals = next.queue.popBottom(tasks, WINDOW_SEGMENTS_MAX);
  open(state, next, intervals, microBatchTasks(state, next, intervals));
}

/** Whether a window of this job could be opened now. */
export function canOpen(state: CoreState, job: JobBook): boolean {
  if (!job.isRunnable || !job.hasWaiting) return false;
  return job.queue.taskCount > 0 || !job.rechecks.isEmpty || !waitsToBeAlone(state, job);
}

/** Tasks that run apart on several slots die together when one of them takes the process along. On its last attempt
 * a task is the only suspicious one that runs here, so that none is given up for its company. */
function waitsToBeAlone(state: CoreState, job: JobBook): boolean {
  const company = job.running.intersect(job.apart);
  if (company.isEmpty) return false;
  return job.tries
    .tasks()
    .filter((task) => job.tries.total(task) >= state.limits.attemptsMax - 1)
    .some((task) => job.retries.has(task) || company.has(task));
}

/** Suspicious tasks run apart, in ever smaller groups, so that the next death tells more. The others are told
 * before it begins: a peer that dies over it tells them nothing. */
function openRetry(state: CoreState, job: JobBook): boolean {
  const first = job.retries.intervals()[0];
  if (first === undefined || waitsToBeAlone(state, job)) return false;
  let group = new IntervalSet();
  while (group.isEmpty && job.groups.length > 0) {
    group = (job.groups.shift() ?? group).intersect(job.retries);
  }
  const alone: Interval = [first[0], first[0] + 1];
  const intervals = group.isEmpty ? [alone] : group.intervals().slice(0, WINDOW_SEGMENTS_MAX);
  for (const [start, end] of intervals) job.retries.remove(start, end);
  open(state, job, intervals, Math.max(1, group.count));
  state.owesBeat = true;
  return true;
}

/** Rows of others that are compared; in company, for nothing is known to be wrong with them. */
function openRechecks(state: CoreState, job: JobBook): boolean {
  const some = job.rechecks.subtract(job.running).intervals().slice(0, WINDOW_SEGMENTS_MAX);
  if (some.length === 0) return false;
  for (const [start, end] of some) job.rechecks.remove(start, end);
  open(state, job, some, microBatchTasks(state, job, some));
  job.isRechecking = true;
  return true;
}

function open(
  state: CoreState,
  job: JobBook,
  intervals: readonly Interval[],
  microBatch: number,
): void {
  for (const [start, end] of intervals) {
    const fresh = job.running.add(start, end);
    invariant(fresh === end - start, 'a queued task is not running');
  }
  // Slots without a claim take theirs as soon as they wake.
  for (let slot = 0; slot < state.face.slots; slot++) {
    if (state.cursor.claimOf(slot) === undefined) state.claimsNow(slot);
  }
  job.isRechecking = false;
  state.cursor.open({ jobNumber: job.jobNumber, intervals, microBatchTasks: microBatch });
}

function microBatchTasks(state: CoreState, job: JobBook, intervals: readonly Interval[]): number {
  const rateKey = job.header.rateKey;
  const perSlotMs = state.rates.perSlotMs(rateKey);
  // Nothing measured yet: one task a claim finds out what it costs.
  if (perSlotMs === undefined) return 1;
  const [start, end] = intervals[0] ?? [0, 0];
  const units = job.costs.meanUnits(start, end);
  const tasks = Math.ceil((state.limits.microBatchMs * perSlotMs) / units);
  return Math.min(Math.max(1, tasks), state.limits.microBatchTasksMax);
}

/** A new rate was measured: claims of the open window follow it. */
export function resizeMicroBatch(state: CoreState, job: JobBook): void {
  if (state.windowJob() !== job) return;
  state.cursor.setMicroBatch(microBatchTasks(state, job, job.running.intervals()));
}

/** Expected ms of one micro-batch, at least. */
export function microBatchMs(state: CoreState, job: JobBook): number {
  const perSlotMs = state.rates.perSlotMs(job.header.rateKey) ?? state.limits.priorUnitsPerSlotMs;
  return Math.max(state.limits.microBatchMs, job.costs.meanUnits(0, 0) / perSlotMs);
}

/** Takes up to `tasks` back from the open window's far end, if the window is this job's. */
export function shrinkWindow(state: CoreState, job: JobBook, tasks: number): Interval[] {
  if (tasks <= 0 || state.windowJob() !== job || job.isRechecking) return [];
  return takeBack(state, job, tasks);
}

function takeBack(state: CoreState, job: JobBook, tasks: number): Interval[] {
  const taken = state.cursor.shrink(tasks);
  for (const [start, end] of taken) job.running.remove(start, end);
  return taken;
}

/** Everything unclaimed of this job goes back from the window into its queue. */
export function closeWindow(state: CoreState, job: JobBook): void {
  const taken = state.windowJob() === job ? takeBack(state, job, WINDOW_TASKS_MAX) : [];
  const open = IntervalSet.from(taken).subtract(job.ledger.present);
  // A row that is here runs only to be compared, and its turn comes again.
  const known = IntervalSet.from(taken).intersect(job.ledger.present).intervals();
  for (const [start, end] of job.compared(known).intervals()) job.rechecks.add(start, end);
  const suspicious = open.intersect(job.apart);
  for (const [start, end] of suspicious.intervals()) job.retries.add(start, end);
  if (!suspicious.isEmpty) job.groups.push(suspicious);
  job.queue.pushBottom(open.subtract(suspicious).intervals());
}
