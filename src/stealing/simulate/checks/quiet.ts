// L4: when all is done only heartbeats are left: no steal, no row, no census, nothing on a disk.
import { DEFAULT_LIMITS } from '../../limits.ts';
import type { PeerId } from '../../ids.ts';
import type { Message } from '../../messages.ts';
import type { Scenario } from '../scenario.ts';
import type { Check, Execution, Sending, Step, WorldView } from '../watch.ts';

/** What is under way when the last peer learns of the end may still arrive, a dead peer is found out after 10 s,
 * who owns its jobs then waits for 5 s, the copies that it had are made anew, and rows that went with it are asked for
 * six times, a second apart. */
const SETTLE_MS = 20_000;
/** How long the world is watched after that. */
const WATCH_MS = 3_000;

/** Both shrink with the time-outs of the cores. */
export function settleMs({ limits }: Scenario): number {
  if (limits === undefined) return SETTLE_MS;
  const { lostMs, censusPauseMs } = DEFAULT_LIMITS;
  return SETTLE_MS * Math.max(limits.lostMs / lostMs, limits.censusPauseMs / censusPauseMs);
}

export function watchMs({ limits }: Scenario): number {
  return limits === undefined ? WATCH_MS : 4 * limits.heartbeatMs;
}

interface Seen {
  readonly atMs: number;
  readonly what: string;
  /** What a finished task makes, though its job has ended: its row, of which others tell too, or lifelines of the peer
   * that ran it, because a slot of it stands still then. */
  readonly of: 'row' | PeerId | undefined;
}

export function quietWhenIdle(): Check {
  /** Per virtual time; only what is younger than `SETTLE_MS + WATCH_MS` can matter. */
  let seen: Seen[] = [];
  const note = (atMs: number, what: string, of: Seen['of']): void => {
    if (seen.length > 10_000)
      seen = seen.filter((event) => event.atMs > atMs - SETTLE_MS - WATCH_MS);
    seen.push({ atMs, what, of });
  };
  const runs: Execution[] = [];
  return {
    name: 'L4 an idle mesh sends heartbeats only',
    ran(execution: Execution): undefined {
      runs.push(execution);
    },
    sent({ atMs, from, to, message }: Sending): undefined {
      if (isIdleTalk(message)) return;
      const isOfRow = message.kind === 'rows' || message.kind === 'rowsKept';
      const isArming = message.kind === 'lifelineArmed';
      const of = isOfRow ? 'row' : isArming ? from : undefined;
      note(atMs, `${from} sends ${to} ${message.kind}`, of);
    },
    stepped({ atMs, peer, outputs }: Step): undefined {
      if (outputs.some(({ kind }) => kind === 'persist'))
        note(atMs, `${peer} writes to disk`, 'row');
    },
    over(world: WorldView): string | undefined {
      const { endedAtMs } = world;
      if (endedAtMs === undefined || someJobGoesOn(world)) return undefined;
      // A slow slot may have been over a second copy of a long task when the job ended; its row still comes.
      const begun = runs.filter(({ startedMs }) => startedMs <= endedAtMs);
      const untilMs = (of: Seen['of']): number =>
        begun
          .filter(({ peer }) => of === 'row' || of === peer)
          .reduce((last, { atMs }) => Math.max(last, atMs), endedAtMs);
      const late = seen.filter(
        ({ atMs, of }) =>
          atMs > endedAtMs + settleMs(world.scenario) &&
          atMs > untilMs(of) + settleMs(world.scenario),
      );
      const first = late[0];
      if (first === undefined) return undefined;
      return `${late.length} events in ${watchMs(world.scenario)} ms of idleness, first: ${first.what}`;
    },
  };
}

/** One that nobody has the data of any more, which therefore never ends. */
function someJobGoesOn({ peers }: WorldView): boolean {
  return peers.some((peer) =>
    peer.core?.status(peer.localMs).jobs.some(({ isActive }) => isActive),
  );
}

function isIdleTalk(message: Message): boolean {
  const { kind } = message.kind === 'beyond' ? message.message : message;
  // Who speaks for a group repeats it, in place of a heartbeat now and then.
  return kind === 'heartbeat' || kind === 'speaks';
}
