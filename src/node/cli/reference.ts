// The list of all verbs and flags in docs/cli.md, from the command tree: what the page lists is what the program takes.
import type { Command, Option } from 'commander';
import { usageOf, visibleCommands } from './front-page.ts';

/** Lines of the page between which the list stands. */
const BEGIN = '<!-- from the command tree: node scripts/cli-page.ts -->';
const END = '<!-- end of what comes from the command tree -->';

/** `page` with the list of `program` in its place. Throws when the page has no place for it. */
export function withReference(page: string, program: Command): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to < from) throw new Error(`no lines "${BEGIN}" and "${END}" in the page`);
  return `${page.slice(0, from)}${BEGIN}\n\n${reference(program)}\n${page.slice(to)}`;
}

function reference(program: Command): string {
  const everywhere = ['### With every command', '', ...optionLines(program.options)];
  return [...visibleCommands(program).flatMap(commandLines), ...everywhere].join('\n');
}

function commandLines(command: Command): readonly string[] {
  const description = sentence(command.description());
  return [`### \`${usageOf(command)}\``, '', description, '', ...optionLines(command.options)];
}

function optionLines(options: readonly Option[]): readonly string[] {
  const shown = options.filter(({ hidden }) => !hidden);
  if (shown.length === 0) return [];
  return [
    '| flag | does |',
    '|---|---|',
    ...shown.map((option) => `| \`${option.flags}\` | ${cell(textOf(option))} |`),
    '',
  ];
}

function textOf({ description, defaultValue }: Option): string {
  const hasDefault = typeof defaultValue === 'string' && !description.includes('default');
  return hasDefault ? `${description} (default: ${defaultValue})` : description;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
