// The pages about the command line say what the program does.
import { readdir, readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { page as macPage, STATEMENTS } from '../../../scripts/mac-check.ts';
import { visibleCommands } from '../../../src/node/cli/front-page.ts';
import { HELP_TOPICS } from '../../../src/node/cli/help-topics.ts';
import { declareVerbs } from '../../../src/node/cli/verbs.ts';
import { EXIT_CODES } from '../../../src/node/errors.ts';

const docs = new URL('../../../docs/', import.meta.url);

test('every error code is in the table of exit codes, with its status', async () => {
  const page = await readFile(new URL('exit-codes.md', docs), 'utf8');
  const help = HELP_TOPICS['exit-codes']?.() ?? '';
  for (const [code, status] of Object.entries(EXIT_CODES)) {
    expect(page).toContain(`| ${status} | \`${code}\` |`);
    expect(help).toMatch(new RegExp(`^${status} `, 'm'));
  }
});

test('every verb is on the page, and every verb and flag of the page exists', async () => {
  const page = await readFile(new URL('cli.md', docs), 'utf8');
  const program = new Command('mesh');
  declareVerbs(program, () => Promise.resolve());
  for (const command of visibleCommands(program))
    expect(page).toContain(`\`mesh ${command.name()}`);

  const lines = page
    .split('\n')
    .filter((line) => line.startsWith('    ') && line.includes('mesh '));
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) {
    const [, verb = ''] = /mesh (\w+)/.exec(line) ?? [];
    const command = program.commands.find((known) => known.name() === verb);
    expect(command?.name()).toBe(verb);
    const flags = line.split(/[#|]/)[0]?.match(/ --?[a-z-]+/g) ?? [];
    for (const flag of flags.map((text) => text.trim())) {
      const known = command?.options.some(({ long, short }) => long === flag || short === flag);
      expect({ line, flag, known: known === true || GLOBAL_FLAGS.has(flag) }).toMatchObject({
        known: true,
      });
    }
  }
});

const GLOBAL_FLAGS = new Set(['--json', '--plain', '-q', '--timeout', '--home']);

test('every error code has its heading among the troubles', async () => {
  const page = await readFile(new URL('troubleshooting.md', docs), 'utf8');
  const headings = [...page.matchAll(/^## (\w+)$/gm)].map((match) => match[1]);
  expect(new Set(headings)).toEqual(new Set(Object.keys(EXIT_CODES)));
});

test('the page of what was not tried on a Mac is the list that the check runs', async () => {
  expect(await readFile(new URL('mac.md', docs), 'utf8')).toBe(macPage(STATEMENTS));
});

test('every page can be reached from another one', async () => {
  const names = (await readdir(docs)).filter((name) => name.endsWith('.md'));
  const texts = await Promise.all(
    ['../README.md', ...names].map((name) => readFile(new URL(name, docs), 'utf8')),
  );
  const all = texts.join('');
  expect(names.filter((name) => !new RegExp(`\\((docs/)?${name}[)#]`).test(all))).toEqual([]);
});
