// argv to a verb: global flags, help, and commander's own complaints turned into errors like all others.
import { Command, CommanderError } from 'commander';
import { MeshError } from '../errors.ts';
import { type Context, type GlobalFlags, openContext } from './context.ts';
import { fail } from './fail.ts';
import { FOOT, frontPage, HEAD } from './front-page.ts';
import { declareHelp, declareRayHabits } from './help-pages.ts';
import { declareVerbs } from './verbs.ts';

/** Runs the command that `words` name; returns the exit status, never throws. */
export async function runProgram(words: readonly string[], version: string): Promise<number> {
  const state: { status: number; context: Context | undefined } = {
    status: 0,
    context: undefined,
  };
  const program = createProgram(version);
  declareVerbs(program, async (verb) => {
    state.context = openContext(program.opts<GlobalFlags>(), version);
    state.status = await verb(state.context);
  });
  declareHelp(program);
  declareRayHabits(program);
  try {
    await program.parseAsync(words, { from: 'user' });
    return state.status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // No verb at all: the front page is the answer, not a complaint.
    if (error instanceof CommanderError && error.code === 'commander.help') {
      process.stdout.write(frontPage(program));
      return 0;
    }
    const context = state.context ?? fallbackContext(words, version);
    return fail(context, error instanceof CommanderError ? usageError(error) : error);
  }
}

/** The whole tree, for whoever only reads it: the man page, the pages, tests. */
export function describeProgram(version: string): Command {
  const program = createProgram(version);
  declareVerbs(program, () => Promise.resolve());
  declareHelp(program);
  return program;
}

function createProgram(version: string): Command {
  const program = new Command('mesh')
    .usage('<command> [options]')
    .version(version, '--version', 'print the version')
    .option('--json', 'one JSON object on stdout, errors as one line on stderr')
    .option('--plain', 'tab-separated values, no colour')
    .option('-q, --quiet', 'only the exit status speaks')
    .option('-v, --verbose', 'errors with their stack')
    .option('--color <when>', 'auto, always or never')
    .option('--no-color', 'the same as --color never')
    .option('--home <directory>', 'state of this peer (default: $MESH_HOME or ~/.mesh)')
    .option('--via <peer>', 'let another peer answer: its name, address or id')
    .option('--timeout <duration>', 'stop waiting after 90s, 10m, 1h30m')
    .option('--no-input', 'never ask: what would need an answer fails')
    .helpOption('-h, --help', 'this page')
    .helpCommand(false)
    .addHelpText('before', HEAD)
    .addHelpText('after', `\n${FOOT}`)
    .configureHelp({ showGlobalOptions: true })
    // What commander has to say is printed by fail(), in the form of all errors.
    .configureOutput({ writeErr: () => {} })
    .exitOverride();
  return program;
}

/** "error: unknown command 'peer'\n(Did you mean peers?)" -> message and hint. */
function usageError(error: CommanderError): MeshError {
  const [first = '', ...rest] = error.message.split('\n');
  const suggestion = /\(Did you mean (?:one of )?(.+)\?\)/.exec(rest.join(' '))?.[1];
  const message = first.replace(/^error: /, '');
  if (suggestion === undefined) return new MeshError('USAGE', message, { hint: 'mesh --help' });
  const hint = suggestion.startsWith('-') ? suggestion : `mesh ${suggestion}`;
  return new MeshError('USAGE', message, { hint });
}

/** For failures before or inside the reading of flags: what can be known by looking at the words. */
function fallbackContext(words: readonly string[], version: string): Context {
  return openContext(
    { json: words.includes('--json'), verbose: words.includes('--verbose') },
    version,
  );
}
