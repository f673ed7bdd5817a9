// What this machine is worth: real backtests on one thread by the kernel alone, then on all slots by a node that
// lives in a temporary home for a few seconds and knows nobody.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { submitPrepared } from '../control/submission.ts';
import type { JobSummary } from '../control/api.ts';
import type { ControlHandlers } from '../control/handlers.ts';
import { compiled, Workload } from '../demo/workload.ts';

export interface MachineBench {
  readonly slots: number;
  /** Backtests a second. */
  readonly oneThread: number;
  readonly allSlots: number;
}

/** ms that the kernel gets for compiling itself before it is timed. */
const WARM_MS = 500;
const BARELY_ANY = 2_000;

export async function benchMachine(version: string, seconds: number): Promise<MachineBench> {
  const workload = await Workload.open();
  const oneThread = await onOneThread(workload, seconds);
  const slots = availableParallelism();
  const { Daemon } = await import('../daemon.ts');
  const home = await mkdtemp(join(tmpdir(), 'mesh-bench-'));
  const daemon = await Daemon.start({
    home,
    version,
    slots,
    peers: [],
    embedded: true,
    listen: '127.0.0.1',
    port: 0,
  });
  try {
    // The first job warms the slots up and is not counted.
    await runToEnd(
      daemon.handlers,
      await workload.sized('warm', oneThread * slots * (WARM_MS / 1000)),
    );
    const job = await workload.sized('bench', oneThread * slots * seconds);
    const { done, elapsedMs } = await runToEnd(daemon.handlers, job);
    return { slots, oneThread, allSlots: (done / elapsedMs) * 1000 };
  } finally {
    await daemon.close();
    await rm(home, { recursive: true, force: true });
  }
}

async function onOneThread(workload: Workload, seconds: number): Promise<number> {
  const runner = compiled(await workload.sized('one thread', BARELY_ANY));
  const row = new Float64Array(runner.columns.length);
  let done = 0;
  let fromMs = performance.now();
  let isWarm = false;
  for (;;) {
    for (let batch = 0; batch < 16; batch++) runner.run(done++ % runner.taskCount, row, 0);
    const spanMs = performance.now() - fromMs;
    if (!isWarm && spanMs >= WARM_MS) {
      isWarm = true;
      done = 0;
      fromMs = performance.now();
    } else if (isWarm && spanMs >= seconds * 1000) return (done / spanMs) * 1000;
    // Ctrl-C wants a turn.
    await nextTurn();
  }
}

export async function runToEnd(
  peer: ControlHandlers,
  job: Parameters<typeof submitPrepared>[1],
): Promise<JobSummary> {
  const { job: id } = await submitPrepared(peer, job);
  const { promise, resolve, reject } = Promise.withResolvers<JobSummary>();
  const stop = await peer.watch(id, { rows: false, top: 0 }, (event) => {
    if (event.kind === 'ended') resolve(event.summary);
    if (event.kind === 'broken') reject(new Error(event.reason));
  });
  return promise.finally(stop);
}
