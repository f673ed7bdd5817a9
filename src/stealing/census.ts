// Finding lost work by asking. The owner asks every live peer which rows of a job it has on disk and which
// tasks it holds; what nobody has and nobody holds runs again. A wrong or late answer can only make a task
// run twice. It closes when every peer asked has answered, is suspect or is lost; who joins meanwhile only adds.
import { type Interval, IntervalSet, validIntervals } from '../deque/interval-set.ts';
import type { Archive } from './archive.ts';
import type { Attempts } from './attempts.ts';
import type { Custody } from './custody.ts';
import type { PeerId } from './ids.ts';
import type { CensusRound, JobBook } from './job-book.ts';
import { type AnswerPart, answerParts, intervalParts } from './message-parts.ts';
import type { Recording } from './recording.ts';
import { awaitsOthers } from './recovered-book.ts';
import type { CoreState } from './state.ts';

/** An ended job that lacks rows is asked for so often in a row without a new row; then nobody has them, and only
 * a peer that comes, goes or wants to read them is a reason to ask again. */
const FRUITLESS_ROUNDS_MAX = 5;

interface Answer extends AnswerPart {
  readonly part?: number | undefined;
  readonly parts?: number | undefined;
}

export class Census {
  readonly #state: CoreState;
  readonly #custody: Custody;
  readonly #recording: Recording;
  readonly #archive: Archive;
  readonly #attempts: Attempts;
  #nextCensus = 1;
  /** The ended job whose missing rows were asked for last. */
  #seeking: JobBook | undefined;
  /** When nobody else was here last. */
  #aloneMs = Number.NEGATIVE_INFINITY;

  constructor(
    state: CoreState,
    rooms: {
      readonly archive: Archive;
      readonly custody: Custody;
      readonly recording: Recording;
      readonly attempts: Attempts;
    },
  ) {
    this.#state = state;
    this.#custody = rooms.custody;
    this.#recording = rooms.recording;
    this.#archive = rooms.archive;
    this.#attempts = rooms.attempts;
  }

  /** A peer with work is gone, or the job has a new owner: ask as soon as no other round is open. */
  want(job: JobBook): void {
    job.censusWanted = true;
    job.censusWantedMs = this.#state.nowMs;
    job.fruitlessRounds = 0;
    // A group is only lost until somebody else speaks for it, and says what it holds.
    if (this.#state.isGroup)
      job.censusNotBeforeMs = this.#state.nowMs + this.#state.limits.heartbeatMs;
  }

  /** A job that a former life left: who may hold its work is given a moment to be met first. Without that,
   * every peer that starts again would run all that is missing beside those who hold it. */
  wantSoon(job: JobBook): void {
    this.want(job);
    job.isRevived = true;
    job.censusNotBeforeMs = this.#state.nowMs + this.#state.limits.censusPauseMs;
  }

  /** Rows that are not here: an owner takes a census for them, everybody else asks the owner. */
  gather(job: JobBook): void {
    const state = this.#state;
    const everything = IntervalSet.from([[0, job.header.taskCount]]);
    const missing = everything.subtract(job.ledger.present);
    if (missing.isEmpty) return;
    const owner = state.ownerOf(job);
    if (owner === state.self) {
      if (job.ending !== undefined) this.want(job);
      return;
    }
    this.#wantRows(job, owner, missing);
  }

  /** Opens and closes rounds; called after every fact. */
  look(job: JobBook): void {
    const state = this.#state;
    if (!state.isOwner(job)) {
      job.census = undefined;
      job.censusWanted = false;
      return;
    }
    if (job.census === undefined && !awaitsOthers(state, job) && this.#isDue(job)) this.#open(job);
    const round = job.census;
    if (round === undefined) return;
    for (const peer of round.unanswered) {
      if (!state.beliefs.isLive(peer)) round.unanswered.delete(peer);
    }
    // A question can die with its connection; asking twice is harmless.
    if (state.nowMs - round.askedMs >= state.limits.censusPauseMs) this.#ask(job, round);
    // What nobody else names may be a suspect's: whoever is idle may run it, at worst a second time.
    const awaited = [...round.unanswered].some((peer) => state.beliefs.get(peer)?.state === 'ok');
    if (!awaited) this.#close(job, round.held);
  }

  /** When `look` has to be called again though nothing happened. */
  nextLookMs(job: JobBook): number | undefined {
    if (!this.#state.isOwner(job)) return undefined;
    if (job.census !== undefined) return job.census.askedMs + this.#state.limits.censusPauseMs;
    if (!job.isActive && job.ledger.isComplete) return undefined;
    return Math.max(this.#state.nowMs, job.lastCensusMs) + this.#state.limits.censusPauseMs;
  }

  /** Another peer asks. */
  asked(from: PeerId, job: JobBook, census: number): void {
    const disk = job.ledger.onDiskOf(this.#state.self);
    const onDisk = job.ledger
      .makers()
      .map(([maker, made]) => ({ maker, intervals: made.intersect(disk).intervals() }))
      .filter(({ intervals }) => intervals.length > 0);
    // Own rows and those of others that are not on disk yet are held: they will come.
    const coming = job.ledger.madeBy(this.#state.self).union(this.#recording.onTheWay(job));
    const held = this.#heldHere(job).union(coming.subtract(disk));
    const { job: id } = job.header;
    const parts = answerParts({ onDisk, held: held.intervals() });
    for (const [part, words] of parts.entries()) {
      const answer = { kind: 'censusAnswer', job: id, census, ...words } as const;
      const place = { part, parts: parts.length };
      this.#state.send(from, parts.length === 1 ? answer : { ...answer, ...place });
    }
  }

  answered(from: PeerId, job: JobBook, census: number, answer: Answer): void {
    const { taskCount } = job.header;
    if (!validIntervals(answer.held, taskCount)) return;
    if (!answer.onDisk.every(({ intervals }) => validIntervals(intervals, taskCount))) return;
    let wanted = new IntervalSet();
    for (const { maker, intervals } of answer.onDisk) {
      if (job.liars.has(maker)) continue;
      job.ledger.markOnDisk(from, intervals);
      wanted = wanted.union(IntervalSet.from(intervals).subtract(job.ledger.present));
    }
    if (!wanted.isEmpty) this.#wantRows(job, from, wanted);
    this.#recording.count(job);
    const round = job.census;
    if (round === undefined || round.id !== census) return;
    round.held = round.held.union(answer.held).union(wanted);
    // Parts of several sizes take several ways, and the question may have been answered twice.
    const { part = 0, parts = 1 } = answer;
    const heard = (round.partsOf.get(from) ?? new Set()).add(part);
    round.partsOf.set(from, heard);
    if (heard.size >= parts) round.unanswered.delete(from);
  }

  #wantRows(job: JobBook, from: PeerId, tasks: IntervalSet): void {
    for (const intervals of intervalParts(tasks.intervals()))
      this.#state.send(from, { kind: 'rowsWanted', job: job.header.job, intervals });
  }

  /** Somebody lost rows that are on this disk. */
  rowsWanted(from: PeerId, job: JobBook, intervals: readonly Interval[]): void {
    if (!validIntervals(intervals, job.header.taskCount)) return;
    const mine = job.ledger.onDiskOf(this.#state.self).intersect(intervals);
    this.#archive.sendWanted(job, from, mine);
  }

  #heldHere(job: JobBook): IntervalSet {
    return job.heldTasks(this.#custody.namedOf(job).intervals());
  }

  /** Asked for, or nobody claims what is missing; an ended job only wants the rows that it lacks. */
  #isDue(job: JobBook): boolean {
    const { nowMs, limits } = this.#state;
    if (nowMs < job.censusNotBeforeMs) return false;
    if (job.censusWanted) return true;
    // Others learn of a loss later, and name until then what they granted to the dead. Heartbeats do not.
    const isAfterLoss = nowMs - job.censusWantedMs < 2 * limits.censusPauseMs;
    const pauseMs = isAfterLoss ? limits.heartbeatMs : limits.censusPauseMs;
    if (nowMs - Math.max(job.lastCensusMs, job.lastCountedMs) < pauseMs) return false;
    if (!job.isActive) return job.ending?.state === 'done' && this.#maySeek(job);
    if (isCounted(job) || !this.#heldHere(job).isEmpty) return false;
    return this.#state.beliefs.live().every((belief) => {
      // A silent peer's word is old, and everybody who is heard has nothing to do.
      if (belief.state === 'suspect') return true;
      const progress = belief.progress.get(job.header.job);
      return (progress?.heldTasks ?? 0) === 0;
    });
  }

  /** Whether the owner of an ended job looks for the rows that it lacks: it has been the owner among others for a
   * while, and no other job's are on their way. */
  #maySeek(job: JobBook): boolean {
    const { nowMs, limits, beliefs } = this.#state;
    // In a part of a larger mesh most rows are elsewhere.
    if (this.#state.isPart) return false;
    if (job.fruitlessRounds >= FRUITLESS_ROUNDS_MAX || isWhole(job)) return false;
    if (beliefs.ok().length === 0) this.#aloneMs = nowMs;
    if (nowMs - Math.max(job.ownedSinceMs, this.#aloneMs) < limits.seekAfterMs) return false;
    const other = this.#seeking;
    if (other === undefined || other === job || isWhole(other)) return true;
    return nowMs - other.lastCensusMs >= limits.censusPauseMs;
  }

  #open(job: JobBook): void {
    const state = this.#state;
    const unanswered = new Set(state.beliefs.live().map((belief) => belief.face.peer));
    const id = this.#nextCensus++;
    const present = job.ledger.present.count;
    job.fruitlessRounds = present > job.presentAtRound ? 0 : job.fruitlessRounds + 1;
    job.presentAtRound = present;
    const partsOf = new Map<PeerId, Set<number>>();
    const round = { id, unanswered, partsOf, held: this.#heldHere(job), askedMs: state.nowMs };
    job.census = round;
    job.censusWanted = false;
    job.lastCensusMs = state.nowMs;
    if (!job.isActive) this.#seeking = job;
    this.#ask(job, round);
  }

  #ask(job: JobBook, round: CensusRound): void {
    round.askedMs = this.#state.nowMs;
    for (const peer of round.unanswered) {
      this.#state.send(peer, { kind: 'census', job: job.header.job, census: round.id });
    }
  }

  #close(job: JobBook, heldByOthers: IntervalSet): void {
    const state = this.#state;
    job.census = undefined;
    if (!job.isActive) return;
    const held = heldByOthers.union(this.#heldHere(job));
    // Who spoke for this group before was handed these.
    if (state.isPart) job.scope = job.scope.union(held);
    const missing = job.scope.subtract(job.ledger.present).subtract(held);
    if (missing.isEmpty) return;
    const again = this.#attempts.giveUpSpent(job, missing);
    const count = job.enqueue(again.intervals(), 'bottom');
    if (!job.isRevived) job.lostTasks += count;
    // What a group leaves is much, and the others are busy with what they were handed.
    job.owesWave ||= state.isGroup;
    job.isRevived = false;
    state.log('info', 'tasks that nobody holds run again', {
      job: job.header.job,
      tasks: count,
    });
  }
}

/** Whatever this peer answers for. */
function isCounted({ scope, ledger, header }: JobBook): boolean {
  if (ledger.isComplete) return true;
  return scope.count < header.taskCount && scope.subtract(ledger.counted).isEmpty;
}

function isWhole(job: JobBook): boolean {
  return job.ledger.present.count === job.header.taskCount;
}
