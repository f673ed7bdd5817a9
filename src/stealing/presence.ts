// Who is here, as far as this peer is concerned: what a connection, its end, a loss and time alone change. Each
// room is told in the order in which it must know.
import type { Archive } from './archive.ts';
import type { Attempts } from './attempts.ts';
import type { Census } from './census.ts';
import type { Custody } from './custody.ts';
import type { Greeting } from './greeting.ts';
import { heartbeatOf, portraitOf } from './heartbeat.ts';
import type { PeerId } from './ids.ts';
import type { PeerFace } from './input.ts';
import type { Recording } from './recording.ts';
import type { CoreState } from './state.ts';
import type { Thief } from './thief.ts';

interface Rooms {
  readonly custody: Custody;
  readonly recording: Recording;
  readonly archive: Archive;
  readonly thief: Thief;
  readonly census: Census;
  readonly greeting: Greeting;
  readonly attempts: Attempts;
}

export class Presence {
  readonly #state: CoreState;
  readonly #rooms: Rooms;
  #nextBeatMs = Number.NEGATIVE_INFINITY;

  constructor(state: CoreState, rooms: Rooms) {
    this.#state = state;
    this.#rooms = rooms;
  }

  get nextBeatMs(): number {
    return this.#nextBeatMs;
  }

  connected(face: PeerFace): void {
    const state = this.#state;
    const before = state.beliefs.get(face.peer);
    const outcome = state.beliefs.connected(face, state.nowMs);
    if (outcome === 'fenced') return;
    this.#rooms.thief.forget(face.peer);
    if (outcome === 'restarted') {
      if (before !== undefined && before.state !== 'lost') this.#rooms.attempts.peerDied(before);
      this.lost(face.peer);
    }
    this.#rooms.greeting.greet(face.peer);
    this.#rooms.attempts.tell(face.peer);
    this.beat();
  }

  /** `left`: it said goodbye, and took nothing with it. */
  disconnected(peer: PeerId, refused: boolean, left = false): void {
    const state = this.#state;
    const belief = state.beliefs.get(peer);
    if (belief === undefined) return;
    belief.connected = false;
    belief.armed = false;
    this.#rooms.thief.forget(peer);
    this.#rooms.recording.forgetDeliveries((to) => to === peer);
    if (!refused || belief.state === 'lost') return;
    if (!left) this.#rooms.attempts.peerDied(belief);
    state.beliefs.lose(peer);
    this.lost(peer);
  }

  /** Lost, or living a new life that holds nothing of the old one. */
  lost(peer: PeerId): void {
    const state = this.#state;
    this.#rooms.custody.takeBack(peer);
    this.#rooms.thief.forget(peer);
    this.#rooms.recording.forgetDeliveries((to) => to === peer);
    for (const job of state.activeJobs()) this.#rooms.census.want(job);
  }

  /** What time alone brings: heartbeats, re-sent grants, rows that nobody acknowledged. */
  tick(): void {
    const { nowMs, jobs } = this.#state;
    this.#rooms.custody.tick();
    if (nowMs < this.#nextBeatMs) return;
    this.beat();
    this.#rooms.recording.forgetDeliveries(() => false);
    this.#rooms.recording.retryDisk();
    this.#rooms.greeting.retryDisk();
    this.#rooms.greeting.tellStored();
    for (const job of jobs.values()) this.#rooms.recording.deliverOwed(job);
    this.#rooms.archive.tidy();
  }

  beat(): void {
    const state = this.#state;
    this.#nextBeatMs = state.nowMs + state.limits.heartbeatMs;
    state.owesBeat = false;
    this.#rooms.thief.telling();
    const portrait = portraitOf(state, this.#rooms.custody);
    for (const belief of state.beliefs.all().filter(({ connected }) => connected)) {
      state.send(belief.face.peer, heartbeatOf(portrait, belief));
    }
  }
}
