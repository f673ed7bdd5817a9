// Reading a job blob that another peer gave: nothing is believed. Size first, then form, then every rule through the
// parser. Apart from the writer, because building the form costs a command that only submits some milliseconds.
import * as z from 'zod';
import { BACKTEST_COLUMNS } from '../../kernel/engine/metrics.ts';
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
import type { JobSpec, RuleSpec } from '../../kernel/spec.ts';
import { firstTooDeep } from './nesting.ts';
import { SPEC_BYTES_MAX, specFault } from './spec-blob.ts';

/** Throws an Error with a sentence when the bytes are not a job that this version can run. */
export function readSpec(bytes: Uint8Array): JobSpec {
  if (bytes.byteLength > SPEC_BYTES_MAX) throw new Error('the job is larger than 8 MiB');
  const text = decodeText(bytes);
  if (firstTooDeep(text) !== undefined) throw new Error('the job is nested too deeply');
  const parsed = specSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`the job is malformed at ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const spec: JobSpec = parsed.data;
  const fault = specFault(spec);
  if (fault !== undefined) throw new Error(fault);
  return spec;
}

const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]*$/)
  .max(1000);
const instantMs = z.number().min(-8.64e15).max(8.64e15).nullable();
const count = z.int().min(1).max(MAX_TASKS);
const seed = z.int().min(0).max(4_294_967_295);
const ruleText = z.string().max(4 * MAX_RULE_LENGTH);

const ruleSchema: z.ZodType<RuleSpec> = z.lazy(() =>
  z.union([
    ruleText,
    z.strictObject({ any: rulesSchema.min(1) }),
    z.strictObject({ all: rulesSchema.min(1) }),
    z.strictObject({ not: ruleSchema }),
  ]),
);
const rulesSchema = z.array(ruleSchema).max(MAX_RULES);
const sideSchema = z.strictObject({ enter: rulesSchema.min(1), exit: rulesSchema }).nullable();

const variableSchema = z.union([
  z.strictObject({ name, values: z.array(z.number()).min(1).max(MAX_COST_LIST) }),
  z.strictObject({ name, from: z.number(), step: z.number(), count }),
  z.strictObject({ name, from: z.number(), to: z.number(), count, log: z.boolean() }),
]);

const strategySchema = z.strictObject({
  name: z.string().max(1000),
  vars: z.array(variableSchema).max(2 * MAX_VARIABLES),
  where: z.array(ruleText).max(2 * MAX_RULES),
  long: sideSchema,
  short: sideSchema,
  stopLoss: ruleText.nullable(),
  takeProfit: ruleText.nullable(),
  trailingStop: ruleText.nullable(),
  breakeven: ruleText.nullable(),
  maxBars: ruleText.nullable(),
  cooldown: ruleText.nullable(),
  reverse: z.boolean(),
  size: z.strictObject({ kind: z.enum(['equity', 'cash', 'units', 'risk']), value: ruleText }),
});

const datasetSchema = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  symbol: z.string().max(1000).nullable(),
  fromMs: instantMs,
  toMs: instantMs,
  foldEdgesMs: z.array(z.number()).max(MAX_FOLDS).optional(),
});

const specSchema = z.discriminatedUnion('kernel', [
  z.strictObject({
    version: z.literal(1),
    kernel: z.literal('backtest'),
    datasets: z.array(datasetSchema).min(1).max(MAX_DATASETS),
    broker: z.strictObject({
      cash: z.number().positive(),
      fee: z.number().min(0).max(1),
      slippage: z.number().min(0).lt(1),
      lot: z.number().min(0),
      fill: z.enum(['nextOpen', 'close']),
      stopReference: z.enum(['fill', 'signalClose']),
      sameBar: z.enum(['stopFirst', 'targetFirst']),
    }),
    strategies: z.array(strategySchema).min(1).max(MAX_STRATEGIES),
    sample: z.strictObject({ count, seed }).nullable(),
    rank: z.enum(BACKTEST_COLUMNS),
    filter: z.array(z.string().max(MAX_FILTER_LENGTH)).max(MAX_FILTERS).optional(),
    keep: z.int().min(1).max(MAX_KEEP).optional(),
    segments: z
      .strictObject({ of: z.array(z.int().min(0).max(MAX_TASKS)).min(1).max(MAX_KEEP) })
      .optional(),
  }),
  z.strictObject({
    version: z.literal(1),
    kernel: z.literal('spin'),
    tasks: count,
    costMs: z.union([
      z.number().min(0).max(MAX_COST_MS),
      z.array(z.number().min(0).max(MAX_COST_MS)).min(1).max(MAX_COST_LIST),
      z.strictObject({
        lognormal: z.strictObject({
          mean: z.number().positive().max(MAX_COST_MS),
          sigma: z.number().min(0).max(10),
        }),
      }),
    ]),
    mode: z.enum(['sleep', 'spin']),
    seed,
  }),
]);

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error('the job is not UTF-8 text', { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error('the job is not JSON', { cause });
  }
}
