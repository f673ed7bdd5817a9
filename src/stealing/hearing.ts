// What another peer's word does: each message goes to the room that it is about. Whoever was never let in is not heard,
// and of a life that is over only its finished rows are taken.
import { unreachable } from '../invariant.ts';
import type { Archive } from './archive.ts';
import type { Attempts } from './attempts.ts';
import type { Audit } from './audit.ts';
import type { Census } from './census.ts';
import type { Custody } from './custody.ts';
import type { Greeting } from './greeting.ts';
import type { JobId, PeerId } from './ids.ts';
import type { Input } from './input.ts';
import type { JobBook } from './job-book.ts';
import type { JobEnding, JobHeader } from './job.ts';
import type { Message } from './messages.ts';
import type { Presence } from './presence.ts';
import type { Receiving } from './receiving.ts';
import type { Recording } from './recording.ts';
import type { Retrying } from './retrying.ts';
import type { CoreState } from './state.ts';
import type { Thief } from './thief.ts';
import type { Victim } from './victim.ts';

interface Rooms {
  readonly archive: Archive;
  readonly attempts: Attempts;
  readonly audit: Audit;
  readonly census: Census;
  readonly custody: Custody;
  readonly greeting: Greeting;
  readonly presence: Presence;
  readonly receiving: Receiving;
  readonly recording: Recording;
  readonly retrying: Retrying;
  readonly thief: Thief;
  readonly victim: Victim;
  /** A job has ended elsewhere. */
  readonly ended: (header: JobHeader, ending: JobEnding) => void;
}

type AboutJob = Extract<
  Message,
  { kind: 'rows' | 'census' | 'censusAnswer' | 'rowsWanted' | 'taskTried' }
>;

export class Hearing {
  readonly #state: CoreState;
  readonly #rooms: Rooms;

  constructor(state: CoreState, rooms: Rooms) {
    this.#state = state;
    this.#rooms = rooms;
  }

  heard({ from, incarnation, message }: Extract<Input, { kind: 'messageReceived' }>): void {
    const state = this.#state;
    const rooms = this.#rooms;
    const life = state.beliefs.heard(from, incarnation, state.nowMs);
    // Finished rows of an older life are still welcome; everything else of it is fenced.
    if (life === 'stranger' || (life === 'older' && message.kind !== 'rows')) return;
    switch (message.kind) {
      case 'heartbeat':
        return this.#heartbeat(from, message);
      case 'jobOffered':
        return rooms.greeting.offered(from, message.header);
      case 'jobRetried':
        return rooms.retrying.heard(from, message.header, message.round);
      case 'jobStored':
        return rooms.greeting.stored(from, message.job);
      case 'jobEnded':
        return rooms.ended(message.header, message.ending);
      case 'lifelineArmed':
        return rooms.victim.armed(from, message);
      case 'stealRequest':
        return rooms.victim.asked(from, message);
      case 'stealRefused':
        return rooms.thief.refused(from, message.request, message.reason);
      case 'grant':
        return rooms.receiving.granted(from, incarnation, message);
      case 'grantConfirmed':
        return rooms.custody.confirmed(from, message.grant);
      case 'rowsKept':
        rooms.recording.kept(from, message.delivery);
        return rooms.archive.lend();
      case 'leaving':
        return rooms.presence.disconnected(from, true, true);
      case 'quarantined':
        return this.#quarantined(from, message.job, message.peer);
      case 'rows':
      case 'census':
      case 'censusAnswer':
      case 'rowsWanted':
      case 'taskTried':
        return this.#aboutJob(from, message);
      // Between groups, and for no core: whoever stands for one reads them (tiers/).
      case 'beyond':
      case 'speaks':
        return;
      default:
        unreachable(message);
    }
  }

  #quarantined(from: PeerId, id: JobId, peer: PeerId): void {
    const job = this.#state.jobs.get(id);
    if (job !== undefined && this.#state.ownerOf(job) === from) this.#rooms.audit.heard(job, peer);
  }

  #aboutJob(from: PeerId, message: AboutJob): void {
    const job = this.#state.jobs.get(message.job);
    if (job === undefined) {
      if (message.kind !== 'census') return;
      // Silence would keep the census open: who does not know the job holds none of it.
      const answer = { ...message, kind: 'censusAnswer', onDisk: [], held: [] } as const;
      this.#state.send(from, answer);
      return;
    }
    this.#ofJob(from, job, message);
  }

  #ofJob(from: PeerId, job: JobBook, message: AboutJob): void {
    const { attempts, census, greeting, recording } = this.#rooms;
    switch (message.kind) {
      case 'rows':
        greeting.keepRowsOf(job);
        return recording.received(job, from, message);
      case 'census':
        return census.asked(from, job, message.census);
      case 'taskTried':
        return attempts.heard(from, job, message);
      case 'censusAnswer':
        return census.answered(from, job, message.census, message);
      case 'rowsWanted':
        return census.rowsWanted(from, job, message.intervals);
      default:
        unreachable(message);
    }
  }

  #heartbeat(from: PeerId, beat: Extract<Message, { kind: 'heartbeat' }>): void {
    const { greeting, thief } = this.#rooms;
    this.#state.beliefs.beat(from, beat, this.#state.nowMs);
    thief.heardBacklog(from, beat.backlogMs);
    for (const { job, steals, messages, resultMessages = 0 } of beat.jobs) {
      const book = this.#state.jobs.get(job);
      if (book === undefined) continue;
      book.told.set(from, { steals, messages, resultMessages });
      greeting.remind(from, book);
    }
    greeting.offerUnheard(from, beat.jobs);
  }
}
