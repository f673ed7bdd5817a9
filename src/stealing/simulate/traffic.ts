// Not a judgement: messages of the steal path, and how long the queue at the busiest peer gets, for reports.
import type { MessageKind } from '../messages.ts';
import { ServiceQueues } from './service-queue.ts';
import type { Check } from './watch.ts';

const STEAL_PATH: ReadonlySet<MessageKind> = new Set([
  'lifelineArmed',
  'stealRequest',
  'stealRefused',
  'grant',
  'grantConfirmed',
]);

export class Traffic {
  stealMessages = 0;
  /** Grants that somebody asked for; the others are seeding. */
  steals = 0;
  longestQueueMs = 0;
  readonly #queues = new ServiceQueues();

  readonly check: Check = {
    name: 'traffic',
    sent: ({ message: word }) => {
      const message = word.kind === 'beyond' ? word.message : word;
      if (STEAL_PATH.has(message.kind)) this.stealMessages++;
      if (message.kind === 'grant' && message.request !== 0) this.steals++;
      return undefined;
    },
    stepped: (step) => {
      this.longestQueueMs = Math.max(this.longestQueueMs, this.#queues.waitMs(step));
      return undefined;
    },
  };
}
