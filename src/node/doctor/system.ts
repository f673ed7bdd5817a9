// How the doctor looks at a machine: by programs that every system has and by files, read-only and with a time limit.
// Whatever is not there or cannot be read is undefined, and the check that wanted it stays silent.
import { execFile } from 'node:child_process';
import { access, constants, readdir, readFile, stat } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';

export interface System {
  readonly platform: NodeJS.Platform;
  readonly uid: number;
  readonly userHome: string;
  /** What the program printed; undefined when it is not there, fails or takes too long. */
  run(program: string, words: readonly string[]): Promise<string | undefined>;
  read(file: string): Promise<string | undefined>;
  /** Names in a directory; none when it is not there. */
  list(directory: string): Promise<readonly string[]>;
  /** Permission bits. */
  mode(file: string): Promise<number | undefined>;
}

/** A background service's PATH is minimal, and a Mac keeps some tools elsewhere. */
const MORE_PLACES = [
  '/usr/bin',
  '/bin',
  '/usr/sbin',
  '/sbin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/Applications/Tailscale.app/Contents/MacOS',
];
/** ms. These tools answer in tens of them, or hang. */
const RUN_MS_MAX = 5_000;
const OUTPUT_BYTES_MAX = 16 * 2 ** 20;

export interface SystemWish {
  readonly platform?: NodeJS.Platform;
  readonly userHome?: string;
  /** As the environment variable PATH. */
  readonly path?: string;
  readonly morePlaces?: readonly string[];
}

export function lookAtSystem(wish: SystemWish = {}): System {
  const path = wish.path ?? process.env['PATH'] ?? '';
  const places = [...path.split(delimiter), ...(wish.morePlaces ?? MORE_PLACES)];
  return {
    platform: wish.platform ?? process.platform,
    uid: userInfo().uid,
    userHome: wish.userHome ?? homedir(),
    run: async (program, words) => {
      const file = await findProgram(program, places);
      return file === undefined ? undefined : runProgram(file, words);
    },
    read: (file) => readFile(file, 'utf8').catch(() => undefined),
    list: (directory) => readdir(directory).catch(() => []),
    mode: (file) =>
      stat(file).then(
        ({ mode }) => mode & 0o777,
        () => undefined,
      ),
  };
}

async function findProgram(
  program: string,
  places: readonly string[],
): Promise<string | undefined> {
  const names = program === 'tailscale' ? [program, 'Tailscale'] : [program];
  for (const place of places) {
    for (const name of place === '' ? [] : names) {
      const file = join(place, name);
      const isThere = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return file;
    }
  }
  return undefined;
}

function runProgram(file: string, words: readonly string[]): Promise<string | undefined> {
  const options = {
    timeout: RUN_MS_MAX,
    killSignal: 'SIGKILL' as const,
    maxBuffer: OUTPUT_BYTES_MAX,
  };
  return new Promise((resolve) => {
    execFile(file, words, options, (error, stdout) => resolve(error === null ? stdout : undefined));
  });
}
