// Entry of a slot's thread, and the only place that runs the kernel.
import { parentPort, workerData } from 'node:worker_threads';
import { ClaimView } from '../../deque/claim-view.ts';
import { invariant } from '../../invariant.ts';
import { decodeCandles } from '../../kernel/candles.ts';
import { compileJob } from '../../kernel/compile.ts';
import { Arena } from '../../kernel/fast/arena.ts';
import { Workbench } from '../../kernel/fast/workbench.ts';
import type { TaskRunner } from '../../kernel/job.ts';
import type { JobSpec } from '../../kernel/spec.ts';
import { SlotLoop } from './slot-loop.ts';
import { arenaSlot, type LoadMessage, type SlotData } from './slot-messages.ts';

const { buffer, slot, throttle, memory } = workerData as SlotData;
invariant(parentPort !== null, 'a slot runs as a worker thread');
const workbench =
  memory === undefined ? undefined : Workbench.on(Arena.attach(memory, arenaSlot(slot)));
new SlotLoop({
  port: parentPort,
  view: ClaimView.attach(buffer, slot),
  throttle,
  compile: compileLoaded,
  onIdle: () => workbench?.columns.rest(),
}).run();

/** The daemon has validated the spec. */
function compileLoaded({ specBytes, datasets }: LoadMessage): TaskRunner {
  const spec = JSON.parse(new TextDecoder().decode(specBytes)) as JobSpec;
  const candles = datasets.map(
    ({ sha256, buffer }) => [sha256, decodeCandles(new Uint8Array(buffer))] as const,
  );
  return compileJob(spec, new Map(candles), { workbench });
}
