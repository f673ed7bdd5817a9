// What a group of a larger mesh is told by whoever joins it to the others (tiers/): jobs and tasks come from beyond, and
// rows that the group has counted go there.
import { countTasks, IntervalSet } from '../deque/interval-set.ts';
import { unreachable } from '../invariant.ts';
import type { Greeting } from './greeting.ts';
import { endOfAllMs } from './horizon.ts';
import type { Input } from './input.ts';
import type { JobBook } from './job-book.ts';
import type { JobHeader } from './job.ts';
import type { Recording } from './recording.ts';
import type { CoreState } from './state.ts';

type Handed = Extract<
  Input,
  { readonly kind: 'jobHanded' | 'tasksHanded' | 'tasksAdopted' | 'rowsCounted' | 'speakerChosen' }
>;

export class Handing {
  readonly #state: CoreState;
  readonly #greeting: Greeting;
  readonly #recording: Recording;

  constructor(
    state: CoreState,
    rooms: { readonly greeting: Greeting; readonly recording: Recording },
  ) {
    this.#state = state;
    this.#greeting = rooms.greeting;
    this.#recording = rooms.recording;
  }

  take(input: Handed): void {
    switch (input.kind) {
      case 'jobHanded':
        return this.#jobHanded(input.header);
      case 'tasksHanded':
        return this.#tasksHanded(input);
      case 'tasksAdopted':
        return this.#tasksAdopted(input);
      case 'rowsCounted':
        return this.#rowsCounted(input);
      case 'speakerChosen':
        this.#state.speaker = input.peer;
        return;
      default:
        unreachable(input);
    }
  }

  #jobHanded(header: JobHeader): void {
    const job = this.#state.openBook(header);
    job.owesOffer = true;
    this.#greeting.load(job);
  }

  /** Everybody in the group gets its share at once: a wave, for nobody waits yet and all would ask soon. */
  #tasksHanded({ job: id, intervals, restMs }: Extract<Handed, { kind: 'tasksHanded' }>): void {
    const job = this.#state.jobs.get(id);
    if (!job?.isActive) return;
    job.endMs = this.#state.nowMs + restMs;
    for (const [start, end] of intervals) job.scope.add(start, end);
    job.enqueue(intervals, 'bottom');
    job.owesWave = true;
  }

  #tasksAdopted({ job: id, intervals }: Extract<Handed, { kind: 'tasksAdopted' }>): void {
    const job = this.#state.jobs.get(id);
    if (!job?.isActive) return;
    const known = job.ledger.present.union(job.queue.intervals()).union(job.retries);
    for (const [start, end] of IntervalSet.from(intervals).subtract(known).intervals())
      job.running.add(start, end);
  }

  #rowsCounted({ job: id, batches, busyMs }: Extract<Handed, { kind: 'rowsCounted' }>): void {
    const state = this.#state;
    const job = state.jobs.get(id);
    if (job === undefined) return;
    let units = 0;
    for (const batch of batches) {
      const { intervals } = batch;
      for (const [start, end] of intervals) job.running.remove(start, end);
      const tasks = countTasks(intervals);
      const work = job.costs.of(intervals);
      units += work;
      state.done += tasks;
      state.recent.add(state.nowMs, tasks, work);
      this.#recording.copied(job, batch);
      job.drop(intervals);
    }
    state.rates.measured(job.header.rateKey, units, busyMs);
    job.servedMs += busyMs;
  }
}

/** ms until everybody has run a job. Whoever speaks for this group knows of what lies beyond it, and says so; of the
 * others here only those count who have told what they have of it. */
export function restMs(state: CoreState, job: JobBook): number {
  const told = state.beliefs.ok().filter(({ progress }) => progress.has(job.header.job));
  const here = { backlogWork: state.backlogWork(job), rate: state.ownRate(job.header.rateKey) };
  let endMs = job.endMs - state.nowMs;
  for (const { progress, beatMs } of told) {
    const beyondMs = progress.get(job.header.job)?.restMs ?? 0;
    endMs = Math.max(endMs, beyondMs - (state.nowMs - beatMs));
  }
  return Math.max(endMs, endOfAllMs(state, job, here, told));
}

/** Units per ms of this peer and all that live, for one job. */
export function wholeRate(state: CoreState, job: JobBook): number {
  let rate = job.isStranded ? 0 : state.ownRate(job.header.rateKey);
  for (const belief of state.beliefs.live()) rate += state.rateOn(belief, job);
  return rate;
}
