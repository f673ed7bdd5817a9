// Genomes of the old miner: accepted as they are, given the same meaning or named.
import { describe, expect, it } from 'vitest';
import { compileBacktest } from '../../../src/kernel/backtest.ts';
import { decodeCandles } from '../../../src/kernel/candles.ts';
import type { Trade } from '../../../src/kernel/job.ts';
import type { BacktestSpec } from '../../../src/kernel/spec.ts';
import { formatProblems } from '../../../src/node/jobfile/prepare.ts';
import { STRATEGY, accepted, fileWith, prepare, refused } from './fixture.ts';

const overrides = { dataFile: 'candles.csv', cash: 5000, fee: 0.001 };
const RULES = [
  { left: { field: 'Close' }, op: '>', right: { indicator: 'SMA', period: 2 } },
  { left: { indicator: 'RSI', period: 2 }, op: '<=', right: { value: 80 } },
];
const GENOME = { entry_rules: RULES, params: { sl_pct: 0.02, tp_pct: 0.05 } };
const withParams = (params: object) => ({ ...GENOME, params: { ...GENOME.params, ...params } });

describe('a genome', () => {
  it('becomes a strategy with the same rules, stop and target', async () => {
    const { spec, taskCount } = await accepted(GENOME, { overrides });
    const { strategies, broker } = spec as BacktestSpec;
    expect(taskCount).toBe(1);
    expect(broker).toMatchObject({ cash: 5000, fee: 0.001, fill: 'nextOpen' });
    expect(strategies[0]).toMatchObject({
      name: 'genome-1',
      long: { enter: ['close > sma(2)', 'rsi(2) <= 80'], exit: [] },
      short: null,
      stopLoss: '0.02',
      takeProfit: '0.05',
      size: { kind: 'equity', value: '1' },
    });
  });

  it('has its other parameters translated where they have a meaning here', async () => {
    const more = { trailing_stop_pct: 0.03, breakeven_after: 0.01, size_pct: 0.1, leverage: 1 };
    const genome = withParams({ ...more, direction: 'short', timeframe: '1d', max_positions: 1 });
    const { spec } = await accepted({ ...genome, exit_rules: [RULES[1]] }, { overrides });
    expect((spec as BacktestSpec).strategies[0]).toMatchObject({
      long: null,
      short: { enter: ['close > sma(2)', 'rsi(2) <= 80'], exit: ['rsi(2) <= 80'] },
      trailingStop: '0.03',
      breakeven: '0.01',
      size: { kind: 'equity', value: '0.1' },
    });
    const off = await accepted(withParams({ trailing_stop_pct: 0, size_pct: null }), { overrides });
    expect((off.spec as BacktestSpec).strategies[0]).toMatchObject({ trailingStop: null });
  });

  it.each<[string, unknown]>([
    ['in a list', [GENOME, GENOME]],
    ['under "genome"', [{ genome: GENOME, fitness: 3 }, { genome: GENOME }]],
    ['all under one "genome"', { genome: [GENOME, GENOME] }],
    ['in a list under some key', { best: 1, results: [{ genome: GENOME }, GENOME] }],
    ['among strategies', { version: 1, strategies: [GENOME, STRATEGY] }],
  ])('is found %s', async (_, file) => {
    expect((await accepted(file, { overrides })).taskCount).toBe(2);
  });

  it('says what has no equal here, with a count', async () => {
    const file = [withParams({ max_positions: 2.53 }), { ...GENOME, fitness: 1 }, GENOME];
    const { warnings } = await accepted(file, { overrides });
    expect(warnings.join('\n')).toContain('fills at the next open');
    expect(warnings).toContain(
      '"max_positions" is not 1, and one position is held at a time (1 of 3 genomes)',
    );
    expect(warnings).toContain('key "fitness" is not read (1 of 3 genomes)');
  });

  it.each<[object, string]>([
    [{ sl_pct: 0 }, '0.params.sl_pct: must be above 0'],
    [{ sl_pct: '2' }, '0.params.sl_pct: expected a number'],
    [{ sl_pct: 2 }, '0.params.sl_pct: a fraction is meant, such as 0.02 for 2 percent, not 2'],
    [{ size_pct: '1' }, '0.params.size_pct: expected a number'],
    [{ size_pct: 10 }, '0.params.size_pct: the size must be above 0 and at most 1, not 10'],
    [{ leverage: 5 }, '0.params.leverage: there is no leverage here'],
    [{ direction: 'both' }, '0.params.direction: must be "long" or "short"'],
    [{ timeframe: '5min' }, '0.params.timeframe: made for bars of 5 minutes'],
    [{ timeframe: 'soon' }, '0.params.timeframe: must be a number and m, h, d or w'],
    [{ slpct: 1 }, '0.params.slpct: unknown parameter "slpct" (did you mean "sl_pct"?)'],
    [{ constructor: 1 }, '0.params.constructor: unknown parameter "constructor"'],
    [{ toString: 1 }, '0.params.toString: unknown parameter "toString"'],
    [{ max_positions: 'two' }, '0.params.max_positions: expected a number'],
  ])('with parameters %j is refused', async (params, message) => {
    expect((await refused([withParams(params)], { overrides })).join('\n')).toContain(message);
  });

  it.each<[unknown, string]>([
    [{ left: { indicator: 'ICHIMOKU_A' }, op: '>', right: { value: 1 } }, 'unknown indicator'],
    [
      { left: { indicator: 'RSI', period: 0 }, op: '>', right: { value: 1 } },
      'whole number from 2',
    ],
    [{ left: { field: 'close' }, op: '~', right: { value: 1 } }, 'must be one of'],
    [{ left: { field: 'clsoe' }, op: '<', right: { value: 1 } }, 'must be one of'],
    ['close >', 'ends where a value is expected'],
  ])('with the rule %j is refused where the rule stands', async (rule, message) => {
    const file = { results: [{ genome: GENOME }, { genome: { ...GENOME, entry_rules: [rule] } }] };
    const [problem] = await refused(file, { overrides });
    expect(problem).toMatch(/^results\.1\.genome\.entry_rules\.0/);
    expect(problem).toContain(message);
  });

  it('is refused without candles, and beside what is none', async () => {
    expect(await refused(GENOME)).toEqual([
      ': genomes name no candles (mesh submit FILE --data candles.csv)',
    ]);
    expect(await refused([GENOME, { rules: [] }], { overrides })).toContain(
      '1: this is no genome: it has no "entry_rules"',
    );
    expect((await refused({ entry_rules: RULES }, { overrides })).join()).toContain(
      'needs its "params"',
    );
    const both = fileWith({ strategies: [{ ...GENOME, stopLoss: 0.1 }] });
    expect((await refused(both)).join()).toContain('"stopLoss" does not go with "entry_rules"');
  });

  it('has its line and caret shown in the user’s own file', async () => {
    const text = '[\n  { "entry_rules": ["close > 1"],\n    "params": { "leverage": 3 } }\n]';
    const result = await prepare(text, { overrides });
    expect(result.ok ? '' : formatProblems(result.problems)).toBe(
      [
        'strategies.json:3:29 error 0.params.leverage: there is no leverage here: a genome needs 1',
        '    "params": { "leverage": 3 } }',
        '                            ^',
      ].join('\n'),
    );
  });
});

describe('a genome trades as the same strategy written by hand', () => {
  const cross = {
    left: { indicator: 'EMA', period: 5 },
    op: '>',
    right: { indicator: 'SMA', period: 20 },
  };
  const dip = { left: { indicator: 'RSI', period: 7 }, op: '<', right: { value: 45 } };
  const tall = { left: { field: 'Volume' }, op: '>', right: { indicator: 'VOLSMA', period: 10 } };
  const [up, low, busy] = ['ema(5) > sma(20)', 'rsi(7) < 45', 'volume > volsma(10)'];
  const both = { stopLoss: 0.02, takeProfit: 0.05 };
  it.each<[string, { rules: object[]; exits?: object[]; params: object }, object]>([
    [
      'with stop and target',
      { rules: [cross, tall], params: { sl_pct: 0.02, tp_pct: 0.05 } },
      { long: { enter: [up, busy] }, ...both },
    ],
    [
      'on the other side',
      { rules: [dip], params: { sl_pct: 0.02, tp_pct: 0.05, direction: 'short' } },
      { short: { enter: [low] }, ...both },
    ],
    [
      'with an exit and a trailing stop',
      { rules: [cross], exits: [dip], params: { sl_pct: 0.02, trailing_stop_pct: 0.03 } },
      { long: { enter: [up], exit: [low] }, stopLoss: 0.02, trailingStop: 0.03 },
    ],
    [
      'with breakeven and a part of the equity',
      {
        rules: [dip],
        params: { tp_pct: 0.05, sl_pct: 0.02, breakeven_after: 0.01, size_pct: 0.25 },
      },
      { long: { enter: [low] }, ...both, breakeven: 0.01, size: { equity: 0.25 } },
    ],
  ])('%s', async (_, { rules, exits, params }, strategy) => {
    const genome = { entry_rules: rules, ...(exits && { exit_rules: exits }), params };
    const own = await traded(genome, overrides);
    const broker = { cash: 5000, fee: 0.001 };
    const byHand = await traded(fileWith({ strategies: [strategy], broker }), {});
    expect(own.length).toBeGreaterThan(5);
    expect(own).toEqual(byHand);
  });
});

const WILD = [
  'Date,Open,High,Low,Close,Volume',
  ...Array.from({ length: 600 }, (_, bar) => {
    const open = 100 + 20 * Math.sin(bar / 9) + ((bar * 37) % 11);
    const close = 100 + 20 * Math.sin((bar + 1) / 9) + ((bar * 53) % 13);
    const [low, high] = [Math.min(open, close) - 1, Math.max(open, close) + 1];
    const date = new Date(Date.UTC(2022, 0, 1 + bar)).toISOString().slice(0, 10);
    return [
      date,
      ...[open, high, low, close].map((price) => price.toFixed(2)),
      50 + ((bar * 29) % 83),
    ];
  }).map((cells) => cells.join(',')),
  '',
].join('\n');

async function traded(file: unknown, more: object): Promise<readonly Trade[]> {
  const { spec, datasets } = await accepted(file, { data: WILD, overrides: more });
  const candles = decodeCandles(datasets[0]?.bytes as Uint8Array);
  return compileBacktest(spec as BacktestSpec, candles).trades(0);
}
