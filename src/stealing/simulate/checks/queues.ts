// L8: nobody is asked so much at once that the last to ask waits long for an answer. Judged where nothing goes wrong:
// a peer that was stopped finds all at once what came meanwhile.
import { ServiceQueues } from '../service-queue.ts';
import type { Check, Step } from '../watch.ts';

/** ms: more than a thief on a local network waits for its answer anyway, with all its slots without work meanwhile. */
const QUEUE_MS_MAX = 5;

export function queuesAreShort(): Check {
  const queues = new ServiceQueues();
  return {
    name: 'L8 no message waits for many others',
    stepped(step: Step): string | undefined {
      const waitMs = queues.waitMs(step);
      return waitMs > QUEUE_MS_MAX
        ? `what comes to ${step.peer} waits ${waitMs.toFixed(1)} ms for what came before`
        : undefined;
    },
  };
}
