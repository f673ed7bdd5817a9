// A job blob: the spec as canonical JSON. The writer is this machine's `submit`; the reader gets the bytes
// from another peer and believes nothing: size first, then form, then every rule through the parser.

import { z } from 'zod';
import { BACKTEST_COLUMNS } from '../../kernel/engine/metrics.ts';
import { prunedPoints } from '../../kernel/grid.ts';
import { parseCondition } from '../../kernel/language/parse.ts';
import {
  MAX_COST_LIST,
  MAX_COST_MS,
  MAX_DATASETS,
  MAX_GRID_POINTS,
  MAX_PRUNED_POINTS,
  MAX_RULES,
  MAX_RULE_LENGTH,
  MAX_STRATEGIES,
  MAX_TASKS,
  MAX_UNEVEN_TASKS,
  MAX_VARIABLES,
} from '../../kernel/limits.ts';
import type { JobSpec, RuleSpec, StrategySpec } from '../../kernel/spec.ts';
import { parseStrategies } from '../../kernel/strategy.ts';
import { TaskList } from '../../kernel/task-list.ts';
import { canonicalJson } from './canonical-json.ts';
import { firstTooDeep } from './nesting.ts';

/** Bytes of a job blob. 10,000 strategies written out one by one are some 5 MB. */
export const SPEC_BYTES_MAX = 8 * 2 ** 20;

export function writeSpec(spec: JobSpec): Uint8Array {
  return new TextEncoder().encode(canonicalJson(spec));
}

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

/** Tasks of a spec whose rules parse. */
export function taskCountOf(spec: JobSpec): number {
  if (spec.kernel === 'spin') return spec.tasks;
  const each = parseStrategies(spec.strategies).map(({ grid }) => grid.count);
  const counts = spec.datasets.flatMap(() => each);
  return new TaskList(counts, spec.sample).count;
}

/** What bounds across fields a spec breaks, or undefined. Throws a RuleError for a rule that does not parse. */
export function specFault(spec: JobSpec): string | undefined {
  const fault = spec.kernel === 'spin' ? undefined : strategiesFault(spec.strategies);
  if (fault !== undefined) return fault;
  const tasks = taskCountOf(spec);
  if (tasks > MAX_TASKS) return `the job has ${tasks} tasks; ${MAX_TASKS} are allowed`;
  if (spec.kernel === 'spin') {
    const isUneven = typeof spec.costMs !== 'number';
    return isUneven && tasks > MAX_UNEVEN_TASKS
      ? `tasks of different costs: at most ${MAX_UNEVEN_TASKS} in a job`
      : undefined;
  }
  return undefined;
}

function strategiesFault(strategies: readonly StrategySpec[]): string | undefined {
  // Before any grid is built: conditions must not cost a peer more than the bound, however many grids there are.
  const points = strategies.reduce((sum, { vars, where }) => {
    const scope = new Set(vars.map((variable) => variable.name));
    const conditions = where.map((text) => parseCondition(text, scope));
    return sum + prunedPoints(vars, conditions);
  }, 0);
  if (points > MAX_PRUNED_POINTS) {
    return `"where" must be tried on ${points} combinations; ${MAX_PRUNED_POINTS} are allowed`;
  }
  for (const strategy of strategies) {
    if (strategy.long === null && strategy.short === null) {
      return `strategy "${strategy.name}" has neither a long nor a short side`;
    }
    const { size, stopLoss, trailingStop } = strategy;
    if (size.kind === 'risk' && stopLoss === null && trailingStop === null) {
      return `strategy "${strategy.name}" has a size by risk and no stop`;
    }
  }
  for (const { name: label, grid } of parseStrategies(strategies)) {
    if (grid.count === 0) return `"where" leaves strategy "${label}" no combination`;
    if (grid.count > MAX_GRID_POINTS / MAX_DATASETS)
      return 'a grid has more combinations than can be counted';
  }
  return undefined;
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
