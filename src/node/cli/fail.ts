// How a command that failed says so: what happened, why, what to type next; with --json one line for scripts.
// Something that nobody foresaw leaves a report in the home, and its stack is shown on request only.
import { MeshError } from '../errors.ts';
import { writeReport } from '../report.ts';
import type { Context } from './context.ts';
import { errorBody, printJson } from './output/json.ts';
import type { Paint } from './output/terminal.ts';

/** Prints the failure and returns the exit status. */
export async function fail(context: Context, thrown: unknown): Promise<number> {
  const error = thrown instanceof MeshError ? thrown : await unexpected(context, thrown);
  if (context.json) printJson(context.err, errorBody(error));
  else for (const line of renderError(error, context.err.paint)) context.err.line(line);
  if (wantsStack(context) && thrown instanceof Error) context.err.line(thrown.stack ?? '');
  return error.exitCode;
}

export function renderError(error: MeshError, paint: Paint): string[] {
  const [what, ...why] = error.message.split('\n');
  const [first, ...others] = error.hint?.split('\n') ?? [];
  return [
    `${paint('red', 'error:')} ${what}`,
    ...why.map((line) => `  ${line}`),
    ...(first === undefined ? [] : [`${paint('bold', 'try:')} ${first}`]),
    ...others.map((line) => `  ${line}`),
  ];
}

function wantsStack(context: Context): boolean {
  return context.verbose || process.env['DEBUG'] !== undefined;
}

async function unexpected(context: Context, thrown: unknown): Promise<MeshError> {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const report = await writeReport(context, thrown);
  const where = report === undefined ? '' : `\na report is in ${report}`;
  return new MeshError('INTERNAL', `unexpected: ${message}${where}`, { cause: thrown });
}
