// mesh.1, from the command tree: what `man mesh` shows is what the program takes. roff as groff and mandoc read it.
import type { Command, Option } from 'commander';
import { usageOf, visibleCommands } from './front-page.ts';
import { HELP_TOPICS } from './help-topics.ts';

export function manPage(program: Command, version: string): string {
  return [
    `.TH MESH 1 "" "mesh ${roff(version)}" "User commands"`,
    '.SH NAME',
    'mesh \\- run backtests on all your machines, without a head node',
    '.SH SYNOPSIS',
    '.B mesh',
    '.I command',
    '[options]',
    '.SH COMMANDS',
    ...visibleCommands(program).flatMap(commandLines),
    '.SH OPTIONS OF EVERY COMMAND',
    ...program.options.filter(({ hidden }) => !hidden).flatMap(optionLines),
    '.SH EXIT STATUS',
    ...verbatim(HELP_TOPICS['exit-codes']?.() ?? ''),
    '.SH ENVIRONMENT',
    ...verbatim(HELP_TOPICS['environment']?.() ?? ''),
    '.SH OUTPUT',
    ...verbatim(HELP_TOPICS['formatting']?.() ?? ''),
    '',
  ].join('\n');
}

function commandLines(command: Command): readonly string[] {
  return [
    `.SS ${roff(usageOf(command))}`,
    roff(command.description()),
    ...command.options.filter(({ hidden }) => !hidden).flatMap(optionLines),
  ];
}

function optionLines({ flags, description }: Option): readonly string[] {
  return ['.TP', `.B ${roff(flags)}`, roff(description)];
}

function verbatim(text: string): readonly string[] {
  return ['.nf', ...text.split('\n').map(roff), '.fi'];
}

/** A backslash begins an escape, a dash would become a hyphen, a leading dot or quote a request. */
function roff(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
