// What a machine is always to be, so that nobody has to type it again: `config.json` in the home, and variables of the
// environment. A flag beats the environment, which beats the file. A folder that somebody works in has no say, because
// a folder may come from anywhere, and these words decide who may connect.
import { join } from 'node:path';
import { MeshError } from '../errors.ts';
import { readUserFile } from '../jobfile/user-file.ts';
import { type JoinFlags, readJoinFlags } from './join-options.ts';

/** Flags of `join` that may stand elsewhere. */
export type Settings = Omit<JoinFlags, 'invite' | 'foreground' | 'throttle' | 'wait'>;

const CONFIG_FILE = 'config.json';
/** A few hundred bytes are usual. */
const CONFIG_BYTES_MAX = 2 ** 20;

/** Throws USAGE or BAD_INPUT that names the variable, or the file with its line. */
export async function withSettings(
  home: string,
  flags: JoinFlags,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<JoinFlags> {
  return laidOver(
    await settingsOfFile(join(home, CONFIG_FILE)),
    withEnvironment(flags, environment),
  );
}

/** A service starts without the environment of whoever installs it: what that says has to go along. */
export function withEnvironment(
  flags: JoinFlags,
  environment: NodeJS.ProcessEnv = process.env,
): JoinFlags {
  return laidOver(settingsOfEnvironment(environment), flags);
}

function laidOver(below: Settings, flags: JoinFlags): JoinFlags {
  const given = Object.fromEntries(
    // `--no-work` is a flag that is true until it is typed.
    Object.entries(flags).filter(
      ([name, value]) => value !== undefined && !(name === 'work' && value === true),
    ),
  ) as Partial<JoinFlags>;
  return { ...below, ...given, wait: flags.wait };
}

const list = (text: string): readonly string[] => text.split(',').map((part) => part.trim());

const VARIABLES: Readonly<Record<string, (text: string, variable: string) => Settings>> = {
  MESH_NAME: (name) => ({ name }),
  MESH_PEERS: (text) => ({ peer: list(text) }),
  MESH_SLOTS: (slots) => ({ slots }),
  MESH_MEMORY: (memory) => ({ memory }),
  MESH_LISTEN: (listen) => ({ listen }),
  MESH_PORT: (port) => ({ port }),
  MESH_KEEP: (keep) => ({ keep }),
  MESH_ALLOW_NET: (text) => ({ allowNet: list(text) }),
  MESH_POLITE: (text, variable) => ({ polite: yesOrNo(text, variable) }),
  MESH_AWAKE: (text, variable) => ({ awake: yesOrNo(text, variable) }),
  MESH_WORK: (text, variable) => ({ work: yesOrNo(text, variable) }),
  MESH_KEEP_TRYING: (text, variable) => ({ keepTrying: yesOrNo(text, variable) }),
};

function settingsOfEnvironment(environment: NodeJS.ProcessEnv): Settings {
  let settings: Settings = {};
  for (const [variable, read] of Object.entries(VARIABLES)) {
    const text = environment[variable];
    // An empty one is how a shell says "not set" for one command.
    if (text === undefined || text === '') continue;
    const one = read(text, variable);
    checked(one, variable);
    settings = { ...settings, ...one };
  }
  return settings;
}

function yesOrNo(text: string, variable: string): boolean {
  if (['1', 'true', 'yes'].includes(text.toLowerCase())) return true;
  if (['0', 'false', 'no'].includes(text.toLowerCase())) return false;
  throw new MeshError('USAGE', `${variable} must be 1 or 0, not "${text.slice(0, 60)}"`);
}

async function settingsOfFile(path: string): Promise<Settings> {
  let text: string;
  try {
    text = (await readUserFile(path, CONFIG_BYTES_MAX)).toString('utf8');
  } catch (error) {
    const { code } = ((error as MeshError).cause ?? {}) as NodeJS.ErrnoException;
    // A home that is none is complained about by whoever needs it.
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw error;
  }
  const { readConfig } = await import('./config-file.ts');
  return readConfig(path, text, checked);
}

/** Held to the words of the flags, and told in those of the place where it stands. */
function checked(settings: Settings, place: string): void {
  try {
    readJoinFlags({ wait: '15s', ...settings });
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    const message = error.message.replace(/--[a-z-]+/, place);
    throw new MeshError(error.code, message, error.hint === undefined ? {} : { hint: error.hint });
  }
}
