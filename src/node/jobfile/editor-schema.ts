// The JSON Schema of a job file, draft 7, what editors understand best: the form that the reader checks, and beside it the
// old miner's genomes, which the reader translates before it checks anything.
import * as z from 'zod';
import { FIELDS } from '../../kernel/language/ast.ts';
import { MAX_RULES, MAX_STRATEGIES } from '../../kernel/limits.ts';
import {
  backtestSchema,
  comparisonSchema,
  operandSchema,
  ruleSchema,
  spinSchema,
  strategySchema,
} from './schema.ts';

/** In letters of any size, for which a pattern of JSON Schema has no flag. */
function anyCase(words: readonly string[]): RegExp {
  const spelt = words.map((word) =>
    word.replaceAll(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`),
  );
  return new RegExp(`^(${spelt.join('|')})$`);
}

const operand = z
  .strictObject({ ...operandSchema.shape, field: z.string().regex(anyCase(FIELDS)).optional() })
  .meta({ oneOf: [{ required: ['value'] }, { required: ['field'] }, { required: ['indicator'] }] });

const comparison = z.strictObject({ ...comparisonSchema.shape, left: operand, right: operand });

const rules = z.array(z.union([comparison, ruleSchema])).max(MAX_RULES);

/** Null is no word, as old files write it. */
const distance = z.number().positive().lt(1).nullable().optional();
const orOff = z.number().min(0).lt(1).nullable().optional();

/** Keys of a strategy do not go with rules of a genome; other keys are remarks of the miner. */
const notOfGenomes = Object.fromEntries(
  Object.keys(strategySchema.shape)
    .filter((key) => key !== 'name')
    .map((key) => [key, z.never().optional()]),
);

const genome = z
  .looseObject({
    ...notOfGenomes,
    name: z.string().optional(),
    entry_rules: rules.min(1),
    exit_rules: rules.optional(),
    params: z.strictObject({
      sl_pct: distance.describe('stop, a fraction'),
      tp_pct: z.number().positive().nullable().optional().describe('target, a fraction'),
      trailing_stop_pct: orOff,
      breakeven_after: orOff,
      size_pct: z.number().positive().max(1).nullable().optional().describe('of the equity'),
      max_positions: z.number().nullable().optional(),
      timeframe: z
        .string()
        .regex(/^[1-9]\d* ?(m|h|d|w)(in)?$/)
        .nullable()
        .optional(),
      direction: z
        .string()
        .regex(anyCase(['long', 'short']))
        .nullable()
        .optional(),
      leverage: z.literal(1).nullable().optional(),
    }),
  })
  .meta({ id: 'genome', description: 'a genome of the old miner, as it is' });

/** A file of nothing but genomes, as the miner writes it; data and costs come from the command line. */
const bareSchema: z.ZodType = z.lazy(() =>
  z
    .union([genome, z.looseObject({ genome: bareSchema }), z.array(bareSchema).min(1)])
    .meta({ id: 'genomes', description: 'genomes alone, in lists, or under "genome"' }),
);

export function strategiesJsonSchema(): object {
  const strategies = z
    .array(z.union([strategySchema, genome]))
    .min(1)
    .max(MAX_STRATEGIES);
  const written = backtestSchema.extend({ strategies });
  const { $schema, ...form } = z.toJSONSchema(z.union([written, spinSchema, bareSchema]), {
    target: 'draft-7',
    io: 'input',
  });
  return { $schema, $id: 'urn:mesh:strategies:1', title: 'mesh strategies v1', ...form };
}
