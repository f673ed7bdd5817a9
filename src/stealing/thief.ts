// Getting work: a peer that will soon be dry asks one victim; after a few refusals it arms its lifelines (a
// standing request at every neighbour) and is silent until work comes to it. Nobody polls.
//
// Lifelines: Saraswat, Kambadur, Kodali, Grove, Krishnamoorthy, PPoPP 2011. Changed: they are armed before a
// job arrives, so that the first wave goes out over them, and up to 32 peers everybody is a neighbour.
import type { Belief } from './beliefs.ts';
import { mayBeSlow } from './copies.ts';
import { busySlots, hasIdleSlot } from './heartbeat.ts';
import { afterJob, claimsEndMs, isCoarse } from './horizon.ts';
import type { PeerId } from './ids.ts';
import type { JobBook } from './job-book.ts';
import type { RefusalReason } from './messages.ts';
import type { CoreState } from './state.ts';
import { inTurn } from './turns.ts';
import { microBatchMs } from './windows.ts';

/** Up to here everybody is everybody's neighbour; above, neighbours differ in one bit of their rank. */
export const FULL_GRAPH_PEERS = 32;
/** The same in a group of a larger mesh, where most work comes from whoever speaks for it, who is a neighbour of all. */
const FULL_GROUP_PEERS = 8;

interface Need {
  /** undefined: any job will do, because nothing else is known or there is one only. */
  readonly job: JobBook | undefined;
  /** ms of work here that goes before what is asked for. */
  readonly aheadMs: number;
  /** The same for each slot. */
  readonly freeMs: readonly number[];
}

/** Any work would do, and there is nobody to ask for it by now. */
const NO_JOB: Need = { job: undefined, aheadMs: 0, freeMs: [] };

export class Thief {
  readonly #state: CoreState;
  #asked:
    | {
        readonly request: number;
        readonly victim: PeerId;
        readonly sentMs: number;
        readonly idleSlots: number;
      }
    | undefined;
  #nextRequest = 1;
  #refusals = 0;
  /** No request before that moment. */
  #pauseUntilMs = Number.NEGATIVE_INFINITY;
  readonly #armedAt = new Set<PeerId>();
  /** The heartbeat after which each was last asked for a copy. */
  readonly #copiesAskedMs = new Map<PeerId, number>();
  /** They answered a lifeline by saying that they have work, and were not asked yet. */
  readonly #invited = new Set<PeerId>();

  constructor(state: CoreState) {
    this.#state = state;
  }

  /** Work came: the next refusal is the first again. */
  gotWork(): void {
    this.#refusals = 0;
  }

  /** A grant uses up the lifeline at its sender; the others hold until they are told of our backlog. */
  granted(from: PeerId, request: number): void {
    this.#armedAt.delete(from);
    if (this.#asked?.request === request) this.#asked = undefined;
  }

  /** A heartbeat goes out: whoever reads in it that we are busy takes our lifelines off, and so do we. */
  telling(): void {
    if (this.#state.unclaimedMs() > 0 || !hasIdleSlot(this.#state)) this.#armedAt.clear();
  }

  refused(from: PeerId, request: number, reason: RefusalReason): void {
    if (reason === 'askMe') {
      this.#armedAt.delete(from);
      this.#invited.add(from);
      this.#refusals = 0;
      return;
    }
    if (this.#asked?.request !== request || this.#asked.victim !== from) return;
    this.#miss(reason);
  }

  /** Somebody has plenty while we wait: a lifeline was lost on the way, or nobody feeds them. Ask again. */
  heardBacklog(from: PeerId, backlogMs: number): void {
    if (this.#refusals < this.#state.limits.refusalsMax) return;
    const need = this.#need();
    if (need === 'none') return;
    const belief = this.#state.beliefs.get(from);
    const surplusMs =
      need.job === undefined || belief === undefined
        ? backlogMs
        : this.#surplusMs(belief, need.job);
    const isWaiting = need.job !== undefined || this.#state.unclaimedMs() === 0;
    if (isWaiting && surplusMs > this.#thresholdMs()) this.#refusals = 0;
  }

  /** The peer is gone or new: it does not know that we wait. */
  forget(peer: PeerId): void {
    this.#armedAt.delete(peer);
    this.#invited.delete(peer);
    if (this.#asked?.victim === peer) this.#miss('noAnswer');
  }

  /** Asks, or arms, or does nothing. Called after every fact. */
  look(): void {
    const state = this.#state;
    if (!state.takesWork || state.face.slots === 0) return;
    this.#giveUpOnSilence();
    const need = this.#need();
    if (need === 'none') {
      this.#refusals = 0;
      this.#invited.clear();
      return;
    }
    if (this.#asked !== undefined) return;
    const canRunSome = state.activeJobs().some((job) => !job.isStranded && !state.lacksData(job));
    if (this.#refusals < state.limits.refusalsMax && canRunSome) {
      if (state.nowMs < this.#pauseUntilMs) return;
      const victim = this.#pickVictim(need.job);
      if (victim !== undefined) {
        this.#ask(victim, need);
        return;
      }
    }
    if (this.#askForCopy(need)) return;
    // A lifeline says that a slot stands still. While all are busy, what is sent here would only wait here.
    if (state.unclaimedMs() === 0 && hasIdleSlot(state)) this.#arm();
  }

  /** When `look` has to be called again though nothing happened. */
  nextLookMs(): number | undefined {
    if (!this.#state.takesWork) return undefined;
    if (this.#asked !== undefined) return this.#asked.sentMs + this.#patienceMs();
    return this.#pauseUntilMs > this.#state.nowMs ? this.#pauseUntilMs : undefined;
  }

  /** Which work is missing here: jobs in the order of their turns, until there is enough for the slots. A job
   * that should run before what is here, and of which others have plenty, is asked for by name. */
  #need(): Need | 'none' {
    const state = this.#state;
    const thresholdMs = this.#thresholdMs();
    const jobs = inTurn(state);
    if (jobs.length === 0) return NO_JOB;
    let freeMs = claimsEndMs(state);
    for (const job of jobs) {
      if (job.isStranded || state.lacksData(job)) continue;
      freeMs = afterJob(state, job, freeMs);
      const aheadMs = freeMs.length === 0 ? 0 : Math.min(...freeMs);
      if (aheadMs >= thresholdMs) return 'none';
      if (jobs.length < 2) continue;
      const hasPlenty = state.beliefs
        .ok()
        .some((belief) => this.#surplusMs(belief, job) > thresholdMs / 2);
      if (hasPlenty) return { job, aheadMs, freeMs };
    }
    return { job: undefined, aheadMs: state.backlogMs(), freeMs };
  }

  /** ms of work of one job that a peer has by now, if it went on with it since it told us. */
  #surplusMs(belief: Belief, job: JobBook): number {
    const work = belief.progress.get(job.header.job)?.backlogWork ?? 0;
    const rate = this.#state.rateOn(belief, job);
    return rate > 0 ? work / rate - (this.#state.nowMs - belief.beatMs) : 0;
  }

  #ask(victim: Belief, need: Need, idleSlots = 0): void {
    const state = this.#state;
    const request = this.#nextRequest++;
    this.#asked = { request, victim: victim.face.peer, sentMs: state.nowMs, idleSlots };
    state.send(victim.face.peer, {
      kind: 'stealRequest',
      request,
      rates: state.toldRates(),
      slots: state.face.slots,
      backlogMs: need.aheadMs,
      ...(idleSlots > 0 ? { idleSlots } : {}),
      ...(this.#countsSlots() ? { freeMs: need.freeMs } : {}),
      ...(need.job === undefined ? {} : { job: need.job.header.job }),
    });
  }

  /** Nothing to steal and slots that stand still: who runs long tasks more slowly is asked for a copy of one, once
   * per heartbeat of it. Returns whether somebody was asked. */
  #askForCopy(need: Need): boolean {
    const state = this.#state;
    const jobs = state.activeJobs();
    if (jobs.length === 0 || state.nowMs < this.#pauseUntilMs) return false;
    if (state.unclaimedMs() > 0 || !hasIdleSlot(state)) return false;
    const slow = state.beliefs
      .ok()
      .filter(({ face, beatMs }) => this.#copiesAskedMs.get(face.peer) !== beatMs)
      .filter((belief) => jobs.some((job) => mayBeSlow(state, job, belief)));
    const [victim] = slow.toSorted((a, b) => a.unchangedSinceMs - b.unchangedSinceMs);
    if (victim === undefined) return false;
    this.#copiesAskedMs.set(victim.face.peer, victim.beatMs);
    this.#ask(victim, need, state.face.slots - busySlots(state));
    return true;
  }

  #miss(why: string): void {
    const state = this.#state;
    if (this.#asked !== undefined) {
      state.steals.add({
        atMs: state.nowMs,
        thief: state.self,
        victim: this.#asked.victim,
        outcome: why === 'noAnswer' ? 'noAnswer' : 'refused',
        why,
        job: undefined,
        tasks: 0,
        work: 0,
      });
    }
    // A question for copies says nothing of what there is to steal.
    if ((this.#asked?.idleSlots ?? 0) === 0) this.#refusals++;
    this.#asked = undefined;
    // A victim that refused has as little as we have; in a micro-batch's time that may be different.
    const active = state.activeJobs().map((job) => microBatchMs(state, job) / 2);
    const pauseMs = Math.max(state.limits.refusalPauseMs, Math.min(50, ...active));
    this.#pauseUntilMs = state.nowMs + pauseMs;
  }

  #giveUpOnSilence(): void {
    if (this.#asked === undefined) return;
    if (this.#state.nowMs >= this.#asked.sentMs + this.#patienceMs()) this.#miss('noAnswer');
  }

  #patienceMs(): number {
    return Math.max(this.#state.limits.stealTimeoutMs, 4 * this.#state.beliefs.rttMs());
  }

  /** Two round trips or two micro-batches ahead, so that work arrives before the slots are dry. A task that is
   * longer than a micro-batch is no reason to ask earlier: it would only wait here. */
  #thresholdMs(): number {
    const { limits, beliefs } = this.#state;
    const leadMs = Math.max(limits.prefetchMsMin, beliefs.rttMs(), limits.microBatchMs);
    return limits.prefetchRoundTrips * leadMs;
  }

  /** Weighted by surplus, so that thieves spread over victims; full view, as beliefs age by what they said. */
  #pickVictim(job: JobBook | undefined): Belief | undefined {
    const { beliefs, nowMs, rng } = this.#state;
    for (const peer of this.#invited) {
      this.#invited.delete(peer);
      const host = beliefs.get(peer);
      if (host?.state === 'ok' && host.connected) return host;
    }
    const surplus = beliefs
      .ok()
      .map((belief) => ({
        belief,
        ms: job === undefined ? beliefs.agedBacklogMs(belief, nowMs) : this.#surplusMs(belief, job),
      }))
      .filter(({ ms }) => ms > this.#thresholdMs() / 2);
    const total = surplus.reduce((sum, { ms }) => sum + ms, 0);
    let point = rng.nextFloat() * total;
    for (const { belief, ms } of surplus) {
      point -= ms;
      if (point < 0) return belief;
    }
    return surplus.at(-1)?.belief;
  }

  #arm(): void {
    const state = this.#state;
    for (const belief of this.#neighbours()) {
      const { peer } = belief.face;
      if (this.#armedAt.has(peer)) continue;
      this.#armedAt.add(peer);
      state.send(peer, {
        kind: 'lifelineArmed',
        rates: state.toldRates(),
        slots: state.face.slots,
        ...(this.#countsSlots() ? { freeMs: claimsEndMs(state) } : {}),
      });
    }
  }

  #countsSlots(): boolean {
    return this.#state.activeJobs().some((job) => isCoarse(this.#state, job));
  }

  #neighbours(): Belief[] {
    const { beliefs, isPart, speaker } = this.#state;
    // A group that has just met: nobody can hand it work yet, and whoever is near by rank changes with all who come.
    if (isPart && speaker === undefined && this.#state.activeJobs().length === 0) return [];
    const ok = beliefs.ok();
    if (ok.length < (isPart ? FULL_GROUP_PEERS : FULL_GRAPH_PEERS)) return ok;
    const ranked = [...ok.map((belief) => belief.face.peer), this.#state.self].toSorted();
    const own = ranked.indexOf(this.#state.self);
    const near = new Set<PeerId>(speaker === undefined ? [] : [speaker]);
    for (let bit = 1; bit < ranked.length; bit *= 2) {
      const neighbour = ranked[(own ^ bit) % ranked.length];
      if (neighbour !== undefined && neighbour !== this.#state.self) near.add(neighbour);
    }
    return ok.filter((belief) => near.has(belief.face.peer));
  }
}
