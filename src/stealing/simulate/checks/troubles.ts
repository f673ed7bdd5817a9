// What can make a peer hold work that others believe lost, or the reverse: it was away, it was stopped, it was cut off
// from some of the others, or single messages strayed. Whatever leaves every peer up and heard is no trouble: a slow
// machine or disk, a full one, a dead slot, a clock that leaps, a drain.
import type { PeerId } from '../../ids.ts';
import { peerId } from '../../ids.ts';
import type { Fault, Scenario } from '../scenario.ts';
import type { WorldView } from '../watch.ts';
import type { Stay } from './handings.ts';

/** Whether it came between those who answered for one task. */
interface Trouble {
  readonly fromMs: number;
  untilMs: number;
  touches(peers: ReadonlySet<PeerId>): boolean;
}

/** ms after a partition has healed in which what was held back may still come: the senders try again that late. */
const HELD_BACK_MS = 1_500;

export class Troubles {
  readonly #troubles: Trouble[] = [];
  /** Since when a peer has been away, and the newest life that was seen of each. */
  readonly #away = new Map<PeerId, Trouble>();
  readonly #lives = new Map<PeerId, number>();

  constructor(scenario: Scenario) {
    const names = scenario.peers.map(({ name }) => peerId(name));
    for (const { atMs, fault } of scenario.faults) {
      const touches = reachOf(fault, names);
      if (touches === undefined || !('forMs' in fault)) continue;
      const afterMs = fault.kind === 'pause' ? 0 : HELD_BACK_MS;
      this.#troubles.push({ fromMs: atMs, untilMs: atMs + fault.forMs + afterMs, touches });
    }
  }

  /** Who is away at this moment, for whatever reason. */
  look({ nowMs, peers }: WorldView): void {
    for (const { id, incarnation, core } of peers) {
      const life = this.#lives.get(id) ?? 0;
      this.#lives.set(id, incarnation);
      // Who starts for the first time was missed by nobody.
      const isAway = life > 0 && (core === undefined || incarnation > life);
      if (isAway && !this.#away.has(id)) {
        const touches = (among: ReadonlySet<PeerId>): boolean => among.has(id);
        const trouble = { fromMs: nowMs, untilMs: Infinity, touches };
        this.#troubles.push(trouble);
        this.#away.set(id, trouble);
      }
      if (core === undefined) continue;
      const over = this.#away.get(id);
      if (over !== undefined) over.untilMs = nowMs;
      this.#away.delete(id);
    }
  }

  /** How many of them touched a task that these peers answered for. */
  touching(stays: readonly Pick<Stay, 'peer' | 'fromMs' | 'untilMs'>[]): number {
    return this.#troubles.filter((trouble) => {
      const there = stays.filter(
        ({ fromMs, untilMs }) => fromMs <= trouble.untilMs && untilMs >= trouble.fromMs,
      );
      return trouble.touches(new Set(there.map(({ peer }) => peer)));
    }).length;
  }
}

/** undefined: it touches nothing that changes hands, or is seen when it happens. */
function reachOf(fault: Fault, names: readonly PeerId[]): Trouble['touches'] | undefined {
  if (fault.kind === 'pause') {
    const stopped = names[fault.peer];
    return (peers) => stopped !== undefined && peers.has(stopped);
  }
  if (fault.kind === 'partition') {
    const inside = new Set(fault.side.map((i) => names[i]));
    return (peers) => {
      const within = [...peers].filter((peer) => inside.has(peer)).length;
      return within > 0 && within < peers.size;
    };
  }
  const isStraying = fault.kind === 'noise' && (fault.loss > 0 || fault.reorder > 0);
  return isStraying ? (peers) => peers.size > 0 : undefined;
}
