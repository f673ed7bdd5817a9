// Who runs what: the one decision-maker of a peer. Facts in, orders out; no clock, no random source of its
// own, no socket, no promise. Production and simulator drive this very class.
//
// handle(fact, nowMs) is the only mutator and returns the orders of that fact, whole; nextWake() says when
// and why to call again if nothing happens. Outside input never throws: it is counted out by identity,
// incarnation and job. `check()` states what must hold between any two facts.
import { unreachable } from '../invariant.ts';
import { Archive } from './archive.ts';
import { Aside } from './aside.ts';
import { Attempts } from './attempts.ts';
import { Audit } from './audit.ts';
import { Census } from './census.ts';
import { Custody } from './custody.ts';
import { endingOf } from './ending.ts';
import { explainTask, type TaskExplained } from './explain.ts';
import { Greeting } from './greeting.ts';
import { Handing, restMs, wholeRate } from './handing.ts';
import { Hearing } from './hearing.ts';
import type { JobId, PeerId } from './ids.ts';
import type { Input } from './input.ts';
import type { JobBook } from './job-book.ts';
import type { JobEnding, JobHeader, RowBatch } from './job.ts';
import { Leaving, stepBack } from './leaving.ts';
import { checkState } from './invariants.ts';
import { checkLimits } from './limits.ts';
import type { Output } from './output.ts';
import { Presence } from './presence.ts';
import { Receiving } from './receiving.ts';
import { measureFinished } from './measure-finished.ts';
import { Recording } from './recording.ts';
import { recoveredBook } from './recovered-book.ts';
import { Retrying } from './retrying.ts';
import { type CoreOptions, CoreState } from './state.ts';
import { type CoreStatus, statusOf } from './status.ts';
import type { StealEntry } from './steal-log.ts';
import { Thief } from './thief.ts';
import { Victim } from './victim.ts';
import { closeWindow, refillWindow } from './windows.ts';

export type { CoreOptions } from './state.ts';

export type WakeReason = 'heartbeat' | 'flush' | 'steal' | 'census' | 'audit' | 'aside';

export class StealingCore {
  readonly #state: CoreState;
  readonly #recording: Recording;
  readonly #archive: Archive;
  readonly #custody: Custody;
  readonly #victim: Victim;
  readonly #thief: Thief;
  readonly #census: Census;
  readonly #greeting: Greeting;
  readonly #handing: Handing;
  readonly #hearing: Hearing;
  readonly #leaving: Leaving;
  readonly #retrying: Retrying;
  readonly #presence: Presence;
  readonly #audit: Audit;
  readonly #attempts: Attempts;
  readonly #aside: Aside;

  constructor(options: CoreOptions) {
    checkLimits(options.limits);
    const state = new CoreState(options);
    const recording = new Recording(state);
    const archive = new Archive(state, recording);
    const custody = new Custody(state);
    const victim = new Victim(state, custody);
    const thief = new Thief(state);
    const attempts = new Attempts(state, recording, custody);
    const census = new Census(state, { custody, recording, archive, attempts });
    const receiving = new Receiving(state, { custody, thief, victim });
    const greeting = new Greeting(state, recording);
    const retrying = new Retrying(state, { archive, census, greeting });
    const audit = new Audit(state, custody, (peer) => presence.lost(peer));
    const known = { archive, attempts, census, custody, greeting, recording, thief };
    const presence = new Presence(state, known);
    const ended = (header: JobHeader, ending: JobEnding): void => this.#jobEnded(header, ending);
    const rooms = { ...known, audit, presence, receiving, retrying, victim, ended };
    this.#state = state;
    this.#recording = recording;
    this.#archive = archive;
    this.#custody = custody;
    this.#victim = victim;
    this.#thief = thief;
    this.#attempts = attempts;
    this.#aside = new Aside(state);
    this.#census = census;
    this.#greeting = greeting;
    this.#retrying = retrying;
    this.#audit = audit;
    this.#presence = presence;
    this.#leaving = new Leaving(state, custody, recording);
    this.#hearing = new Hearing(state, rooms);
    this.#handing = new Handing(state, { greeting, recording });
  }

  handle(input: Input, nowMs: number): Output[] {
    const state = this.#state;
    state.nowMs = Math.max(state.nowMs, nowMs);
    for (const peer of state.beliefs.look(state.nowMs)) this.#presence.lost(peer);
    this.#take(input);
    this.#presence.tick();
    for (const job of state.jobs.awakeGiven(state.beliefs.livePeers())) this.#lookAt(job);
    if (state.seeding && !state.isDraining) this.#victim.feed();
    refillWindow(state);
    this.#aside.look();
    if (state.owesBeat) this.#presence.beat();
    this.#recording.flushDue();
    this.#thief.look();
    this.#leaving.look();
    state.jobs.rest(state.self);
    return state.takeOutputs();
  }

  /** Always defined: a heartbeat is due sooner or later. */
  nextWake(): { readonly atMs: number; readonly reason: WakeReason } {
    let wake: { atMs: number; reason: WakeReason } = {
      atMs: this.#presence.nextBeatMs,
      reason: 'heartbeat',
    };
    const consider = (atMs: number | undefined, reason: WakeReason): void => {
      if (atMs !== undefined && atMs < wake.atMs) wake = { atMs, reason };
    };
    consider(this.#recording.nextFlushMs(), 'flush');
    consider(this.#thief.nextLookMs(), 'steal');
    consider(this.#aside.nextLookMs, 'aside');
    for (const job of this.#state.jobs.awake()) {
      consider(this.#census.nextLookMs(job), 'census');
      consider(this.#audit.nextLookMs(job), 'audit');
    }
    return wake;
  }

  status(nowMs: number): CoreStatus {
    this.#state.nowMs = Math.max(this.#state.nowMs, nowMs);
    return statusOf(this.#state);
  }

  /** The book of one job, to read rows from; the core alone writes it. */
  book(job: JobId): JobBook | undefined {
    return this.#state.jobs.get(job);
  }

  /** Of the jobs that run. */
  activeBooks(): readonly JobBook[] {
    return this.#state.activeJobs();
  }

  /** Of all jobs that this peer remembers. */
  books(): Iterable<JobBook> {
    return this.#state.jobs.values();
  }

  /** Where a task of a job is, and why; undefined when there is no such task. */
  explain(job: JobId, task: number, nowMs: number): TaskExplained | undefined {
    const state = this.#state;
    state.nowMs = Math.max(state.nowMs, nowMs);
    const book = state.jobs.get(job);
    if (book === undefined || task < 0 || task >= book.header.taskCount) return undefined;
    return explainTask(state, this.#custody, book, task);
  }

  /** The last steals that this peer saw, newest last. */
  steals(): readonly StealEntry[] {
    return this.#state.steals.entries();
  }

  /** Who lives, as far as this peer knows, itself first. */
  livePeers(): readonly PeerId[] {
    return this.#state.liveDisks();
  }

  /** Slots of all that live. */
  wholeSlots(): number {
    const { face, beliefs } = this.#state;
    return beliefs.live().reduce((sum, belief) => sum + belief.face.slots, face.slots);
  }

  /** Units per ms of all that live, for one job. */
  wholeRate(job: JobId): number {
    const book = this.#state.jobs.get(job);
    return book === undefined ? 0 : wholeRate(this.#state, book);
  }

  /** ms until everybody has run it, as far as this peer knows. */
  restMs(job: JobId): number {
    const book = this.#state.jobs.get(job);
    return book === undefined ? 0 : restMs(this.#state, book);
  }

  jobOf(jobNumber: number): JobId | undefined {
    return this.#state.jobByNumber(jobNumber)?.header.job;
  }

  /** What must hold between any two facts; throws when it does not. */
  check(): void {
    checkState(this.#state);
  }

  #take(input: Input): void {
    const state = this.#state;
    switch (input.kind) {
      case 'jobRecovered':
        return this.#jobRecovered(input);
      case 'peerConnected':
        return this.#presence.connected(input.face);
      case 'peerDisconnected':
        return this.#presence.disconnected(input.peer, input.refused);
      case 'messageReceived':
        return this.#hearing.heard(input);
      case 'jobSubmitted':
        return this.#jobSubmitted(input.header, input.cached ?? []);
      case 'jobLoaded':
        return this.#withJob(input.job, (job) => this.#greeting.loaded(job, input.work));
      case 'jobUnloadable':
        return this.#withJob(input.job, (job) => {
          this.#greeting.unloadable(job, input.reason);
          this.#presence.beat();
        });
      case 'tasksFinished':
        return this.#tasksFinished(input);
      case 'slotDied':
        return this.#withJob(input.job, (job) => this.#attempts.slotDied(job, input));
      case 'persisted':
        if (!this.#recording.persisted(input.id)) this.#greeting.persisted(input.id);
        return;
      case 'persistFailed':
        if (!this.#recording.persistFailed(input.id)) this.#greeting.persistFailed(input.id);
        state.log('warn', 'this disk did not keep a record', { reason: input.reason });
        return;
      case 'cancelRequested':
        return this.#withJob(input.job, (job) => {
          if (job.isActive) this.#end(job, endingOf(state, job, 'cancelled'));
        });
      case 'retryRequested':
        return this.#withJob(input.job, (job) => this.#retrying.requested(job));
      case 'rowsRequested':
        return this.#withJob(input.job, (job) => {
          this.#archive.read(job);
          this.#census.gather(job);
        });
      case 'rowsRecalled':
        return this.#withJob(input.job, (job) => this.#archive.recalled(job, input.batches));
      case 'jobExpired':
        return this.#withJob(input.job, (job) => {
          if (!job.isActive) this.#archive.expire(job);
        });
      case 'jobHanded':
      case 'tasksHanded':
      case 'tasksAdopted':
      case 'rowsCounted':
      case 'speakerChosen':
        return this.#handing.take(input);
      case 'jobEndedBeyond':
        return this.#jobEnded(input.header, input.ending);
      case 'drainRequested':
      case 'sparingRequested':
      case 'leaveRequested':
        stepBack(state, input);
        return this.#presence.beat();
      case 'windowDry':
      case 'wakeDue':
        return;
      default:
        unreachable(input);
    }
  }

  #jobRecovered(input: Extract<Input, { kind: 'jobRecovered' }>): void {
    const job = recoveredBook(this.#state, input);
    if (input.ending !== undefined) return;
    this.#archive.read(job);
    job.hasRowsInMemory = true;
    this.#greeting.load(job);
    this.#census.wantSoon(job);
  }

  #jobSubmitted(header: JobHeader, cached: readonly RowBatch[]): void {
    const job = this.#state.openBook(header);
    job.owesAnswer = true;
    job.hasData = true;
    job.owesWave = !this.#state.isPart;
    this.#greeting.keep(job);
    this.#greeting.load(job);
    this.#greeting.offer(job);
    for (const batch of cached) this.#recording.copied(job, batch);
    // In a part of a larger mesh its tasks come from beyond, like everybody's.
    if (!this.#state.isPart) job.enqueue([[0, header.taskCount]], 'bottom');
  }

  #withJob(id: JobId, act: (job: JobBook) => void): void {
    const job = this.#state.jobs.get(id);
    if (job !== undefined) act(job);
  }

  #tasksFinished(input: Extract<Input, { kind: 'tasksFinished' }>): void {
    const job = this.#state.jobs.get(input.job);
    if (job === undefined) return;
    measureFinished(this.#state, job, input);
    this.#recording.finished(job, input.intervals, input.values);
    job.drop(input.intervals);
  }

  #jobEnded(header: JobHeader, ending: JobEnding): void {
    const job = this.#state.openBook(header);
    const { round = 0 } = ending;
    // It was retried since: whoever says so was away, and hears of it.
    if (round < job.round) return;
    const isNews = job.ending === undefined || round > job.round;
    const isBetter = job.ending?.state === 'cancelled' && ending.state === 'done';
    this.#retrying.caughtUp(job, ending);
    if (isNews || isBetter) this.#end(job, ending);
  }

  /** One way only: whoever hears of the end stops, and keeps it on disk. */
  #end(job: JobBook, ending: JobEnding): void {
    const state = this.#state;
    closeWindow(state, job);
    job.clearQueue();
    job.census = undefined;
    state.jobs.turned(job, ending);
    job.rowsUsedMs = state.nowMs;
    this.#greeting.tellEnding(job);
    if (job.work !== undefined || job.isLoading)
      state.emit({ kind: 'unloadJob', job: job.header.job });
    state.emit({ kind: 'jobChanged', job: job.header.job });
  }

  /** What any fact may have changed for one job: its owner, its census, its end, who gets fed. */
  #lookAt(job: JobBook): void {
    const state = this.#state;
    const owner = state.ownerOf(job);
    if (owner !== job.lastOwner) {
      if (job.lastOwner !== undefined && owner === state.self && job.isActive) {
        // What an owner that lives had counted its makers send here.
        if (!state.isHere(job.lastOwner)) this.#census.want(job);
        state.log('info', 'this peer answers for a job now', { job: job.header.job });
      }
      job.lastOwner = owner;
      job.ownedSinceMs = state.nowMs;
      this.#recording.deliverOwed(job);
    }
    this.#recording.count(job);
    this.#census.look(job);
    const isMine = owner === state.self && !state.isPart;
    const isComplete = job.isActive && isMine && job.ledger.isComplete;
    if (isComplete && this.#audit.isOver(job)) {
      this.#end(job, endingOf(state, job, 'done'));
    }
    this.#greeting.answer(job);
  }
}
