// Giving work away: answering a steal, feeding armed lifelines, and seeding, which is feeding everybody who
// was idle when the job came. Work is taken from the top of the deque, then from the far end of the window
// that the slots claim from; a claimed micro-batch is never touched.
import { type Interval, countTasks } from '../deque/interval-set.ts';
import type { Belief } from './beliefs.ts';
import { ratesOf } from './beliefs.ts';
import type { Custody } from './custody.ts';
import type { PeerId } from './ids.ts';
import type { JobBook } from './job-book.ts';
import type { Batch, Rate, RefusalReason } from './messages.ts';
import { equalFinishWork, seedShares, tasksForWork } from './share.ts';
import type { CoreState } from './state.ts';
import { microBatchMs, shrinkWindow } from './windows.ts';

export class Victim {
  readonly #state: CoreState;
  readonly #custody: Custody;

  constructor(state: CoreState, custody: Custody) {
    this.#state = state;
    this.#custody = custody;
  }

  /** One round trip: the answer is work, or a refusal with its reason. */
  asked(
    from: PeerId,
    ask: { request: number; rates: readonly Rate[]; slots: number; backlogMs: number },
  ): void {
    const belief = this.#state.beliefs.get(from);
    if (belief === undefined) return;
    belief.rates = ratesOf(ask.rates);
    const batches = this.#loot(belief, ask.backlogMs);
    if (Array.isArray(batches)) this.#custody.grant(from, ask.request, batches);
    else {
      const { request } = ask;
      this.#state.send(from, { kind: 'stealRefused', request, reason: batches });
    }
  }

  armed(from: PeerId, rates: readonly Rate[]): void {
    const belief = this.#state.beliefs.get(from);
    if (belief === undefined) return;
    belief.rates = ratesOf(rates);
    belief.armed = true;
  }

  /** Shares what is here with everybody who waits; called when work arrives and when tasks finish. */
  feed(): void {
    const waiting = this.#state.beliefs
      .ok()
      .filter((belief) => belief.armed && !belief.draining && belief.face.slots > 0);
    if (waiting.length === 0) return;
    for (const job of this.#state.activeJobs()) this.#feedFrom(job, waiting);
  }

  #feedFrom(job: JobBook, waiting: readonly Belief[]): void {
    const state = this.#state;
    const hungry = waiting.filter((belief) => belief.armed && this.#isWorthAGrant(job, belief));
    if (hungry.length === 0) return;
    const { rateKey } = job.header;
    const here = { backlogWork: state.backlogWork(job), rate: state.ownRate(rateKey) };
    const shares = seedShares(
      here,
      hungry.map((belief) => ({ backlogWork: 0, rate: state.beliefs.rateOf(belief, rateKey) })),
    );
    for (const [i, belief] of hungry.entries()) {
      const intervals = this.#take(job, shares[i] ?? 0);
      if (intervals.length === 0) continue;
      this.#custody.grant(belief.face.peer, 0, [{ job: job.header.job, intervals }]);
    }
  }

  /** A job too short to be worth the way stays here: it ends here before the first row could come back. */
  #isWorthAGrant(job: JobBook, belief: Belief): boolean {
    const state = this.#state;
    const ms = state.unclaimedWork(job) / state.ownRate(job.header.rateKey);
    return ms > state.limits.prefetchRoundTrips * belief.rttMs;
  }

  #loot(thief: Belief, thiefBacklogMs: number): Batch[] | RefusalReason {
    const state = this.#state;
    if (thief.draining) return 'draining';
    let leftMs = thiefBacklogMs;
    let hasWork = false;
    for (const job of state.activeJobs()) {
      const { rateKey } = job.header;
      const rate = state.beliefs.rateOf(thief, rateKey);
      const unclaimed = state.unclaimedWork(job);
      if (unclaimed === 0 || rate === 0) continue;
      hasWork = true;
      const units = equalFinishWork(
        { backlogWork: state.backlogWork(job), rate: state.ownRate(rateKey) },
        { backlogWork: leftMs * rate, rate },
      );
      if (this.#isTooSmall(job, units, thief)) continue;
      const intervals = this.#take(job, units);
      if (intervals.length > 0) return [{ job: job.header.job, intervals }];
      leftMs = Math.max(0, leftMs - unclaimed / rate);
    }
    return hasWork ? 'tooSmall' : 'empty';
  }

  /** A steal should keep the thief busy for a few round trips; in the tail, where less is left than that,
   * one task is enough, and a thief that can start it now gets it. */
  #isTooSmall(job: JobBook, units: number, thief: Belief): boolean {
    const state = this.#state;
    const rate = state.beliefs.rateOf(thief, job.header.rateKey);
    const grain = state.limits.grainRoundTrips * thief.rttMs * rate;
    const tailMs = 4 * microBatchMs(state, job);
    const isTail = state.unclaimedWork(job) / state.ownRate(job.header.rateKey) <= tailMs;
    return units <= 0 || (units < grain && !isTail);
  }

  /** Takes about `units` from the top of the deque, then from the window. */
  #take(job: JobBook, units: number): Interval[] {
    if (units <= 0) return [];
    const queued = job.queue.intervals();
    const queuedUnits = job.costs.of(queued);
    const fromQueue =
      queuedUnits <= units ? job.queue.taskCount : tasksForWork(job.costs, queued, units);
    const taken = job.queue.stealTop(fromQueue);
    const left = units - queuedUnits;
    if (left > 0) {
      const perTask = job.runningMeanUnits();
      taken.push(...shrinkWindow(this.#state, job, Math.round(left / perTask)));
    }
    return countTasks(taken) > 0 ? taken : [];
  }
}
