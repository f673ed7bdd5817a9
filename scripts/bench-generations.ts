// The loop of a strategy miner: 50 generations of 100 genomes that were never seen before, each submitted when the
// one before has ended; from one library connection, and from a mesh process per generation. What is measured is the
// overhead: the wall time of a generation less what the same tasks take by a plain loop over the kernel, divided
// by the slots. Limits: 20 ms with the library, 150 ms with a process (medians, on a machine that is otherwise idle).
//
//   npm run build && node scripts/bench-generations.ts [--json] [--generations 50] [--genomes 100]
import { spawn } from 'node:child_process';
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connect } from '../src/index.ts';
import { decodeCandles } from '../src/kernel/candles.ts';
import { compileJob } from '../src/kernel/compile.ts';
import { prepareJob } from '../src/node/jobfile/prepare.ts';

const ROOT = join(import.meta.dirname, '..');
const LIMITS_MS = { library: 20, cli: 150 } as const;

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    generations: { type: 'string', default: '50' },
    genomes: { type: 'string', default: '100' },
  },
});
const generations = Number(flags.generations);
const genomes = Number(flags.genomes);
const slots = availableParallelism();
const folder = await mkdtemp(join(tmpdir(), 'mesh-generations-'));
const home = join(folder, 'home');
/** As it is installed: the bundle, and no sources beside it. */
const MESH = join(folder, 'package/bin/mesh.cjs');
for (const part of ['bin', 'dist', 'package.json']) {
  await cp(join(ROOT, part), join(folder, 'package', part), { recursive: true });
}
await copyFile(join(ROOT, 'examples/aapl.csv'), join(folder, 'aapl.csv'));

/** Distinct in every generation: no row of one can answer another. */
function generation(number: number): object {
  return {
    version: 1,
    data: { file: 'aapl.csv', timeframe: '1d' },
    broker: { cash: 10_000, fee: 0.001 },
    strategies: Array.from({ length: genomes }, (_, at) => ({
      name: `g${number}-${at}`,
      long: {
        enter: [`rsi(${5 + (at % 20)}) < ${20 + (number % 20) + at / 1000}`, 'close > sma(50)'],
        exit: [`rsi(${5 + (at % 20)}) > ${60 + number / 100}`],
      },
      stopLoss: 0.02 + (number * genomes + at) / 1e6,
    })),
  };
}

/** What the tasks of one generation take by the kernel alone, divided by the slots. */
async function idealMs(): Promise<number> {
  const times: number[] = [];
  for (let number = 0; number < 5; number++) {
    const prepared = await prepareJob({
      fileName: 'job',
      text: JSON.stringify(generation(1000 + number)),
      readFile: (path) => readFile(join(folder, path)),
    });
    if (!prepared.ok) throw new Error('the genomes are not accepted');
    const { spec, datasets } = prepared.prepared;
    const candles = new Map(datasets.map(({ sha256, bytes }) => [sha256, decodeCandles(bytes)]));
    const runner = compileJob(spec, candles);
    const row = new Float64Array(runner.columns.length);
    const beforeMs = performance.now();
    for (let task = 0; task < runner.taskCount; task++) runner.run(task, row, 0);
    times.push((performance.now() - beforeMs) / slots);
  }
  return median(times);
}

async function byLibrary(): Promise<number[]> {
  const mesh = await connect({ home, embed: 'never' });
  const times: number[] = [];
  for (let number = 0; number < generations; number++) {
    const beforeMs = performance.now();
    let results = 0;
    for await (const result of mesh.submit(generation(number), { directory: folder })) {
      if (result.errorCode === undefined) results++;
    }
    times.push(performance.now() - beforeMs);
    if (results !== genomes) throw new Error(`${results} of ${genomes} results`);
  }
  await mesh.close();
  return times;
}

async function byProcess(): Promise<number[]> {
  const times: number[] = [];
  for (let number = 0; number < generations; number++) {
    const file = join(folder, 'generation.json');
    await writeFile(file, JSON.stringify(generation(generations + number)));
    const beforeMs = performance.now();
    await mesh(['submit', file, '--json', '--top', '1']);
    times.push(performance.now() - beforeMs);
  }
  return times;
}

function mesh(words: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [MESH, '--home', home, ...words], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (status) =>
      status === 0 ? done() : fail(new Error(`mesh ${words[0]} exits ${status}`)),
    );
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function rowOf(way: keyof typeof LIMITS_MS, times: readonly number[], ideal: number) {
  const overheads = times.map((ms) => ms - ideal);
  const sorted = overheads.toSorted((a, b) => a - b);
  return {
    way,
    generations: times.length,
    idealMs: round(ideal),
    medianMs: round(median(times)),
    overheadMs: round(median(overheads)),
    p95OverheadMs: round(sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN),
    limitMs: LIMITS_MS[way],
    ok: median(overheads) <= LIMITS_MS[way],
  };
}

try {
  await mesh(['join', '--listen', '127.0.0.1', '--port', '0', '--quiet']);
  const ideal = await idealMs();
  const rows = [rowOf('library', await byLibrary(), ideal), rowOf('cli', await byProcess(), ideal)];
  if (flags.json) console.log(JSON.stringify({ v: 1, genomes, slots, rows }));
  else {
    console.log(`${generations} generations of ${genomes} genomes, ${slots} slots`);
    for (const { way, idealMs, medianMs, overheadMs, p95OverheadMs, limitMs, ok } of rows) {
      console.log(
        `${way.padEnd(8)} ${medianMs} ms a generation, ideal ${idealMs} ms: overhead ${overheadMs} ms (95%: ${p95OverheadMs} ms), limit ${limitMs} ms ${ok ? 'ok' : 'MISSED'}`,
      );
    }
  }
  process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;
} finally {
  await mesh(['stop', '--quiet']).catch(() => {});
  await rm(folder, { recursive: true, force: true });
}
