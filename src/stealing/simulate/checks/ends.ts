// L1: after the faults stop, a job ends at every live peer as long as one of them has it on disk with its data.
import type { Check, WorldView } from '../watch.ts';

export function jobsEnd(): Check {
  return {
    name: 'L1 a job ends while one peer that has it lives',
    over(world: WorldView): string | undefined {
      if (world.hasEnded) return undefined;
      const told = world.peers.map((peer) => {
        const jobs = peer.core?.status(peer.localMs).jobs ?? [];
        const texts = jobs.map(
          ({ header, isActive, counted, owner }) =>
            `${header.name} ${isActive ? 'runs' : 'ended'}, ${counted} of ${header.taskCount} counted, owner ${owner}`,
        );
        const data = peer.data.size > 0 ? 'data' : 'no data';
        return `${peer.id}: ${peer.core === undefined ? 'off' : texts.join(', ')} (${data})`;
      });
      return `not ended ${world.scenario.patienceMs.toFixed(0)} ms after the faults; ${told.join('; ')}`;
    },
  };
}
