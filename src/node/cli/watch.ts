// mesh watch [JOB]: follows a job from any peer; ends with the job, with the job's exit status.
import { resolveJob } from '../control/selector.ts';
import { parseWhere } from '../control/row-query.ts';
import { type Context, connectPeer, warnOfSkew } from './context.ts';
import { parseFailLimit } from './fail-limit.ts';
import { follow, type FollowOptions, printDetached } from './follow.ts';
import { parseChoice, parseWhole } from './options.ts';
import { resultsFormat } from './output/results-file.ts';

export interface FollowFlags {
  readonly top: string;
  readonly sort?: string;
  readonly where?: string;
  readonly output?: string;
  readonly order: string;
  readonly maxFails?: string;
  readonly cancelOnInterrupt?: boolean;
}

export const TOP_MAX = 100_000;

export async function watch(context: Context, job: string, flags: FollowFlags): Promise<number> {
  const options = readFollowFlags(flags);
  const peer = await connectPeer(context);
  // `last` may mean another job when this one is named again: the name on the screen is the id.
  const { jobs } = await peer.jobs();
  const jobId = resolveJob(job, jobs);
  const shown = jobs.find((view) => view.jobId === jobId)?.id ?? jobId;
  warnOfSkew(context, peer);
  const resume = `mesh watch ${shown}`;
  return follow(context, peer, { ...options, job: shown, resume }, async (why, last) => {
    if (why === 'signal') printDetached(context, shown, last);
  });
}

export function readFollowFlags({
  top,
  sort,
  where,
  output,
  order,
  maxFails,
  cancelOnInterrupt,
}: FollowFlags): Omit<FollowOptions, 'job' | 'resume'> {
  // A name that cannot be written is found out now, not when the job has ended.
  if (output !== undefined) resultsFormat(output);
  const isInFileOrder = parseChoice(order, '--order', ['done', 'file']) === 'file';
  return {
    isInFileOrder,
    top: parseWhole(top, '--top', { min: 0, max: TOP_MAX }),
    ...(sort === undefined ? {} : { sort }),
    ...(where === undefined ? {} : { where: parseWhere(where) }),
    ...(maxFails === undefined ? {} : { maxFails: parseFailLimit(maxFails) }),
    ...(cancelOnInterrupt === undefined ? {} : { cancelOnInterrupt }),
    ...(output === undefined ? {} : { outFile: output }),
  };
}
