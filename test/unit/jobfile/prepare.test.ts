// From a job file to a job: what is accepted, what the blobs hold, and what every refusal says.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { BacktestSpec } from '../../../src/kernel/spec.ts';
import { FIVE_MINUTE_YEAR, candleCsv } from '../../../src/node/jobfile/candle-csv.ts';
import { syntheticCandles } from '../../../src/node/jobfile/synthetic.ts';
import { formatProblems, prepareJob } from '../../../src/node/jobfile/prepare.ts';
import { strategiesJsonSchema } from '../../../src/node/jobfile/editor-schema.ts';
import { readSpec } from '../../../src/node/jobfile/read-spec.ts';
import { sequentialResultsSha256 } from '../../independent/sequential.ts';
import { CSV, STRATEGY, accepted, fileWith, prepare, refused } from './fixture.ts';

const SAFE_FILLS = { fill: 'nextOpen', stopReference: 'fill', sameBar: 'stopFirst' } as const;

const root = new URL('../../../', import.meta.url);

describe('a sound job file', () => {
  it('becomes a spec with canonical rules and no defaults left open', async () => {
    const { spec, name, kernel, taskCount, warnings, datasets } = await accepted(
      fileWith({
        vars: { sl: [0.1, 0.2], idle: [1] },
        strategies: [
          {
            vars: { n: { from: 1, to: 3 }, x: { from: 0.1, to: 0.3, step: 0.1 } },
            long: {
              enter: ['SMA($n)>$x', { any: ['close>2', { not: 'open > 3' }] }],
              exit: [
                { left: { field: 'close', offset: 1 }, op: 'crossesBelow', right: { value: '$x' } },
              ],
            },
            stopLoss: '$sl',
            size: { cash: 500 },
          },
        ],
      }),
    );
    expect({ name, kernel, taskCount }).toEqual({
      name: 'strategies.json',
      kernel: 'backtest',
      taskCount: 2 * 3 * 3,
    });
    expect(spec).toEqual({
      version: 1,
      kernel: 'backtest',
      datasets: [{ sha256: datasets[0]?.sha256, symbol: null, fromMs: null, toMs: null }],
      broker: { cash: 10_000, fee: 0, slippage: 0, lot: 0, ...SAFE_FILLS },
      strategies: [
        {
          name: 'strategy-1',
          vars: [
            { name: 'sl', values: [0.1, 0.2] },
            { name: 'n', from: 1, step: 1, count: 3 },
            { name: 'x', from: 0.1, step: 0.1, count: 3 },
          ],
          where: [],
          long: {
            enter: ['sma($n) > $x', { any: ['close > 2', { not: 'open > 3' }] }],
            exit: ['close[1] crosses below $x'],
          },
          short: null,
          stopLoss: '$sl',
          takeProfit: null,
          trailingStop: null,
          breakeven: null,
          maxBars: null,
          cooldown: null,
          reverse: false,
          size: { kind: 'cash', value: '500' },
        },
      ],
      sample: null,
      rank: 'sharpe',
    });
    expect(warnings).toEqual([
      'variable "idle" is in no rule and counts nowhere',
      'candles.csv: columns not read: Adj Close',
    ]);
  });

  it('gives the same blob for the same content, and reads it back', async () => {
    const one = await accepted(fileWith({ rank: 'cagr' }));
    const other = await accepted(JSON.stringify({ rank: 'cagr', ...fileWith({ name: 'other' }) }));
    expect(other.specBytes).toEqual(one.specBytes);
    expect(readSpec(one.specBytes)).toEqual(one.spec);
  });

  it('takes flags for what it lacks', async () => {
    const overrides = { dataFile: 'candles.csv', cash: 5, fee: 0.1 };
    const { spec } = await accepted({ version: 1, strategies: [STRATEGY] }, { overrides });
    expect((spec as BacktestSpec).broker).toEqual({
      cash: 5,
      fee: 0.1,
      slippage: 0,
      lot: 0,
      ...SAFE_FILLS,
    });
  });

  it('prunes its grids by conditions and may take a sample of them', async () => {
    const vars = { fast: { from: 1, to: 100 }, slow: { from: 1, to: 100 } };
    const own = { long: { enter: ['sma($fast) > $slow'] }, where: ['$fast<$slow'] };
    const file = fileWith({
      vars: { ...vars, fast: [1, 2], idle: [1] },
      where: ['$slow <= 3', '$idle > 0'],
      strategies: [own, STRATEGY],
    });
    const { spec, taskCount, warnings } = await accepted(file);
    // 1<2, 1<3, 2<3 and the strategy without variables.
    expect(taskCount).toBe(4);
    const { strategies } = spec as BacktestSpec;
    expect(strategies.map(({ where }) => where)).toEqual([['$slow <= 3', '$fast < $slow'], []]);
    expect(warnings).toContain(
      'where "$idle > 0" counts nowhere: no strategy has all of its variables',
    );
    const wide = { vars: { a: { from: 1, to: 1e6 }, b: { from: 1, to: 1e6 } } };
    const strategies2 = [{ ...wide, long: { enter: ['close > $a + $b'] } }];
    const sampled = await accepted(fileWith({ strategies: strategies2, sample: { count: 1000 } }));
    expect(sampled.taskCount).toBe(1000);
    expect(readSpec(sampled.specBytes)).toEqual(sampled.spec);
  });

  it('may give names to what its rules say often', async () => {
    const strategy = {
      vars: { n: [2] },
      indicators: { fast: 'ema($n)', band: 'bollinger(2, 2)', spread: 'high - low' },
      long: { enter: ['fast > band.upper[1]', { any: ['spread * 2 < Fast', 'close > 1'] }] },
      stopLoss: '2 * spread',
    };
    const { spec } = await accepted(fileWith({ strategies: [strategy] }));
    expect((spec as BacktestSpec).strategies[0]).toMatchObject({
      vars: [{ name: 'n', values: [2] }],
      long: {
        enter: [
          'ema($n) > bollinger(2, 2).upper[1]',
          { any: ['((high - low) * 2) < ema($n)', 'close > 1'] },
        ],
      },
      stopLoss: '(2 * (high - low))',
    });
  });

  it('may name several datasets: each file is one blob, and a task is a strategy on one entry', async () => {
    const data = ['candles.csv', { file: 'candles.csv', symbol: 'X', from: '2024-01-02' }];
    const { spec, datasets, taskCount, warnings } = await accepted(fileWith({ data }));
    expect({ taskCount, blobs: datasets.length }).toEqual({ taskCount: 2, blobs: 1 });
    const sha256 = datasets[0]?.sha256;
    expect((spec as BacktestSpec).datasets).toEqual([
      { sha256, symbol: 'candles', fromMs: null, toMs: null },
      { sha256, symbol: 'X', fromMs: Date.UTC(2024, 0, 2), toMs: null },
    ]);
    expect(warnings).toEqual(['candles.csv: columns not read: Adj Close']);
  });

  it('may be a spin job', async () => {
    const file = { version: 1, kernel: 'spin', tasks: 300, costMs: 50, mode: 'sleep' };
    const { spec, taskCount, datasets } = await accepted(file);
    expect(spec).toEqual({ ...file, seed: 1 });
    expect({ taskCount, datasets }).toEqual({ taskCount: 300, datasets: [] });
    await accepted({ ...file, costMs: { lognormal: { mean: 5, sigma: 1 } } });
    await accepted({ ...file, costMs: [1, 2] });
  });
});

describe('a faulty job file', () => {
  it('is shown with line, caret and all problems at once', async () => {
    const text = [
      '{',
      '  "version": 1,',
      '  "data": "candles.csv",',
      '  "strategies": [',
      '    { "vars": { "fast": [2] },',
      '      "long": { "enter": ["emma($fast) crosses above ema($slow)"] },',
      '      "stopLos": 0.02 }',
      '  ]',
      '}',
    ].join('\n');
    const result = await prepare(text);
    expect(result.ok ? '' : formatProblems(result.problems)).toBe(
      [
        'strategies.json:6:28 error strategies.0.long.enter.0: unknown indicator "emma" (did you mean "ema"?)',
        '      "long": { "enter": ["emma($fast) crosses above ema($slow)"] },',
        '                           ^^^^',
        'strategies.json:7:7 error strategies.0: unknown key "stopLos" (did you mean "stopLoss"?)',
        '      "stopLos": 0.02 }',
        '      ^^^^^^^^^',
      ].join('\n'),
    );
  });

  it('has its caret right after escapes in a rule', async () => {
    const result = await prepare(
      '{"version":1,"data":"candles.csv","strategies":[{"long":{"enter":["close\\t> \\u0073maa(3)"]}}]}',
    );
    const [problem] = result.ok ? [] : result.problems;
    expect(problem).toMatchObject({ line: 1, col: 77, caretLength: 9 });
  });

  it.each([
    ['{ "version": 1, }', 1, 17, 'a key in double quotes is expected'],
    ['{\n  "version": 1\n  "data": 2 }', 3, 3, 'a comma is expected'],
    ['', 1, 1, 'a value is expected'],
    ['{ "version": 1 // no', 1, 16, 'comments are not allowed'],
  ])('that is no JSON is shown where it breaks: %j', async (text, line, col, message) => {
    const result = await prepare(text);
    const [problem] = result.ok ? [] : result.problems;
    expect(problem).toMatchObject({ line, col });
    expect(problem?.message).toContain(message);
  });

  it.each<[object, string]>([
    [{ version: 2 }, 'version: must be 1'],
    [{ kernel: 'backtset' }, 'kernel: must be "backtest"'],
    [{ broker: { cash: 0 } }, 'broker.cash: must be above 0'],
    [{ broker: { fe: 0 } }, 'broker: unknown key "fe" (did you mean "fee"?)'],
    [{ broker: { fill: 'clsoe' } }, 'broker.fill: must be one of "nextOpen", "close"'],
    [{ rank: 'drs' }, 'did you mean "dsr"?'],
    [{ rank: 'sharp' }, 'did you mean "sharpe"?'],
    [{ split: {} }, 'split: "mode" is missing'],
    [{ where: ['close > 1'] }, 'where.0: here only numbers and $variables are possible'],
    [{ where: ['$gone > 1'] }, 'where.0: unknown variable "$gone"'],
    [{ where: ['1 < 2'] }, 'where.0: there is no $variable in this condition'],
    [{ sample: { count: 0 } }, 'sample.count: must be at least 1'],
    [{ sample: { cuont: 1 } }, 'sample: unknown key "cuont" (did you mean "count"?)'],
    [
      { strategies: [withStop('-1 * atr(2)')] },
      'a distance must be above 0, and this is at no bar',
    ],
    [{ strategies: [withStop('-stddev(close, 3) - 1')] }, 'and this is at no bar'],
    [{ strategies: [withStop('atr(2) / -2')] }, 'and this is at no bar'],
    [{ keep: 0 }, 'keep: must be at least 1'],
    [{ keep: 1.5 }, 'keep: '],
    [{ filter: 'trades > 3' }, 'filter: expected a list, not text'],
    [
      { filter: ['traeds > 3'] },
      'filter.0: the results have no column "traeds" (did you mean "trades"?)',
    ],
    [{ filter: ['trades > 3', 'close > 1'] }, 'filter.1: the results have no column "close"'],
    [{ filter: ['trades'] }, 'filter.0: must compare a column of the results with a number'],
    [{ mine: {} }, ': key "mine" is known but not built yet'],
    [{ data: 'gone.csv' }, 'data: there is no file "gone.csv"'],
    [{ data: { file: 'gone.csv' } }, 'data.file: there is no file "gone.csv"'],
    [
      { data: [{ file: 'candles.csv' }, { file: 'b.csv' }] },
      'data.1.file: there is no file "b.csv"',
    ],
    [
      { data: ['candles.csv', { file: 'candles.csv', from: '2024-01-04' }] },
      'data.1.from: fewer than two',
    ],
    [{ data: [] }, 'data: '],
    [
      { data: { file: 'candles.csv', timeframe: '5m' } },
      "data.timeframe: the file's bars are 1440 minutes apart",
    ],
    [
      { data: { file: 'candles.csv', sha256: 'a'.repeat(64) } },
      "data.sha256: the file's SHA-256 is",
    ],
    [{ data: { file: 'candles.csv', from: '2024-01-04' } }, 'data.from: fewer than two bars'],
    [{ data: { file: 'candles.csv', from: 'monday' } }, 'data.from: must be a date such as'],
    [{ data: undefined }, ': "data" is missing'],
    [{ strategies: [] }, 'strategies: needs at least 1 entries'],
    [{ strategies: undefined }, ': "strategies" is missing'],
    [{ vars: { Big: [1] } }, 'vars: a variable’s name begins with a small letter'],
    [{ vars: { n: [] } }, 'vars.n: needs at least 1 entries'],
    [{ vars: { n: ['ema'] } }, 'text as a variable’s value is known but not built yet'],
    [{ vars: { n: { from: 3, to: 1 } } }, 'vars.n.to: "to" is below "from"'],
    [{ vars: { n: { from: 0, to: 1, step: 0 } } }, 'vars.n.step: must be above 0'],
    [{ vars: { n: { from: 0, to: 1, step: 1, count: 2 } } }, '"step" or "count", not both'],
    [{ vars: { n: { from: 0, to: 9, count: 3, log: true } } }, '"log" needs values above 0'],
    [{ vars: { n: { from: 0, to: 1e12 } } }, 'more than 16777215 values'],
  ])('is refused with the reason: %j', async (part, message) => {
    expect((await refused(fileWith(part))).join('\n')).toContain(message);
  });

  it.each<[object, string]>([
    [{ long: undefined }, 'strategies.0: needs "long", "short" or both'],
    [{ long: { enter: [] } }, 'long.enter: an empty list says neither always nor never'],
    [{ long: { enter: [{ any: [] }] } }, 'enter.0.any: needs at least 1 entries'],
    [{ stopLoss: 'atr(2)@4h' }, 'stopLoss: @4h is shorter than the bars of the data'],
    [{ long: { enter: ['close > sma(50)'] } }, 'sma(50) needs 50 bars, the data has 4'],
    [{ long: { enter: [{ left: { value: 1 }, op: '<', right: {} }] } }, 'exactly one of'],
    [
      {
        long: { enter: [{ left: { indicator: 'EMMA', period: 3 }, op: '<', right: { value: 1 } }] },
      },
      'unknown indicator "emma" (did you mean "ema"?)',
    ],
    [
      { vars: { n: [3, 0] }, long: { enter: ['close > sma($n)'] } },
      'vars.n: sma: period must be a whole number',
    ],
    [{ vars: { n: [2.5] }, long: { enter: ['close > sma($n)'] } }, 'not 2.5'],
    [
      { vars: { n: { from: 1, to: 1e6 } }, long: { enter: ['close > sma($n)'] } },
      'from 1 to 100000',
    ],
    [{ stopLoss: -0.1 }, 'stopLoss: must be above 0'],
    [{ stopLoss: '0 - 1' }, 'stopLoss: a distance must be above 0, not -1'],
    [{ vars: { s: [-1] }, stopLoss: '$s' }, 'vars.s: a distance must be above 0, not -1'],
    [{ trailingStop: -0.1 }, 'trailingStop: must be above 0'],
    [{ breakeven: '0 * 3' }, 'breakeven: a distance must be above 0, not 0'],
    [{ cooldown: -1 }, 'cooldown must be a whole number from 0 on, not -1'],
    [{ trialingStop: 0.1 }, 'unknown key "trialingStop" (did you mean "trailingStop"?)'],
    [{ indicators: { fast: 'emma(2)' } }, 'indicators.fast: unknown indicator "emma"'],
    [{ indicators: { ema: 'sma(2)' } }, 'indicators: the name "ema" means something already'],
    [{ indicators: { fast: 'sma($gone)' } }, 'indicators.fast: unknown variable "$gone"'],
    [
      { indicators: { fast: 'sma(2)' }, long: { enter: ['close > fsat'] } },
      'unknown indicator "fsat" (did you mean "fast"?)',
    ],
    [
      { indicators: { band: 'bollinger(2, 2)' }, long: { enter: ['close > band'] } },
      '"band" is bollinger(2, 2): bollinger has the outputs upper, middle, lower',
    ],
    [
      {
        indicators: { long1: 'close + 1' },
        long: { enter: [`close > ${'long1 + '.repeat(240)}1`] },
      },
      'a rule in its full form: ',
    ],
    [{ size: { risk: 0.1 } }, 'size: a size by risk needs "stopLoss" or "trailingStop"'],
    [{ size: { risk: 2 }, stopLoss: 0.1 }, 'the size must be above 0 and at most 1, not 2'],
    [{ size: { equity: 2 } }, 'the size must be above 0 and at most 1, not 2'],
    [{ size: { equity: 1, cash: 1 } }, 'size: key "cash" cannot stand beside the others here'],
    [{ maxBars: 0 }, 'maxBars must be a whole number from 1 on, not 0'],
    [{ maxBars: '$gone' }, 'unknown variable "$gone"'],
  ])('with a faulty strategy is refused with the reason: %j', async (part, message) => {
    const file = fileWith({ strategies: [{ ...STRATEGY, ...part }] });
    expect((await refused(file)).join('\n')).toContain(message);
  });

  it('cannot be too large, too deep or endless', async () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    expect(await refused(deep)).toEqual([': nested too deeply']);
    let rule: object | string = 'close > 1';
    for (let i = 0; i < 40; i++) rule = { not: rule };
    expect(
      (await refused(fileWith({ strategies: [{ long: { enter: [rule] } }] }))).join(),
    ).toContain('levels of any');
    const long = { long: { enter: [`close > ${'1 + '.repeat(2_500_000)}1`] } };
    expect((await refused(fileWith({ strategies: [long] }))).join()).toContain(
      'at most 2000 characters',
    );
    const vars = { a: { from: 1, to: 5000 }, b: { from: 1, to: 5000 } };
    const wide = { strategies: [{ vars, long: { enter: ['close > $a + $b'] } }] };
    expect((await refused(fileWith({ ...wide, where: ['$a < $b'] }))).join()).toContain(
      'must be tried on 25000000 combinations',
    );
    expect(
      (
        await refused(
          fileWith({
            vars: { n: [3] },
            where: ['$n < 2'],
            strategies: [{ long: { enter: ['close > $n'] } }],
          }),
        )
      ).join(),
    ).toContain('leaves strategy "strategy-1" no combination');
    expect((await refused(fileWith(wide))).join()).toContain(
      '25000000 tasks; 16777215 are allowed',
    );
  });

  it.each<[object, string]>([
    [{ tasks: 0 }, 'tasks: must be at least 1'],
    [{ tasks: 16_777_216 }, 'tasks: must be at most 16777215'],
    [{ costMs: 3_600_001 }, 'costMs: must be at most 3600000'],
    [{ costMs: [] }, 'costMs: needs at least 1 entries'],
    [{ costMs: [1, 2], tasks: 2_000_000 }, 'tasks: tasks of different costs: at most 1000000'],
    [{ mode: 'spinn' }, 'did you mean "spin"?'],
    [{ seed: -1 }, 'seed: must be at least 0'],
    [{ taks: 1 }, 'unknown key "taks" (did you mean "tasks"?)'],
  ])('of the spin kernel is refused with the reason: %j', async (part, message) => {
    const spin = { version: 1, kernel: 'spin', tasks: 3, costMs: 1, mode: 'spin', ...part };
    expect((await refused(spin)).join('\n')).toContain(message);
  });

  it('shows the data file’s own problems with its lines', async () => {
    const data = CSV.replace('2024-01-03,12,14,11', '2024-01-03,12,9,11');
    const result = await prepare(fileWith({}), { data });
    expect(result.ok ? '' : formatProblems(result.problems)).toBe(
      'candles.csv:4:1 error: high 9 is below low 11\n2024-01-03,12,9,11,13,13,120\n^^^^^^^^^^^^^^^^^^^^^^^^^^^^',
    );
  });
});

describe('a job blob from another peer', () => {
  it.each<[string, (spec: Record<string, never>) => unknown]>([
    ['malformed', (spec) => ({ ...spec, extra: 1 })],
    ['malformed', (spec) => ({ ...spec, strategies: [] })],
    ['malformed', (spec) => ({ ...spec, rank: '__proto__' })],
    ['filter.0: the results have no column "x"', (spec) => ({ ...spec, filter: ['x > 1'] })],
    ['filter.1: must compare', (spec) => ({ ...spec, filter: ['trades > 1', 'nonsense'] })],
    ['malformed', (spec) => ({ ...spec, segments: { of: [] } })],
    ['a task that the job does not have', (spec) => ({ ...spec, segments: { of: [0, 999] } })],
    ['malformed', () => null],
    ['neither a long nor a short side', (spec) => withSides(spec, null)],
    ['expected a comparison', (spec) => withSides(spec, { enter: ['close'], exit: [] })],
    ['unknown variable', (spec) => withSides(spec, { enter: ['close > $n'], exit: [] })],
  ])('is refused when %s', async (message, change) => {
    const { spec } = await accepted(fileWith({}));
    const bytes = new TextEncoder().encode(JSON.stringify(change(structuredClone(spec) as never)));
    expect(() => readSpec(bytes)).toThrow(message);
  });

  it('is refused when it is no text, no JSON, too deep or too large', () => {
    expect(() => readSpec(new Uint8Array([0xff, 0xfe]))).toThrow('not UTF-8');
    expect(() => readSpec(new TextEncoder().encode('{'))).toThrow('not JSON');
    expect(() => readSpec(new TextEncoder().encode('['.repeat(1000)))).toThrow('nested too deeply');
    expect(() => readSpec(new Uint8Array(9 * 2 ** 20))).toThrow('larger than 8 MiB');
  });
});

describe('what is published', () => {
  it('is a draft-7 schema that describes every key', () => {
    const schema = JSON.stringify(strategiesJsonSchema());
    expect(schema).toContain('"$schema":"http://json-schema.org/draft-07/schema#"');
    for (const key of [
      'stopLoss',
      'slippage',
      'lognormal',
      'crossesAbove',
      'additionalProperties',
    ]) {
      expect(schema).toContain(`"${key}"`);
    }
  });

  it('has examples in its documentation that are accepted', async () => {
    const page = readFileSync(new URL('docs/strategies-file.md', root), 'utf8');
    const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => text);
    expect(examples).toHaveLength(3);
    const counts: number[] = [];
    for (const text of examples) {
      const job = await prepareJob({
        fileName: 'docs',
        text,
        readFile: (path) => readFile(new URL(`examples/${path}`, root)),
      });
      if (!job.ok) throw new Error(formatProblems(job.problems));
      counts.push(job.prepared.taskCount);
    }
    expect(counts).toEqual([45, 1, 300]);
  });

  it('has an example on a synthetic year of five-minute candles', async () => {
    const text = readFileSync(new URL('examples/five-minute.json', root), 'utf8');
    const csv = candleCsv(syntheticCandles(FIVE_MINUTE_YEAR));
    const readMade = () => Promise.resolve(new TextEncoder().encode(csv));
    const job = await prepareJob({ fileName: 'five-minute.json', text, readFile: readMade });
    if (!job.ok) throw new Error(formatProblems(job.problems));
    const { taskCount, warnings, datasets } = job.prepared;
    expect({ taskCount, warnings }).toEqual({ taskCount: 924, warnings: [] });
    expect(datasets[0]?.barCount).toBe(105_408);
  });

  it('warns that the cash does not buy one lot at any price of the data', async () => {
    const poor = await accepted(fileWith({ broker: { cash: 89, lot: 10 } }));
    expect(poor.warnings).toContain(
      'candles.csv: one lot (10) is never worth less than 90.0000, and the cash is 89: nothing can be bought',
    );
    const able = await accepted(fileWith({ broker: { cash: 90, lot: 10 } }));
    expect(able.warnings.join()).not.toContain('lot');
  });

  it('has an example of some 10,000 tasks on real candles, with one results hash', async () => {
    const file = new URL('examples/aapl.json', root).pathname;
    const hash = await sequentialResultsSha256(file);
    expect(hash).toBe('cfe9a32671f8440b32fb50c0b487f1882fac2b08e1b35b615e9068d10bbf096a');
  });
});

function withSides(spec: Record<string, never>, long: object | null): unknown {
  const { strategies, ...rest } = spec as unknown as BacktestSpec;
  return { ...rest, strategies: strategies.map((strategy) => ({ ...strategy, long })) };
}

function withStop(stopLoss: string): object {
  return { long: { enter: ['close > 1'] }, stopLoss };
}
