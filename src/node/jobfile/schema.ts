// The form of a job file: the one source of what is accepted, of the types, and of the JSON Schema that
// editors use. It describes what this version computes; keys that belong to the format and are not built yet
// are named in unbuilt.ts, so that they are refused by name.

import * as z from 'zod';
import {
  MAX_COST_LIST,
  MAX_COST_MS,
  MAX_DATASETS,
  MAX_FILTERS,
  MAX_FILTER_LENGTH,
  MAX_FOLDS,
  MAX_KEEP,
  MAX_RULES,
  MAX_RULE_LENGTH,
  MAX_STRATEGIES,
  MAX_TASKS,
  MAX_VARIABLES,
} from '../../kernel/limits.ts';
import { FIELDS } from '../../kernel/language/ast.ts';

// Parsers that are generated as text and compiled would be code from data; a command lives too short for them to pay.
z.config({ jitless: true });

const VARIABLE = /^\$[a-z][A-Za-z0-9_]*$/;
const VARIABLE_NAME = /^[a-z][A-Za-z0-9_]*$/;

const text = (description: string) => z.string().max(1000).describe(description);

const numberOrVariable = z.union([z.number(), z.string().regex(VARIABLE)]);

const instant = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()])
  .describe('date and time with Z or an offset, or a date (UTC)');

export const dataSchema = z
  .strictObject({
    file: text('path of a file of candles (CSV, JSON, Parquet), relative to this file'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe('of the file; it is refused when it differs'),
    symbol: text('for people; the name of the file when there are several').optional(),
    timeframe: z
      .string()
      .regex(/^[1-9][0-9]*(m|h|d|w)$/)
      .optional()
      .describe('bar length, checked against the file'),
    from: instant.optional().describe('first bar that counts: at or after this'),
    to: instant.optional().describe('bars at or after this do not count'),
  })
  .describe('the candles');

export const brokerSchema = z
  .strictObject({
    cash: z.number().positive().max(1e15).default(10_000).describe('equity at the start'),
    fee: z.number().min(0).max(1).default(0).describe('fraction of traded value, each side'),
    slippage: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('fraction, applied to market and stop fills'),
    lot: z.number().min(0).max(1e15).default(0).describe('quantity step, 0 = fractional'),
    fill: z
      .enum(['nextOpen', 'close'])
      .default('nextOpen')
      .describe('where a signal fills; "close" trades at a price that has already gone'),
    stopReference: z
      .enum(['fill', 'signalClose'])
      .default('fill')
      .describe('what stop and target are measured from'),
    sameBar: z
      .enum(['stopFirst', 'targetFirst'])
      .default('stopFirst')
      .describe('which counts where one bar reaches both'),
  })
  .describe('money, costs and fills');

export const stepsSchema = z
  .strictObject({
    from: z.number(),
    to: z.number(),
    step: z.number().positive().optional().describe('distance of the values; 1 when left out'),
    count: z
      .int()
      .min(2)
      .max(MAX_TASKS)
      .optional()
      .describe('number of values, ends included; instead of step'),
    log: z.boolean().optional().describe('with count: equal ratios instead of equal distances'),
  })
  .superRefine((range, context) => {
    const complain = (key: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [key], message });
    };
    if (range.to < range.from) complain('to', '"to" is below "from"');
    if (range.step !== undefined && range.count !== undefined) {
      complain('count', 'give "step" or "count", not both');
    }
    if (range.log === true && range.count === undefined) complain('log', '"log" needs "count"');
    if (range.log === true && range.from <= 0) complain('from', '"log" needs values above 0');
    const count = (range.to - range.from) / (range.step ?? 1);
    if (range.count === undefined && !(count < MAX_TASKS)) {
      complain('to', `more than ${MAX_TASKS} values`);
    }
  })
  .meta({
    not: { required: ['step', 'count'] },
    if: { properties: { log: { const: true } }, required: ['log'] },
    // oxlint-disable-next-line unicorn/no-thenable -- a word of JSON Schema
    then: { properties: { from: { exclusiveMinimum: 0 } }, required: ['count'] },
  });

const rangeSchema = z
  .union([z.array(z.number()).min(1).max(MAX_COST_LIST), stepsSchema])
  .describe('a list of values, or from/to with step or count');

const variablesSchema = z
  .record(z.string().regex(VARIABLE_NAME), rangeSchema)
  .refine((vars) => Object.keys(vars).length <= MAX_VARIABLES, {
    message: `more than ${MAX_VARIABLES} variables`,
  })
  .meta({ maxProperties: MAX_VARIABLES })
  .describe('the grid: every combination of values is a task');

const whereSchema = z
  .array(z.string().min(3).max(MAX_RULE_LENGTH))
  .max(MAX_RULES)
  .describe('only combinations for which all hold, such as "$fast < $slow"');

export const operandSchema = z
  .strictObject({
    value: numberOrVariable.optional(),
    field: z.enum(FIELDS).optional(),
    indicator: z.string().max(100).optional(),
    period: numberOrVariable.optional(),
    params: z.record(z.string(), numberOrVariable).optional(),
    output: z.string().max(100).optional(),
    source: z.string().max(MAX_RULE_LENGTH).optional(),
    offset: z.int().min(0).optional(),
  })
  .refine(
    ({ value, field, indicator }) =>
      [value, field, indicator].filter((part) => part !== undefined).length === 1,
    { message: 'needs exactly one of "value", "field" and "indicator"' },
  )
  .meta({
    oneOf: [{ required: ['value'] }, { required: ['field'] }, { required: ['indicator'] }],
  });

export const comparisonSchema = z.strictObject({
  left: operandSchema,
  op: z.enum(['<', '<=', '>', '>=', '==', 'crossesAbove', 'crossesBelow']),
  right: operandSchema,
});

export type OperandInput = z.output<typeof operandSchema>;
export type ComparisonInput = z.output<typeof comparisonSchema>;
export type RuleInput =
  | string
  | ComparisonInput
  | { any: RuleInput[] }
  | { all: RuleInput[] }
  | { not: RuleInput };

export const ruleSchema: z.ZodType<RuleInput> = z.lazy(() =>
  z
    .union([
      z.string().min(3).max(MAX_RULE_LENGTH),
      comparisonSchema,
      z.strictObject({ any: rulesSchema.min(1) }),
      z.strictObject({ all: rulesSchema.min(1) }),
      z.strictObject({ not: ruleSchema }),
    ])
    .meta({ id: 'rule', description: 'such as "rsi(14) < 30"; any, all and not nest' }),
);

const rulesSchema = z.array(ruleSchema).max(MAX_RULES).describe('all must hold');

export const sideSchema = z.strictObject({
  enter: rulesSchema.min(1, 'an empty list says neither always nor never'),
  exit: rulesSchema.default([]).describe('all must hold; none: only stops end a trade'),
});

const distanceSchema = z
  .union([z.number().positive(), z.string().min(1).max(MAX_RULE_LENGTH)])
  .describe(
    'fraction of the entry price (trailing: of the best price), "$var", or price units such as "2 * atr(14)"',
  );

/** Kinds of size, one key each. */
const sizeSchemas = {
  equity: z.strictObject({ equity: numberOrVariable.describe('fraction of the equity') }),
  cash: z.strictObject({ cash: numberOrVariable.describe('money, or all that is left') }),
  units: z.strictObject({ units: numberOrVariable.describe('quantity, or no trade') }),
  risk: z.strictObject({
    risk: numberOrVariable.describe('fraction of the equity that the stop may cost'),
  }),
};

export const strategySchema = z
  .strictObject({
    name: text('shown with its results').optional(),
    indicators: z
      .record(z.string().regex(VARIABLE_NAME), z.string().min(1).max(MAX_RULE_LENGTH))
      .default({})
      .describe('names for what rules say often, such as {"fast": "ema(20)"}'),
    long: sideSchema.optional(),
    short: sideSchema.optional(),
    stopLoss: distanceSchema.optional(),
    takeProfit: distanceSchema.optional(),
    trailingStop: distanceSchema.optional().describe('follows the best price since the entry'),
    breakeven: distanceSchema.optional().describe('gain that moves the stop to the entry price'),
    maxBars: numberOrVariable.optional().describe('longest time in a trade'),
    cooldown: numberOrVariable.optional().describe('bars from an exit to the next entry signal'),
    reverse: z.boolean().default(false).describe('an opposite entry turns the position round'),
    size: z
      .union([sizeSchemas.equity, sizeSchemas.cash, sizeSchemas.units, sizeSchemas.risk])
      .default({ equity: 1 })
      .describe('how much to trade'),
    vars: variablesSchema.default({}),
    where: whereSchema.default([]),
  })
  .refine(({ long, short }) => long !== undefined || short !== undefined, {
    message: 'needs "long", "short" or both',
  })
  .refine(
    ({ size, stopLoss, trailingStop }) =>
      !('risk' in size) || stopLoss !== undefined || trailingStop !== undefined,
    { path: ['size'], message: 'a size by risk needs "stopLoss" or "trailingStop"' },
  )
  .meta({ anyOf: [{ required: ['long'] }, { required: ['short'] }] });

export const sampleSchema = z
  .strictObject({
    count: z.int().min(1).max(MAX_TASKS).describe('tasks; all of them when there are no more'),
    seed: z.int().min(0).max(4_294_967_295).default(1),
  })
  .describe('so many of all tasks, evenly drawn');

export const splitSchema = z
  .strictObject({
    mode: z.enum(['none', 'holdout', 'walkForward']),
    folds: z.int().min(1).max(MAX_FOLDS).optional().describe('test parts, one after the other'),
    train: z.number().optional().describe('fraction of the bars before the first test'),
    test: z.number().optional().describe('fraction of the bars in each test'),
    anchored: z
      .boolean()
      .default(true)
      .describe('every train part begins at the first bar; false: it moves along with the tests'),
    embargo: z.int().min(0).default(0).describe('bars left out between a train part and its test'),
  })
  .describe('rows are about the bars out of sample');

const RANKS = [
  'netProfit',
  'cagr',
  'sharpe',
  'sortino',
  'calmar',
  'profitFactor',
  'sqn',
  'expectancy',
  'dsr',
] as const;

export const backtestSchema = z.strictObject({
  $schema: z.string().optional(),
  version: z.literal(1),
  kernel: z.literal('backtest').default('backtest'),
  name: text('of the job').optional(),
  data: z.union([
    z.string().min(1),
    dataSchema,
    z
      .array(z.union([z.string().min(1), dataSchema]))
      .min(1)
      .max(MAX_DATASETS),
  ]),
  broker: brokerSchema.prefault({}),
  split: splitSchema.default({ mode: 'none', anchored: true, embargo: 0 }),
  vars: variablesSchema.default({}),
  where: whereSchema.default([]),
  sample: sampleSchema.optional(),
  strategies: z.array(strategySchema).min(1).max(MAX_STRATEGIES),
  rank: z.enum(RANKS).default('sharpe').describe('what the best tasks are best in'),
  filter: z
    .array(z.string().min(1).max(MAX_FILTER_LENGTH))
    .max(MAX_FILTERS)
    .optional()
    .describe('conditions that the best tasks fulfil, e.g. "trades >= 30"'),
  keep: z.int().min(1).max(MAX_KEEP).optional().describe('how many of the best are the winners'),
});

const costSchema = z.number().min(0).max(MAX_COST_MS);

export const lognormalSchema = z.strictObject({
  lognormal: z.strictObject({
    mean: z.number().positive().max(MAX_COST_MS),
    sigma: z.number().min(0).max(10),
  }),
});

export const spinSchema = z.strictObject({
  $schema: z.string().optional(),
  version: z.literal(1),
  kernel: z.literal('spin'),
  name: text('of the job').optional(),
  tasks: z.int().min(1).max(MAX_TASKS),
  costMs: z.union([costSchema, z.array(costSchema).min(1).max(MAX_COST_LIST), lognormalSchema]),
  mode: z.enum(['sleep', 'spin']),
  seed: z.int().min(0).max(4_294_967_295).default(1),
});

export type DataInput = z.output<typeof dataSchema>;
export type SplitInput = z.output<typeof splitSchema>;
export type BacktestInput = z.output<typeof backtestSchema>;
export type StrategyInput = z.output<typeof strategySchema>;
export type RangeInput = z.output<typeof rangeSchema>;
export type SpinInput = z.output<typeof spinSchema>;
