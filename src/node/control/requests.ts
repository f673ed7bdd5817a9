// What the control socket accepts. Only the owner of the home can reach it, but a script's typo must end as a
// sentence and not inside the daemon, so every field is checked and bounded here.
import * as z from 'zod';
import { MeshError } from '../errors.ts';
import type { LogQuery } from '../logs/log-line.ts';
import { SPEC_RIDES_BYTES_MAX } from './api.ts';
import type { RowFilter } from './row-query.ts';
import type {
  ObserveOptions,
  ResultsQuery,
  SubmitRequest,
  SummaryQuery,
  WatchOptions,
} from './handlers.ts';

/** Bytes of a JSON body; a submit with 1,000 datasets is 100 kB, its spec at most as much again. */
export const JSON_BYTES_MAX = 512 * 1024;
/** Bytes of one blob: 12 million bars of six columns are 0.6 GB. */
export const BLOB_BYTES_MAX = 2 ** 32;
/** Tasks of a job; the deque's intervals count in 32 bits. */
const TASKS_MAX = 2 ** 31 - 1;
const DATASETS_MAX = 1000;
const LOG_LINES_MAX = 100_000;
const TOP_MAX = 100_000;
/** Longer waits are the client's business: it can ask again. */
const WAIT_MS_MAX = 3_600_000;

const blob = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex'),
  bytes: z.int().min(0).max(BLOB_BYTES_MAX),
});

const peerNames = z.array(z.string().min(1).max(300)).max(1000).optional();

const submit = z.strictObject({
  name: z.string().min(1).max(200),
  kernel: z.string().min(1).max(100),
  spec: blob,
  specText: z.string().max(SPEC_RIDES_BYTES_MAX).optional(),
  datasets: z.array(blob).max(DATASETS_MAX),
  taskCount: z.int().min(1).max(TASKS_MAX),
  priority: z.int().min(-10).max(10).optional(),
  weight: z.int().min(1).max(100).optional(),
  audit: z.enum(['sample', 'all', 'none']).optional(),
  onlyPeers: peerNames,
  notPeers: peerNames,
  memoryBytes: z
    .int()
    .min(1)
    .max(2 ** 50)
    .optional(),
  fresh: z.boolean().optional(),
  taskTimeoutMs: z.int().min(1_000).max(604_800_000).optional(),
});
const drain = z.strictObject({ isWanted: z.boolean() });
const connect = z.strictObject({
  addr: z.string().min(1).max(300),
  waitMs: z.int().min(0).max(WAIT_MS_MAX),
});
const redeem = z.strictObject({
  invite: z.string().min(1).max(2000),
  addr: z.string().min(1).max(300).optional(),
  waitMs: z.int().min(0).max(WAIT_MS_MAX),
});
/** ms. An invite that is older is a forgotten one. */
const invite = z.strictObject({
  validMs: z
    .int()
    .min(1000)
    .max(7 * 86_400_000),
});
const approve = z.strictObject({ code: z.string().min(1).max(40) });
const forget = z.strictObject({ peer: z.string().min(1).max(300) });
const leave = z.strictObject({ timeoutMs: z.int().min(0).max(WAIT_MS_MAX) });

const sort = z.string().min(1).max(100).optional();
const top = z.coerce.number().int().min(0).max(TOP_MAX);
const flag = z.stringbool().default(false);
const filter = z.strictObject({
  column: z.string().min(1).max(100),
  comparison: z.enum(['<', '<=', '>', '>=', '=', '!=']),
  value: z.number(),
});
const where = z.string().max(4000).optional();
const summary = z.strictObject({ top: top.default(10), sort, where });
const watch = z.strictObject({ top: top.default(10), sort, where, rows: flag, labels: flag });
/** ms. Below this a screen only costs more; above it, it is no longer live. */
const observe = z.strictObject({ intervalMs: z.coerce.number().int().min(50).max(60_000) });
const logs = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).optional(),
  sinceMs: z.coerce.number().min(0).optional(),
  job: z.string().min(1).max(100).optional(),
  task: z.coerce.number().int().min(0).optional(),
  last: z.coerce.number().int().min(0).max(LOG_LINES_MAX).optional(),
  follow: flag,
});
const results = z.strictObject({
  top: top.optional(),
  sort,
  where,
  winners: flag,
  labels: flag,
});
const task = z.coerce.number().int().min(0).max(TASKS_MAX);

export function readSubmit(body: unknown): SubmitRequest {
  return read(submit, body);
}

export function readConnect(body: unknown): { addr: string; waitMs: number } {
  return read(connect, body);
}

export function readRedeem(body: unknown): {
  invite: string;
  addr?: string | undefined;
  waitMs: number;
} {
  return read(redeem, body);
}

export function readInvite(body: unknown): { validMs: number } {
  return read(invite, body);
}

export function readApprove(body: unknown): { code: string } {
  return read(approve, body);
}

export function readForget(body: unknown): { peer: string } {
  return read(forget, body);
}

export function readDrain(body: unknown): { isWanted: boolean } {
  return read(drain, body);
}

export function readLeave(body: unknown): { timeoutMs: number } {
  return read(leave, body);
}

export function readSummaryQuery(query: URLSearchParams): SummaryQuery {
  const { top, ...rest } = read(summary, Object.fromEntries(query));
  return { top, ...orderAndFilters(rest) };
}

export function readWatchOptions(query: URLSearchParams): WatchOptions {
  const { top, rows, labels, ...rest } = read(watch, Object.fromEntries(query));
  return { top, rows, labels, ...orderAndFilters(rest) };
}

export function readObserveOptions(query: URLSearchParams): ObserveOptions {
  return read(observe, Object.fromEntries(query));
}

export function readLogQuery(query: URLSearchParams): LogQuery {
  const { follow, ...rest } = read(logs, Object.fromEntries(query));
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(given) as LogQuery), follow };
}

export function readResultsQuery(query: URLSearchParams): ResultsQuery {
  const { top, labels, winners, ...rest } = read(results, Object.fromEntries(query));
  return {
    labels,
    ...(winners ? { winners } : {}),
    ...(top === undefined ? {} : { top }),
    ...orderAndFilters(rest),
  };
}

function orderAndFilters({
  sort,
  where,
}: {
  sort?: string | undefined;
  where?: string | undefined;
}): {
  sort?: string;
  where?: readonly RowFilter[];
} {
  return {
    ...(sort === undefined ? {} : { sort }),
    ...(where === undefined ? {} : { where: readFilters(where) }),
  };
}

export function readTask(text: string): number {
  return read(task, text);
}

function readFilters(text: string): readonly RowFilter[] {
  return read(z.array(filter).max(32), parseJson(text));
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MeshError('USAGE', 'the request is not JSON', { cause });
  }
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new MeshError('USAGE', `bad request: ${where === '' ? '' : `${where}: `}${issue?.message}`);
}
