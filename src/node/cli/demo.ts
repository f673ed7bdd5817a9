// mesh demo: a whole mesh on this computer, in half a minute.
import { runDemo } from '../demo/demo.ts';
import type { Context } from './context.ts';
import { printJson } from './output/json.ts';
import type { Terminal } from './output/terminal.ts';

/** Exits non-zero when anything that the demo claims did not come true. */
export async function demo(
  { out, json, quiet }: Context,
  flags: { readonly fast?: boolean },
): Promise<number> {
  const screen = json || quiet ? silent(out) : out;
  const { status, report } = await runDemo({ fast: flags.fast ?? false, screen });
  if (json && report !== undefined) printJson(out, report);
  return status;
}

function silent(terminal: Terminal): Terminal {
  return { ...terminal, isTty: false, write: () => {}, line: () => {} };
}
