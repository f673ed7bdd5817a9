// Everything one peer knows and holds of one job: what is queued, what its slots have claimed, what it gave
// away and is not confirmed yet, and the ledger.
import { IntervalDeque } from '../deque/deque.ts';
import { type Interval, IntervalSet } from '../deque/interval-set.ts';
import type { AuditBook } from './audit-book.ts';
import type { Copy } from './copies.ts';
import type { PeerId } from './ids.ts';
import type { JobEnding, JobHeader } from './job.ts';
import { Ledger } from './ledger.ts';
import { mayRunOn } from './places.ts';
import { Tries } from './tries.ts';
import { WorkModel } from './work.ts';

export interface CensusRound {
  readonly id: number;
  readonly unanswered: Set<PeerId>;
  /** Parts of their answers that came. */
  readonly partsOf: Map<PeerId, Set<number>>;
  held: IntervalSet;
  /** When the unanswered were asked last. */
  askedMs: number;
}

/** What a job has cost in messages, as one peer counts. */
export interface Tally {
  readonly steals: number;
  readonly messages: number;
  readonly resultMessages: number;
}

/** A delivery of another peer that is acknowledged once the job's record, and its rows, are on this disk. */
interface Unacknowledged {
  readonly to: PeerId;
  readonly delivery: number;
  readonly intervals: readonly Interval[];
  readonly atMs: number;
}

export class JobBook {
  readonly header: JobHeader;
  /** The small integer by which cursor and slots know the job. */
  jobNumber: number;
  /** How often its failed tasks were retried. */
  round = 0;
  readonly ledger: Ledger;
  /** What this peer was given to answer for, in a group of a larger mesh; all tasks elsewhere. */
  scope: IntervalSet;
  readonly queue = new IntervalDeque();
  /** In the window or claimed by a slot, and not finished. */
  readonly running = new IntervalSet();
  /** Suspicious and waiting: they run apart from others, and are not given away with them. */
  readonly retries = new IntervalSet();
  /** Suspicious: a slot or a peer died over a claim that they were in. */
  readonly apart = new IntervalSet();
  /** Parts of `retries` that run in one window, smaller from death to death. */
  groups: IntervalSet[] = [];
  /** Tasks that have a row and run here once more, to be compared. */
  readonly rechecks = new IntervalSet();
  /** Those of them, running ones too, that another peer wants to know of. */
  readonly examined = new Map<PeerId, IntervalSet>();
  /** The open window is of rechecks: nothing of it is given away. */
  isRechecking = false;
  audit: AuditBook | undefined;
  /** Makers whose rows count nowhere in this job. */
  readonly liars = new Set<PeerId>();
  tries = new Tries();
  /** The last words of whatever died over a task. */
  readonly failureReasons = new Map<number, string>();
  /** Peers (this one included) that have the job and its data on disk. */
  readonly storedBy = new Set<PeerId>();
  /** All know that this peer has. */
  isStoredTold = false;
  /** Live peers of its group as they would answer for it, while the list of live peers is this one. */
  inheritance: { readonly live: readonly PeerId[]; readonly order: readonly PeerId[] } | undefined;
  /** Spec and datasets are on this disk. */
  hasData = false;
  /** Where the job's own record is. Rows on a disk without it are found by nobody, so they wait for it. */
  record: 'none' | 'writing' | 'refused' | 'kept' = 'none';
  /** What is acknowledged then. */
  unacknowledged: readonly Unacknowledged[] = [];
  /** Finished here, on the way to this disk. */
  unsaved = new IntervalSet();
  /** Present here, and refused by this disk: other disks must do. */
  readonly unkept = new IntervalSet();
  unsavedSinceMs = 0;
  /** undefined until the slots know the job. */
  work: WorkModel | undefined;
  isLoading = false;
  isUnloadable = false;
  unloadableReason = '';
  /** Its submitter does not allow it here: the job is kept, and its tasks go on to others. */
  readonly isBarred: boolean;
  /** Submitted here and not answered yet. */
  owesAnswer = false;
  knownSinceMs: number;
  lastCountedMs: number;
  ending: JobEnding | undefined;
  /** Who owns it without its submitter, of so many that store it, while the list of live peers is this one. */
  standIn:
    | { readonly live: readonly PeerId[]; readonly stored: number; readonly owner: PeerId }
    | undefined;
  /** The owner as of the last look, to notice a change. */
  lastOwner: PeerId | undefined;
  /** When the owner changed last. */
  ownedSinceMs = 0;
  census: CensusRound | undefined;
  censusWanted = false;
  lastCensusMs = Number.NEGATIVE_INFINITY;
  censusWantedMs = Number.NEGATIVE_INFINITY;
  censusNotBeforeMs = Number.NEGATIVE_INFINITY;
  /** Rounds in a row since which no row came, and the rows there were at the last. */
  fruitlessRounds = 0;
  presentAtRound = 0;
  /** Tasks that peers held which were lost, as far as censuses of this peer found out. */
  lostTasks = 0;
  /** A former life of this peer had the job: what nobody holds at first is what that life held. */
  isRevived = false;
  /** Its submitter and the makers of the rows which that life left, and until when they are waited for. */
  awaitedPeers: readonly PeerId[] = [];
  awaitedUntilMs = Number.NEGATIVE_INFINITY;
  /** Slot-ms that its tasks took here, for its turn among other jobs. */
  servedMs = 0;
  /** It had tasks here at the last look, and so a place in the order of turns. */
  isInTurns = false;
  /** It came from beyond the group, which is told of it when its data are here: nobody else in it has them. */
  owesOffer = false;
  /** When all groups of the mesh will have run it, as this peer, who speaks for one, reckoned last. */
  endMs = Number.NEGATIVE_INFINITY;
  /** Submitted here, and the first wave has not gone out yet. */
  owesWave = false;
  /** When somebody read the rows last, or the job ended. */
  rowsUsedMs = 0;
  /** Released rows are on their way back from this disk; who waits for which. */
  isRecalling = false;
  /** false: all of them are released, or there is none. */
  hasRowsInMemory = true;
  readonly wantedOnRecall = new Map<PeerId, IntervalSet>();
  /** Second copies of tasks that run here, and their work within the budget. */
  readonly copies = new Map<number, Copy>();
  copiedUnits = 0;
  steals = 0;
  messages = 0;
  resultMessages = 0;
  #equalCosts: WorkModel | undefined;
  /** Steals and messages that other peers told of, newest word of each. */
  readonly told = new Map<PeerId, Tally>();

  constructor(header: JobHeader, jobNumber: number, at: { nowMs: number; self: PeerId }) {
    const { nowMs, self } = at;
    this.isBarred = !mayRunOn(header, self);
    this.header = header;
    this.jobNumber = jobNumber;
    this.ledger = new Ledger(header.taskCount, header.rowWidth);
    this.scope = IntervalSet.from([[0, header.taskCount]]);
    this.knownSinceMs = nowMs;
    this.lastCountedMs = nowMs;
  }

  /** Tasks of `tasks` that somebody computed for this job. */
  computed(tasks: IntervalSet): IntervalSet {
    const { cached = [] } = this.header;
    return cached.length === 0 ? tasks : tasks.subtract(cached);
  }

  get isActive(): boolean {
    return this.ending === undefined;
  }

  /** Ready for slots. */
  get isRunnable(): boolean {
    return this.isActive && this.work !== undefined && !this.isBarred;
  }

  /** No record of it comes to this disk by itself: other disks must do for its rows. */
  get isUnrecorded(): boolean {
    return this.record === 'refused' || (this.record === 'none' && this.isUnloadable);
  }

  /** Whatever comes to its queue has to go on. */
  get isStranded(): boolean {
    return this.isUnloadable || this.isBarred;
  }

  /** Costs; before the kernel has stated them, equal tasks of nominally a millisecond. */
  get costs(): WorkModel {
    if (this.work !== undefined) return this.work;
    const tasks = Math.max(1, this.header.taskCount);
    return (this.#equalCosts ??= new WorkModel([{ tasks, units: 1_000 }]));
  }

  /** Tasks here that nobody else runs: queued or claimed. */
  get holdsTasks(): boolean {
    return this.queue.taskCount > 0 || !this.running.isEmpty || !this.retries.isEmpty;
  }

  /** Tasks that no slot has claimed and no window holds. */
  get hasWaiting(): boolean {
    return this.queue.taskCount > 0 || !this.retries.isEmpty || !this.rechecks.isEmpty;
  }

  /** Queues what is new here: neither done nor held already. */
  enqueue(intervals: readonly Interval[], end: 'bottom' | 'top'): number {
    const fresh = IntervalSet.from(intervals)
      .subtract(this.ledger.present)
      .subtract(this.running)
      .subtract(this.retries);
    const suspicious = fresh.intersect(this.apart);
    for (const [first, last] of suspicious.intervals()) this.retries.add(first, last);
    const list = this.costs.longestFirst(fresh.subtract(suspicious).intervals());
    for (const [first, last] of fresh.intervals()) this.rechecks.remove(first, last);
    const queued = end === 'bottom' ? this.queue.pushBottom(list) : this.queue.pushTop(list);
    return queued + suspicious.count;
  }

  /** Costs are known now: what was believed before them has had its time, and the queue follows them. */
  reorder(): void {
    this.#equalCosts = undefined;
    const queued = this.queue.intervals();
    this.queue.removeAll(queued);
    this.queue.pushBottom(this.costs.longestFirst(queued));
  }

  /** They run here though they have rows; `peer` is told what comes out. Of those that run here anyway it will hear. */
  examineFor(peer: PeerId, tasks: readonly Interval[]): void {
    const apart = IntervalSet.from(tasks)
      .subtract(this.queue.intervals())
      .subtract(this.running)
      .subtract(this.retries);
    if (apart.isEmpty) return;
    const wanted = this.examined.get(peer) ?? new IntervalSet();
    this.examined.set(peer, wanted.union(apart));
    for (const [start, end] of apart.intervals()) this.rechecks.add(start, end);
  }

  /** Those of `tasks` that run only to be compared. */
  compared(tasks: readonly Interval[]): IntervalSet {
    const compared = new IntervalSet();
    const open = this.audit?.open;
    for (const [start, end] of open === undefined || open.size === 0 ? [] : tasks)
      for (let task = start; task < end; task++) if (open?.has(task)) compared.add(task, task + 1);
    for (const wanted of this.examined.values())
      for (const [start, end] of wanted.intersect(tasks).intervals()) compared.add(start, end);
    return compared;
  }

  /** Rows came from elsewhere: what they tell need not run here. */
  drop(done: readonly Interval[]): void {
    this.queue.removeAll(done);
    for (const [start, end] of done) {
      this.retries.remove(start, end);
      this.apart.remove(start, end);
    }
  }

  queuedWork(): number {
    if (this.queue.taskCount === 0 && this.retries.isEmpty) return 0;
    return this.costs.of(this.queue.intervals()) + this.costs.of(this.retries.intervals());
  }

  /** Mean units of what is in the window or claimed; of the whole job when nothing is. */
  runningMeanUnits(): number {
    if (this.running.isEmpty) return this.costs.meanUnits(0, 0);
    return this.costs.of(this.running.list) / this.running.count;
  }

  /** Gives up everything that has not started. */
  clearQueue(): void {
    this.queue.removeAll(this.queue.intervals());
    for (const set of [this.retries, this.rechecks])
      for (const [start, end] of set.intervals()) set.remove(start, end);
    this.examined.clear();
  }

  heldTasks(granted: readonly Interval[]): IntervalSet {
    return IntervalSet.from(this.queue.intervals())
      .union(this.running)
      .union(this.retries)
      .union(granted)
      .subtract(this.ledger.present);
  }

  get heldCount(): number {
    return this.queue.taskCount + this.running.count + this.retries.count;
  }
}
