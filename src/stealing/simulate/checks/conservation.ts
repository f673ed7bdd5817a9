// S5: work is moved, never made. What a peer says that it took is never more than what was granted to it, each
// grant counted once, however often it came.
import { countTasks } from '../../../deque/interval-set.ts';
import type { Check, Step } from '../watch.ts';

export function grantsAreTakenOnce(): Check {
  const known = new Set<string>();
  const granted = new Map<string, number>();
  return {
    name: 'S5 a grant is taken once',
    stepped({ peer, incarnation, input, outputs }: Step): string | undefined {
      if (input.kind === 'messageReceived' && input.message.kind === 'grant') {
        const self = `${peer}/${incarnation}`;
        const key = `${self} ${input.from}/${input.incarnation} ${input.message.grant}`;
        if (!known.has(key)) {
          known.add(key);
          const tasks = input.message.batches.reduce(
            (sum, { intervals }) => sum + countTasks(intervals),
            0,
          );
          granted.set(self, (granted.get(self) ?? 0) + tasks);
        }
      }
      for (const output of outputs) {
        if (output.kind !== 'send' || output.message.kind !== 'heartbeat') continue;
        const { stole } = output.message;
        if (stole === 0) continue;
        const most = granted.get(`${peer}/${incarnation}`) ?? 0;
        if (stole > most) return `${peer} took ${stole} tasks of ${most} that were granted`;
      }
      return undefined;
    },
  };
}
