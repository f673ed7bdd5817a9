// What the backtest engine computes per second on one core, beside a plain loop over the bars in the same run:
// on a busy or a slow machine both suffer, so the ratio holds. A sample of the rows of every case is checked
// against the reference engine, and the plain loop's trades and money against the rows.
//
//     node scripts/bench-kernel.ts [--quick] [--json]
//
// Cold: the candles are in memory, the rules are text, and no indicator or condition is cached; the engine's own
// code has run before. Warm: the same tasks again on the same compiled job, as in a grid's later part. Both are the
// best of as many rounds as three seconds hold, so that what else the machine does counts least.
import { compileBacktest } from '../src/kernel/backtest.ts';
import { SeriesBook } from '../src/kernel/engine/series.ts';
import { Arena } from '../src/kernel/fast/arena.ts';
import { Workbench } from '../src/kernel/fast/workbench.ts';
import type { Candles, TaskRunner } from '../src/kernel/job.ts';
import { parseRule } from '../src/kernel/language/parse.ts';
import { Random } from '../src/kernel/random.ts';
import type { BacktestSpec, StrategySpec } from '../src/kernel/spec.ts';
import { parseCandleCsv } from '../src/node/jobfile/csv.ts';
import { syntheticCandles } from '../src/node/jobfile/synthetic.ts';
import { type NaiveRule, type NaiveStrategy, naiveBacktest } from './naive-loop.ts';

const isQuick = process.argv.includes('--quick');

/** For candles, indicators and conditions: a quarter of a small machine's memory. */
const MEMORY_BYTES = 2 ** 30;
const workbench = Workbench.on(Arena.create(MEMORY_BYTES));
const BROKER = {
  cash: 10_000,
  fee: 0.001,
  slippage: 0.0005,
  lot: 0,
  fill: 'nextOpen',
  stopReference: 'fill',
  sameBar: 'stopFirst',
} as const;
const MINUTE_MS = 60_000;

interface Case {
  readonly name: string;
  readonly candles: Candles;
  readonly strategies: readonly StrategySpec[];
  /** Tasks whose rows are checked against the reference engine. */
  readonly checked: number;
  /** Tasks that the plain loop runs; 0 where it does not know the rules. */
  readonly naive: number;
}

interface Measurement {
  readonly name: string;
  readonly tasks: number;
  readonly bars: number;
  readonly tradesPerTask: number;
  /** Per second. */
  readonly cold: number;
  readonly warm: number;
  /** ns per bar and strategy. */
  readonly coldNs: number;
  readonly warmNs: number;
  readonly naiveNs: number | null;
  readonly checkedRows: number;
}

/** One-minute bars: the synthetic market with its moves cut to 0.3, a typical 0.06 % per bar. */
function minuteCandles(bars: number): Candles {
  const wild = syntheticCandles({ seed: 7, bars, stepMs: MINUTE_MS, startMs: 1_704_067_200_000 });
  const { open, high, low, close } = wild;
  return { ...wild, open: calm(open), high: calm(high), low: calm(low), close: calm(close) };
}

function calm(prices: Float64Array): Float64Array {
  return prices.map((price) => Math.round(3_000_000 * Math.pow(price / 30_000, 0.3)) / 100);
}

/** The old miner's gene pool: one to three comparisons of some 240, stop and target in percent. */
function genomes(count: number, [least, most]: readonly [number, number]): StrategySpec[] {
  const random = new Random(42);
  const pick = <T>(list: readonly T[]): T => list[random.nextUint32() % list.length] as T;
  const periods = [10, 14, 20, 50, 100, 200];
  const percent = (low: number, high: number): string =>
    ((low + random.nextUnit() * (high - low)) / 100).toFixed(4);
  const rule = (): string => {
    const op = pick(['<', '>']);
    const average = `${pick(['sma', 'ema'])}(${pick(periods)})`;
    const kind = random.nextUint32() % 5;
    if (kind <= 1) return `rsi(${pick(periods)}) ${op} ${20 + 5 * (random.nextUint32() % 13)}`;
    if (kind === 2) return `close ${op} ${average}`;
    if (kind === 3) return `volume ${op} volsma(${pick(periods)})`;
    return `ema(${pick(periods)}) ${op} sma(${pick(periods)})`;
  };
  return Array.from({ length: count }, (_, index) => ({
    ...PLAIN,
    name: `genome ${index}`,
    long: { enter: Array.from({ length: 1 + (random.nextUint32() % 3) }, rule), exit: [] },
    stopLoss: percent(least, most),
    takeProfit: percent(2 * least, 2 * most),
  }));
}

/** Every pair of a fast and a slow EMA, in at one cross and out at the other. */
function emaPairs(fast: number, slow: number): StrategySpec[] {
  return [
    {
      ...PLAIN,
      name: 'pairs',
      vars: [
        { name: 'f', from: 5, step: 1, count: fast },
        { name: 's', from: 110, step: 2, count: slow },
      ],
      long: {
        enter: ['ema($f) crosses above ema($s)'],
        exit: ['ema($f) crosses below ema($s)'],
      },
    },
  ];
}

const PLAIN = {
  name: '',
  vars: [],
  where: [],
  long: null,
  short: null,
  stopLoss: null,
  takeProfit: null,
  trailingStop: null,
  breakeven: null,
  maxBars: null,
  cooldown: null,
  reverse: false,
  size: { kind: 'equity', value: '1' },
} as const satisfies StrategySpec;

function specOf(strategies: readonly StrategySpec[]): BacktestSpec {
  const dataset = { sha256: '0'.repeat(64), symbol: null, fromMs: null, toMs: null };
  const datasets = [dataset];
  const job = { version: 1, kernel: 'backtest', sample: null, rank: 'sharpe' } as const;
  return { ...job, datasets, broker: BROKER, strategies };
}

function measure({ name, candles, strategies, checked, naive }: Case): Measurement {
  const spec = specOf(strategies);
  const bars = candles.barCount;
  let runner: TaskRunner | undefined;
  let coldMs = Infinity;
  const coldUntilMs = performance.now() + (isQuick ? 600 : 3000);
  for (let round = 0; round < 2 || performance.now() < coldUntilMs; round++) {
    const startMs = performance.now();
    // Another object is another dataset: nothing of it is cached.
    runner = compileBacktest(spec, { ...candles }, { workbench });
    runAll(runner);
    coldMs = Math.min(coldMs, performance.now() - startMs);
  }
  if (runner === undefined) throw new Error('nothing was compiled');
  const tasks = runner.taskCount;
  let warmMs = Infinity;
  const untilMs = performance.now() + (isQuick ? 600 : 3000);
  while (performance.now() < untilMs) {
    const startMs = performance.now();
    runAll(runner);
    warmMs = Math.min(warmMs, performance.now() - startMs);
  }
  checkRows(runner, spec, candles, checked);
  const perNs = (ms: number): number => (ms * 1e6) / (tasks * bars);
  return {
    name,
    tasks,
    bars,
    tradesPerTask: meanTrades(runner),
    cold: (tasks * 1000) / coldMs,
    warm: (tasks * 1000) / warmMs,
    coldNs: perNs(coldMs),
    warmNs: perNs(warmMs),
    naiveNs: naive === 0 ? null : naiveNs(strategies.slice(0, naive), candles, runner),
    checkedRows: Math.min(checked, tasks),
  };
}

function runAll(runner: TaskRunner): void {
  const row = new Float64Array(runner.columns.length);
  for (let task = 0; task < runner.taskCount; task++) runner.run(task, row, 0);
}

function rowOf(runner: TaskRunner, task: number): Float64Array {
  const row = new Float64Array(runner.columns.length);
  runner.run(task, row, 0);
  return row;
}

function meanTrades(runner: TaskRunner): number {
  const column = runner.columns.indexOf('trades');
  const step = Math.ceil(runner.taskCount / 500);
  let sum = 0;
  let tasks = 0;
  for (let task = 0; task < runner.taskCount; task += step, tasks++) {
    sum += rowOf(runner, task)[column] ?? NaN;
  }
  return sum / tasks;
}

function checkRows(runner: TaskRunner, spec: BacktestSpec, candles: Candles, count: number): void {
  const reference = compileBacktest(spec, candles, {
    engine: 'reference',
    cacheBytes: MEMORY_BYTES,
  });
  for (let i = 0; i < Math.min(count, runner.taskCount); i++) {
    const task = Math.floor((i * runner.taskCount) / count);
    const bits = (from: TaskRunner): string => new BigUint64Array(rowOf(from, task).buffer).join();
    if (bits(runner) !== bits(reference))
      throw new Error(`task ${task} differs from the reference`);
  }
}

function naiveNs(
  strategies: readonly StrategySpec[],
  candles: Candles,
  runner: TaskRunner,
): number {
  const book = new SeriesBook(candles, MEMORY_BYTES);
  const prepared = strategies.map((strategy) => naiveStrategy(strategy, book));
  const run = (): void => {
    for (const [task, strategy] of prepared.entries()) {
      const { trades, finalEquity } = naiveBacktest(candles, BROKER, strategy);
      const row = rowOf(runner, task);
      const difference = (row[0] ?? NaN) - finalEquity;
      // It need not round as the kernel does, but it must have traded the same.
      if (row[runner.columns.indexOf('trades')] !== trades || !(Math.abs(difference) < 0.01)) {
        throw new Error(`the plain loop's task ${task} differs: ${trades} trades, ${finalEquity}`);
      }
    }
  };
  run();
  let bestMs = Infinity;
  for (let round = 0; round < 2; round++) {
    const startMs = performance.now();
    run();
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  return (bestMs * 1e6) / (strategies.length * candles.barCount);
}

const noVariables = (): number => NaN;

function naiveStrategy(strategy: StrategySpec, book: SeriesBook): NaiveStrategy {
  let start = 0;
  const enter = (strategy.long?.enter ?? []).map((text): NaiveRule => {
    const rule = typeof text === 'string' ? parseRule(text, new Set()) : undefined;
    if (rule?.kind !== 'compare' || (rule.op !== '<' && rule.op !== '>')) {
      throw new Error('the plain loop does not know this rule');
    }
    const left = book.series(rule.left, noVariables);
    start = Math.max(start, left.start);
    if (rule.right.kind === 'number') {
      return { left: left.values, op: rule.op, right: rule.right.value };
    }
    const right = book.series(rule.right, noVariables);
    start = Math.max(start, right.start);
    return { left: left.values, op: rule.op, right: right.values };
  });
  const stopLoss = Number(strategy.stopLoss);
  return { enter, start, stopLoss, takeProfit: Number(strategy.takeProfit) };
}

/** MB per second of a candle file's text. */
function csvRate(rows: number): number {
  const { timeMs, open, high, low, close, volume, barCount } = minuteCandles(rows);
  const lines = ['timestamp,open,high,low,close,volume'];
  for (let bar = 0; bar < barCount; bar++) {
    const time = new Date(timeMs[bar] ?? NaN).toISOString().slice(0, 19).replace('T', ' ');
    lines.push([time, open[bar], high[bar], low[bar], close[bar], volume[bar]].join(','));
  }
  const bytes = new TextEncoder().encode(lines.join('\n'));
  let bestMs = Infinity;
  for (let round = 0; round < 2; round++) {
    const startMs = performance.now();
    const result = parseCandleCsv('bench.csv', bytes);
    bestMs = Math.min(bestMs, performance.now() - startMs);
    if (!result.ok || result.candles.barCount !== rows) throw new Error('the CSV was not read');
  }
  return bytes.length / 1000 / bestMs;
}

function print(measurements: readonly Measurement[], csvMbPerS: number): void {
  const columns = [46, 9, 11, 11, 9, 9, 9, 9];
  const line = (cells: readonly string[]): void =>
    console.log(
      cells.map((cell, i) => cell[i === 0 ? 'padEnd' : 'padStart'](columns[i] ?? 9)).join(''),
    );
  line(['case', 'trades', 'cold /s', 'warm /s', 'cold ns', 'warm ns', 'loop ns', 'warm x']);
  for (const m of measurements) {
    line([
      m.name,
      m.tradesPerTask.toFixed(0),
      Math.round(m.cold).toLocaleString('en'),
      Math.round(m.warm).toLocaleString('en'),
      m.coldNs.toFixed(3),
      m.warmNs.toFixed(3),
      m.naiveNs?.toFixed(2) ?? '',
      m.naiveNs === null ? '' : (m.naiveNs / m.warmNs).toFixed(1),
    ]);
  }
  const rows = measurements.reduce((sum, { checkedRows }) => sum + checkedRows, 0);
  console.log(`ns are per bar and strategy; ${rows} rows equal the reference's bit for bit`);
  console.log(`candles from CSV: ${csvMbPerS.toFixed(0)} MB/s`);
}

function main(): void {
  const k100 = minuteCandles(100_000);
  const k200 = minuteCandles(200_000);
  const m1 = minuteCandles(isQuick ? 500_000 : 1_000_000);
  const long = isQuick ? '500k' : '1M';
  const few = isQuick ? 200 : 1000;
  const pairs = isQuick ? 20 : 100;
  const cases: Case[] = [
    {
      name: '1,000 genomes x 100k bars',
      candles: k100,
      strategies: genomes(1000, [1, 5]),
      checked: 50,
      naive: 20,
    },
    {
      name: `${few} genomes x ${long} bars`,
      candles: m1,
      strategies: genomes(few, [1, 5]),
      checked: 5,
      naive: 5,
    },
    {
      name: `${few} genomes with tight stops x ${long} bars`,
      candles: m1,
      strategies: genomes(few, [0.2, 0.5]),
      checked: 5,
      naive: 5,
    },
    {
      name: `${pairs * pairs} EMA pairs x 200k bars`,
      candles: k200,
      strategies: emaPairs(pairs, pairs),
      checked: 10,
      naive: 0,
    },
  ];
  const measurements = cases.map(measure);
  const csvMbPerS = csvRate(isQuick ? 200_000 : 1_000_000);
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ isQuick, measurements, csvMbPerS }, null, 2));
  } else print(measurements, csvMbPerS);
}

main();
