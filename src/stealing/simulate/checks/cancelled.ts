// S8: once a process has heard that a job is cancelled, none of its slots begins a task of it. What a kill made it forget
// it hears again.
import type { JobId, PeerId } from '../../ids.ts';
import type { Check, Execution, Step } from '../watch.ts';

interface Life {
  readonly incarnation: number;
  readonly heardMs: Map<JobId, number>;
}

export function cancelledJobsRest(): Check {
  const lives = new Map<PeerId, Life>();
  return {
    name: 'S8 a cancelled job starts no task',
    stepped({ input, peer, incarnation, atMs, world, core }: Step): undefined {
      let life = lives.get(peer);
      if (life?.incarnation !== incarnation) {
        life = { incarnation, heardMs: new Map() };
        lives.set(peer, life);
      }
      const job = cancelledBy(input);
      if (job === undefined) return;
      // Whom nobody let in tells nothing.
      if (input.kind === 'messageReceived' && !world.peers.some(({ id }) => id === input.from))
        return;
      // Who is asked to cancel what it does not know says so, and has not heard of an end.
      const isKnown = core.status(0).jobs.some(({ header }) => header.job === job);
      if (isKnown && !life.heardMs.has(job)) life.heardMs.set(job, atMs);
    },
    ran({ peer, job, startedMs }: Execution): string | undefined {
      const since = lives.get(peer)?.heardMs.get(job);
      if (since === undefined || startedMs <= since) return undefined;
      return `${peer} begins a task ${(startedMs - since).toFixed(1)} ms after it heard of the end`;
    },
  };
}

function cancelledBy(input: Step['input']): JobId | undefined {
  if (input.kind === 'cancelRequested') return input.job;
  if (input.kind !== 'messageReceived' || input.message.kind !== 'jobEnded') return undefined;
  const { header, ending } = input.message;
  return ending.state === 'cancelled' ? header.job : undefined;
}
