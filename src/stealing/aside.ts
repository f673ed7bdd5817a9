// The last tasks on slots of unequal speed. Slots help themselves, whoever is free first; where some are two or three
// times slower than others, a slow one that takes one of the last tasks ends long after all others stand still. So as soon
// as the tasks left are few they are dealt out in thought, each to the slot that would end it first (list scheduling,
// Graham 1969, on uniform machines), and a slot that gets none stands aside.
//
// That is a guess about speeds, and a task must never wait for a wrong one: only a slot whose own speed was measured lately
// stands aside; a fast one that is overdue, dead or asleep is not waited for; all is dealt out anew after each fact, and
// when a slot is late. Slots say nothing when they claim, so whoever must not is told before.
import { type Interval, IntervalSet } from '../deque/interval-set.ts';
import { isCoarse, outlookFor, type SlotOutlook, unclaimedTasks } from './horizon.ts';
import type { JobBook } from './job-book.ts';
import type { CoreState } from './state.ts';

/** Part of a task's time by which another slot must end it sooner. More: slow slots take more of the last tasks; less:
 * slots of one speed, of which no two measure the same, wait for each other. */
const GAIN = 0.1;

/** Tasks per slot up to which they are dealt out. While a slot runs one the others run two or three, seldom more. */
const ROUNDS_MAX = 8;

/** Part of the time for which a slot has been late after which it is looked at again. */
const LATER = 0.25;

const NOBODY: ReadonlySet<number> = new Set();

export class Aside {
  readonly #state: CoreState;
  /** When each slot was last told that it may claim again. */
  readonly #allowedMs = new Map<number, number>();
  /** When `look` has to be called again though nothing happened. */
  nextLookMs: number | undefined;

  constructor(state: CoreState) {
    this.#state = state;
  }

  /** Called after every fact, when what waits is in the window. */
  look(): void {
    const state = this.#state;
    this.nextLookMs = undefined;
    const job = onlyJob(state);
    if (job === undefined) return this.#keep(NOBODY);
    const slots = outlookFor(state, job).map((slot) => this.#orMissing(slot));
    const tasks = unclaimedCosts(state, job);
    const plan = deal(tasks, slots);
    const idlers = slots.filter((slot) => slot.isKnown && !plan.taken.has(slot.slot));
    const slow = idlers.filter((slot) => delays(slot, tasks, plan));
    const aside = new Set(slow.map(({ slot }) => slot));
    this.#keep(aside);
    if (aside.size > 0) this.nextLookMs = state.nowMs + this.#untilLateMs(slots);
  }

  #keep(aside: ReadonlySet<number>): void {
    const state = this.#state;
    if (aside.size === 0 && state.aside.size === 0) return;
    for (const slot of state.aside) if (!aside.has(slot)) this.#allowedMs.set(slot, state.nowMs);
    state.aside = aside;
    state.cursor.keepAside(aside);
  }

  /** A slot that could have claimed and did not is asleep or dead: nobody waits for it. */
  #orMissing(slot: SlotOutlook): SlotOutlook {
    const isMissing = slot.isIdle && this.#idleMs(slot) >= this.#state.limits.slotWakeMs;
    return isMissing ? { ...slot, freeMs: Number.POSITIVE_INFINITY, isKnown: false } : slot;
  }

  /** ms for which a slot might have claimed. */
  #idleMs({ slot, sinceMs }: SlotOutlook): number {
    const { aside, nowMs } = this.#state;
    if (aside.has(slot)) return 0;
    return Math.min(sinceMs, nowMs - (this.#allowedMs.get(slot) ?? Number.NEGATIVE_INFINITY));
  }

  /** ms until the first of the slots that are waited for has not done what was expected of it. */
  #untilLateMs(slots: readonly SlotOutlook[]): number {
    const { aside, limits } = this.#state;
    let ms = Number.POSITIVE_INFINITY;
    for (const slot of slots) {
      if (aside.has(slot.slot) || slot.freeMs === Number.POSITIVE_INFINITY) continue;
      const idleMs = limits.slotWakeMs - this.#idleMs(slot);
      const busyMs = Number.isFinite(slot.lateInMs) ? slot.lateInMs : LATER * slot.sinceMs;
      ms = Math.min(ms, slot.isIdle ? idleMs : busyMs);
    }
    return Math.max(1, ms);
  }
}

/** The job of which the last long tasks are unclaimed, when that is all that waits here: of any other work a slot takes
 * what there is. */
function onlyJob(state: CoreState): JobBook | undefined {
  const job = state.windowJob();
  if (job === undefined || state.slotSpeeds.isEmpty || !isCoarse(state, job)) return undefined;
  if (unclaimedTasks(state, job) > ROUNDS_MAX * state.face.slots) return undefined;
  // What is suspicious or compared runs where there is room.
  if (job.isRechecking || !job.running.isApartFrom(job.apart)) return undefined;
  const waiting = state.activeJobs().filter((other) => other.hasWaiting && !other.isStranded);
  return waiting.every((other) => other === job) ? job : undefined;
}

/** Units of each task that no slot has claimed, in the order in which they run. */
function unclaimedCosts(state: CoreState, job: JobBook): number[] {
  const { costs, queue } = job;
  const claimed: Interval[] = [];
  for (let slot = 0; slot < state.face.slots; slot++) {
    const claim = state.cursor.claimOf(slot);
    if (claim?.jobNumber === job.jobNumber) claimed.push(...claim.intervals);
  }
  const inWindow = job.running.subtract(IntervalSet.from(claimed)).intervals();
  const inOrder = [...costs.longestFirst(inWindow), ...queue.intervals()];
  return costs
    .pieces(inOrder)
    .flatMap(({ start, end, units }) => Array.from({ length: end - start }, () => units));
}

interface Deal {
  /** Slots that get a task. */
  readonly taken: ReadonlySet<number>;
  /** ms until each task begins, ascending. */
  readonly beginMs: readonly number[];
  /** ms until the last one has ended. */
  readonly endMs: number;
  /** The highest speed of those slots. */
  readonly unitsPerMs: number;
}

/** The next task always goes to whichever slot ends it first, and of those that end it as good as first to the one that
 * is free first, because that one takes it anyway. */
function deal(tasks: readonly number[], slots: readonly SlotOutlook[]): Deal {
  const freeMs = slots.map((slot) => slot.freeMs);
  const taken = new Set<number>();
  const beginMs: number[] = [];
  let [lastMs, fastest] = [0, 0];
  for (const units of tasks) {
    const taskMs = slots.map(({ unitsPerMs }) => units / unitsPerMs);
    const endMs = freeMs.map((ms, i) => ms + (taskMs[i] ?? 0));
    const firstMs = Math.min(...endMs);
    let next = -1;
    for (const [i, ms] of endMs.entries()) {
      if (ms - GAIN * (taskMs[i] ?? 0) > firstMs) continue;
      const waitMs = (freeMs[i] ?? 0) - (freeMs[next] ?? Number.POSITIVE_INFINITY);
      if (waitMs < 0 || (waitMs === 0 && ms < (endMs[next] ?? 0))) next = i;
    }
    if (next < 0) break;
    beginMs.push(freeMs[next] ?? 0);
    freeMs[next] = endMs[next] ?? 0;
    lastMs = Math.max(lastMs, freeMs[next] ?? 0);
    taken.add(slots[next]?.slot ?? next);
    fastest = Math.max(fastest, slots[next]?.unitsPerMs ?? 0);
    if (taken.size === slots.length) break;
  }
  return { taken, beginMs, endMs: lastMs, unitsPerMs: fastest };
}

/** Whether all would end later if this slot, which got none and is slow, took the task that is next when it is free. */
function delays(
  { freeMs, unitsPerMs }: SlotOutlook,
  tasks: readonly number[],
  plan: Deal,
): boolean {
  if (unitsPerMs >= (1 - GAIN) * plan.unitsPerMs) return false;
  const before = plan.beginMs.filter((ms) => ms < freeMs).length;
  const units = tasks[Math.min(before, tasks.length - 1)] ?? 0;
  return freeMs + ((1 - GAIN) * units) / unitsPerMs > plan.endMs;
}
