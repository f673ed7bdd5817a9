// Runs seeded disasters against the stealing core, on all cores, and stops at the first promise that breaks.
//   node scripts/sim.ts --seeds 100000             many brief schedules, and what they reached
//   node scripts/sim.ts --long --seeds 1000        with the time-outs of production
//   node scripts/sim.ts --grouped --seeds 1000     in a mesh of groups of two and three, as if there were too many peers
//   node scripts/sim.ts --seeds 1 --from 7 --verbose   one seed, every event
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { decodeMessage, encodeMessage } from '../src/node/wire/codec.ts';
import { drawBrief } from '../src/stealing/simulate/brief.ts';
import { grouped } from '../src/stealing/simulate/grouped.ts';
import { drawScenario } from '../src/stealing/simulate/nemesis.ts';
import { judge } from '../src/stealing/simulate/judge.ts';
import { realCore } from '../src/stealing/simulate/real-core.ts';
import { Reached } from '../src/stealing/simulate/reached.ts';
import type { FaultKind } from '../src/stealing/simulate/scenario.ts';

interface Options {
  readonly long: boolean;
  readonly grouped: boolean;
  readonly only: readonly string[] | undefined;
  readonly verbose: boolean;
  readonly codec: boolean;
  readonly keepGoing: boolean;
}

interface Chunk {
  readonly from: number;
  readonly count: number;
}

interface Report {
  readonly events: number;
  readonly virtualMs: number;
  readonly findings: readonly string[];
  readonly reached: readonly (readonly [string, number])[];
}

/** Seeds that a thread takes at once: enough to make the hand-over free, few enough to end together. */
const CHUNK_SEEDS = 25;

function runChunk({ from, count }: Chunk, options: Options): Report {
  const draw = options.long ? drawScenario : drawBrief;
  const only = options.only as FaultKind[] | undefined;
  const reached = new Reached();
  const findings: string[] = [];
  let events = 0;
  let virtualMs = 0;
  for (let seed = from; seed < from + count; seed++) {
    const drawn = draw(seed, only);
    const scenario = options.grouped ? grouped(drawn) : drawn;
    if (options.verbose) process.stdout.write(`${JSON.stringify(scenario, undefined, 1)}\n`);
    const outcome = judge(scenario, {
      makeCore: realCore,
      codec: options.codec ? { encode: encodeMessage, decode: decodeMessage } : undefined,
      reader: options.verbose ? (line) => process.stdout.write(`${line}\n`) : undefined,
      more: [reached.check(scenario)],
    });
    events += outcome.events;
    virtualMs += outcome.virtualMs;
    if (outcome.violations.length === 0) continue;
    const kinds = (only ?? []).map((kind) => ` --only ${kind}`).join('');
    const flags = `${options.long ? ' --long' : ''}${options.grouped ? ' --grouped' : ''}${options.codec ? '' : ' --no-codec'}${kinds}`;
    const told = outcome.violations.map(
      ({ check, atMs, text }) => `seed ${seed}, ${atMs.toFixed(1)} ms: ${check}: ${text}`,
    );
    findings.push(
      `${told.join('\n')}\nreplay: node scripts/sim.ts --seeds 1 --from ${seed}${flags} --verbose`,
    );
    if (!options.keepGoing) break;
  }
  return { events, virtualMs, findings, reached: [...reached.counts] };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '200' },
      from: { type: 'string', default: '1' },
      only: { type: 'string', multiple: true },
      long: { type: 'boolean', default: false },
      grouped: { type: 'boolean', default: false },
      threads: { type: 'string', default: String(availableParallelism()) },
      verbose: { type: 'boolean', default: false },
      /** Messages by reference: no codec in the path. */
      'no-codec': { type: 'boolean', default: false },
      /** Goes on after a failing seed and lists them all. */
      'keep-going': { type: 'boolean', default: false },
    },
  });
  const options: Options = {
    long: values.long,
    grouped: values.grouped,
    only: values.only,
    verbose: values.verbose,
    codec: !values['no-codec'],
    keepGoing: values['keep-going'],
  };
  const first = Number(values.from);
  const count = Number(values.seeds);
  const chunks: Chunk[] = [];
  for (let from = first; from < first + count; from += CHUNK_SEEDS) {
    chunks.push({ from, count: Math.min(CHUNK_SEEDS, first + count - from) });
  }
  const startedAt = performance.now();
  const reports: Report[] = [];
  const total = new Reached();
  let done = 0;
  let isFound = false;
  const take = (): Chunk | undefined =>
    isFound && !options.keepGoing ? undefined : chunks.shift();
  const note = (chunk: Chunk, report: Report): void => {
    reports.push(report);
    total.add(report.reached);
    done += chunk.count;
    for (const finding of report.findings) process.stdout.write(`${finding}\n`);
    isFound ||= report.findings.length > 0;
  };
  const threads = Math.min(Number(values.threads), chunks.length);
  if (options.verbose || threads <= 1) {
    for (let chunk = take(); chunk !== undefined; chunk = take()) {
      note(chunk, runChunk(chunk, options));
    }
  } else {
    await Promise.all(Array.from({ length: threads }, () => runThread(options, take, note)));
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const failed = reports.reduce((sum, { findings }) => sum + findings.length, 0);
  const events = reports.reduce((sum, report) => sum + report.events, 0);
  const virtualSeconds = reports.reduce((sum, { virtualMs }) => sum + virtualMs, 0) / 1_000;
  process.stdout.write(`reached:\n${total.text()}\n`);
  process.stdout.write(
    `${done} seeds from ${first}: ${failed} failed; ${events} events, ${virtualSeconds.toFixed(0)} s of virtual time in ${seconds.toFixed(1)} s, ${(done / seconds).toFixed(0)} schedules/s on ${threads} threads\n`,
  );
  process.exitCode = failed > 0 ? 1 : 0;
}

/** One thread, fed chunk by chunk until there is none. */
function runThread(
  options: Options,
  take: () => Chunk | undefined,
  note: (chunk: Chunk, report: Report) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: options });
    let current: Chunk | undefined;
    const next = (): void => {
      current = take();
      if (current === undefined) void worker.terminate().then(() => resolve());
      else worker.postMessage(current);
    };
    worker.on('message', (report: Report) => {
      if (current !== undefined) note(current, report);
      next();
    });
    worker.on('error', reject);
    next();
  });
}

if (isMainThread) await main();
else {
  const options = workerData as Options;
  parentPort?.on('message', (chunk: Chunk) => parentPort?.postMessage(runChunk(chunk, options)));
}
