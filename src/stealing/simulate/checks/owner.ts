// A job has one owner again once the trouble is over: while its submitter runs, everybody names the submitter, and
// whoever stood in for it has yielded.
import type { Check, WorldView } from '../watch.ts';

export function standInsYield(): Check {
  return {
    name: 'L1 whoever owned a job in between yields to its submitter',
    over({ hasEnded, peers }: WorldView): string | undefined {
      if (!hasEnded) return undefined;
      const running = peers.filter(({ core }) => core !== undefined);
      for (const peer of running) {
        const status = peer.core?.status(peer.localMs);
        for (const { header, owner } of status?.jobs ?? []) {
          const isHere = running.some(({ id }) => id === header.submitter);
          const isHeard = status?.peers.some(
            ({ face, state }) => face.peer === header.submitter && state === 'ok',
          );
          if (isHere && isHeard === true && owner !== header.submitter) {
            return `${peer.id} takes ${owner} for the owner, and ${header.submitter} is back`;
          }
        }
      }
      return undefined;
    },
  };
}
