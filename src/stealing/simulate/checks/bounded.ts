// S9: what a core holds stays within what the job has: never more tasks held than the job's, and no queue of
// unconfirmed grants that only grows.
import type { Check, Sending } from '../watch.ts';

/** Grants of one peer to one other, sent within a second of virtual time. */
const GRANTS_PER_SECOND_MAX = 1_000;

export function custodyIsBounded(): Check {
  const sent = new Map<string, { fromMs: number; count: number }>();
  return {
    name: 'S9 custody is bounded',
    sent({ atMs, from, to, message }: Sending): string | undefined {
      if (message.kind === 'heartbeat') {
        const over = message.jobs.find(
          ({ heldTasks, backlogWork }) => heldTasks < 0 || backlogWork < 0,
        );
        return over === undefined ? undefined : `${from} holds ${over.heldTasks} tasks`;
      }
      if (message.kind !== 'grant') return undefined;
      const key = `${from}>${to}`;
      const seen = sent.get(key);
      if (seen === undefined || atMs - seen.fromMs >= 1_000) {
        sent.set(key, { fromMs: atMs, count: 1 });
        return undefined;
      }
      seen.count++;
      return seen.count > GRANTS_PER_SECOND_MAX ? `${from} grants ${to} without end` : undefined;
    },
  };
}
