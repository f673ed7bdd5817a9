// How fast these peers are together, on this computer and at this moment: a job without end, watched for a second
// and cancelled. The peers learn their rates by it, as they would from any job before.
import type { JobEvent, ProgressEvent } from '../control/api.ts';
import type { ControlClient } from '../control/client.ts';
import { submitPrepared } from '../control/submission.ts';
import { MeshError } from '../errors.ts';
import { waitUntil } from '../cli/wait.ts';
import type { Workload } from './workload.ts';

/** Nothing is measured until every peer has so many backtests behind it: its slot is compiled by then. */
const WARM_TASKS = 1_000;
/** ms from the first row. Before: a slot's first work is not throttled (cast.ts). After: some peer hardly gets a core, and
 * what there is is measured. */
const WARM_MS = { min: 2_000, max: 3_000 };
/** ms that are measured. More is truer; every visitor waits for it. */
const MEASURED_MS = 1_000;
/** ms until all queues are empty after the cancel; a job that follows would otherwise start beside the rest. */
const CALM_MS_MAX = 3_000;

/** Backtests per second. */
export async function measureSpeed(
  submitter: ControlClient,
  workload: Workload,
  signal: AbortSignal,
): Promise<number> {
  const { job } = await submitPrepared(submitter, await workload.endless('how fast'));
  const { peers: known } = await submitter.peers();
  const perSec = await measured(submitter, { job, peerCount: known.length }, signal);
  await submitter.cancel(job);
  await waitUntil(async () => {
    const { peers } = await submitter.peers();
    return peers.every(({ queued, running }) => queued === 0 && running === 0);
  }, CALM_MS_MAX);
  return perSec;
}

async function measured(
  submitter: ControlClient,
  { job, peerCount }: { readonly job: string; readonly peerCount: number },
  signal: AbortSignal,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  let firstMs: number | undefined;
  let from: ProgressEvent | undefined;
  const hear = (event: JobEvent): void => {
    if (event.kind === 'broken' || event.kind === 'ended') {
      reject(new MeshError('INTERNAL', 'the job that measures the speed ended by itself'));
    }
    if (event.kind !== 'progress' || event.done === 0) return;
    firstMs ??= event.elapsedMs;
    const warm = event.peers.filter((peer) => peer.done >= WARM_TASKS);
    const waitMs = warm.length === peerCount ? WARM_MS.min : WARM_MS.max;
    if (event.elapsedMs < firstMs + waitMs) return;
    from ??= event;
    const spanMs = event.elapsedMs - from.elapsedMs;
    if (spanMs >= MEASURED_MS) resolve(((event.done - from.done) / spanMs) * 1000);
  };
  const stop = await submitter.watch(job, { rows: false, top: 1 }, hear);
  try {
    return await promise;
  } finally {
    stop();
    signal.removeEventListener('abort', onAbort);
  }
}
