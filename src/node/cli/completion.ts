// mesh completion SHELL, and the question that its script asks with every Tab.
import type { Command } from 'commander';
import { complete, liveNames } from './complete.ts';
import { completionScript } from './completion-scripts.ts';
import type { Context } from './context.ts';
import { printable } from './output/format.ts';

export function completion({ out }: Context, shell: string): number {
  out.write(completionScript(shell));
  return 0;
}

export async function printCandidates(
  { out }: Context,
  program: Command,
  words: readonly string[],
): Promise<number> {
  for (const { word, about } of await complete(program, words, liveNames(words))) {
    out.line(`${printable(word)}\t${printable(about)}`);
  }
  return 0;
}
