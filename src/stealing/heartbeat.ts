// What a peer says of itself four times a second: enough for others to aim a steal, rank a share and notice
// that nobody claims a task.
import type { Belief } from './beliefs.ts';
import type { Custody } from './custody.ts';
import { countTasks, type Interval, IntervalSet } from '../deque/interval-set.ts';
import type { JobBook } from './job-book.ts';
import type { Heartbeat, JobProgress } from './messages.ts';
import type { CoreState } from './state.ts';

/** Jobs that a heartbeat speaks of, the oldest first. Work of a job that nobody speaks of is asked for by a census. */
const TOLD_JOBS_MAX = 1_024;

type Portrait = Omit<Heartbeat, 'echoSentMs' | 'echoAgeMs'>;

/** Tasks that slots run, up to which a heartbeat names them: with shorter tasks it would be stale on arrival. */
const NAMED_TASKS_MAX = 256;

/** The part that is the same for everybody. */
export function portraitOf(state: CoreState, custody: Custody): Portrait {
  const activeJobs = state.activeJobs().slice(0, TOLD_JOBS_MAX);
  return {
    kind: 'heartbeat',
    sentMs: state.nowMs,
    slots: state.face.slots,
    busySlots: busySlots(state),
    backlogMs: state.unclaimedMs(),
    draining: !state.takesWork,
    rates: state.toldRates(),
    jobs: activeJobs.map((job) => ({
      job: job.header.job,
      backlogWork: state.backlogWork(job),
      heldTasks: job.heldCount + countTasks(custody.unconfirmedOf(job)),
      countedTasks: job.ledger.counted.count,
      steals: job.steals,
      messages: job.messages,
      resultMessages: job.resultMessages,
      ...claimedOf(state, job),
      ...(job.endMs > state.nowMs ? { restMs: job.endMs - state.nowMs } : {}),
    })),
    done: state.done,
    failed: state.failed,
    stole: state.stole,
    gave: state.gave,
    donePerSec: state.recent.donePerSec(state.nowMs),
    recentUnits: state.recent.units(state.nowMs),
  };
}

export function heartbeatOf(portrait: Portrait, to: Belief): Heartbeat {
  const echoAgeMs = to.beat === undefined ? 0 : portrait.sentMs - to.beatMs;
  return { ...portrait, echoSentMs: to.beat?.sentMs ?? 0, echoAgeMs };
}

/** What the slots run of a job, and what of it runs apart, claimed or about to be. */
function claimedOf(state: CoreState, job: JobBook): Pick<JobProgress, 'running' | 'apart'> {
  const open = state.windowJob() === job ? state.cursor.remaining() : 0;
  const claimed = job.running.count - open;
  const apart = job.apart.isEmpty ? [] : job.running.intersect(job.apart).intervals();
  const few = claimed > 0 && claimed <= NAMED_TASKS_MAX ? claims(state, job) : [];
  return {
    ...(few.length > 0 ? { running: few } : {}),
    ...(apart.length > 0 ? { apart } : {}),
  };
}

function claims(state: CoreState, job: JobBook): readonly Interval[] {
  let tasks = new IntervalSet();
  for (let slot = 0; slot < state.face.slots; slot++) {
    const claim = state.cursor.claimOf(slot);
    if (claim?.jobNumber === job.jobNumber) tasks = tasks.union(claim.intervals);
  }
  return tasks.intersect(job.running).intervals();
}

/** Slots with a claim: exact when tasks are long, and near enough when they are short. */
export function busySlots(state: CoreState): number {
  let claimed = -state.cursor.remaining();
  for (const job of state.jobs.awake()) claimed += job.running.count;
  return Math.max(0, Math.min(state.face.slots, claimed));
}

export function hasIdleSlot(state: CoreState): boolean {
  return busySlots(state) < state.face.slots;
}
