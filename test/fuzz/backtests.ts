// Whole jobs that nobody should write, from a seed: absurd numbers in rules, distances and sizes, and candles of
// absurd prices. Each goes the way of a user's: prepared, and where that takes it, compiled and run by two engines.
// What must never happen is a throw, a row that says neither why it failed nor a result, or two engines that differ.
import { decodeCandles } from '../../src/kernel/candles.ts';
import { compileJob } from '../../src/kernel/compile.ts';
import { Random } from '../../src/kernel/random.ts';
import { formatProblems, prepareJob } from '../../src/node/jobfile/prepare.ts';

export interface Absurdity {
  readonly accepted: number;
  readonly refused: number;
  /** Of those accepted. */
  readonly rows: number;
  readonly slowestMs: number;
  readonly findings: readonly string[];
}

/** Rows of one job that are run. */
const TASKS_RUN = 3;
/** Longer than this is as good as a hang: the jobs here have a few hundred bars. */
const CASE_MS_MAX = 5000;
const FINDINGS_MAX = 5;

export async function fuzzBacktests(cases: number, firstSeed: number): Promise<Absurdity> {
  const total = { accepted: 0, refused: 0, rows: 0, slowestMs: 0, findings: [] as string[] };
  for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
    const began = performance.now();
    try {
      const rows = await runCase(seed);
      if (rows === undefined) total.refused++;
      else total.accepted++;
      total.rows += rows ?? 0;
    } catch (error) {
      total.findings.push(`seed ${seed}: ${(error as Error).stack ?? String(error)}`);
    }
    const ms = performance.now() - began;
    total.slowestMs = Math.max(total.slowestMs, ms);
    if (ms > CASE_MS_MAX) total.findings.push(`seed ${seed}: took ${Math.round(ms)} ms`);
    if (total.findings.length >= FINDINGS_MAX) break;
  }
  return total;
}

/** Rows that were run; undefined when the job was refused. */
async function runCase(seed: number): Promise<number | undefined> {
  const random = new Random(seed);
  const csv = absurdCandles(random);
  const prepared = await prepareJob({
    fileName: 'absurd.json',
    text: JSON.stringify(absurdJob(random)),
    readFile: () => Promise.resolve(new TextEncoder().encode(csv)),
  });
  if (!prepared.ok) {
    const text = formatProblems(prepared.problems);
    if (text.trim() === '') throw new Error('refused without a word');
    return undefined;
  }
  const { spec, datasets } = prepared.prepared;
  const candles = new Map(datasets.map(({ sha256, bytes }) => [sha256, decodeCandles(bytes)]));
  const fast = compileJob(spec, candles, { engine: 'fast', cacheBytes: 2 ** 22 });
  const reference = compileJob(spec, candles, { engine: 'reference', cacheBytes: 2 ** 22 });
  const width = fast.columns.length;
  const rows = [new Float64Array(width), new Float64Array(width)] as const;
  const tasks = Math.min(TASKS_RUN, fast.taskCount);
  for (let task = 0; task < tasks; task++) {
    fast.run(task, rows[0], 0);
    reference.run(task, rows[1], 0);
    for (const [column, value] of rows[0].entries()) {
      if (!Object.is(value, rows[1][column])) {
        throw new Error(`${fast.columns[column]}: fast ${value}, reference ${rows[1][column]}`);
      }
    }
    judge([...rows[1]]);
  }
  return tasks;
}

/** A row is either a result or an error, and never a bit of both. */
function judge(row: readonly number[]): void {
  const error = row.at(-1) as number;
  const values = row.slice(0, -1);
  if (!(Number.isInteger(error) && error >= 0)) throw new Error(`error code ${error}`);
  if (error > 0 && !values.every(Number.isNaN)) throw new Error(`error ${error} beside values`);
  if (values.includes(Infinity) || values.includes(-Infinity)) throw new Error('an infinite value');
  // A count of trades is there whatever the money is.
  if (error === 0 && !(Number.isInteger(row[13]) && (row[13] as number) >= 0)) {
    throw new Error(`${row[13]} trades`);
  }
}

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  2,
  3,
  0.5,
  1e-9,
  14,
  20,
  99,
  100,
  1000,
  100_000,
  100_001,
  1e9,
  1e15,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e300,
  1e308,
  5e-324,
  -1e300,
  0.1,
  0.02,
  1.5,
  -0.02,
] as const;
const OPERANDS = [
  'close',
  'volume',
  'high - low',
  'close / 0',
  'close * 1e300 * 1e300',
  '(close - close) / (high - high)',
  'rsi(N)',
  'sma(N)',
  'ema(close / volume, N)',
  'atr(N)',
  'macd(N, N, N).hist',
  'bollinger(N, N).upper',
  'stoch(N, N, N).k',
  'stochrsi(N, N, N).d',
  'kama(N)',
  'cci(N)',
  'mfi(N)',
  'adx(N)',
  'sar(N, N)',
  'linreg(N)',
  'vwap()',
  'highest(N)[N]',
  'stddev(N)@1d',
  'wma(rsi(N), N)[1]',
  'tema(N)@1w',
] as const;
const OPS = ['<', '<=', '>', '>=', '==', 'crosses above', 'crosses below'] as const;

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.nextUint32() % list.length] as T;
}

function chance(random: Random, part: number): boolean {
  return random.nextUnit() < part;
}

/** Mostly sane, so that jobs get through to the kernel. */
function number(random: Random): number {
  return chance(random, 0.9) ? 1 + (random.nextUint32() % 30) : pick(random, NUMBERS);
}

function operand(random: Random): string {
  if (chance(random, 0.3)) return String(pick(random, NUMBERS));
  return pick(random, OPERANDS).replaceAll('N', () => String(number(random)));
}

function rule(random: Random, depth = 0): unknown {
  if (depth < 3 && chance(random, 0.2)) {
    const [one, two] = [rule(random, depth + 1), rule(random, depth + 1)];
    return pick(random, [{ any: [one, two] }, { all: [one, two] }, { not: one }]);
  }
  return `${operand(random)} ${pick(random, OPS)} ${operand(random)}`;
}

function distance(random: Random): unknown {
  if (chance(random, 0.5)) return pick(random, [0.02, 0.1, 0.5, 'high - low', '3 * atr(2)']);
  return chance(random, 0.5) ? pick(random, NUMBERS) : operand(random);
}

function absurdJob(random: Random): unknown {
  const side = (): object => ({
    enter: [rule(random)],
    ...(chance(random, 0.5) ? { exit: [rule(random)] } : {}),
  });
  const maybe = (key: string, value: () => unknown): object =>
    chance(random, 0.15) ? { [key]: value() } : {};
  return {
    version: 1,
    data: 'candles.csv',
    broker: {
      ...maybe('cash', () => pick(random, NUMBERS)),
      ...maybe('fee', () => pick(random, NUMBERS)),
      ...maybe('slippage', () => pick(random, NUMBERS)),
      ...maybe('lot', () => pick(random, NUMBERS)),
      ...maybe('fill', () => 'close'),
      ...maybe('stopReference', () => 'signalClose'),
      ...maybe('sameBar', () => 'targetFirst'),
    },
    strategies: [
      {
        long: side(),
        ...maybe('short', side),
        ...maybe('reverse', () => true),
        ...maybe('stopLoss', () => distance(random)),
        ...maybe('takeProfit', () => distance(random)),
        ...maybe('trailingStop', () => distance(random)),
        ...maybe('breakeven', () => distance(random)),
        ...maybe('maxBars', () => number(random)),
        ...maybe('cooldown', () => number(random)),
        ...maybe('size', () => ({
          [pick(random, ['equity', 'cash', 'units', 'risk'])]: pick(random, NUMBERS),
        })),
      },
    ],
  };
}

/** Sound candles of absurd prices for the most part: a wild walk over many magnitudes, still stretches, no volume. */
function absurdCandles(random: Random): string {
  const lines = ['timestamp,open,high,low,close,volume'];
  const bars = 2 + (random.nextUint32() % 300);
  const wildness = pick(random, [0, 0.01, 1, 10, 200]);
  let price = pick(random, [100, 1, 1e-300, 5e-324, 1e300, 1e15, 0.0001]);
  for (let bar = 0; bar < bars; bar++) {
    const factor = 1 + wildness * random.nextUnit();
    const next = chance(random, 0.5) ? price * factor : price / factor;
    const close = next > 0 && next < 1e307 ? next : price;
    const [low, high] = [Math.min(price, close), Math.max(price, close)];
    const isBroken = chance(random, 0.0002);
    const volume = chance(random, 0.1) ? 0 : pick(random, [1, 1000, 1e300, 0.5]);
    const time = 1_704_067_200_000 + bar * 3_600_000;
    lines.push([time, price, isBroken ? 'NaN' : high, low, close, volume].join(','));
    price = close;
  }
  return lines.join('\n');
}
