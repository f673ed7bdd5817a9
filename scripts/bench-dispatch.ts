// What it costs to hand a task to a thread of this machine: one peer's slot pool beside piscina's, in the same
// run, for tasks of 0 and 50 us. The tasks are equal on both sides: the `spin` kernel's. Overhead per task =
// (elapsed x threads - computing) / tasks; computing is measured by a plain loop in this thread first.
//
//     node scripts/bench-dispatch.ts [--json]
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { compileJob } from '../src/kernel/compile.ts';
import type { TaskRunner } from '../src/kernel/job.ts';
import type { SpinSpec } from '../src/kernel/spec.ts';
import { SlotPool } from '../src/node/threads/pool.ts';

const TASK_COSTS_US = [0, 50];
/** Tasks per round: below a second each on a 2-core machine. */
const MESH_TASKS = { 0: 1_000_000, 50: 8_000 } as Record<number, number>;
const PISCINA_TASKS = 6_000;
/** Tasks that piscina holds at once: enough that no thread waits for the next one. */
const PISCINA_IN_FLIGHT = 256;
/** What the stealing core aims at: 3 ms of work, 4,096 tasks at most. */
const MICRO_BATCH_MS = 3;
const MICRO_BATCH_TASKS_MAX = 4096;
const ROUNDS = 3;

interface Measurement {
  readonly threads: number;
  readonly taskUs: number;
  /** Overhead per task, us of one thread. */
  readonly meshUs: number;
  readonly piscinaUs: number;
  /** piscina / mesh; null when the mesh's overhead is lost in the noise of the machine. */
  readonly ratio: number | null;
}

const runners = new Map<number, TaskRunner>();

/** Piscina's task: one row, as a slot computes it. */
export function runTask({ taskUs, task }: { taskUs: number; task: number }): Float64Array {
  const runner = runnerOf(taskUs);
  const row = new Float64Array(runner.columns.length);
  runner.run(task, row, 0);
  return row;
}

function runnerOf(taskUs: number): TaskRunner {
  const known = runners.get(taskUs);
  if (known !== undefined) return known;
  const runner = compileJob(specOf(taskUs), new Map());
  runners.set(taskUs, runner);
  return runner;
}

function specOf(taskUs: number): SpinSpec {
  const costMs = taskUs / 1000;
  return { version: 1, kernel: 'spin', tasks: 1_000_000, costMs, mode: 'spin', seed: 1 };
}

async function bench(): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const threads of new Set([1, availableParallelism()])) {
    for (const taskUs of TASK_COSTS_US) {
      const beforeUs = plainLoopUs(taskUs);
      const meshTasks = MESH_TASKS[taskUs] ?? PISCINA_TASKS;
      const meshMs = await meshElapsedMs(threads, taskUs, meshTasks);
      const piscinaMs = await piscinaElapsedMs(threads, taskUs);
      // Twice, because somebody else may have had the core the first time.
      const realUs = Math.min(beforeUs, plainLoopUs(taskUs));
      const meshUs = (meshMs * 1000 * threads) / meshTasks - realUs;
      const piscinaUs = (piscinaMs * 1000 * threads) / PISCINA_TASKS - realUs;
      const ratio = meshUs > 0 ? piscinaUs / meshUs : null;
      measurements.push({ threads, taskUs, meshUs, piscinaUs, ratio });
    }
  }
  return measurements;
}

/** us per task without any dispatch. */
function plainLoopUs(taskUs: number): number {
  const runner = runnerOf(taskUs);
  const row = new Float64Array(runner.columns.length);
  const tasks = taskUs === 0 ? 1_000_000 : 4_000;
  return (
    (best(() => {
      const startMs = performance.now();
      for (let task = 0; task < tasks; task++) runner.run(task, row, 0);
      return performance.now() - startMs;
    }) *
      1000) /
    tasks
  );
}

async function meshElapsedMs(threads: number, taskUs: number, tasks: number): Promise<number> {
  let rowsLeft = 0;
  let done = Promise.withResolvers<void>();
  const pool = SlotPool.start({
    slots: threads,
    onRows: ({ intervals }) => {
      for (const [start, end] of intervals) rowsLeft -= end - start;
      if (rowsLeft === 0) done.resolve();
    },
    onDry: () => {},
    onSlotDied: ({ reason }) => {
      throw new Error(`a slot died: ${reason}`);
    },
    onLoadFailed: (_jobNumber, reason) => {
      throw new Error(reason);
    },
  });
  const specBytes = new TextEncoder().encode(JSON.stringify(specOf(taskUs)));
  pool.load({ jobNumber: 1, specBytes, datasets: [] });
  const byTime = Math.ceil((MICRO_BATCH_MS * 1000) / Math.max(taskUs, 0.1));
  const microBatchTasks = Math.min(byTime, MICRO_BATCH_TASKS_MAX);
  const round = async (count: number): Promise<number> => {
    done = Promise.withResolvers();
    rowsLeft = count;
    const startMs = performance.now();
    pool.cursor.open({ jobNumber: 1, intervals: [[0, count]], microBatchTasks });
    await done.promise;
    return performance.now() - startMs;
  };
  try {
    return await bestRound(round, tasks);
  } finally {
    await pool.close();
  }
}

async function piscinaElapsedMs(threads: number, taskUs: number): Promise<number> {
  const filename = fileURLToPath(import.meta.url);
  const pool = new Piscina({ filename, name: 'runTask', minThreads: threads, maxThreads: threads });
  const round = async (count: number): Promise<number> => {
    const startMs = performance.now();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) await pool.run({ taskUs, task: next++ });
    };
    await Promise.all(Array.from({ length: PISCINA_IN_FLIGHT }, lane));
    return performance.now() - startMs;
  };
  try {
    return await bestRound(round, PISCINA_TASKS);
  } finally {
    await pool.destroy();
  }
}

/** The best of a few rounds after a warm-up: noise of a shared machine only ever adds. */
async function bestRound(
  round: (count: number) => Promise<number>,
  tasks: number,
): Promise<number> {
  await round(Math.ceil(tasks / 10));
  let bestMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) bestMs = Math.min(bestMs, await round(tasks));
  return bestMs;
}

function best(round: () => number): number {
  return Math.min(...Array.from({ length: ROUNDS }, round));
}

function print(measurements: readonly Measurement[]): void {
  console.log('threads  task us  mesh us/task  piscina us/task  ratio');
  for (const { threads, taskUs, meshUs, piscinaUs, ratio } of measurements) {
    console.log(
      [
        `${threads}`.padStart(7),
        `${taskUs}`.padStart(7),
        meshUs.toFixed(3).padStart(12),
        piscinaUs.toFixed(3).padStart(15),
        (ratio === null ? '-' : `${ratio.toFixed(0)}x`).padStart(5),
      ].join('  '),
    );
  }
}

// Piscina's threads load this very file for `runTask`.
if (isMainThread) {
  const measurements = await bench();
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ v: 1, node: process.version, measurements }));
  } else print(measurements);
}
