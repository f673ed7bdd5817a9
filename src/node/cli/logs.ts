// mesh logs: what nodes wrote down, this one's, another peer's or everybody's. On a terminal a line a person can
// read, elsewhere the JSON objects as they are. The log of this machine is readable without its node.
import { join } from 'node:path';
import { ControlClient } from '../control/client.ts';
import { resolveJob } from '../control/selector.ts';
import { MeshError } from '../errors.ts';
import { type LogLine, type LogQuery, parseLevel } from '../logs/log-line.ts';
import { logFile } from '../logs/log-file.ts';
import { readLog } from '../logs/read-log.ts';
import type { Context } from './context.ts';
import { Interrupts } from './interrupts.ts';
import { parseDuration, parseWhole } from './options.ts';
import { renderLogLine } from './output/log-screen.ts';

export interface LogsFlags {
  readonly follow?: boolean;
  readonly peer?: string;
  readonly all?: boolean;
  readonly job?: string;
  readonly task?: string;
  readonly since?: string;
  readonly level?: string;
  readonly path?: boolean;
}

/** Lines at the end of the log when nothing narrows it down. */
const LAST_ON_SCREEN = 200;
const TASK_MAX = 2 ** 31 - 1;

interface Source {
  /** Name of the peer; undefined: the only one. */
  readonly peer: string | undefined;
  lines(query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine>;
}

export async function logs(context: Context, flags: LogsFlags): Promise<number> {
  const folder = join(context.home, 'logs');
  if (flags.path === true) {
    context.out.line(logFile(folder, 0));
    return 0;
  }
  const query = await withJobId(context, flags, readLogFlags(flags, Date.now()));
  const sources = await sourcesOf(context, flags, folder);
  const interrupts = new Interrupts();
  const over = new AbortController();
  void interrupts.first.then(() => over.abort());
  try {
    if (query.follow === true) await followAll(context, sources, query, over.signal);
    else await printPast(context, sources, query, over.signal);
  } finally {
    interrupts.remove();
  }
  return 0;
}

function readLogFlags(flags: LogsFlags, nowMs: number): LogQuery {
  const { job, task, since, level, follow } = flags;
  const isNarrowed = job !== undefined || task !== undefined || since !== undefined;
  return {
    ...(job === undefined ? {} : { job }),
    ...(task === undefined
      ? {}
      : { task: parseWhole(task.replace(/^s/, ''), '--task', { min: 0, max: TASK_MAX }) }),
    ...(since === undefined ? {} : { sinceMs: nowMs - parseDuration(since, '--since') }),
    ...(level === undefined ? {} : { level: parseLevel(level) }),
    ...(isNarrowed ? {} : { last: LAST_ON_SCREEN }),
    ...(follow === true ? { follow } : {}),
  };
}

/** `last` and a name mean a job that a peer knows; an id is found in the log of a machine whose node is gone. */
async function withJobId(
  { home, via }: Context,
  { peer }: LogsFlags,
  query: LogQuery,
): Promise<LogQuery> {
  const { job } = query;
  if (job === undefined || /^j-/i.test(job)) return query;
  const name = peer ?? via;
  const isId = name === undefined && job !== 'last' && !(await ControlClient.find(home));
  if (isId) return query;
  const node = await ControlClient.connect(home, name);
  return { ...query, job: resolveJob(job, (await node.jobs()).jobs) };
}

async function sourcesOf(
  context: Context,
  { peer, all }: LogsFlags,
  folder: string,
): Promise<readonly Source[]> {
  if (peer !== undefined && all === true) {
    throw new MeshError('USAGE', '--peer and --all cannot be used together');
  }
  const { home, via } = context;
  const name = peer ?? via;
  if (name !== undefined) return [remote(undefined, await ControlClient.connect(home, name))];
  if (all !== true)
    return [{ peer: undefined, lines: (query, signal) => readLog(folder, query, signal) }];
  const { self, peers } = await (await ControlClient.connect(home)).peers();
  const live = peers.filter(({ state }) => state !== 'lost');
  return Promise.all(
    live.map(async ({ id, name: shown }) =>
      remote(shown, await ControlClient.connect(home, id === self ? undefined : id)),
    ),
  );
}

function remote(peer: string | undefined, client: ControlClient): Source {
  return { peer, lines: (query, signal) => client.logs(query, signal) };
}

/** Of several peers in the order of their clocks. */
async function printPast(
  context: Context,
  sources: readonly Source[],
  query: LogQuery,
  signal: AbortSignal,
): Promise<void> {
  const [only, ...more] = sources;
  if (only !== undefined && more.length === 0) {
    for await (const line of only.lines(query, signal)) print(context, only.peer, line);
    return;
  }
  const all = await Promise.all(
    sources.map(async (source) => {
      const found: { peer: string | undefined; line: LogLine }[] = [];
      for await (const line of source.lines(query, signal)) found.push({ peer: source.peer, line });
      return found;
    }),
  );
  for (const { peer, line } of all.flat().toSorted((a, b) => a.line.time - b.line.time)) {
    print(context, peer, line);
  }
}

async function followAll(
  context: Context,
  sources: readonly Source[],
  query: LogQuery,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    sources.map(async (source) => {
      for await (const line of source.lines(query, signal)) print(context, source.peer, line);
    }),
  );
}

function print(context: Context, peer: string | undefined, line: LogLine): void {
  const { out } = context;
  if (context.quiet) return;
  const isForPeople = out.isTty && !context.json && !context.plain;
  if (isForPeople) out.line(renderLogLine(line, peer, out.columns, out.paint));
  else out.line(JSON.stringify(peer === undefined ? line : { ...line, mesh: peer }));
}
