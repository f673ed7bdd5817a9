// What says whether two peers compute the same: the rows of a small fixed job that uses most of the language, on
// made-up candles. Every peer computes them when it starts, with the code, the runtime and the processor that will
// run its tasks. Where one bit differs, so does the kernel's id, and the two do not share work.

import { compileJob } from './compile.ts';
import type { Candles } from './job.ts';
import { Random } from './random.ts';
import type { BacktestSpec, JobSpec, SpinSpec, StrategySpec } from './spec.ts';

/** Raised by hand when rows change on purpose: the middle number when only jobs change that could not run
 * before, the first when any other does. */
export const KERNEL_VERSIONS: Readonly<Record<JobSpec['kernel'], string>> = {
  backtest: '2.1.0',
  spin: '1.0.0',
};

/** All rows of the kernel's golden job, one behind the other. */
export function goldenRows(kernel: JobSpec['kernel']): Float64Array {
  const spec = kernel === 'spin' ? SPIN : backtestSpec();
  const runner = compileJob(spec, new Map([[DATASET, goldenCandles()]]));
  const width = runner.columns.length;
  const rows = new Float64Array(runner.taskCount * width);
  for (let task = 0; task < runner.taskCount; task++) runner.run(task, rows, task * width);
  return rows;
}

const DATASET = 'golden';
const BAR_COUNT = 240;
/** Of five hours, so that higher timeframes and days begin inside a bar as well as with one. */
const STEP_MS = 18_000_000;

const SPIN: SpinSpec = {
  version: 1,
  kernel: 'spin',
  tasks: 8,
  costMs: { lognormal: { mean: 0.001, sigma: 1 } },
  mode: 'spin',
  seed: 1,
};

const STRATEGIES: readonly Partial<StrategySpec>[] = [
  {
    vars: [
      { name: 'n', values: [3, 6] },
      { name: 'x', from: 40, to: 55, count: 2, log: true },
    ],
    long: { enter: ['rsi($n) < $x', 'close > sma(20)'], exit: ['rsi($n) > 60'] },
    stopLoss: '0.03',
    takeProfit: '0.01 * $n',
  },
  {
    long: { enter: ['ema(5) crosses above ema(13)'], exit: [] },
    short: { enter: ['ema(5) crosses below ema(13)'], exit: [] },
    reverse: true,
    size: { kind: 'equity', value: '0.7' },
  },
  {
    long: {
      enter: [{ any: ['macd(5, 9, 4).hist > 0', 'stoch(9).k < 20'] }],
      exit: ['cci(9) > 90'],
    },
    trailingStop: '2 * atr(7)',
    cooldown: '2',
    size: { kind: 'risk', value: '0.02' },
  },
  {
    short: { enter: [{ not: 'close < bollinger(10, 1.5).upper' }], exit: ['willr(9) < -80'] },
    stopLoss: 'stddev(9) * 2',
    breakeven: '0.01',
    maxBars: '17',
    size: { kind: 'cash', value: '4000' },
  },
  {
    long: { enter: ['wma(5) > kama(8)', 'adx(6) > 20'], exit: ['plus_di(6) < minus_di(6)'] },
    short: { enter: ['tema(4) < dema(6)', 'linregslope(7) < 0'], exit: ['mfi(5) < 40'] },
    takeProfit: '3 * atr(5)',
    size: { kind: 'units', value: '2.5' },
  },
  {
    long: { enter: ['ema(3)@1d > close[2]', 'cmo(6) > sma(roc(3), 4)'], exit: ['sar() > low'] },
    short: { enter: ['trix(4) < 0', 'obv() < ema(obv(), 5)'], exit: ['stochrsi(6).d < 10'] },
    trailingStop: '0.04',
    breakeven: '0.02',
  },
  {
    long: { enter: ['close == highest(8)', 'volume > volsma(9) * 0.9'], exit: ['mom(4) < -0.5'] },
    short: {
      enter: ['close <= donchian(8).lower', 'close < vwap()'],
      exit: ['natr(5) / 2 > 1.1', 'close > linreg(6)'],
    },
    stopLoss: '0.05',
  },
];

function backtestSpec(): BacktestSpec {
  return {
    version: 1,
    kernel: 'backtest',
    datasets: [{ sha256: DATASET, symbol: null, fromMs: null, toMs: null }],
    broker: {
      cash: 10_000,
      fee: 0.0007,
      slippage: 0.0003,
      lot: 0.001,
      fill: 'nextOpen',
      stopReference: 'fill',
      sameBar: 'stopFirst',
    },
    strategies: STRATEGIES.map((strategy, at) => ({
      name: `golden-${at}`,
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
      ...strategy,
    })),
    sample: null,
    rank: 'sharpe',
  };
}

/** A walk in steps of up to a percent, with gaps, bars without any range and bars without volume. */
function goldenCandles(): Candles {
  const random = new Random(20_251_124);
  const move = (): number => (random.nextUnit() - 0.5) / 50;
  const column = (): Float64Array => new Float64Array(BAR_COUNT);
  const candles = { barCount: BAR_COUNT, timeMs: column(), open: column(), high: column() };
  const rest = { low: column(), close: column(), volume: column() };
  let price = 100;
  for (let bar = 0; bar < BAR_COUNT; bar++) {
    const isStill = bar % 50 > 46;
    const open = bar % 9 === 8 ? price * (1 + move()) : price;
    const close = isStill ? open : open * (1 + move());
    const reach = isStill ? 0 : random.nextUnit() / 200;
    candles.timeMs[bar] = 1_704_067_200_000 + bar * STEP_MS;
    candles.open[bar] = open;
    candles.high[bar] = Math.max(open, close) * (1 + reach);
    rest.low[bar] = Math.min(open, close) * (1 - reach);
    rest.close[bar] = close;
    rest.volume[bar] = bar % 11 === 10 ? 0 : Math.round(random.nextUnit() * 1000);
    price = close;
  }
  return { ...candles, ...rest };
}
