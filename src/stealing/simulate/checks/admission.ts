// S10: what somebody says whom nobody let in changes nothing: no order follows from it.
import type { Check, Step } from '../watch.ts';

export function strangersCountForNothing(): Check {
  return {
    name: 'S10 the word of a stranger changes nothing',
    stepped({ input, peer, outputs, world }: Step): string | undefined {
      if (input.kind !== 'messageReceived' || outputs.length === 0) return undefined;
      if (world.peers.some(({ id }) => id === input.from)) return undefined;
      const orders = outputs.map(({ kind }) => kind).join(', ');
      return `${peer} does what ${input.from} says (${input.message.kind}): ${orders}`;
    },
  };
}
