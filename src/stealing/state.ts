// What all parts of the core share: who we are, what we believe, the jobs we know, and the list of orders
// that the current call of `handle` will return. Nothing here decides anything.
import type { OpenWindow } from '../deque/cursor.ts';
import { IntervalSet } from '../deque/interval-set.ts';
import { type Belief, Beliefs } from './beliefs.ts';
import { type PeerId, highestRanked } from './ids.ts';
import type { PeerFace } from './input.ts';
import { JobBook } from './job-book.ts';
import { Jobs } from './jobs.ts';
import type { JobHeader } from './job.ts';
import type { Limits } from './limits.ts';
import type { Message, Rate } from './messages.ts';
import type { Output, PersistEntry } from './output.ts';
import { mayRunOn } from './places.ts';
import { Rates } from './rates.ts';
import { Recent } from './recent.ts';
import { Rng } from './rng.ts';
import { SlotSpeeds } from './slot-speeds.ts';
import { StealLog } from './steal-log.ts';

export interface CoreOptions {
  readonly face: PeerFace;
  readonly seed: number;
  /** The window that slots claim from; the core opens and shrinks it. */
  readonly cursor: OpenWindow;
  readonly limits: Limits;
  /** Wall clock (epoch ms) at nowMs 0; only stamps endings, no decision reads it. */
  readonly epochMs?: number;
  /** false: all work stays where it was submitted until somebody steals it. */
  readonly seeding?: boolean;
  /** This mesh is a group of a larger one: tasks are handed to it, and its jobs end elsewhere. */
  readonly isPart?: boolean;
  /** This peer is a group: what it claims is run by many, and it hears of every task that is finished. */
  readonly isGroup?: boolean;
}

/** Rates of one message: measured ones are few, and a peer that can load none of a thousand jobs has said enough. */
const TOLD_RATES_MAX = 256;

/** Messages that a steal costs; rows and heartbeats are counted by nobody. */
const STEAL_PATH: ReadonlySet<Message['kind']> = new Set([
  'lifelineArmed',
  'stealRequest',
  'stealRefused',
  'grant',
  'grantConfirmed',
]);

export class CoreState {
  readonly face: PeerFace;
  readonly self: PeerId;
  readonly limits: Limits;
  readonly cursor: OpenWindow;
  readonly rng: Rng;
  readonly seeding: boolean;
  readonly isPart: boolean;
  readonly isGroup: boolean;
  /** Stands for this group in the larger mesh, and answers for its jobs here. */
  speaker: PeerId | undefined;
  readonly epochMs: number;
  readonly beliefs: Beliefs;
  readonly rates: Rates;
  readonly slotSpeeds: SlotSpeeds;
  /** Slots that leave the last tasks to faster ones. */
  aside: ReadonlySet<number> = new Set();
  readonly recent = new Recent();
  /** This peer and all that live; the same array until that changes. */
  #liveDisks: readonly PeerId[] = [];
  #livePeers: readonly PeerId[] | undefined;
  /** In the order in which this peer came to know them. */
  readonly jobs = new Jobs();
  nowMs = 0;
  /** Starts nothing and takes nothing; what it has goes to others. */
  isDraining = false;
  /** Drains in order to go. */
  isLeaving = false;
  /** Takes nothing from others, and goes on with what it has: its battery runs low. */
  isSparing = false;
  /** Its rows are in memory only until other peers have them. */
  lent: JobBook | undefined;
  readonly steals = new StealLog();
  /** Others must hear at once what begins here. */
  owesBeat = false;
  /** Tasks of this life, for people. */
  done = 0;
  failed = 0;
  stole = 0;
  gave = 0;
  /** When each slot began what it has claimed, and the first task of that, once it was looked at. */
  readonly #slotSince = new Map<
    number,
    { readonly ms: number; readonly task: number | undefined }
  >();
  #outputs: Output[] = [];
  #nextPersist = 1;
  #nextJobNumber = 1;

  constructor(options: CoreOptions) {
    this.face = options.face;
    this.self = options.face.peer;
    this.limits = options.limits;
    this.cursor = options.cursor;
    this.rng = new Rng(options.seed);
    this.epochMs = options.epochMs ?? 0;
    this.seeding = options.seeding ?? true;
    this.isPart = options.isPart ?? false;
    this.isGroup = options.isGroup ?? false;
    this.beliefs = new Beliefs(options.limits);
    const { rateMemoryMs, ratePriorMs, slotMemoryMs, slotFreshMs } = options.limits;
    this.rates = new Rates({ memoryMs: rateMemoryMs, priorMs: ratePriorMs }, options.face.slots);
    this.slotSpeeds = new SlotSpeeds({ memoryMs: slotMemoryMs, freshMs: slotFreshMs });
  }

  takeOutputs(): Output[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  emit(output: Output): void {
    this.#outputs.push(output);
  }

  send(to: PeerId, message: Message, after?: number): void {
    if (this.beliefs.get(to)?.connected !== true) return;
    if (STEAL_PATH.has(message.kind)) for (const job of this.activeJobs()) job.messages++;
    // Every delivery is answered by one acknowledgement.
    const delivered = message.kind === 'rows' ? this.jobs.get(message.job) : undefined;
    if (delivered !== undefined) delivered.resultMessages += 2;
    this.emit({ kind: 'send', to, message, ...(after === undefined ? {} : { after }) });
  }

  broadcast(message: Message, after?: number): void {
    for (const belief of this.beliefs.all()) this.send(belief.face.peer, message, after);
  }

  persist(entry: PersistEntry): number {
    const id = this.#nextPersist++;
    this.emit({ kind: 'persist', id, entry });
    return id;
  }

  /** Other peers want released rows of this job. Who reads them at this moment keeps them. */
  lend(job: JobBook): void {
    const isRead = this.nowMs - job.rowsUsedMs < this.limits.rowsIdleMs;
    if (!isRead) this.lent = job;
    this.recallRows(job);
  }

  /** Released rows are wanted: the shell reads them from this disk, once. */
  recallRows(job: JobBook): void {
    if (job.isRecalling) return;
    job.isRecalling = true;
    this.emit({ kind: 'recallRows', job: job.header.job });
  }

  /** Others may send work here, and this peer asks for some. */
  get takesWork(): boolean {
    return !this.isDraining && !this.isSparing;
  }

  log(
    level: 'debug' | 'info' | 'warn',
    text: string,
    fields: Readonly<Record<string, string | number>>,
  ): void {
    this.emit({ kind: 'log', level, text, fields });
  }

  /** Starts the book of a job, or returns the one there is. */
  openBook(header: JobHeader): JobBook {
    const known = this.jobs.get(header.job);
    if (known !== undefined) return known;
    const book = new JobBook(header, this.nextJobNumber(), this);
    if (this.isPart) book.scope = new IntervalSet();
    this.jobs.add(book);
    return book;
  }

  nextJobNumber(): number {
    return this.#nextJobNumber++;
  }

  activeJobs(): readonly JobBook[] {
    return this.jobs.active();
  }

  jobByNumber(jobNumber: number): JobBook | undefined {
    return this.jobs.byNumber(jobNumber);
  }

  /** Whoever speaks for this group; in a mesh that is no group, and before that peer has the job, the submitter while
   * it lives; then, of the live peers that have the job on disk, the highest ranked. */
  ownerOf(job: JobBook): PeerId {
    const { speaker } = this;
    // Who speaks answers from when it hears of the job: to take over from the submitter a moment later, when its disk
    // has the record, would cost a census of a job that nobody has run yet.
    if (speaker === this.self) return speaker;
    // An end is told to everybody with its job.
    const hasIt = speaker !== undefined && (job.storedBy.has(speaker) || !job.isActive);
    if (hasIt && this.isHere(speaker)) return speaker;
    const { submitter } = job.header;
    if (this.isHere(submitter)) return submitter;
    // Asked several times after every fact; who stores a job only becomes more.
    const live = this.beliefs.livePeers();
    const known = job.standIn;
    if (known?.live === live && known.stored === job.storedBy.size) return known.owner;
    const candidates = [...job.storedBy].filter((peer) => this.isHere(peer));
    const owner = highestRanked(job.header.job, candidates) ?? this.self;
    job.standIn = { live, stored: job.storedBy.size, owner };
    return owner;
  }

  isHere(peer: PeerId): boolean {
    return peer === this.self || this.beliefs.isLive(peer);
  }

  /** ms for which a slot has been at its claim. A slot claims again before its report is read here: a claim that is not
   * the one of the last look began a moment ago. */
  atClaimMs(slot: number): number {
    const task = this.cursor.claimOf(slot)?.intervals[0]?.[0];
    const known = this.#slotSince.get(slot) ?? { ms: this.nowMs, task };
    const isNext = known.task !== undefined && known.task !== task;
    const ms = isNext ? this.nowMs : known.ms;
    this.#slotSince.set(slot, { ms, task });
    return this.nowMs - ms;
  }

  /** The slot reported, or is to claim from a window that opens: its claim begins now, unless it was seen before. */
  claimsNow(slot: number): void {
    const task = this.cursor.claimOf(slot)?.intervals[0]?.[0];
    if (task !== undefined && this.#slotSince.get(slot)?.task === task) return;
    this.#slotSince.set(slot, { ms: this.nowMs, task });
  }

  /** Whose disks count: this peer's and those of all that live. The same array while it says the same. */
  liveDisks(): readonly PeerId[] {
    const live = this.beliefs.livePeers();
    if (live !== this.#livePeers) {
      this.#livePeers = live;
      this.#liveDisks = [this.self, ...live];
    }
    return this.#liveDisks;
  }

  isOwner(job: JobBook): boolean {
    return this.ownerOf(job) === this.self;
  }

  /** Units per ms of a whole other peer for a job; 0: it must not, or cannot, run it. */
  rateOn(belief: Belief, { header }: JobBook): number {
    if (!mayRunOn(header, belief.face.peer)) return 0;
    return this.beliefs.rateOf(belief, header.rateKey);
  }

  /** Units per ms of this whole peer. */
  ownRate(rateKey: string): number {
    const perSlotMs = this.rates.perSlotMs(rateKey) ?? this.limits.priorUnitsPerSlotMs;
    return perSlotMs * this.face.slots;
  }

  /** What others reckon with: the measured rates, and 0 for what cannot run here, so that nobody sends it. */
  toldRates(): Rate[] {
    const unable = this.activeJobs().filter((job) => job.isUnloadable);
    if (unable.length === 0) return this.rates.told();
    const rates = new Map(this.rates.told().map((rate) => [rate.rateKey, rate]));
    for (const { header } of unable) {
      rates.set(header.rateKey, { rateKey: header.rateKey, unitsPerMs: 0 });
    }
    return [...rates.values()].slice(0, TOLD_RATES_MAX);
  }

  /** It has waited for the job's data for too long: it gives what it has of it, and asks for no more. If it did, two
   * that wait would pass all of it to and fro. */
  lacksData(job: JobBook): boolean {
    return job.work === undefined && this.nowMs - job.knownSinceMs >= this.limits.loadPatienceMs;
  }

  /** Queued and unclaimed work of one job. */
  unclaimedWork(job: JobBook): number {
    let units = job.queuedWork();
    if (this.windowJob() === job && !job.isRechecking) {
      units += this.cursor.remaining() * job.runningMeanUnits();
    }
    return units;
  }

  /** Unclaimed work and what is left of the claims. */
  backlogWork(job: JobBook): number {
    return this.unclaimedWork(job) + this.claimedWork(job);
  }

  /** What is left of the claims: half of each, on average. A group tells of what is done a moment later. */
  claimedWork(job: JobBook): number {
    const claimed = job.running.count - (this.windowJob() === job ? this.cursor.remaining() : 0);
    return (claimed / 2) * job.runningMeanUnits();
  }

  /** ms until the slots run dry, over all jobs. */
  unclaimedMs(): number {
    let ms = 0;
    for (const job of this.activeJobs()) {
      ms += this.unclaimedWork(job) / this.ownRate(job.header.rateKey);
    }
    return ms;
  }

  backlogMs(): number {
    let ms = 0;
    for (const job of this.activeJobs()) {
      ms += this.backlogWork(job) / this.ownRate(job.header.rateKey);
    }
    return ms;
  }

  windowJob(): JobBook | undefined {
    const window = this.cursor.window();
    return window === undefined ? undefined : this.jobByNumber(window.jobNumber);
  }
}
