// How well the kernel's units of work foretell what a task takes: strategies of all kinds on candles of three lengths,
// each measured warm and cold beside the units that it states. Ranks are what orders tasks and sizes shares; the ratio
// says how far a single task is off.
//
//     node scripts/bench-work.ts [--strategies 200] [--json]
import { parseArgs } from 'node:util';
import { compileBacktest } from '../src/kernel/backtest.ts';
import { Arena } from '../src/kernel/fast/arena.ts';
import { Workbench } from '../src/kernel/fast/workbench.ts';
import { Random } from '../src/kernel/random.ts';
import type { BacktestSpec, StrategySpec } from '../src/kernel/spec.ts';
import { syntheticCandles } from '../src/node/jobfile/synthetic.ts';

const { values: flags } = parseArgs({
  options: {
    strategies: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const LENGTHS = [10_000, 100_000, 1_000_000];
const MINUTE_MS = 60_000;
const ROUNDS = 3;

interface Sample {
  readonly bars: number;
  readonly units: number;
  readonly coldUs: number;
  readonly warmUs: number;
}

const random = new Random(11);
const pick = <T>(list: readonly T[]): T => list[random.nextUint32() % list.length] as T;
const whole = (low: number, high: number): number => low + (random.nextUint32() % (high - low + 1));

function comparison(): string {
  const period = whole(3, 200);
  return pick([
    `rsi(${period}) < ${whole(15, 45)}`,
    `rsi(${period}) > ${whole(55, 85)}`,
    `close > sma(${period})`,
    `close < ema(${period})`,
    `ema(${whole(3, 30)}) crosses above ema(${whole(31, 200)})`,
    `close crosses below bollinger(${period}, 2).lower`,
    `close > highest(high, ${period})[1]`,
    `atr(${period}) > ${whole(1, 9)} * 10`,
    `macd(12, 26, ${whole(3, 20)}).hist > 0`,
    `volume > volsma(${period})`,
  ]);
}

function side(comparisons: number): StrategySpec['long'] {
  const enter = Array.from({ length: Math.max(1, comparisons - 1) }, comparison);
  return { enter, exit: [comparison()] };
}

function strategies(count: number): StrategySpec[] {
  return Array.from({ length: count }, (_, at) => ({
    name: `s${at}`,
    vars: [],
    where: [],
    long: side(whole(1, 5)),
    short: at % 4 === 0 ? side(whole(1, 3)) : null,
    stopLoss: at % 3 === 0 ? '2 * atr(14)' : '0.01',
    takeProfit: at % 2 === 0 ? '0.02' : null,
    trailingStop: at % 5 === 0 ? '0.015' : null,
    breakeven: null,
    maxBars: at % 7 === 0 ? '500' : null,
    cooldown: null,
    reverse: false,
    size: { kind: 'equity', value: '1' },
  }));
}

function samplesOf(bars: number, specs: readonly StrategySpec[]): Sample[] {
  const candles = syntheticCandles({ seed: 5, bars, stepMs: MINUTE_MS, startMs: 0 });
  const spec: BacktestSpec = {
    version: 1,
    kernel: 'backtest',
    datasets: [{ sha256: String(bars), symbol: null, fromMs: null, toMs: null }],
    broker: {
      cash: 10_000,
      fee: 0.0005,
      slippage: 0.0002,
      lot: 0,
      fill: 'nextOpen',
      stopReference: 'fill',
      sameBar: 'stopFirst',
    },
    strategies: specs,
    sample: null,
    rank: 'sharpe',
  };
  const workbench = Workbench.on(Arena.create(2 ** 30));
  const runner = compileBacktest(spec, candles, { workbench });
  const units = runner.workRuns.flatMap((run) =>
    Array.from({ length: run.tasks }, () => run.units),
  );
  const row = new Float64Array(runner.columns.length);
  const timed = (task: number): number => {
    const before = performance.now();
    runner.run(task, row, 0);
    return (performance.now() - before) * 1_000;
  };
  return specs.map((_, task) => {
    const coldUs = timed(task);
    const warmUs = Math.min(...Array.from({ length: ROUNDS }, () => timed(task)));
    return { bars, units: units[task] ?? NaN, coldUs, warmUs };
  });
}

/** Spearman's: of the places. */
function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [placesOf(a), placesOf(b)];
  const mean = (a.length - 1) / 2;
  let both = 0;
  let own = 0;
  let other = 0;
  for (const [at, place] of x.entries()) {
    const [dx, dy] = [place - mean, (y[at] ?? 0) - mean];
    both += dx * dy;
    own += dx * dx;
    other += dy * dy;
  }
  return both / Math.sqrt(own * other);
}

/** Equals share their places. */
function placesOf(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
}

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(part * (values.length - 1))] ?? NaN;
}

const specs = strategies(Number(flags.strategies));
samplesOf(LENGTHS[0] ?? 0, specs.slice(0, 20));
const samples = LENGTHS.flatMap((bars) => samplesOf(bars, specs));
const groups = [...LENGTHS.map((bars) => samples.filter((one) => one.bars === bars)), samples];
const table = groups.map((group, at) => {
  const units = group.map((one) => one.units);
  const ratios = group.map((one) => one.warmUs / one.units);
  return {
    bars: LENGTHS[at] ?? 'all',
    tasks: group.length,
    unitsMedian: percentile(units, 0.5),
    warmUsMedian: percentile(
      group.map((one) => one.warmUs),
      0.5,
    ),
    coldUsMedian: percentile(
      group.map((one) => one.coldUs),
      0.5,
    ),
    rankWarm: rankCorrelation(
      units,
      group.map((one) => one.warmUs),
    ),
    rankCold: rankCorrelation(
      units,
      group.map((one) => one.coldUs),
    ),
    ratio5: percentile(ratios, 0.05),
    ratio50: percentile(ratios, 0.5),
    ratio95: percentile(ratios, 0.95),
  };
});
if (flags.json) console.log(JSON.stringify({ v: 1, table, samples }));
else {
  for (const row of table) {
    console.log(
      Object.entries(row)
        .map(
          ([name, value]) =>
            `${name} ${typeof value === 'number' ? Math.round(value * 1000) / 1000 : value}`,
        )
        .join('  '),
    );
  }
}
