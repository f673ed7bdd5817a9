// Taking what was granted: known by its number, confirmed even when it is known already, and queued where it does
// not stand in front of what this peer runs next.
import { validIntervals } from '../deque/interval-set.ts';
import { runsElsewhereToo } from './copies.ts';
import type { Custody } from './custody.ts';
import type { PeerId } from './ids.ts';
import type { Message } from './messages.ts';
import type { CoreState } from './state.ts';
import type { Thief } from './thief.ts';
import type { Victim } from './victim.ts';

interface Rooms {
  readonly custody: Custody;
  readonly thief: Thief;
  readonly victim: Victim;
}

export class Receiving {
  readonly #state: CoreState;
  readonly #rooms: Rooms;

  constructor(state: CoreState, rooms: Rooms) {
    this.#state = state;
    this.#rooms = rooms;
  }

  granted(from: PeerId, incarnation: number, grant: Extract<Message, { kind: 'grant' }>): void {
    const state = this.#state;
    const books = grant.batches.map((batch) => ({ batch, job: state.jobs.get(batch.job) }));
    // A job that is not known yet: without a confirmation the victim will send the grant again.
    if (books.some(({ job }) => job === undefined)) return;
    const isNew = this.#rooms.custody.accept(from, incarnation, grant.grant);
    state.send(from, { kind: 'grantConfirmed', grant: grant.grant });
    if (!isNew) return;
    this.#rooms.thief.granted(from, grant.request);
    for (const { batch, job } of books) {
      if (!job?.isActive || !validIntervals(batch.intervals, job.header.taskCount)) continue;
      if (grant.again === true) {
        job.examineFor(from, batch.intervals);
        continue;
      }
      if (grant.copy === true) runsElsewhereToo(state, job, from, batch.intervals);
      const taken = job.enqueue(batch.intervals, 'top');
      if (taken === 0) continue;
      state.stole += taken;
      state.steals.add({
        atMs: state.nowMs,
        thief: state.self,
        victim: from,
        outcome: 'granted',
        why: grant.request === 0 ? 'given' : 'asked',
        job: batch.job,
        tasks: taken,
        work: job.costs.of(batch.intervals),
      });
      if (grant.request === 0 && job.steals === 0) this.#rooms.victim.waveCame();
      this.#rooms.thief.gotWork();
    }
  }
}
