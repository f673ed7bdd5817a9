// Whatever the codec lets through from a member, in whatever order: no fact makes the core throw, and what must
// hold between two facts holds.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../src/stealing/messages.ts';
import { jobId } from '../../../src/stealing/ids.ts';
import { anyMessage } from '../wire/arbitrary-message.ts';
import { header, Rig } from './rig.ts';

/** Most nonsense intervals lie inside. */
const TASKS = 600;

const steps = fc.array(
  fc.record({
    from: fc.constantFrom('b', 'c', 'stranger'),
    incarnation: fc.constantFrom(0, 1, 2),
    message: anyMessage,
    isOurs: fc.boolean(),
    thenMs: fc.constantFrom(0, 0, 1, 300, 11_000),
    does: fc.constantFrom('nothing', 'claims', 'leaves', 'reconnects', 'dies'),
  }),
  { maxLength: 25, size: 'max' },
);

describe('a member that speaks nonsense', () => {
  it('makes no core throw, and breaks nothing that holds between two facts', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const rig = new Rig({ slots: 2 });
        rig.connect('b');
        rig.connect('c', 4);
        rig.submit('j', TASKS);
        rig.persisted(1);
        rig.load('j', TASKS);
        for (const { from, incarnation, message, isOurs, thenMs, does } of list) {
          rig.hear(from, isOurs ? aboutOurJob(message) : message, incarnation);
          rig.nowMs += thenMs;
          if (does === 'claims') rig.finish('j', rig.claim());
          if (does === 'reconnects') rig.connect('b', 1, incarnation);
          if (does === 'dies') rig.lose('c');
          if (does === 'leaves') rig.fact({ kind: 'leaveRequested' });
          expect(rig.core.nextWake().atMs).not.toBeNaN();
        }
        rig.core.status(rig.nowMs);
      }),
      { numRuns: 2000 },
    );
  });
});

/** The same nonsense about the job that the core runs. */
function aboutOurJob(message: Message): Message {
  const job = jobId('j');
  if (message.kind === 'jobOffered' || message.kind === 'jobEnded') {
    return { ...message, header: header('j', TASKS) };
  }
  if (message.kind === 'grant') {
    return { ...message, batches: message.batches.map((batch) => ({ ...batch, job })) };
  }
  if ('rates' in message) {
    return { ...message, rates: message.rates.map((rate) => ({ ...rate, rateKey: 'test' })) };
  }
  return 'job' in message ? { ...message, job } : message;
}
