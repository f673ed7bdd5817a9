// When a task that comes now would start here: each slot ends what it has claimed, then what is queued goes to
// whichever slot is free first. With tasks much shorter than the queue a sum of work says the same; with a few
// long tasks it does not: half a round of work on ten slots is no work for five of them and a whole task for
// the others, and a task that is fetched too early waits here while a slot elsewhere is free.
import { IntervalSet } from '../deque/interval-set.ts';
import type { Belief } from './beliefs.ts';
import type { JobBook } from './job-book.ts';
import type { Side } from './share.ts';
import type { CoreState } from './state.ts';

/** Tasks per slot up to which they are counted one by one; with more, a round is a few percent of the whole. */
const ROUNDS_MAX = 16;

/** Tasks times sides up to which dealing takes a millisecond or two; a larger mesh shares by work. */
const DEALS_MAX = 200_000;

/** Ends that differ by less are equal: no clock of a peer is better. */
const TIE_MS = 1;

/** Times its prediction up to which a claim is late by what a prediction may err, and ends in a moment. Beyond that its
 * slot is slow: it takes as long again as it took so far. */
const LATE = 1.25;

/** Part of the fastest slot's speed from which all are taken for equal: no two of one kind measure the same. */
const EQUAL = 0.8;

/** One slot of this peer, and what is known of its speed. */
export interface SlotOutlook {
  readonly slot: number;
  readonly isIdle: boolean;
  /** ms for which it has been at its claim, or idle. */
  readonly sinceMs: number;
  /** ms until it has run what it claimed. */
  readonly freeMs: number;
  /** Of the job that was asked for. */
  readonly unitsPerMs: number;
  /** Measured lately, or overdue by much; else as fast as all slots are on average. */
  readonly isKnown: boolean;
  /** ms until its claim is overdue, if it does not end before; Infinity: it is so by now, or nothing is claimed. */
  readonly lateInMs: number;
}

/** One peer as a list of slots: when each is free, and how long a task takes on it. */
export interface SlotSide {
  readonly freeMs: readonly number[];
  readonly taskMs: readonly number[];
}

/** `taskMs` on a peer's average slot, by slot. `speeds` as `slotSpeeds` gives them. */
export function taskMsBySlot(taskMs: number, slots: number, speeds?: readonly number[]): number[] {
  return Array.from({ length: slots }, (_, slot) => taskMs / (speeds?.[slot] ?? 1));
}

/** ms of one task of a job on a slot of this peer. */
export function taskMsHere(state: CoreState, job: JobBook): number {
  const rate = state.ownRate(job.header.rateKey) / Math.max(1, state.face.slots);
  return job.costs.meanUnits(0, 0) / rate;
}

/** Whether a single task is longer than a micro-batch should be, so that slots and not work are to be counted. */
export function isCoarse(state: CoreState, job: JobBook): boolean {
  return taskMsHere(state, job) > state.limits.microBatchMs;
}

/** Units per ms that a slot of this peer has for a job, and whether that is its own. */
function speedOf(state: CoreState, job: JobBook, slot: number): [number, boolean] {
  const { rateKey } = job.header;
  const mean = state.ownRate(rateKey) / Math.max(1, state.face.slots);
  const own = state.slotSpeeds.of(rateKey, slot, { ms: state.nowMs, mean });
  return [own ?? mean, own !== undefined];
}

/** Each slot of this peer, as it looks to who has tasks of `job` to start. */
export function outlookFor(state: CoreState, job: JobBook): SlotOutlook[] {
  return Array.from({ length: state.face.slots }, (_, slot) => outlookOf(state, job, slot));
}

function outlookOf(state: CoreState, job: JobBook, slot: number): SlotOutlook {
  const [unitsPerMs, isKnown] = speedOf(state, job, slot);
  const sinceMs = state.atClaimMs(slot);
  const claim = state.cursor.claimOf(slot);
  const claimed = claim === undefined ? undefined : state.jobByNumber(claim.jobNumber);
  if (claim === undefined || claimed === undefined) {
    const isIdle = claim === undefined;
    return { slot, isIdle, sinceMs, freeMs: 0, unitsPerMs, isKnown, lateInMs: Infinity };
  }
  const open = IntervalSet.from(claim.intervals).intersect(claimed.running);
  const [speed] = claimed === job ? [unitsPerMs] : speedOf(state, claimed, slot);
  const predictedMs = claimed.costs.of(open.intervals()) / speed;
  const lateInMs = LATE * predictedMs - sinceMs;
  const busy = { slot, isIdle: false, sinceMs };
  if (lateInMs > 0 || open.isEmpty) {
    const freeMs = Math.max(0, predictedMs - sinceMs);
    return { ...busy, freeMs, unitsPerMs, isKnown, lateInMs: open.isEmpty ? Infinity : lateInMs };
  }
  const slowness = predictedMs / (2 * sinceMs);
  return {
    ...busy,
    freeMs: sinceMs,
    unitsPerMs: unitsPerMs * slowness,
    isKnown: true,
    lateInMs: Infinity,
  };
}

/** ms until each slot of this peer has finished what it claimed of coarse tasks, in the order of the slots. */
export function claimsEndMs(state: CoreState): number[] {
  if (state.isGroup) return groupEndMs(state);
  const isSome = state.activeJobs().some((job) => isCoarse(state, job));
  return Array.from({ length: state.face.slots }, (_, slot) =>
    isSome ? claimEndMs(state, slot) : 0,
  );
}

function claimEndMs(state: CoreState, slot: number): number {
  const claim = state.cursor.claimOf(slot);
  const job = claim === undefined ? undefined : state.jobByNumber(claim.jobNumber);
  if (job === undefined || !isCoarse(state, job)) return 0;
  return outlookOf(state, job, slot).freeMs;
}

/** How many times as fast as all slots of this peer on average each of them is at a job; undefined: no two differ. */
export function slotSpeeds(state: CoreState, job: JobBook): number[] | undefined {
  if (state.slotSpeeds.isEmpty || !isCoarse(state, job)) return undefined;
  const mean = state.ownRate(job.header.rateKey) / Math.max(1, state.face.slots);
  const speeds = outlookFor(state, job).map(({ unitsPerMs }) => unitsPerMs / mean);
  const isEqual = Math.max(...speeds) * EQUAL <= Math.min(...speeds);
  return isEqual ? undefined : speeds;
}

/** Many peers that help each other finish together what was handed to them. */
function groupEndMs(state: CoreState): number[] {
  let endMs = 0;
  for (const job of state.activeJobs())
    endMs += state.claimedWork(job) / state.ownRate(job.header.rateKey);
  return Array.from({ length: state.face.slots }, () => endMs);
}

/** ms until this peer, as `here` says, and all `others` have run what they have of a job, as they told last. */
export function endOfAllMs(
  state: CoreState,
  job: JobBook,
  here: Side,
  others: readonly Belief[],
): number {
  let { backlogWork: work, rate: rates } = here;
  for (const belief of others) {
    work += belief.progress.get(job.header.job)?.backlogWork ?? 0;
    rates += state.rateOn(belief, job);
  }
  return rates > 0 ? work / rates : 0;
}

/** Unclaimed tasks of one job here. */
export function unclaimedTasks(state: CoreState, job: JobBook): number {
  const inWindow = state.windowJob() === job ? state.cursor.remaining() : 0;
  return job.queue.taskCount + job.retries.count + inWindow;
}

/** `freeMs` by slot after all unclaimed tasks of `job` have found one. */
export function afterJob(state: CoreState, job: JobBook, freeMs: readonly number[]): number[] {
  const tasks = unclaimedTasks(state, job);
  const slots = freeMs.length;
  if (tasks === 0 || slots === 0) return [...freeMs];
  if (!isCoarse(state, job) || tasks > ROUNDS_MAX * slots) {
    const workMs = state.unclaimedWork(job) / state.ownRate(job.header.rateKey);
    return freeMs.map((ms) => ms + workMs);
  }
  const taskMs = taskMsBySlot(taskMsHere(state, job), slots, slotSpeeds(state, job));
  const queue = new SlotQueue({ freeMs, taskMs });
  for (let task = 0; task < tasks; task++) queue.push();
  return queue.freeMs();
}

/** Whether so few tasks are shared by so many slots that they are dealt out one by one. */
export function isFew(tasks: number, sides: readonly SlotSide[]): boolean {
  const slots = sides.reduce((sum, { freeMs }) => sum + freeMs.length, 0);
  return tasks <= ROUNDS_MAX * slots && tasks * sides.length <= DEALS_MAX;
}

/** How many of `tasks` equal tasks each side gets when the next one always goes to the slot that would finish it
 * first (list scheduling, Graham 1969, on uniform machines). Of equals the first side wins, because what stays does
 * not travel; then the one that has fewest per slot, because a guessed speed may be wrong. */
export function dealTasks(tasks: number, sides: readonly SlotSide[]): number[] {
  const queues = sides.map((side) => new SlotQueue(side));
  const dealt = sides.map(() => 0);
  const fill = (i: number): number => (dealt[i] ?? 0) / Math.max(1, sides[i]?.freeMs.length ?? 0);
  for (let task = 0; task < tasks; task++) {
    let best = -1;
    let bestMs = Number.POSITIVE_INFINITY;
    for (const [i, queue] of queues.entries()) {
      const endMs = queue.nextEndMs;
      const isTie = Math.abs(endMs - bestMs) <= TIE_MS;
      const isEmptier = i > 0 && best > 0 && fill(i) < fill(best);
      if (endMs < bestMs - TIE_MS || (isTie && isEmptier)) {
        best = i;
        bestMs = Math.min(endMs, bestMs);
      }
    }
    if (best < 0) break;
    queues[best]?.push();
    dealt[best] = (dealt[best] ?? 0) + 1;
  }
  return dealt;
}

interface QueuedSlot {
  readonly slot: number;
  readonly taskMs: number;
  /** When the next task would end on it. */
  endMs: number;
}

/** The slots of one side: a heap by the moments at which each would have run one task more. */
class SlotQueue {
  readonly #heap: QueuedSlot[];

  constructor({ freeMs, taskMs }: SlotSide) {
    this.#heap = freeMs
      .map((ms, slot) => ({ slot, taskMs: taskMs[slot] ?? 0, endMs: ms + (taskMs[slot] ?? 0) }))
      .toSorted((a, b) => a.endMs - b.endMs);
  }

  get nextEndMs(): number {
    return this.#heap[0]?.endMs ?? Number.POSITIVE_INFINITY;
  }

  /** The next task goes to the slot that would end it first. */
  push(): void {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined) return;
    first.endMs += first.taskMs;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if ((heap[child + 1]?.endMs ?? Number.POSITIVE_INFINITY) < (heap[child]?.endMs ?? 0)) child++;
      const next = heap[child];
      if (next === undefined || next.endMs >= first.endMs) break;
      heap[at] = next;
      at = child;
    }
    heap[at] = first;
  }

  /** By slot. */
  freeMs(): number[] {
    const bySlot = this.#heap.toSorted((a, b) => a.slot - b.slot);
    return bySlot.map(({ endMs, taskMs }) => endMs - taskMs);
  }
}
