// Nothing acknowledged is lost: when a submit was answered with so many copies, that many disks have job and
// data at that moment, and any of them that is left keeps the job alive.
import type { JobId } from '../../ids.ts';
import type { Check, Step, WorldView } from '../watch.ts';

export function acknowledgedJobsStay(): Check {
  const copies = new Map<JobId, number>();
  return {
    name: 'S1 nothing acknowledged is lost',
    stepped({ outputs }: Step): string | undefined {
      for (const output of outputs) {
        if (output.kind === 'answerSubmit') copies.set(output.job, output.copies);
      }
      return undefined;
    },
    over(world: WorldView): string | undefined {
      const lost = world.peers.filter(({ isGone }) => isGone).length;
      for (const [job, promised] of copies) {
        const holders = world.peers.filter(
          (peer) =>
            peer.data.has(job) &&
            peer.journal.some((entry) => entry.kind === 'job' && entry.header.job === job),
        );
        if (promised > lost && holders.length === 0) {
          return `${job} was answered with ${promised} copies, ${lost} disks are lost, none has it`;
        }
      }
      return undefined;
    },
  };
}
