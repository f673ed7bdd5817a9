// Not a judgement: messages of the steal path, and how long the queue at the busiest peer gets, for reports.
import type { PeerId } from '../ids.ts';
import type { MessageKind } from '../messages.ts';
import type { Check } from './watch.ts';

const STEAL_PATH: ReadonlySet<MessageKind> = new Set([
  'lifelineArmed',
  'stealRequest',
  'stealRefused',
  'grant',
  'grantConfirmed',
]);

/** ms of a peer's main thread per message: libp2p in Node takes 0.1 to 0.2. */
const SERVICE_MS = 0.1;

export class Traffic {
  stealMessages = 0;
  grants = 0;
  longestQueueMs = 0;
  readonly #busyUntilMs = new Map<PeerId, number>();

  readonly check: Check = {
    name: 'traffic',
    sent: ({ message }) => {
      if (STEAL_PATH.has(message.kind)) this.stealMessages++;
      if (message.kind === 'grant') this.grants++;
      return undefined;
    },
    stepped: ({ atMs, peer, input }) => {
      if (input.kind !== 'messageReceived' || input.message.kind === 'heartbeat') return undefined;
      const queuedMs = Math.max(0, (this.#busyUntilMs.get(peer) ?? 0) - atMs);
      this.longestQueueMs = Math.max(this.longestQueueMs, queuedMs);
      this.#busyUntilMs.set(peer, atMs + queuedMs + SERVICE_MS);
      return undefined;
    },
  };
}
