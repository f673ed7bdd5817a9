// mesh submit --dry-run: what a job would be, found out here without any peer. Tasks spread evenly over the job run
// in this process for a second, with as much memory as a peer has by default; from that come time and memory. The first
// of them compute the indicators that the others find: what the rest of the job takes is told by the later ones.
import { availableParallelism } from 'node:os';
import { decodeCandles } from '../../kernel/candles.ts';
import { compileJob } from '../../kernel/compile.ts';
import { Arena } from '../../kernel/fast/arena.ts';
import { Workbench } from '../../kernel/fast/workbench.ts';
import type { TaskRunner } from '../../kernel/job.ts';
import type { PreparedJob } from '../jobfile/prepare.ts';
import { memoryBytesOf } from '../memory-budget.ts';
import type { Context } from './context.ts';
import { formatCount, formatDuration, plural } from './output/format.ts';
import { printJson } from './output/json.ts';

/** Time of the sample, in ms: more is more exact, less keeps nobody waiting. A guess. */
const SAMPLE_MS = 1000;
/** Tasks of the sample: beyond these the time per task hardly changes. */
const SAMPLE_TASKS_MAX = 2000;

interface Estimate {
  readonly tasks: number;
  /** Tasks that were tried, and those of them that ended with an error of their own. */
  readonly sampled: number;
  readonly sampleFailed: number;
  readonly msPerTask: number;
  /** One slot, and all cores of this machine. */
  readonly slotMs: number;
  readonly machineMs: number;
  readonly slots: number;
  /** What travels to each peer, and what the rows take on a disk. */
  readonly dataBytes: number;
  readonly rowBytes: number;
  /** Candles, and what the sample computed of them: a peer's slots share it, and it grows up to the peer's `--memory`. */
  readonly memoryBytes: number;
}

export function dryRun(context: Context, prepared: PreparedJob): number {
  const estimate = estimateJob(prepared);
  if (context.json) printJson(context.out, { v: 1, name: prepared.name, ...estimate });
  else for (const line of estimateLines(prepared.name, estimate)) context.out.line(line);
  return 0;
}

export function estimateJob({ spec, datasets, taskCount, specBytes }: PreparedJob): Estimate {
  const candles = new Map(datasets.map(({ sha256, bytes }) => [sha256, decodeCandles(bytes)]));
  const arena = Arena.create(memoryBytesOf({}));
  const runner = compileJob(spec, candles, { workbench: Workbench.on(arena) });
  const sample = runSample(runner);
  const slots = availableParallelism();
  const slotMs = sample.elapsedMs + (taskCount - sample.tasks) * sample.laterMs;
  const dataBytes = datasets.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  return {
    tasks: taskCount,
    sampled: sample.tasks,
    sampleFailed: sample.failed,
    msPerTask: slotMs / Math.max(1, taskCount),
    slotMs,
    machineMs: slotMs / Math.max(1, Math.min(slots, taskCount)),
    slots,
    dataBytes: dataBytes + specBytes.byteLength,
    rowBytes: taskCount * runner.columns.length * Float64Array.BYTES_PER_ELEMENT,
    memoryBytes: dataBytes + arena.memory.buffer.byteLength,
  };
}

interface Sample {
  readonly tasks: number;
  readonly failed: number;
  readonly elapsedMs: number;
  /** ms per task in the later half, which finds most of what the first half computed. */
  readonly laterMs: number;
}

function runSample(runner: TaskRunner): Sample {
  const row = new Float64Array(runner.columns.length);
  const errorAt = runner.columns.indexOf('error');
  const wanted = Math.min(SAMPLE_TASKS_MAX, runner.taskCount);
  const startMs = performance.now();
  let waitedMs = 0;
  let failed = 0;
  let tasks = 0;
  const endsMs: number[] = [];
  // Spread over all of the job, so that a sample that time cuts short has seen its whole breadth.
  for (; tasks < wanted && performance.now() - startMs < SAMPLE_MS; tasks++) {
    const task = Math.floor((spread(tasks) * runner.taskCount) % runner.taskCount);
    runner.run(task, row, 0);
    waitedMs += runner.waitMs(task);
    if (errorAt >= 0 && row[errorAt] !== 0) failed++;
    endsMs.push(performance.now() - startMs + waitedMs);
  }
  const elapsedMs = endsMs.at(-1) ?? 0;
  const half = Math.floor(tasks / 2);
  const laterMs = (elapsedMs - (endsMs[half - 1] ?? 0)) / Math.max(1, tasks - half);
  return { tasks, failed, elapsedMs, laterMs };
}

/** The n-th of the numbers in 0..1 that halve, then quarter the range: any first few of them lie evenly. */
function spread(n: number): number {
  let value = 0;
  let part = 0.5;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) value += part;
    part /= 2;
  }
  return value;
}

function estimateLines(name: string, estimate: Estimate): string[] {
  const { tasks, sampled, sampleFailed, msPerTask, slotMs, machineMs, slots } = estimate;
  const lines = [
    `${name}: ${plural(tasks, 'task')}; nothing was submitted`,
    `  time    ${formatDuration(slotMs)} on one slot, ${formatDuration(machineMs)} on the ${plural(slots, 'core')} here (${perTask(msPerTask)} a task, ${formatCount(sampled)} tried)`,
    `  memory  some ${megabytes(estimate.memoryBytes)} that the slots of a peer share; data to each peer ${megabytes(estimate.dataBytes)}`,
    `  disk    ${megabytes(estimate.rowBytes)} of rows`,
  ];
  if (sampleFailed > 0) {
    lines.push(
      `  errors  ${formatCount(sampleFailed)} of ${formatCount(sampled)} tried end with an error`,
    );
  }
  return lines;
}

function perTask(ms: number): string {
  return ms < 1 ? `${Math.round(ms * 1000)} us` : `${ms.toFixed(1)} ms`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
