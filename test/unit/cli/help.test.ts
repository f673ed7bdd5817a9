// What the command line says about itself: the front page, help, the man page, and what Tab offers.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { complete, FILES } from '../../../src/node/cli/complete.ts';
import { frontPage, visibleCommands } from '../../../src/node/cli/front-page.ts';
import { HELP_TOPICS } from '../../../src/node/cli/help-topics.ts';
import { manPage } from '../../../src/node/cli/man.ts';
import { describeProgram } from '../../../src/node/cli/program.ts';
import { withReference } from '../../../src/node/cli/reference.ts';
import { translateRay } from '../../../src/node/cli/ray.ts';

const program = describeProgram('1.2.3');
const verbs = visibleCommands(program).map((command) => command.name());

const live = {
  jobs: async () => [{ word: 'j-7f3a', about: 'grid.json (running)' }],
  peers: async () => [{ word: 'studio', about: '100.77.179.14 ok' }],
};

async function words(...typed: readonly string[]): Promise<readonly string[]> {
  return (await complete(program, typed, live)).map(({ word }) => word);
}

test('the front page names every verb once and fits a terminal', () => {
  const page = frontPage(program);
  for (const verb of verbs) expect(page.match(new RegExp(`\\b${verb}\\b`, 'g'))).not.toBeNull();
  for (const line of page.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  expect(page).not.toContain('complete ');
});

test.each(verbs)('mesh %s --help says what it does in one line', (verb) => {
  const command = program.commands.find((known) => known.name() === verb);
  expect(command?.description()).toMatch(/^\S.{5,70}$/);
});

describe('Tab', () => {
  test('offers verbs, and flags of the verb before those of all', async () => {
    expect(await words('')).toEqual([...verbs, 'help']);
    expect(await words('re')).toContain('results');
    expect(await words('results', '--w')).toEqual(['--winners', '--where']);
    expect(await words('results', '--')).toEqual(expect.arrayContaining(['--by', '--json']));
    expect(await words('--json', 'wat')).toEqual(['watch']);
  });

  test('offers live jobs and peers where one is meant', async () => {
    expect(await words('watch', '')).toEqual(['last', 'j-7f3a']);
    expect(await words('watch', 'j-')).toEqual(['j-7f3a']);
    expect(await words('watch', 'last', '')).toEqual([]);
    expect(await words('cancel', 'j-7f3a', '')).toEqual(['last', 'j-7f3a']);
    expect(await words('logs', '--job', '')).toEqual(['last', 'j-7f3a']);
    expect(await words('status', '--via', 's')).toEqual(['studio']);
  });

  test('offers the values that a flag takes, and files where a file is meant', async () => {
    expect(await words('results', 'last', '--by', '')).toEqual(['peer', 'strategy', 'params']);
    expect(await words('service', 'in')).toEqual(['install']);
    expect(await words('help', 'ra')).toEqual(['ray']);
    expect(await words('submit', '')).toEqual([FILES]);
    expect(await words('submit', 'x.json', '-o', '')).toEqual([FILES]);
    expect(await words('submit', '--name', '')).toEqual([]);
  });
});

describe('the man page', () => {
  const page = manPage(program, '1.2.3');

  test('has every verb with its flags', () => {
    for (const command of visibleCommands(program)) {
      expect(page).toContain(`.SS mesh ${command.name()}`);
      for (const { long, hidden } of command.options) {
        if (!hidden && long != null) expect(page).toContain(long.replaceAll('-', '\\-'));
      }
    }
  });

  test.skipIf(spawnSync('man', ['--version']).status !== 0)('is one in the eyes of man', () => {
    const { status, stdout, stderr } = spawnSync('man', ['--warnings', '-E', 'UTF-8', '-l', '-'], {
      input: page,
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8' },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('mesh submit [file]');
  });
});

test('docs/cli.md lists the verbs and flags that there are (if not: node scripts/cli-page.ts)', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8');
  expect(page).toBe(withReference(page, program));
  expect(page).toContain('### `mesh results [job]`');
  expect(() => withReference('no place', program)).toThrow('in the page');
});

test('every topic has a page that fits a terminal', () => {
  expect(Object.keys(HELP_TOPICS)).toEqual(['exit-codes', 'environment', 'formatting', 'ray']);
  for (const page of Object.values(HELP_TOPICS)) {
    for (const line of page().split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  }
});

test.each([
  [['--head', '--port=6379', '--num-cpus=12'], 'mesh join --slots 12'],
  [['--head', '--port=6379'], 'here:          mesh join\non the others'],
  [['--address=100.77.179.14:6379'], 'mesh join --peer 100.77.179.14'],
  [['--address', 'HEAD:6379', '--num-cpus', '4'], 'mesh join --slots 4 --peer HEAD'],
])('the words of ray start %j become %s', (typed, expected) => {
  expect(translateRay(typed).message).toContain(expected);
});
