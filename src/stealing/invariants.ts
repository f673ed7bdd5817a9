// What must hold in a core between any two facts. The simulator and the unit tests ask after every step.
import { invariant } from '../invariant.ts';
import type { CoreState } from './state.ts';
import { priorityOf } from './turns.ts';
import { canOpen } from './windows.ts';

/** Throws when something does not hold. */
export function checkState(state: CoreState): void {
  const open = state.windowJob();
  state.jobs.check();
  for (const job of state.jobs.values()) {
    const { ledger, running, retries, queue } = job;
    invariant(queue.isApartFrom(running), 'a task is queued or running, not both');
    invariant(queue.isApartFrom(retries), 'a task is queued or retried, not both');
    invariant(running.isApartFrom(retries), 'a task is running or retried, not both');
    invariant(ledger.counted.isWithin(ledger.present), 'what counts is present');
    invariant(job.isActive || !job.holdsTasks || !running.isEmpty, 'an ended job queues nothing');
    const isPassedOver =
      open !== undefined && canOpen(state, job) && priorityOf(job) > priorityOf(open);
    invariant(!isPassedOver || state.isDraining, 'a higher priority runs first');
  }
}
