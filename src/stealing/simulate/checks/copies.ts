// S2, S1 at the moment of the promise: while nobody is ever away, a row that counts lies on two disks, and an
// answered submit on as many as it says. Judged by what the disks hold, not by what peers believe.
import { IntervalSet } from '../../../deque/interval-set.ts';
import type { JobId } from '../../ids.ts';
import type { FaultKind, Scenario } from '../scenario.ts';
import type { Check, PeerView, Step } from '../watch.ts';

/** Faults that leave every peer up, heard and with its disk. */
const HARMLESS: readonly FaultKind[] = ['slowDown', 'slotDeath'];

export function nobodyIsEverAway({ faults }: Scenario): boolean {
  return faults.every(({ fault }) => HARMLESS.includes(fault.kind));
}

export function promisedCopiesExist(): Check {
  return {
    name: 'S2 what is promised lies on that many disks',
    stepped(step: Step): string | undefined {
      return thinAnswer(step) ?? thinCount(step);
    },
  };
}

function thinAnswer({ outputs, world }: Step): string | undefined {
  for (const output of outputs) {
    if (output.kind !== 'answerSubmit') continue;
    const holders = world.peers.filter((peer) => hasJob(peer, output.job)).length;
    if (holders < output.copies) return `${output.copies} copies told, ${holders} disks have it`;
  }
  return undefined;
}

function thinCount({ outputs, world, core, peer }: Step): string | undefined {
  if (!outputs.some(({ kind }) => kind === 'jobChanged')) return undefined;
  for (const { header, counted, owner } of core.status(0).jobs) {
    if (owner !== peer) continue;
    const kept = tasksOnEnoughDisks(world.peers, header.job, Math.min(2, world.peers.length));
    if (kept < counted) return `${peer} counts ${counted} rows, ${kept} are on two disks`;
  }
  return undefined;
}

function hasJob(peer: PeerView, job: JobId): boolean {
  return (
    peer.data.has(job) &&
    peer.journal.some((entry) => entry.kind === 'job' && entry.header.job === job)
  );
}

/** How many tasks have their row on at least `copies` (1 or 2) disks. */
function tasksOnEnoughDisks(peers: readonly PeerView[], job: JobId, copies: number): number {
  let once = new IntervalSet();
  let twice = new IntervalSet();
  for (const { journal } of peers) {
    const rows = IntervalSet.from(
      journal.flatMap((entry) =>
        entry.kind === 'rows' && entry.job === job ? entry.batch.intervals : [],
      ),
    );
    twice = twice.union(once.intersect(rows));
    once = once.union(rows);
  }
  return copies < 2 ? once.count : twice.count;
}
