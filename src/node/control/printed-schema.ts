// JSON Schemas of what commands print, for whoever reads it: `mesh peers --json`, and the lines of `mesh submit` on a
// pipe. The compiler holds them against the views, a test against real output. Unknown keys are allowed: fields are added.
import * as z from 'zod';
import type { JobSummary, PeersView } from './api.ts';

const count = z.int().min(0);
const share = z.number().min(0).max(1);
/** JSON has no NaN: an undefined metric is null. */
const metrics = z.record(z.string(), z.number().nullable());
const name = z.string().describe('of the strategy');
const params = z.record(z.string(), z.union([z.number(), z.string()]));

const peerSchema = z.object({
  id: z.string(),
  name: z.string(),
  addr: z.string(),
  port: count,
  state: z.enum(['ok', 'suspect', 'draining', 'lost']),
  slots: count,
  running: count.describe('slots that compute right now'),
  queued: count.describe('tasks in its deque'),
  donePerSec: z.number().min(0).describe('over the last 30 s'),
  share: share.describe('of the work of the last 30 s, or of the last finished job when idle'),
  rate: z.number().min(0).describe('units per millisecond of the whole peer; 0 while unknown'),
  done: count,
  failed: count,
  stole: count,
  gave: count,
  rttMs: z.number().min(0),
  path: z.enum(['self', 'direct', 'relay']),
  version: z.string(),
  kernels: z.array(z.string()),
  since: z.string().describe('ISO 8601 UTC'),
});

const peersSchema = z.object({
  v: z.literal(1),
  at: z.string().describe('ISO 8601 UTC'),
  self: z.string().describe('peer id of the one that answers'),
  totals: z.object({
    peers: count,
    slots: count,
    donePerSec: z.number().min(0),
    queued: count,
  }),
  peers: z.array(peerSchema),
}) satisfies z.ZodType<PeersView>;

const summarySchema = z.object({
  v: z.literal(1),
  job: z.string(),
  name: z.string(),
  state: z.enum(['running', 'done', 'cancelled']),
  tasks: count,
  done: count,
  failed: count,
  cached: count.describe('rows taken over from earlier jobs; in no share'),
  disputed: count,
  lost: count,
  checked: count,
  elapsedMs: z.number().min(0),
  resultsSha256: z.string().nullable(),
  stretches: z
    .array(
      z.object({
        symbol: z.string().nullable(),
        from: z.string().nullable(),
        to: z.string().nullable(),
      }),
    )
    .exactOptional()
    .describe('which bars the rows are about, for each dataset; absent: all'),
  peers: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      addr: z.string(),
      slots: count,
      done: count,
      share,
      rate: z.number().min(0),
    }),
  ),
  efficiency: z.object({
    bound: z.number().min(0),
    greedy: z.number().min(0),
    lpt: z.number().min(0).exactOptional(),
    boundsMs: z
      .object({
        area: z.number(),
        longest: z.number(),
        prefix: z.number(),
        granularity: z.number(),
        latency: z.number(),
      })
      .exactOptional(),
  }),
  steals: count,
  messages: count,
  resultMessages: count,
  top: z.array(z.object({ task: count, name, params, metrics })),
}) satisfies z.ZodType<JobSummary>;

const resultSchema = z.object({
  type: z.literal('result'),
  task: count,
  name: name.optional(),
  params: params.optional(),
  metrics: metrics.describe('by name, as in the columns of mesh results'),
});

const failedSchema = z.object({
  type: z.literal('result'),
  task: count,
  name: name.optional(),
  params: params.optional(),
  failed: z.literal(true),
  errorCode: z.number(),
});

const eventSchema = z.union([
  resultSchema,
  failedSchema,
  summarySchema.extend({ type: z.literal('summary') }),
]);

/** Of `mesh peers --json`. */
export function peersJsonSchema(): object {
  return printed(peersSchema, 'peers', 'mesh peers --json');
}

/** Of one line of `mesh submit` or `mesh watch` on a pipe. */
export function eventsJsonSchema(): object {
  return printed(eventSchema, 'events', 'one line of mesh submit on a pipe');
}

function printed(schema: z.ZodType, id: string, title: string): object {
  // As input: keys that a newer version adds are no error.
  const { $schema, ...form } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return { $schema, $id: `urn:mesh:${id}:1`, title, ...form };
}
