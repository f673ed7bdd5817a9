// mesh results JOB --failed: what failed, with what it was asked to compute and why it could not be.
import type { ControlClient } from '../control/client.ts';
import type { Context } from './context.ts';
import { formatCount, plural, printable } from './output/format.ts';
import { printJson } from './output/json.ts';
import { renderTsv } from './output/tsv.ts';
import type { FailuresView } from '../control/failure-api.ts';

const SHOWN_MAX = 50;

export async function printFailed(
  context: Context,
  peer: ControlClient,
  job: string,
): Promise<number> {
  const view = await peer.failures(job);
  const { out } = context;
  if (context.json) printJson(out, view);
  else if (context.quiet) return 0;
  else if (context.plain || !out.isTty) {
    const columns = ['task', 'code', 'attempts', 'error', 'name', 'params', 'reason'];
    const rows = view.failures.map(({ params, ...failure }) => [
      failure.task,
      failure.code,
      failure.attempts,
      failure.error,
      printable(failure.name),
      JSON.stringify(params),
      printable(failure.reason ?? ''),
    ]);
    out.line(renderTsv(columns, rows));
  } else out.line(renderFailed(view).join('\n'));
  return 0;
}

export function renderFailed(view: FailuresView): string[] {
  if (view.failed === 0) return ['nothing failed'];
  const lines = view.failures.slice(0, SHOWN_MAX).flatMap((failure) => {
    const params = Object.entries(failure.params).map(([name, value]) => `${name}=${value}`);
    const tries = failure.attempts > 0 ? ` (${plural(failure.attempts, 'attempt')})` : '';
    return [
      `s${failure.task}  ${printable(failure.name)} ${printable(params.join(' '))}`,
      `    ${failure.error}${tries}${failure.reason === null ? '' : `: ${printable(failure.reason)}`}`,
    ];
  });
  const more = view.failed - Math.min(view.failures.length, SHOWN_MAX);
  if (more > 0)
    lines.push(`… and ${formatCount(more)} more: mesh results ${view.job} --failed --json`);
  if (view.failures.some(({ mayRetry }) => mayRetry)) {
    lines.push(`  new attempts: mesh retry ${view.job}`);
  }
  return lines;
}
