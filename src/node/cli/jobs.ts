// mesh jobs: what runs and what ran.
import { type Context, listFormat, withPeer } from './context.ts';
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

export async function jobs(context: Context): Promise<number> {
  const view = await withPeer(context, (peer) => peer.jobs());
  switch (listFormat(context)) {
    case 'json':
      printJson(context.out, view);
      break;
    case 'tsv': {
      const rows = view.jobs.map((job) => TSV_COLUMNS.map((column) => job[column]));
      context.out.line(renderTsv(TSV_COLUMNS, rows));
      break;
    }
    case 'table':
      context.out.line(renderJobs(view, Date.now(), context.out.columns).join('\n'));
      break;
    case 'none':
  }
  return 0;
}
