// Going in peace: the queue goes to those who stay, claimed tasks end, rows reach their second disk, and only
// then does the peer say goodbye. Whoever just dies is found by a census; this way nobody has to look.
import { copiesAmong } from './copies.ts';
import type { Custody } from './custody.ts';
import type { Input } from './input.ts';
import type { JobBook } from './job-book.ts';
import type { Recording } from './recording.ts';
import { tasksForWork } from './share.ts';
import type { CoreState } from './state.ts';
import { closeWindow } from './windows.ts';

type StepBack = Extract<
  Input,
  { readonly kind: 'drainRequested' | 'sparingRequested' | 'leaveRequested' }
>;

/** A peer that works less than it could, or no more. */
export function stepBack(state: CoreState, wish: StepBack): void {
  switch (wish.kind) {
    case 'drainRequested':
      state.isDraining = wish.isWanted || state.isLeaving;
      return;
    case 'sparingRequested':
      state.isSparing = wish.isWanted;
      return;
    case 'leaveRequested':
      state.isDraining = true;
      state.isLeaving = true;
  }
}

export class Leaving {
  readonly #state: CoreState;
  readonly #custody: Custody;
  readonly #recording: Recording;
  #hasLeft = false;

  constructor(state: CoreState, custody: Custody, recording: Recording) {
    this.#state = state;
    this.#custody = custody;
    this.#recording = recording;
  }

  /** Grants the whole queue to the peers that can run it, by their rates. */
  #giveBack(job: JobBook): void {
    const state = this.#state;
    closeWindow(state, job);
    job.queue.pushBottom(job.retries.intervals());
    for (const [start, end] of job.retries.intervals()) job.retries.remove(start, end);
    // Whose second copies these are runs them anyway.
    job.queue.removeAll(copiesAmong(state, job, job.queue.intervals()));
    const takers = state.beliefs
      .ok()
      .filter((belief) => !belief.draining && state.rateOn(belief, job) > 0);
    const rates = takers.map((belief) => state.rateOn(belief, job));
    let ratesLeft = rates.reduce((sum, rate) => sum + rate, 0);
    for (const [i, belief] of takers.entries()) {
      const queued = job.queue.intervals();
      const units = (job.costs.of(queued) * (rates[i] ?? 0)) / ratesLeft;
      ratesLeft -= rates[i] ?? 0;
      const isLast = i === takers.length - 1;
      const tasks = isLast ? job.queue.taskCount : tasksForWork(job.costs, queued, units);
      const intervals = job.queue.stealTop(tasks);
      if (intervals.length === 0) continue;
      this.#custody.grant(belief.face.peer, { request: 0, why: 'handBack' }, job, intervals);
    }
  }

  /** What came to a queue that nothing here will run goes on; with nobody to take it, it waits. */
  #passOn(): void {
    const state = this.#state;
    for (const job of state.activeJobs()) {
      const isStranded = state.isDraining || job.isStranded;
      if (isStranded && job.holdsTasks) this.#giveBack(job);
    }
  }

  /** Says goodbye once nothing depends on this peer any more. */
  look(): void {
    const state = this.#state;
    if (this.#hasLeft) return;
    this.#passOn();
    if (!state.isLeaving) return;
    const isBusy = state.activeJobs().some((job) => !job.running.isEmpty);
    const others = state.beliefs.ok().length;
    if (isBusy || (others > 0 && this.#custody.hasUnconfirmed) || !this.#recording.isSettled)
      return;
    this.#hasLeft = true;
    state.broadcast({ kind: 'leaving' });
    state.emit({ kind: 'finishLeaving' });
  }
}
