// A slot whose tasks do what no kernel should: a real thread, the real loop, another compiler.
import { parentPort, workerData } from 'node:worker_threads';
import { ClaimView } from '../../../src/deque/claim-view.ts';
import { invariant } from '../../../src/invariant.ts';
import type { TaskRunner } from '../../../src/kernel/job.ts';
import { SlotLoop } from '../../../src/node/threads/slot-loop.ts';
import type { SlotData } from '../../../src/node/threads/slot-messages.ts';
import { EATS_THE_HEAP, EXITS, NEVER_ENDS, THROWS } from './misdeeds.ts';

const runner: TaskRunner = {
  taskCount: 2000,
  columns: ['value'],
  workRuns: [{ tasks: 2000, units: 1 }],
  rankBy: undefined,
  waitMs: () => 0,
  label: () => ({ name: '', params: {} }),
  trades: () => [],
  run(task, rows, offset) {
    if (task === THROWS) throw new Error('this task cannot be computed');
    if (task === EXITS) process.exit(1);
    if (task === EATS_THE_HEAP) eatTheHeap();
    if (task === NEVER_ENDS) for (;;);
    rows[offset] = task;
  },
};

const { buffer, slot, throttle } = workerData as SlotData;
invariant(parentPort !== null, 'a slot runs as a worker thread');
const view = ClaimView.attach(buffer, slot);
new SlotLoop({ port: parentPort, view, throttle, compile: () => runner, onIdle: () => {} }).run();

function eatTheHeap(): never {
  const eaten: number[][] = [];
  for (;;) eaten.push(Array.from({ length: 10_000 }, () => eaten.length));
}
