// L6: a peer that drains or leaves asks nobody for work.
import type { PeerId } from '../../ids.ts';
import type { Check, Sending, Step } from '../watch.ts';

export function whoDrainsAsksForNothing(): Check {
  /** Its incarnation. */
  const draining = new Map<PeerId, number>();
  return {
    name: 'L6 a peer that drains asks for no work',
    stepped({ input, peer, incarnation }: Step): undefined {
      const isAsked = input.kind === 'drainRequested' && input.isWanted;
      const isOver = input.kind === 'drainRequested' && !input.isWanted;
      if (isAsked || input.kind === 'leaveRequested') draining.set(peer, incarnation);
      else if (isOver || (draining.get(peer) ?? incarnation) !== incarnation) draining.delete(peer);
    },
    sent({ from, message }: Sending): string | undefined {
      const asks = message.kind === 'stealRequest' || message.kind === 'lifelineArmed';
      return asks && draining.has(from)
        ? `${from} sends ${message.kind} while it drains`
        : undefined;
    },
  };
}
