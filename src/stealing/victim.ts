// Giving work away: answering a steal, feeding armed lifelines, and seeding, which is feeding everybody who
// was idle when the job came. Work is taken from the top of the deque, then from the far end of the window
// that the slots claim from; a claimed micro-batch is never touched.
import { type Interval, countTasks } from '../deque/interval-set.ts';
import type { Belief } from './beliefs.ts';
import { ratesOf } from './beliefs.ts';
import { copiesFor, withoutCopies } from './copies.ts';
import type { Custody } from './custody.ts';
import { busySlots } from './heartbeat.ts';
import {
  afterJob,
  claimsEndMs,
  dealTasks,
  endOfAllMs,
  isCoarse,
  isFew,
  type SlotSide,
  slotSpeeds,
  taskMsBySlot,
  taskMsHere,
  unclaimedTasks,
} from './horizon.ts';
import type { PeerId } from './ids.ts';
import type { JobBook } from './job-book.ts';
import type { Message, RefusalReason } from './messages.ts';
import type { StealReason } from './steal-log.ts';
import { stratify } from './stratify.ts';
import { equalFinishWork, seedShares, type Side, tasksForWork } from './share.ts';
import { mayRunOn } from './places.ts';
import type { CoreState } from './state.ts';
import { FULL_GRAPH_PEERS } from './thief.ts';
import { inTurn, priorityOf } from './turns.ts';
import { microBatchMs, shrinkWindow } from './windows.ts';

type Ask = Extract<Message, { kind: 'stealRequest' }>;

interface Loot {
  readonly job: JobBook;
  readonly intervals: readonly Interval[];
}

export class Victim {
  readonly #state: CoreState;
  readonly #custody: Custody;

  constructor(state: CoreState, custody: Custody) {
    this.#state = state;
    this.#custody = custody;
  }

  /** One round trip: the answer is work, or a refusal with its reason. */
  asked(from: PeerId, ask: Ask): void {
    const belief = this.#state.beliefs.get(from);
    if (belief === undefined) return;
    belief.rates = ratesOf(ask.rates);
    const { request } = ask;
    const loot = this.#loot(belief, ask);
    const copies = typeof loot === 'string' ? this.#copies(belief, ask.idleSlots ?? 0) : undefined;
    if (copies !== undefined) {
      this.#custody.grant(from, { request, why: 'copy' }, copies.job, copies.intervals);
    } else if (typeof loot === 'string') {
      this.#refused(from, loot);
      this.#state.send(from, { kind: 'stealRefused', request, reason: loot });
    } else {
      this.#custody.grant(from, { request, why: 'asked' }, loot.job, loot.intervals);
    }
  }

  #refused(thief: PeerId, why: RefusalReason): void {
    const { nowMs, self, steals } = this.#state;
    const entry = { thief, victim: self, outcome: 'refused', why, job: undefined } as const;
    steals.add({ atMs: nowMs, ...entry, tasks: 0, work: 0 });
  }

  armed(from: PeerId, { rates, freeMs }: Extract<Message, { kind: 'lifelineArmed' }>): void {
    const belief = this.#state.beliefs.get(from);
    if (belief === undefined) return;
    belief.rates = ratesOf(rates);
    belief.freeMs = freeMs?.slice(0, belief.face.slots);
    belief.armedMs = this.#state.nowMs;
    belief.armed = true;
  }

  /** The first batch of a job came unasked: its sender fed everybody who waited. While everybody is everybody's
   * neighbour, who waits here got its share too, and passing on ours would only make it travel. */
  waveCame(): void {
    const all = this.#state.beliefs.all();
    if (all.length >= FULL_GRAPH_PEERS) return;
    for (const belief of all) belief.armed = false;
  }

  /** Shares what is here with everybody who waits; called when work arrives and when tasks finish. */
  feed(): void {
    if (this.#state.activeJobs().length === 0) return;
    const takers = this.#state.beliefs
      .ok()
      .filter((belief) => !belief.draining && belief.face.slots > 0);
    if (takers.length === 0) return;
    const jobs = inTurn(this.#state);
    for (const job of jobs) {
      // Before the slots know a job its costs are not known, and so no share of it.
      if (job.work === undefined || !job.isActive) continue;
      // On a mesh that is busy with other jobs nobody waits, and yet a new one is everybody's business. What is handed
      // to a group is for all of it: nobody waits there yet, and everybody would ask soon.
      const isInTiers = this.#state.isPart || this.#state.isGroup;
      const isForAll = job.owesWave && (jobs.length > 1 || isInTiers);
      const why = job.owesWave ? 'seed' : 'lifeline';
      job.owesWave = false;
      this.#feedFrom(
        job,
        why,
        takers.filter((belief) => belief.armed || isForAll),
      );
    }
  }

  #feedFrom(job: JobBook, why: StealReason, waiting: readonly Belief[]): void {
    const hungry = waiting.filter(
      (belief) => this.#state.rateOn(belief, job) > 0 && this.#isWorthAGrant(job, belief),
    );
    if (hungry.length === 0) return;
    const dealt = this.#deal(job, hungry);
    const shares = dealt === undefined ? this.#shares(job, hungry) : [];
    const mixed = dealt === undefined ? this.#takeMixed(job, shares, this.#spareTasks(job)) : [];
    for (const [i, belief] of hungry.entries()) {
      const spare = this.#spareTasks(job);
      if (belief.freeMs !== undefined && Math.min(spare, dealt?.[i] ?? 0) > 0) {
        // Everybody with a task to spare hears this lifeline at once, and would send one for the same slot.
        belief.armed = false;
        belief.freeMs = undefined;
        this.#state.send(belief.face.peer, { kind: 'stealRefused', request: 0, reason: 'askMe' });
        continue;
      }
      const intervals =
        dealt === undefined
          ? (mixed?.[i] ?? this.#take(job, shares[i] ?? 0, spare))
          : this.#takeTasks(job, Math.min(spare, dealt[i] ?? 0));
      if (intervals.length === 0) continue;
      this.#custody.grant(belief.face.peer, { request: 0, why }, job, intervals);
    }
  }

  /** Units for each, by its rate. */
  #shares(job: JobBook, hungry: readonly Belief[]): number[] {
    const state = this.#state;
    const here = { backlogWork: state.backlogWork(job), rate: this.#rateHere(job) };
    const sides = hungry.map((belief) => {
      const rate = state.rateOn(belief, job);
      return { backlogWork: this.#aheadMs(job, belief) * rate + this.#heldWork(job, belief), rate };
    });
    const shares = seedShares(here, sides);
    const all = shares.reduce((sum, share) => sum + share, 0);
    const most = this.#surplus(job, here);
    return all <= most ? shares : shares.map((share) => (share * most) / all);
  }

  /** Units here above what this peer will have run when all that are known to work on the job are done. Whoever waits is
   * heard by all of them at once: if each gave half, a newcomer among ten would get as much as four of them have. */
  #surplus(job: JobBook, here: Side): number {
    return Math.max(
      0,
      here.backlogWork - endOfAllMs(this.#state, job, here, this.#state.beliefs.ok()) * here.rate,
    );
  }

  /** Tasks for each, where they are few and long, so that whole tasks on whole slots decide and not work. */
  #deal(job: JobBook, hungry: readonly Belief[]): number[] | undefined {
    const sides = hungry.map((belief) => {
      const idleMs = this.#state.nowMs - belief.armedMs;
      const { slots } = belief.face;
      const known = belief.armed ? belief.freeMs : undefined;
      const freeMs = known ?? Array.from({ length: slots }, () => this.#aheadMs(job, belief));
      return this.#slotSide(job, belief, known === undefined ? freeMs : after(freeMs, idleMs));
    });
    return this.#dealBetween(job, sides);
  }

  /** Tasks for one thief: what it would finish sooner than this peer, but no second round while others could take
   * them in their first. They may not come, or come later; what the thief can start at once it gets anyway. */
  #dealtTo(job: JobBook, thief: Belief, free: readonly number[] | undefined): number | undefined {
    const state = this.#state;
    if (free === undefined) return undefined;
    const side = this.#slotSide(job, thief, free.slice(0, thief.face.slots));
    const [alone] = this.#dealBetween(job, [side]) ?? [];
    if (alone === undefined) return undefined;
    const known = state.beliefs.ok();
    const others = (known.length < FULL_GRAPH_PEERS ? known : []).filter(
      (other) => other !== thief && !other.draining,
    );
    const rivals = others.map((other) => this.#slotSide(job, other, this.#guessFree(job, other)));
    const [amongAll = 0] = this.#dealBetween(job, [side, ...rivals]) ?? [];
    const soonMs = state.limits.prefetchRoundTrips * state.limits.microBatchMs + thief.rttMs;
    const startsSoon = side.freeMs.filter((ms) => ms <= soonMs + thief.rttMs).length;
    return Math.min(alone, Math.max(amongAll, startsSoon));
  }

  /** From its last word on this job, and what passed since. */
  #guessFree(job: JobBook, { progress, face, beatMs, rates }: Belief): number[] {
    const { rateKey } = job.header;
    const work = progress.get(job.header.job)?.backlogWork ?? 0;
    const rate = mayRunOn(job.header, face.peer)
      ? (rates.get(rateKey) ?? face.slots * this.#state.limits.priorUnitsPerSlotMs)
      : 0;
    const ms = rate > 0 ? Math.max(0, work / rate - (this.#state.nowMs - beatMs)) : Infinity;
    return Array.from({ length: face.slots }, () => ms);
  }

  #dealBetween(job: JobBook, sides: readonly SlotSide[]): number[] | undefined {
    const state = this.#state;
    if (!job.isRunnable || job.costs.isOrdered || !isCoarse(state, job)) return undefined;
    const tasks = unclaimedTasks(state, job);
    const freeMs = this.#freeHere(job);
    const speeds = slotSpeeds(state, job);
    const here = { freeMs, taskMs: taskMsBySlot(taskMsHere(state, job), freeMs.length, speeds) };
    if (!isFew(tasks, [here, ...sides])) return undefined;
    return dealTasks(tasks, [here, ...sides]).slice(1);
  }

  /** When the slots here are free for a job: after their claims and the jobs that go first. */
  #freeHere(job: JobBook): number[] {
    const state = this.#state;
    let freeMs = claimsEndMs(state);
    for (const other of inTurn(state)) {
      if (other === job) break;
      freeMs = afterJob(state, other, freeMs);
    }
    return freeMs;
  }

  /** A task that travels starts a round trip later, at best. */
  #slotSide(job: JobBook, belief: Belief, freeMs: readonly number[]): SlotSide {
    const perSlot = this.#state.rateOn(belief, job) / Math.max(1, belief.face.slots);
    const taskMs = perSlot > 0 ? job.costs.meanUnits(0, 0) / perSlot : Number.POSITIVE_INFINITY;
    return {
      freeMs: freeMs.map((ms) => ms + belief.rttMs),
      taskMs: taskMsBySlot(taskMs, freeMs.length),
    };
  }

  /** ms for which that peer is busy with jobs that go first there. */
  #aheadMs(job: JobBook, belief: Belief): number {
    let ms = 0;
    for (const [id, { backlogWork }] of belief.progress) {
      const other = this.#state.jobs.get(id);
      if (other === undefined || belief.armed || priorityOf(other) <= priorityOf(job)) continue;
      ms += backlogWork / Math.max(1e-9, this.#state.rateOn(belief, other));
    }
    return ms;
  }

  /** Units of the job that a peer which does not wait still has by now, as it told last. */
  #heldWork(job: JobBook, belief: Belief): number {
    if (belief.armed) return 0;
    const { progress, beatMs } = belief;
    const told = progress.get(job.header.job)?.backlogWork ?? 0;
    return Math.max(0, told - this.#state.rateOn(belief, job) * (this.#state.nowMs - beatMs));
  }

  /** A peer that waits for the job's data finishes nothing: whoever can run it gets all of it. */
  #rateHere(job: JobBook): number {
    if (job.isBarred || this.#state.lacksData(job)) return 0;
    return this.#state.ownRate(job.header.rateKey);
  }

  /** A job too short to be worth the way stays here: it ends here before the first row could come back. */
  #isWorthAGrant(job: JobBook, belief: Belief): boolean {
    const state = this.#state;
    const ms = state.unclaimedWork(job) / state.ownRate(job.header.rateKey);
    return ms > state.limits.prefetchRoundTrips * belief.rttMs;
  }

  #loot(thief: Belief, ask: Ask): Loot | RefusalReason {
    const state = this.#state;
    if (thief.draining) return 'draining';
    let leftMs = ask.backlogMs;
    let hasWork = false;
    for (const job of inTurn(state)) {
      if (ask.job !== undefined && job.header.job !== ask.job) continue;
      const rate = state.rateOn(thief, job);
      const unclaimed = state.unclaimedWork(job);
      if (unclaimed === 0 || rate === 0) continue;
      hasWork = true;
      const dealt = this.#dealtTo(job, thief, ask.freeMs);
      if (dealt !== undefined) {
        const intervals = this.#takeTasks(job, Math.min(dealt, this.#spareTasks(job)));
        if (intervals.length > 0) return { job, intervals };
        continue;
      }
      const units = equalFinishWork(
        { backlogWork: state.backlogWork(job), rate: this.#rateHere(job) },
        { backlogWork: leftMs * rate, rate },
      );
      if (this.#isTooSmall(job, units, thief)) continue;
      // While the job's data is on its way here, a thief that has it already may take everything.
      const spare = job.isRunnable ? this.#spareTasks(job) : job.header.taskCount;
      const intervals = this.#take(job, units, spare);
      if (intervals.length > 0) return { job, intervals };
      leftMs = Math.max(0, leftMs - unclaimed / rate);
    }
    return hasWork ? 'tooSmall' : 'empty';
  }

  /** Second copies of what runs here, for a thief that found nothing else. */
  #copies(thief: Belief, idleSlots: number): Loot | undefined {
    if (thief.draining) return undefined;
    for (const job of inTurn(this.#state)) {
      const intervals = copiesFor(this.#state, job, thief, idleSlots);
      if (intervals.length > 0) return { job, intervals };
    }
    return undefined;
  }

  /** A steal should keep the thief busy for a few round trips; in the tail, where less is left than that,
   * one task is enough, and a thief that can start it now gets it. */
  #isTooSmall(job: JobBook, units: number, thief: Belief): boolean {
    const state = this.#state;
    const rate = state.rateOn(thief, job);
    const grain = state.limits.grainRoundTrips * thief.rttMs * rate;
    const tailMs = 4 * microBatchMs(state, job);
    const isTail = state.unclaimedWork(job) / state.ownRate(job.header.rateKey) <= tailMs;
    return units <= 0 || (units < grain && !isTail);
  }

  /** Unclaimed tasks that no idle slot here will start in a moment. Whoever gives more than these only makes
   * tasks travel: from peer to peer, as each that gets one has idle slots and idle neighbours. */
  #spareTasks(job: JobBook): number {
    const state = this.#state;
    const inWindow = state.windowJob() === job ? state.cursor.remaining() : 0;
    const idleSlots = job.isStranded ? 0 : state.face.slots - busySlots(state) - idleAside(state);
    return Math.max(0, job.queue.taskCount + inWindow - idleSlots);
  }

  /** Takes about `units`, but one task at least and `tasksMax` at most, from the top of the deque, then from
   * the window. */
  #take(job: JobBook, units: number, tasksMax: number): Interval[] {
    if (!(units > 0) || tasksMax <= 0) return [];
    const [mixed = []] = this.#takeMixed(job, [units], tasksMax) ?? [];
    if (mixed.length > 0) return mixed;
    const queued = job.queue.intervals();
    const queuedUnits = job.costs.of(queued);
    const isAll = queuedUnits <= units;
    const fromQueue = isAll ? job.queue.taskCount : tasksForWork(job.costs, queued, units);
    const atLeast = Math.min(1, job.queue.taskCount);
    const taken = job.queue.stealTop(Math.min(tasksMax, Math.max(atLeast, fromQueue)));
    const room = tasksMax - countTasks(taken);
    const left = isAll ? Math.round((units - queuedUnits) / job.runningMeanUnits()) : 0;
    const least = taken.length === 0 ? 1 : 0;
    taken.push(...shrinkWindow(this.#state, job, Math.min(room, Math.max(least, left))));
    return withoutCopies(this.#state, job, taken);
  }

  /** Of unequal tasks long and short ones for everybody, at most `tasksMax` together; undefined where all are alike, or
   * where the queue has none to give. */
  #takeMixed(job: JobBook, shares: readonly number[], tasksMax: number): Interval[][] | undefined {
    const { queue, costs } = job;
    if (!costs.isOrdered || queue.taskCount === 0 || tasksMax <= 0) return undefined;
    const kept = Math.max(0, queue.taskCount - tasksMax);
    const mixed = stratify(costs, queue.intervals(), { shares, kept });
    queue.removeAll(mixed.flat());
    return mixed.map((part) => withoutCopies(this.#state, job, part));
  }

  #takeTasks(job: JobBook, tasks: number): Interval[] {
    if (tasks <= 0) return [];
    const taken = job.queue.stealTop(tasks);
    taken.push(...shrinkWindow(this.#state, job, tasks - countTasks(taken)));
    return withoutCopies(this.#state, job, taken);
  }
}

/** Idle slots that leave the last tasks to others: none of them starts one in a moment. */
function idleAside({ aside, cursor }: CoreState): number {
  return [...aside].filter((slot) => cursor.claimOf(slot) === undefined).length;
}

/** `freeMs` as it is `ms` later. */
function after(freeMs: readonly number[], ms: number): number[] {
  return freeMs.map((free) => Math.max(0, free - ms));
}
