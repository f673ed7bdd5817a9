// What may come next on a command line that is being typed: verbs and flags from the command tree itself, so that
// no list can grow old, and the names of jobs and peers from the node that runs here. The shells' own scripts
// (completion-scripts.ts) only carry the words here and the answers back.
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command, Option } from 'commander';
import { ControlClient } from '../control/client.ts';
import { visibleCommands } from './front-page.ts';
import { HELP_TOPICS } from './help-topics.ts';
import { SHELLS } from './completion-scripts.ts';

export interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** The word that tells a shell to offer files. */
export const FILES = ':files';

export interface LiveNames {
  jobs(): Promise<readonly Candidate[]>;
  peers(): Promise<readonly Candidate[]>;
}

/** ms. Longer than this a person has typed the name. */
const LIVE_MS_MAX = 1_000;

const METRICS = ['sharpe', 'sortino', 'calmar', 'totalReturn', 'cagr', 'maxDrawdown', 'trades'];
const COLUMNS = [...METRICS, 'winRate', 'profitFactor', 'expectancy', 'sqn', 'exposure'];
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  '--by': ['peer', 'strategy', 'params'],
  '--color': ['auto', 'always', 'never'],
  '--embed': ['auto', 'never', 'always'],
  '--level': ['debug', 'info', 'warn', 'error'],
  '--sort': COLUMNS,
  '<action>': ['install', 'uninstall', 'start', 'stop', 'restart', 'status'],
  '<shell>': SHELLS,
  '<show>': ['show'],
  '<which>': ['strategies', 'peers', 'events'],
};
const JOB_PLACES: ReadonlySet<string> = new Set(['--job', '<job>', '[job]', '<job...>']);
const PEER_PLACES: ReadonlySet<string> = new Set([
  '--peer',
  '--via',
  '--only-peer',
  '--not-peer',
  '[peer]',
  '<peer>',
]);

/** `words`: what stands after `mesh`, the word under the cursor last, perhaps empty. */
export async function complete(
  program: Command,
  words: readonly string[],
  live: LiveNames,
): Promise<readonly Candidate[]> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { command, operands, pending } = readWords(program, before);
  const all =
    pending !== undefined
      ? await valuesOf(pending.long ?? '', live)
      : current.startsWith('-')
        ? flagsOf(program, command)
        : command === undefined
          ? verbsOf(program)
          : await operandsOf(command, operands, live);
  return all.filter(({ word }) => word === FILES || word.startsWith(current));
}

interface Position {
  readonly command: Command | undefined;
  /** How many operands stand before the cursor. */
  readonly operands: number;
  /** The flag whose value is being typed. */
  readonly pending: Option | undefined;
}

function readWords(program: Command, words: readonly string[]): Position {
  let command: Command | undefined;
  let operands = 0;
  let pending: Option | undefined;
  for (const word of words) {
    if (pending !== undefined) {
      pending = undefined;
    } else if (word.startsWith('-')) {
      const options = [...program.options, ...(command?.options ?? [])];
      const option = options.find(({ long, short }) => long === word || short === word);
      pending = option?.required === true ? option : undefined;
    } else if (command === undefined) {
      command = program.commands.find((known) => known.name() === word);
    } else operands++;
  }
  return { command, operands, pending };
}

function verbsOf(program: Command): readonly Candidate[] {
  return [
    ...visibleCommands(program).map((command) => ({
      word: command.name(),
      about: command.description(),
    })),
    { word: 'help', about: 'exit-codes, environment, formatting, ray' },
  ];
}

function flagsOf(program: Command, command: Command | undefined): readonly Candidate[] {
  return [...(command?.options ?? []), ...program.options]
    .filter(({ hidden }) => !hidden)
    .map(({ long, short, description }) => ({ word: long ?? short ?? '', about: description }));
}

async function operandsOf(
  command: Command,
  operands: number,
  live: LiveNames,
): Promise<readonly Candidate[]> {
  if (command.name() === 'help') return topicsAndVerbs(command);
  const known = command.registeredArguments;
  const last = known.at(-1);
  const argument = known[operands] ?? (last?.variadic === true ? last : undefined);
  if (argument === undefined) return [];
  const dots = argument.variadic ? '...' : '';
  const name = argument.name();
  return valuesOf(argument.required ? `<${name}${dots}>` : `[${name}${dots}]`, live);
}

function topicsAndVerbs(help: Command): readonly Candidate[] {
  const verbs = help.parent === null ? [] : visibleCommands(help.parent);
  return [
    ...Object.keys(HELP_TOPICS).map((word) => ({ word, about: 'topic' })),
    ...verbs.map((command) => ({ word: command.name(), about: command.description() })),
  ];
}

async function valuesOf(place: string, live: LiveNames): Promise<readonly Candidate[]> {
  if (JOB_PLACES.has(place)) {
    return [{ word: 'last', about: 'the newest job' }, ...(await live.jobs())];
  }
  if (PEER_PLACES.has(place)) return live.peers();
  if (/file|directory|output|data/.test(place)) return [{ word: FILES, about: '' }];
  return (CHOICES[place] ?? []).map((word) => ({ word, about: '' }));
}

/** Names from the node of the home that the words mean; none when it does not run or is slow. */
export function liveNames(words: readonly string[]): LiveNames {
  const home = valueOf(words, '--home') ?? process.env['MESH_HOME'] ?? join(homedir(), '.mesh');
  const ask = async <T>(question: (node: ControlClient) => Promise<readonly T[]>) => {
    const late = new Promise<readonly T[]>((resolve) => {
      setTimeout(() => resolve([]), LIVE_MS_MAX).unref();
    });
    const answer = ControlClient.find(home)
      .then((node) => (node === undefined ? [] : question(node)))
      .catch(() => []);
    return Promise.race([answer, late]);
  };
  return {
    jobs: () =>
      ask(async (node) => {
        const { jobs } = await node.jobs();
        return jobs
          .toReversed()
          .map(({ id, name, state }) => ({ word: id, about: `${name} (${state})` }));
      }),
    peers: () =>
      ask(async (node) => {
        const { peers } = await node.peers();
        return peers.map(({ name, addr, state }) => ({ word: name, about: `${addr} ${state}` }));
      }),
  };
}

function valueOf(words: readonly string[], flag: string): string | undefined {
  const at = words.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (at === -1) return undefined;
  const word = words[at] ?? '';
  return word === flag ? words[at + 1] : word.slice(flag.length + 1);
}
