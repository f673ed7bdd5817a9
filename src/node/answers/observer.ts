// What a live screen shows beyond the present moment: half a minute of every peer's load, and who took work from
// whom. This peer sees its own steals one by one; of steals between two others it knows what their counters say.
import type { Message } from '../../stealing/messages.ts';
import type { CoreStatus } from '../../stealing/status.ts';
import { countTasks } from '../../deque/interval-set.ts';
import type { SnapshotEvent, StealView } from '../control/api.ts';
import { type Contact, displayName, jobsView, peersView } from './views.ts';

/** Samples kept per peer, one a second: half a minute is what a line of a terminal can show. */
const SAMPLES_MAX = 30;
/** More steals than this fit on no screen. */
const STEALS_MAX = 50;
/** Ended jobs in a snapshot: what a person may still look for. */
const ENDED_JOBS_MAX = 5;

interface PeerMemory {
  readonly busy: number[];
  /** Counters at the last sample. */
  stole: number;
  gave: number;
  /** Tasks that this peer gave to it, or took from it, and that its counters do not show yet. */
  stoleFromHere: number;
  gaveToHere: number;
  /** Numbers of the newest grants in either direction: a grant that is sent again is the same steal. */
  grantSent: number;
  grantHeard: number;
}

interface Steal {
  readonly atMs: number;
  readonly thief: string;
  readonly victim: string | null;
  readonly tasks: number;
  readonly refused: string | null;
}

export class Observer {
  readonly #peers = new Map<string, PeerMemory>();
  /** Newest first. */
  #steals: Steal[] = [];

  /** Once a second. */
  sample(status: CoreStatus, nowMs: number): void {
    const moved = status.peers.map((peer) => {
      const memory = this.#memoryOf(peer.face.peer);
      memory.busy.push(peer.face.slots > 0 ? peer.busySlots / peer.face.slots : 0);
      if (memory.busy.length > SAMPLES_MAX) memory.busy.shift();
      const took = settle(memory, 'stole', peer.stole);
      const gave = settle(memory, 'gave', peer.gave);
      return { peer: String(peer.face.peer), isSelf: peer.isSelf, took, gave };
    });
    const givers = moved.filter(({ isSelf, gave }) => !isSelf && gave > 0);
    for (const { peer, isSelf, took } of moved) {
      if (isSelf || took <= 0) continue;
      const others = givers.filter((giver) => giver.peer !== peer);
      const victim = others.length === 1 ? (others[0]?.peer ?? null) : null;
      this.#add({ atMs: nowMs, thief: peer, victim, tasks: took, refused: null });
    }
  }

  sent(self: string, to: string, message: Message, nowMs: number): void {
    if (message.kind === 'stealRefused') {
      this.#add({ atMs: nowMs, thief: to, victim: self, tasks: 0, refused: message.reason });
    } else if (message.kind === 'grant') {
      const memory = this.#memoryOf(to);
      if (message.grant <= memory.grantSent) return;
      memory.grantSent = message.grant;
      const tasks = tasksOf(message);
      memory.stoleFromHere += tasks;
      this.#add({ atMs: nowMs, thief: to, victim: self, tasks, refused: null });
    }
  }

  heard(self: string, from: string, message: Message, nowMs: number): void {
    if (message.kind === 'stealRefused') {
      this.#add({ atMs: nowMs, thief: self, victim: from, tasks: 0, refused: message.reason });
    } else if (message.kind === 'grant') {
      const memory = this.#memoryOf(from);
      if (message.grant <= memory.grantHeard) return;
      memory.grantHeard = message.grant;
      const tasks = tasksOf(message);
      memory.gaveToHere += tasks;
      this.#add({ atMs: nowMs, thief: self, victim: from, tasks, refused: null });
    }
  }

  /** A peer that comes again counts its grants from the beginning. */
  met(peer: string): void {
    const memory = this.#memoryOf(peer);
    memory.grantHeard = 0;
  }

  snapshot(
    status: CoreStatus,
    contactOf: (peer: string) => Contact | undefined,
    nowMs: number,
  ): SnapshotEvent {
    const names = new Map(
      status.peers.map(({ face }) => [
        String(face.peer),
        displayName(status, face.peer, face.name),
      ]),
    );
    const nameOf = (peer: string): string => names.get(peer) ?? peer.slice(-8);
    const { jobs } = jobsView(status);
    const ended = jobs.filter((job) => job.state !== 'running').slice(-ENDED_JOBS_MAX);
    const running = jobs.filter((job) => job.state === 'running');
    return {
      kind: 'snapshot',
      v: 1,
      peers: peersView(status, contactOf, nowMs),
      jobs: { v: 1, jobs: [...ended, ...running] },
      history: status.peers.map(({ face }) => ({
        id: face.peer,
        busy: [...this.#memoryOf(face.peer).busy],
      })),
      steals: this.#steals.map(
        ({ atMs, thief, victim, tasks, refused }): StealView => ({
          at: new Date(atMs).toISOString(),
          thief: nameOf(thief),
          victim: victim === null ? null : nameOf(victim),
          tasks,
          refused,
        }),
      ),
    };
  }

  #add(steal: Steal): void {
    this.#steals = [steal, ...this.#steals].slice(0, STEALS_MAX);
  }

  #memoryOf(peer: string): PeerMemory {
    const known = this.#peers.get(peer);
    if (known !== undefined) return known;
    const fresh: PeerMemory = {
      busy: [],
      stole: Number.NaN,
      gave: Number.NaN,
      stoleFromHere: 0,
      gaveToHere: 0,
      grantSent: 0,
      grantHeard: 0,
    };
    this.#peers.set(peer, fresh);
    return fresh;
  }
}

/** How far a counter rose beyond what this peer saw itself. A first look, and a counter that fell (a new life of
 * the peer), say nothing. */
function settle(memory: PeerMemory, counter: 'stole' | 'gave', value: number): number {
  const rose = value - memory[counter];
  memory[counter] = value;
  if (!(rose > 0)) return 0;
  const own = counter === 'stole' ? 'stoleFromHere' : 'gaveToHere';
  const seen = Math.min(rose, memory[own]);
  memory[own] -= seen;
  return rose - seen;
}

function tasksOf({ batches }: Extract<Message, { kind: 'grant' }>): number {
  return batches.reduce((sum, { intervals }) => sum + countTasks(intervals), 0);
}
