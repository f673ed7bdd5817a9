// What a job file may hold, as a table: the JSON Schema that editors use and the reader must say the same of every row, but
// where only the reader can know (the text of rules, the data, several fields together).
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { strategiesJsonSchema } from '../../../src/node/jobfile/editor-schema.ts';
import { fileWith, prepare } from './fixture.ts';

const isOfForm = new Ajv({ strict: false, formats: { date: true, 'date-time': true } }).compile(
  strategiesJsonSchema(),
);

const with1 = (part: object): object => fileWith({ strategies: [strategy(part)] });
const strategy = (part: object): object => ({ long: { enter: ['close > 1'] }, ...part });
const rule = (text: unknown): object => with1({ long: { enter: [text] } });
const vars = (n: unknown): object =>
  fileWith({ vars: { n }, strategies: [strategy({ long: { enter: ['close > $n'] } })] });
const data = (part: object): object => fileWith({ data: { file: 'candles.csv', ...part } });

const SPIN = { version: 1, kernel: 'spin', tasks: 3, costMs: 1, mode: 'spin' };

const ACCEPTED: readonly object[] = [
  fileWith({}),
  fileWith({ name: 'a job', $schema: 'urn:mesh:strategies:1', kernel: 'backtest' }),
  data({}),
  data({ symbol: 'X', timeframe: '1d', from: '2024-01-01', to: '2024-01-04T00:00:00Z' }),
  fileWith({ data: ['candles.csv'] }),
  fileWith({
    data: [
      { file: 'candles.csv', symbol: 'A' },
      { file: 'candles.csv', symbol: 'B' },
    ],
  }),
  fileWith({ broker: { cash: 1, fee: 0.5, slippage: 0.1, lot: 1 } }),
  fileWith({ broker: { fill: 'close', stopReference: 'signalClose', sameBar: 'targetFirst' } }),
  ...[
    'sharpe',
    'netProfit',
    'cagr',
    'sortino',
    'calmar',
    'profitFactor',
    'sqn',
    'expectancy',
    'dsr',
  ].map((rank) => fileWith({ rank })),
  fileWith({ filter: ['trades >= 30', 'maxDrawdown < 30%'], keep: 10 }),
  fileWith({ filter: [] }),
  ...['<', '<=', '>', '>=', '==', 'crosses above', 'crosses below'].map((op) =>
    rule(`close ${op} 11`),
  ),
  ...['open', 'high', 'low', 'close', 'volume'].map((field) => rule(`${field} > 1`)),
  rule('macd(2,3,1).hist > 0'),
  rule('bollinger(2, 2).upper > close[1]'),
  rule('close * 1.02 > (open + high) / 2 - low'),
  rule('-close < 0'),
  rule('sma(2)@2d > 1'),
  rule({ any: ['close > 1', { all: ['open > 1', { not: 'low > 5' }] }] }),
  rule({ left: { value: 1 }, op: '<', right: { field: 'close' } }),
  with1({ short: { enter: ['close < 1'], exit: ['close > 1'] }, reverse: true }),
  with1({ stopLoss: 0.02, takeProfit: '3 * atr(2)', trailingStop: '0.05', breakeven: 0.01 }),
  with1({ maxBars: 5, cooldown: 0 }),
  ...[{ equity: 0.5 }, { cash: 100 }, { units: 3 }].map((size) => with1({ size })),
  with1({ size: { risk: 0.01 }, stopLoss: 0.02 }),
  with1({ indicators: { fast: 'ema(2)' }, long: { enter: ['close > fast'] } }),
  vars([1, 2, 3]),
  vars({ from: 1, to: 3 }),
  vars({ from: 1, to: 3, step: 0.5 }),
  vars({ from: 1, to: 100, count: 3, log: true }),
  with1({
    vars: { n: [1, 2], m: [1, 2] },
    where: ['$n < $m'],
    long: { enter: ['close > $n * $m'] },
  }),
  fileWith({ sample: { count: 1, seed: 0 } }),
  fileWith({ split: { mode: 'none' } }),
  fileWith({ split: { mode: 'holdout', train: 0.5 } }),
  fileWith({ split: { mode: 'walkForward', folds: 1, train: 0.5, anchored: false, embargo: 0 } }),
  { version: 1, kernel: 'spin', tasks: 3, costMs: 1, mode: 'spin', seed: 1 },
  { version: 1, kernel: 'spin', tasks: 3, costMs: [1, 2], mode: 'sleep' },
  {
    version: 1,
    kernel: 'spin',
    tasks: 3,
    costMs: { lognormal: { mean: 5, sigma: 1 } },
    mode: 'spin',
  },
];

const REFUSED: readonly object[] = [
  fileWith({ split: { mode: 'walkForward', folds: 1001, train: 0.5 } }),
  vars({ from: 0, to: 9, count: 3, log: true }),
  vars({ from: 1, to: 9, log: true }),
  vars({ from: 1, to: 2, step: 1, count: 2 }),
  { strategies: [strategy({})] },
  fileWith({ vars: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`v${i}`, [1]])) }),
  fileWith({ version: 2 }),
  fileWith({ version: '1' }),
  fileWith({ kernel: 'options' }),
  fileWith({ data: undefined }),
  fileWith({ data: 7 }),
  fileWith({ data: [] }),
  fileWith({ data: '' }),
  data({ file: 7 }),
  data({ timeframe: '0m' }),
  data({ timeframe: 'daily' }),
  data({ sha256: 'abc' }),
  data({ extra: 1 }),
  fileWith({ strategies: undefined }),
  fileWith({ strategies: [] }),
  fileWith({ strategies: {} }),
  fileWith({ strategies: [7] }),
  fileWith({ extra: 1 }),
  fileWith({ mine: {} }),
  fileWith({ name: 7 }),
  ...[{ cash: 0 }, { cash: '1' }, { fee: -1 }, { fee: 2 }, { slippage: 1 }, { lot: -1 }].map(
    (broker) => fileWith({ broker }),
  ),
  ...[{ fill: 'open' }, { stopReference: 'x' }, { sameBar: true }, { leverage: 2 }].map((broker) =>
    fileWith({ broker }),
  ),
  fileWith({ rank: 'best' }),
  fileWith({ rank: ['sharpe'] }),
  fileWith({ keep: 0 }),
  fileWith({ keep: 1.5 }),
  fileWith({ keep: '5' }),
  fileWith({ filter: 'trades > 1' }),
  fileWith({ filter: [''] }),
  fileWith({ filter: [1] }),
  rule(7),
  rule(null),
  rule({ any: [] }),
  rule({ any: ['close > 1'], all: ['close > 1'] }),
  rule({ nor: ['close > 1'] }),
  with1({ long: { enter: 'close > 1' } }),
  with1({ long: { enter: ['close > 1'], when: [] } }),
  with1({ stopLoss: true }),
  with1({ stopLoss: 0 }),
  with1({ long: undefined }),
  with1({ stoploss: 0.02 }),
  with1({ reverse: 'yes' }),
  with1({ size: { shares: 3 } }),
  with1({ size: 3 }),
  with1({ indicators: { fast: 7 } }),
  vars(7),
  vars([]),
  vars(['ema']),
  vars({ from: 1 }),
  vars({ from: 1, to: 2, by: 1 }),
  fileWith({ vars: { Big: [1] } }),
  fileWith({ where: 'x' }),
  ...[{ count: 0 }, { count: 1.5 }, { seed: 1 }, { count: 1, seed: -1 }].map((sample) =>
    fileWith({ sample }),
  ),
  ...[{}, { mode: 'cv' }, { mode: 'walkForward', folds: 0 }, { mode: 'none', fold: 1 }].map(
    (split) => fileWith({ split }),
  ),
  ...[{ tasks: 0 }, { tasks: 1.5 }, { costMs: -1 }, { costMs: [] }, { mode: 'nap' }, { x: 1 }].map(
    (part) => ({
      ...SPIN,
      ...part,
    }),
  ),
];

/** Of a form that editors accept; what is wrong is in a text, in the data, or in two fields together. */
const REFUSED_BY_THE_READER: readonly object[] = [
  rule('close >'),
  rule('close > > 1'),
  rule('1 < 2'),
  rule('close'),
  rule('close = 11'),
  rule('clsoe > 1'),
  rule('emma(3) > 1'),
  rule('sma(0) > 1'),
  rule('sma(1e9) > 1'),
  rule('macd(1,2,1) > 0'),
  rule('close > $gone'),
  rule('close[-1] > 1'),
  rule('sma(2)@1h > 1'),
  with1({ stopLoss: '-1 * atr(2)' }),
  with1({ takeProfit: 'tomorrow' }),
  with1({ maxBars: 0 }),
  with1({ maxBars: 1.5 }),
  with1({ cooldown: -1 }),
  with1({ size: { equity: 2 } }),
  with1({ size: { units: 0 } }),
  with1({ size: { risk: 0.01 } }),
  vars({ from: 3, to: 1 }),
  fileWith({ where: ['close > 1'] }),
  fileWith({ filter: ['close > 1'] }),
  fileWith({ filter: ['trades'] }),
  fileWith({ data: 'gone.csv' }),
  data({ from: '2024-01-04' }),
  data({ timeframe: '5m' }),
  data({ sha256: 'a'.repeat(64) }),
  fileWith({ split: { mode: 'walkForward' } }),
  fileWith({ split: { mode: 'holdout', train: 2 } }),
  fileWith({ split: { mode: 'holdout', folds: 2 } }),
  with1({ vars: { n: [1] }, where: ['$n > 1'], long: { enter: ['close > $n'] } }),
];

const genome = (part: object, params: object = {}): object => ({
  entry_rules: [{ left: { field: 'Close' }, op: '>', right: { value: 1 } }],
  params: { sl_pct: 0.02, ...params },
  ...part,
});

const GENOMES: readonly object[] = [
  genome({}),
  genome({ name: 'a', fitness: 1.5, generation: 3 }),
  genome({ exit_rules: ['rsi(2) > 70', { any: ['close < 1', 'close > 90'] }] }),
  genome({ entry_rules: [{ not: { left: { field: 'low' }, op: '<', right: { value: 1 } } }] }),
  genome({}, { tp_pct: 2, trailing_stop_pct: 0, breakeven_after: 0.01, size_pct: 0.5 }),
  genome({}, { sl_pct: null, tp_pct: null, trailing_stop_pct: null, size_pct: null }),
  genome({}, { max_positions: 5, leverage: 1, direction: 'Short', timeframe: '1d' }),
  genome({}, { max_positions: null, leverage: null, direction: null, timeframe: null }),
];

const NO_GENOMES: readonly object[] = [
  genome({ entry_rules: [] }),
  genome({ entry_rules: 'close > 1' }),
  genome({ entry_rules: [7] }),
  genome({ params: undefined }),
  genome({ params: [] }),
  genome({ name: 7 }),
  genome({ long: { enter: ['close > 1'] } }),
  genome({ stopLoss: 0.1 }),
  genome({ entry_rules: [{ any: [{ left: { field: 'Close' }, op: '>', right: { value: 1 } }] }] }),
  genome({}, { sl_pct: 2 }),
  genome({}, { sl_pct: 0 }),
  genome({}, { sl_pct: -0.1 }),
  genome({}, { sl_pct: '2%' }),
  genome({}, { size_pct: 0 }),
  genome({}, { size_pct: 5 }),
  genome({}, { max_positions: 'one' }),
  genome({}, { leverage: 2 }),
  genome({}, { direction: 'both' }),
  genome({}, { timeframe: 'daily' }),
  genome({}, { stop_loss: 0.1 }),
];

/** As the miner writes them; data comes from the command line. */
const BARE: readonly (readonly [string, (one: object) => object])[] = [
  ['alone', (one) => one],
  ['in a list', (one) => [genome({}), one]],
  ['under "genome"', (one) => [{ genome: one, score: 1 }]],
  ['in a list of lists', (one) => [[one]]],
];

async function verdict(file: object): Promise<{ form: boolean; reader: boolean }> {
  const plain = JSON.parse(JSON.stringify(file)) as unknown;
  const isBare = !Object.hasOwn(plain as object, 'version');
  const overrides = isBare ? { dataFile: 'candles.csv' } : {};
  return { form: isOfForm(plain), reader: (await prepare(plain, { overrides })).ok };
}

describe('schema and reader', () => {
  it.each(ACCEPTED.map((file) => [JSON.stringify(file), file] as const))(
    'accept %s',
    async (_, file) => {
      expect(await verdict(file)).toEqual({ form: true, reader: true });
    },
  );

  it.each(REFUSED.map((file) => [JSON.stringify(file), file] as const))(
    'refuse %s',
    async (_, file) => {
      expect(await verdict(file)).toEqual({ form: false, reader: false });
    },
  );

  it.each(GENOMES.map((file) => [JSON.stringify(file), file] as const))(
    'accept the genome %s',
    async (_, one) => {
      expect(await verdict(fileWith({ strategies: [one] }))).toEqual({ form: true, reader: true });
      for (const [, bare] of BARE) {
        expect(await verdict(bare(one))).toEqual({ form: true, reader: true });
      }
    },
  );

  it.each(NO_GENOMES.map((file) => [JSON.stringify(file), file] as const))(
    'refuse the genome %s',
    async (_, one) => {
      expect(await verdict(fileWith({ strategies: [one] }))).toEqual({
        form: false,
        reader: false,
      });
      for (const [, bare] of BARE) {
        expect(await verdict(bare(one))).toEqual({ form: false, reader: false });
      }
    },
  );

  it.each(REFUSED_BY_THE_READER.map((file) => [JSON.stringify(file), file] as const))(
    'differ where only the reader can know: %s',
    async (_, file) => {
      expect(await verdict(file)).toEqual({ form: true, reader: false });
    },
  );
});
