// Digests of what the kernel computes, so that two machines can be compared by a few lines of text: its own functions
// over seeded values of all sizes, and the rows of whole jobs by every engine.
//
//   node scripts/bits-digest.ts [VALUES]      prints one line of JSON, name -> SHA-256
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { decodeCandles } from '../src/kernel/candles.ts';
import { compileJob } from '../src/kernel/compile.ts';
import { goldenRows } from '../src/kernel/golden.ts';
import { exp, log, pow } from '../src/kernel/math.ts';
import { Random } from '../src/kernel/random.ts';
import { normalCdf, normalQuantile } from '../src/kernel/statistics/normal.ts';
import { formatProblems, prepareJob } from '../src/node/jobfile/prepare.ts';

const CANONICAL_NAN = 0x7ff8_0000_0000_0000n;

export const FUNCTIONS: Readonly<Record<string, (random: Random) => number>> = {
  exp: (random) => exp((random.nextUnit() - 0.5) * 1500),
  'exp near 0': (random) => exp((random.nextUnit() - 0.5) * 2),
  log: (random) => log(anyMagnitude(random)),
  'log near 1': (random) => log(0.5 + random.nextUnit()),
  pow: (random) => pow(anyMagnitude(random), (random.nextUnit() - 0.5) * 4),
  // As CAGR has it: growth, and the inverse of some years.
  'pow of growth': (random) => pow(random.nextUnit() * 4, 1 / (random.nextUnit() * 30)),
  random: (random) => random.nextUnit(),
  'normal cdf': (random) => normalCdf((random.nextUnit() - 0.5) * 80),
  'normal quantile': (random) => normalQuantile(random.nextUnit()),
};

/** Of `count` values of each function, with seeds of its own. */
export function functionDigests(count: number): Record<string, string> {
  return Object.fromEntries(
    Object.entries(FUNCTIONS).map(([name, next], stream) => {
      const random = new Random(7, stream);
      const values = new Float64Array(count);
      for (let i = 0; i < count; i++) values[i] = next(random);
      return [name, digestOf(values)];
    }),
  );
}

/** Of the golden job and, by every engine, of the example on real candles: some ten thousand tasks. */
export async function jobDigests(): Promise<Record<string, string>> {
  const digests: Record<string, string> = { golden: digestOf(goldenRows('backtest')) };
  const examples = new URL('../examples/', import.meta.url);
  const job = await prepareJob({
    fileName: 'aapl.json',
    text: await readFile(new URL('aapl.json', examples), 'utf8'),
    readFile: (path) => readFile(new URL(path, examples)),
  });
  if (!job.ok) throw new Error(formatProblems(job.problems));
  const { spec, datasets } = job.prepared;
  const candles = new Map(datasets.map(({ sha256, bytes }) => [sha256, decodeCandles(bytes)]));
  for (const engine of ['fast', 'twin', 'reference'] as const) {
    const runner = compileJob(spec, candles, { engine });
    const width = runner.columns.length;
    const rows = new Float64Array(runner.taskCount * width);
    for (let task = 0; task < runner.taskCount; task++) runner.run(task, rows, task * width);
    digests[`job, ${engine}`] = digestOf(rows);
  }
  return digests;
}

/** Any positive number, from the smallest to the largest, all magnitudes alike. */
function anyMagnitude(random: Random): number {
  const words = new Uint32Array([random.nextUint32(), random.nextUint32() & 0x7fff_ffff]);
  return new Float64Array(words.buffer)[0] as number;
}

function digestOf(values: Float64Array): string {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [i, value] of values.entries()) {
    if (Number.isNaN(value)) bytes.writeBigUInt64LE(CANONICAL_NAN, i * 8);
    else bytes.writeDoubleLE(value, i * 8);
  }
  return createHash('sha256').update(bytes).digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const count = Number(process.argv[2] ?? 1_000_000);
  const digests = { ...functionDigests(count), ...(await jobDigests()) };
  process.stdout.write(`${JSON.stringify(digests)}\n`);
}
