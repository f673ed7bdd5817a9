// What a peer says of itself four times a second: enough for others to aim a steal, rank a share and notice
// that nobody claims a task.
import type { Belief } from './beliefs.ts';
import type { Custody } from './custody.ts';
import { countTasks } from '../deque/interval-set.ts';
import type { Heartbeat } from './messages.ts';
import type { CoreState } from './state.ts';

export function heartbeatOf(state: CoreState, to: Belief, custody: Custody): Heartbeat {
  const activeJobs = state.activeJobs();
  return {
    kind: 'heartbeat',
    sentMs: state.nowMs,
    echoSentMs: to.beat?.sentMs ?? 0,
    echoAgeMs: to.beat === undefined ? 0 : state.nowMs - to.beatMs,
    slots: state.face.slots,
    busySlots: busySlots(state),
    backlogMs: state.unclaimedMs(),
    draining: state.isDraining,
    rates: state.toldRates(),
    jobs: activeJobs.map((job) => ({
      job: job.header.job,
      backlogWork: state.backlogWork(job),
      heldTasks: job.heldCount + countTasks(custody.unconfirmedOf(job)),
      countedTasks: job.ledger.counted.count,
      steals: job.steals,
      messages: job.messages,
    })),
    done: state.done,
    failed: state.failed,
    stole: state.stole,
    gave: state.gave,
    donePerSec: state.recent.donePerSec(state.nowMs),
    recentUnits: state.recent.units(state.nowMs),
  };
}

/** Slots with a claim: exact when tasks are long, and near enough when they are short. */
export function busySlots(state: CoreState): number {
  let claimed = -state.cursor.remaining();
  for (const job of state.jobs.values()) claimed += job.running.count;
  return Math.max(0, Math.min(state.face.slots, claimed));
}

export function hasIdleSlot(state: CoreState): boolean {
  return busySlots(state) < state.face.slots;
}
