// mesh jobs: what runs and what ran. A screen shows what runs and the newest of the last day, unless more is asked for.
import type { JobsView, JobView } from '../control/api.ts';
import { type Context, listFormat, withPeer } from './context.ts';
import { lookAgain, readInterval } from './look-again.ts';
import { parseWhole } from './options.ts';
import { plural } from './output/format.ts';
import { renderJobs } from './output/job-screens.ts';
import { printJson } from './output/json.ts';
import { renderTsv } from './output/tsv.ts';

const TSV_COLUMNS = [
  'id',
  'name',
  'state',
  'tasks',
  'done',
  'failed',
  'donePerSec',
  'etaMs',
  'owner',
  'submittedAt',
] as const;

export interface JobsFlags {
  readonly all?: boolean;
  readonly limit?: string;
  readonly watch?: string | boolean;
}

interface Wanted {
  /** Also what ended more than a day ago. */
  readonly all: boolean;
  /** Jobs at most; what runs comes first. */
  readonly limit: number;
}

/** As many as fit a screen beside the prompt. */
const LIMIT_ON_SCREEN = 20;
const LIMIT_MAX = 1_000_000;
const RECENT_MS = 24 * 3_600_000;

export async function jobs(context: Context, flags: JobsFlags): Promise<number> {
  const wanted = readWanted(context, flags);
  const look = async (): Promise<void> => {
    print(context, await withPeer(context, (peer) => peer.jobs()), wanted);
  };
  if (flags.watch !== undefined) return lookAgain(context, readInterval(flags.watch), look);
  await look();
  return 0;
}

/** A program that does not say how many gets all. */
function readWanted(context: Context, { all, limit }: JobsFlags): Wanted {
  const isEverything = all === true || listFormat(context) !== 'table';
  const limitOtherwise = isEverything ? LIMIT_MAX : LIMIT_ON_SCREEN;
  return {
    all: isEverything,
    limit:
      limit === undefined
        ? limitOtherwise
        : parseWhole(limit, '--limit', { min: 1, max: LIMIT_MAX }),
  };
}

/** In the order of `known`, oldest first. */
export function selectJobs(
  known: readonly JobView[],
  { all, limit }: Wanted,
  nowMs: number,
): readonly JobView[] {
  const newestFirst = known.toReversed();
  const running = newestFirst.filter(({ state }) => state === 'running');
  const ended = newestFirst.filter(
    ({ state, submittedAt }) =>
      state !== 'running' && (all || nowMs - Date.parse(submittedAt) <= RECENT_MS),
  );
  const kept = new Set([...running, ...ended].slice(0, limit));
  return known.filter((job) => kept.has(job));
}

function print(context: Context, view: JobsView, wanted: Wanted): void {
  const nowMs = Date.now();
  const shown = { ...view, jobs: selectJobs(view.jobs, wanted, nowMs) };
  switch (listFormat(context)) {
    case 'json':
      printJson(context.out, shown);
      return;
    case 'tsv': {
      const rows = shown.jobs.map((job) => TSV_COLUMNS.map((column) => job[column]));
      context.out.line(renderTsv(TSV_COLUMNS, rows));
      return;
    }
    case 'table': {
      const hidden = view.jobs.length - shown.jobs.length;
      const lines = renderJobs(shown, nowMs, context.out.columns);
      const more = hidden === 0 ? [] : [`${plural(hidden, 'older job')}: mesh jobs --all`];
      context.out.line(
        [...(shown.jobs.length === 0 && hidden > 0 ? [] : lines), ...more].join('\n'),
      );
      return;
    }
    case 'none':
  }
}
