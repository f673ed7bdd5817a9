// What this peer believes about the others, and how old the belief is. Liveness is judged here, per peer and
// never per task: closed and refused is lost at once, silence makes a suspect and then a loss, and whoever
// was paused itself accuses nobody until everybody had the time to be heard.
import type { PeerFace } from './input.ts';
import type { JobId, PeerId } from './ids.ts';
import type { Limits } from './limits.ts';
import type { Heartbeat, JobProgress, Rate } from './messages.ts';

type PeerState = 'ok' | 'suspect' | 'lost';

export interface Belief {
  face: PeerFace;
  state: PeerState;
  /** A control stream is open: messages can be sent. */
  connected: boolean;
  lastHeardMs: number;
  /** When the last heartbeat came; -Infinity before the first. */
  beatMs: number;
  beat: Heartbeat | undefined;
  /** Smoothed round trip. */
  rttMs: number;
  rates: ReadonlyMap<string, number>;
  progress: ReadonlyMap<JobId, JobProgress>;
  /** Since when it finished nothing, as its heartbeats count. */
  unchangedSinceMs: number;
  /** It waits for work of ours. */
  armed: boolean;
  /** ms until each of its slots was free, when it armed; undefined: all were. */
  freeMs: readonly number[] | undefined;
  armedMs: number;
  draining: boolean;
}

const NO_PROGRESS: ReadonlyMap<JobId, JobProgress> = new Map();

/** ms assumed before the first measured round trip. */
const UNKNOWN_RTT_MS = 1;

export class Beliefs {
  readonly #limits: Limits;
  readonly #peers = new Map<PeerId, Belief>();
  /** Ascending ids: every loop over peers runs in this order, never in arrival order. */
  #sorted: readonly Belief[] = [];
  /** Ids of `live()`; undefined when somebody was lost or came since. */
  #livePeers: readonly PeerId[] | undefined;
  /** Before that moment nobody's silence is long enough to change what is believed of it. */
  #nextSilenceMs = Number.POSITIVE_INFINITY;
  readonly #quarantined = new Set<PeerId>();
  #lastLookMs: number | undefined;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get(peer: PeerId): Belief | undefined {
    return this.#peers.get(peer);
  }

  all(): readonly Belief[] {
    return this.#sorted;
  }

  /** Not lost: they count as disks, owners and holders. */
  live(): Belief[] {
    return this.#sorted.filter((belief) => belief.state !== 'lost');
  }

  /** Ids of `live()`; the same array while it says the same. */
  livePeers(): readonly PeerId[] {
    this.#livePeers ??= this.live().map(({ face }) => face.peer);
    return this.#livePeers;
  }

  isLive(peer: PeerId): boolean {
    const belief = this.#peers.get(peer);
    return belief !== undefined && belief.state !== 'lost';
  }

  /** Heard lately and connected: the ones to trade work with. */
  ok(): Belief[] {
    return this.#sorted.filter((belief) => belief.state === 'ok' && belief.connected);
  }

  /** The slowest usual round trip, for time-outs and prefetch. */
  rttMs(): number {
    let max = 0;
    for (const { state, connected, rttMs } of this.#sorted)
      if (state === 'ok' && connected && rttMs > max) max = rttMs;
    return max;
  }

  /** Returns 'restarted' when the known face was an older life of that peer. */
  connected(face: PeerFace, nowMs: number): 'new' | 'back' | 'restarted' | 'fenced' {
    const known = this.#peers.get(face.peer);
    if (known !== undefined && known.face.incarnation > face.incarnation) return 'fenced';
    if (this.#quarantined.has(face.peer)) return 'fenced';
    const isSameLife = known?.face.incarnation === face.incarnation;
    const outcome = known === undefined ? 'new' : isSameLife ? 'back' : 'restarted';
    this.#peers.set(face.peer, {
      face,
      state: 'ok',
      connected: true,
      lastHeardMs: nowMs,
      beatMs: Number.NEGATIVE_INFINITY,
      beat: undefined,
      rttMs: known?.rttMs ?? UNKNOWN_RTT_MS,
      rates: known?.rates ?? new Map(),
      progress: isSameLife ? known.progress : new Map(),
      unchangedSinceMs: nowMs,
      armed: false,
      freeMs: undefined,
      armedMs: nowMs,
      draining: false,
    });
    this.#sorted = [...this.#peers.values()].toSorted((a, b) =>
      a.face.peer < b.face.peer ? -1 : 1,
    );
    this.#livePeers = undefined;
    this.#isHeard(nowMs);
    return outcome;
  }

  /** Whose word it is: of a life that is over, or of somebody who was never let in, it must not count. */
  heard(peer: PeerId, incarnation: number, nowMs: number): 'current' | 'older' | 'stranger' {
    const belief = this.#peers.get(peer);
    if (belief === undefined || this.#quarantined.has(peer)) return 'stranger';
    if (belief.face.incarnation !== incarnation) return 'older';
    belief.lastHeardMs = nowMs;
    if (belief.connected && belief.state !== 'ok') {
      if (belief.state === 'lost') this.#livePeers = undefined;
      belief.state = 'ok';
      this.#isHeard(nowMs);
    }
    return 'current';
  }

  beat(peer: PeerId, beat: Heartbeat, nowMs: number): void {
    const belief = this.#peers.get(peer);
    if (belief === undefined) return;
    if (beat.done !== belief.beat?.done) belief.unchangedSinceMs = nowMs;
    belief.beatMs = nowMs;
    belief.beat = beat;
    if (!saysTheSame(beat.rates, belief.rates)) belief.rates = ratesOf(beat.rates);
    belief.progress =
      beat.jobs.length === 0
        ? NO_PROGRESS
        : new Map(beat.jobs.map((progress) => [progress.job, progress]));
    belief.draining = beat.draining;
    if (beat.backlogMs > 0 || beat.busySlots >= beat.slots) belief.armed = false;
    const sampleMs = nowMs - beat.echoSentMs - beat.echoAgeMs;
    // Half new, half old: a relay switch shows within a second, one late packet is damped.
    if (beat.echoSentMs > 0 && sampleMs >= 0) belief.rttMs = (belief.rttMs + sampleMs) / 2;
  }

  /** Own lag first (added to every deadline), then silence. Returns who became lost just now. */
  look(nowMs: number): PeerId[] {
    const gapMs = nowMs - (this.#lastLookMs ?? nowMs);
    this.#lastLookMs = nowMs;
    const lagMs = gapMs > this.#limits.heartbeatMs * 2 ? gapMs - this.#limits.heartbeatMs : 0;
    const lost: PeerId[] = [];
    if (lagMs === 0 && nowMs < this.#nextSilenceMs) return lost;
    this.#nextSilenceMs = Number.POSITIVE_INFINITY;
    for (const belief of this.#sorted) {
      belief.lastHeardMs = Math.min(nowMs, belief.lastHeardMs + lagMs);
      if (belief.state === 'lost') continue;
      const silentMs = nowMs - belief.lastHeardMs;
      if (silentMs >= this.#limits.lostMs) {
        this.lose(belief.face.peer);
        lost.push(belief.face.peer);
        continue;
      }
      if (silentMs >= this.#limits.suspectMs) belief.state = 'suspect';
      const { suspectMs, lostMs } = this.#limits;
      const patienceMs = belief.state === 'suspect' ? lostMs : suspectMs;
      this.#nextSilenceMs = Math.min(this.#nextSilenceMs, belief.lastHeardMs + patienceMs);
    }
    return lost;
  }

  /** Somebody came or was heard again: its silence is counted from now. */
  #isHeard(nowMs: number): void {
    this.#nextSilenceMs = Math.min(this.#nextSilenceMs, nowMs + this.#limits.suspectMs);
  }

  /** It gave wrong rows: lost, and fenced; the records of its job fence it in this peer's next lives. */
  quarantine(peer: PeerId): void {
    this.#quarantined.add(peer);
    this.lose(peer);
  }

  isQuarantined(peer: PeerId): boolean {
    return this.#quarantined.has(peer);
  }

  lose(peer: PeerId): void {
    const belief = this.#peers.get(peer);
    if (belief === undefined) return;
    if (belief.state !== 'lost') this.#livePeers = undefined;
    belief.state = 'lost';
    belief.armed = false;
  }

  /** Units per ms of a whole peer: told by it, or the prior of its slots. */
  rateOf(belief: Belief, rateKey: string): number {
    const prior = belief.face.slots * this.#limits.priorUnitsPerSlotMs;
    return belief.rates.get(rateKey) ?? prior;
  }

  /** ms of work the peer has by now, if it went on working since it told us. */
  agedBacklogMs(belief: Belief, nowMs: number): number {
    if (belief.beat === undefined) return 0;
    return Math.max(0, belief.beat.backlogMs - (nowMs - belief.beatMs));
  }
}

/** Most heartbeats tell what the last one told. */
function saysTheSame(rates: readonly Rate[], known: ReadonlyMap<string, number>): boolean {
  if (rates.length !== known.size) return false;
  let at = 0;
  for (const [rateKey, unitsPerMs] of known) {
    const rate = rates[at++];
    if (rate?.rateKey !== rateKey || rate.unitsPerMs !== unitsPerMs) return false;
  }
  return true;
}

export function ratesOf(rates: readonly Rate[]): ReadonlyMap<string, number> {
  return new Map(rates.map(({ rateKey, unitsPerMs }) => [rateKey, unitsPerMs]));
}
