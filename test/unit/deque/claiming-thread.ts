// A real thread that does nothing but claim: the other side of the cursor's property test with threads.
import { parentPort, workerData } from 'node:worker_threads';
import { ClaimView } from '../../../src/deque/claim-view.ts';
import { invariant } from '../../../src/invariant.ts';

export interface ClaimingThreadData {
  readonly buffer: SharedArrayBuffer;
  readonly slot: number;
  /** [0] becomes 1 when no window will follow; [1] counts the claims of all threads. */
  readonly progress: Int32Array<SharedArrayBuffer>;
}

const { buffer, slot, progress } = workerData as ClaimingThreadData;
invariant(parentPort !== null, 'runs as a worker thread');
const view = ClaimView.attach(buffer, slot);
const claimed: [jobNumber: number, start: number, end: number][] = [];
for (;;) {
  const epoch = view.wakeEpoch();
  const claim = view.claim();
  if (claim !== 'dry') {
    for (const [start, end] of claim.intervals) claimed.push([claim.jobNumber, start, end]);
    view.finish();
    Atomics.add(progress, 1, 1);
  } else {
    if (Atomics.load(progress, 0) === 1) break;
    view.waitForWork(epoch, 1000);
  }
}
parentPort.postMessage(claimed);
