// S7: what an older life of a peer says changes no custody. Whoever knows of a newer life gives the old one no
// work, takes none from it and confirms nothing to it.
import type { MessageKind } from '../../messages.ts';
import type { Check, Step } from '../watch.ts';

const CUSTODY: readonly MessageKind[] = ['grant', 'grantConfirmed', 'stealRefused'];

export function oldLivesAreFenced(): Check {
  const newest = new Map<string, number>();
  return {
    name: 'S7 a message of an older life changes no custody',
    stepped({ peer, incarnation, input, outputs }: Step): string | undefined {
      if (input.kind === 'peerConnected') {
        const key = `${peer}/${incarnation} ${input.face.peer}`;
        newest.set(key, Math.max(newest.get(key) ?? 0, input.face.incarnation));
      }
      if (input.kind !== 'messageReceived') return undefined;
      if (input.message.kind !== 'grant' && input.message.kind !== 'stealRequest') return undefined;
      const { from } = input;
      const known = newest.get(`${peer}/${incarnation} ${from}`) ?? 0;
      if (input.incarnation >= known) return undefined;
      const answer = outputs.find(
        (output) =>
          output.kind === 'send' && output.to === from && CUSTODY.includes(output.message.kind),
      );
      return answer === undefined
        ? undefined
        : `${peer} answers a ${input.message.kind} of life ${input.incarnation} of ${from}`;
    },
  };
}
