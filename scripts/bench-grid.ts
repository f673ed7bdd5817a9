// A grid of a million tasks through a whole peer (claims, rows, ledger, disk), beside the same kernel in a plain loop of
// one thread: what the mesh costs per slot, and how much memory the peer's main thread takes for it.
//
//     node scripts/bench-grid.ts [--tasks 1000000] [--slots 1] [--json]
//
// The loop runs a sample of the grid before the peer and after it, because somebody else may have had the core; its
// better half counts. Both start with empty caches and soon have all of the grid's indicators. With as many slots as
// cores the main thread competes with them; with one slot less it does not.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compileJob } from '../src/kernel/compile.ts';
import { decodeCandles } from '../src/kernel/candles.ts';
import type { TaskRunner } from '../src/kernel/job.ts';
import type { JobSpec } from '../src/kernel/spec.ts';
import { submitPrepared } from '../src/node/control/submission.ts';
import { Daemon } from '../src/node/daemon.ts';
import { candleCsv } from '../src/node/jobfile/candle-csv.ts';
import { prepareJob } from '../src/node/jobfile/prepare.ts';
import { syntheticCandles } from '../src/node/jobfile/synthetic.ts';

/** Of the loop: enough for all indicators of the grid to be there, little beside the grid. */
const LOOP_TASKS = 100_000;
const BARS = 100_000;
const SAMPLE_MS = 20;
const MIB = 2 ** 20;

const { values: options } = parseArgs({
  options: {
    tasks: { type: 'string', default: '1000000' },
    slots: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const tasks = Number(options.tasks);
const slots = Number(options.slots);

/** Periods x thresholds x stops x targets, as a miner's last sweep has them. */
function gridFile(): string {
  const stops = Math.ceil(tasks / (20 * 25 * 50));
  return JSON.stringify({
    version: 1,
    data: { file: 'candles.csv', timeframe: '1m' },
    broker: { cash: 10_000, fee: 0.001, slippage: 0.0005 },
    strategies: [
      {
        name: 'grid',
        vars: {
          n: { from: 10, to: 29 },
          t: { from: 16, to: 40 },
          sl: { from: 0.01, to: 0.059, step: 0.001 },
          tp: { from: 0.02, to: 0.02 + 0.002 * (stops - 1), step: 0.002 },
        },
        long: { enter: ['rsi($n) < $t', 'close > sma(200)'] },
        stopLoss: '$sl',
        takeProfit: '$tp',
      },
    ],
  });
}

type Prepared = Extract<Awaited<ReturnType<typeof prepareJob>>, { ok: true }>['prepared'];

async function prepare(): Promise<Prepared> {
  const market = { seed: 7, bars: BARS, stepMs: 60_000, startMs: 1_704_067_200_000 };
  const csv = new TextEncoder().encode(candleCsv(syntheticCandles(market)));
  const result = await prepareJob({
    fileName: 'grid.json',
    text: gridFile(),
    readFile: () => Promise.resolve(csv),
  });
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.prepared;
}

function compile({ specBytes, datasets }: Prepared): TaskRunner {
  const spec = JSON.parse(new TextDecoder().decode(specBytes)) as JobSpec;
  return compileJob(
    spec,
    new Map(datasets.map(({ sha256, bytes }) => [sha256, decodeCandles(bytes)] as const)),
  );
}

/** Tasks per second of this thread, warm, over a sample spread through the grid. */
function loopRate(runner: TaskRunner): number {
  const row = new Float64Array(runner.columns.length);
  const step = Math.max(1, Math.floor(runner.taskCount / LOOP_TASKS));
  let bestPerS = 0;
  for (let round = 0; round < 3; round++) {
    let count = 0;
    const startMs = performance.now();
    for (let task = 0; task < runner.taskCount; task += step, count++) runner.run(task, row, 0);
    bestPerS = Math.max(bestPerS, (count * 1000) / (performance.now() - startMs));
  }
  return bestPerS;
}

interface PeerRun {
  readonly elapsedMs: number;
  /** Of the main thread: heap and array buffers beyond those of the idle peer, at most. */
  readonly mainMib: number;
  /** CPU seconds of the main thread. */
  readonly mainCpuS: number;
}

async function throughPeer(job: Prepared, home: string): Promise<PeerRun> {
  const daemon = await Daemon.start({
    home,
    version: '0.0.0',
    embedded: true,
    peers: [],
    slots,
    port: 0,
  });
  try {
    const before = mainBytes();
    let most = before;
    const sampler = setInterval(() => {
      most = Math.max(most, mainBytes());
    }, SAMPLE_MS);
    const cpuBefore = process.threadCpuUsage();
    const { job: id } = await submitPrepared(daemon.handlers, job);
    const ended = Promise.withResolvers<number>();
    const watch = { rows: false, top: 10 };
    const stop = await daemon.handlers.watch(id, watch, (event) => {
      if (event.kind === 'ended') ended.resolve(event.summary.elapsedMs);
      if (event.kind === 'broken') ended.reject(new Error(event.reason));
    });
    const elapsedMs = await ended.promise;
    const { user, system } = process.threadCpuUsage(cpuBefore);
    stop();
    clearInterval(sampler);
    return {
      elapsedMs,
      mainMib: (most - before) / MIB,
      mainCpuS: (user + system) / 1e6,
    };
  } finally {
    await daemon.close();
  }
}

function mainBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function main(): Promise<void> {
  const job = await prepare();
  const runner = compile(job);
  const loopBefore = loopRate(runner);
  const home = await mkdtemp(join(tmpdir(), 'bench-grid-'));
  try {
    const { elapsedMs, mainMib, mainCpuS } = await throughPeer(job, home);
    const loopPerS = Math.max(loopBefore, loopRate(runner));
    const perSlotS = (job.taskCount * 1000) / elapsedMs / slots;
    const rowMib = (job.taskCount * runner.columns.length * 8) / MIB;
    const share = perSlotS / loopPerS;
    const found = {
      tasks: job.taskCount,
      slots,
      loopPerS,
      perSlotS,
      share,
      mainMib,
      mainCpuS,
      rowMib,
    };
    if (options.json) console.log(JSON.stringify(found));
    else {
      console.log(`${job.taskCount.toLocaleString('en')} tasks, ${slots} slots`);
      console.log(`plain loop   ${Math.round(loopPerS).toLocaleString('en')}/s`);
      console.log(
        `peer         ${Math.round(perSlotS).toLocaleString('en')}/s per slot, ${(share * 100).toFixed(1)} %`,
      );
      console.log(
        `main thread  ${mainCpuS.toFixed(2)} s of CPU, ${mainMib.toFixed(0)} MiB more at most`,
      );
      console.log(`rows         ${rowMib.toFixed(0)} MiB`);
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

await main();
