// S4: in the life of one process, what a job counts never shrinks, and an ended job stays ended.
import type { Check, Step } from '../watch.ts';

export function countsNeverShrink(): Check {
  const last = new Map<string, { counted: number; isActive: boolean }>();
  return {
    name: 'S4 counted rows never shrink',
    stepped({ atMs, outputs, peer, incarnation, core, world }: Step): string | undefined {
      if (!outputs.some(({ kind }) => kind === 'jobChanged')) return undefined;
      for (const { header, counted, isActive, owner } of core.status(0).jobs) {
        const key = `${peer}/${incarnation}/${header.job}`;
        const before = last.get(key);
        if (before?.isActive === false && isActive) return `${peer} runs an ended job again`;
        // Elsewhere the count is hearsay, and a new owner may know less until its census is in.
        if (owner !== peer) continue;
        // Of a cancelled job it is what the one who cancelled it knew.
        const mayBeCancelled = world.jobs.some(
          (truth) => truth.header.job === header.job && truth.mayBeCancelled,
        );
        if (!isActive && mayBeCancelled) continue;
        if (before !== undefined && counted < before.counted) {
          return `${peer} counted ${before.counted}, then ${counted} at ${atMs}`;
        }
        last.set(key, { counted, isActive });
      }
      return undefined;
    },
  };
}
