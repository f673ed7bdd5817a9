// From a file (or stdin) to a prepared job, in this process: the node never sees a path of the user's.
import { dirname, resolve } from 'node:path';
import { MeshError } from '../errors.ts';
import type { PreparedJob } from '../jobfile/prepare.ts';
import {
  DATA_FILE_BYTES_MAX,
  JOB_FILE_BYTES_MAX,
  readUserFile,
  tooLong,
} from '../jobfile/user-file.ts';
import type { Context } from './context.ts';
import { parseNumber } from './options.ts';
import { plural } from './output/format.ts';

export interface InputFlags {
  readonly data?: string;
  readonly cash?: string;
  readonly fee?: string;
  readonly part?: string;
}

/** Undefined: the problems are on the screen, nothing is to be submitted. */
export async function readJob(
  context: Context,
  file: string,
  flags: InputFlags,
): Promise<PreparedJob | undefined> {
  const fromStdin = file === '-';
  const text = fromStdin
    ? await readStdin()
    : (await readUserFile(file, JOB_FILE_BYTES_MAX)).toString('utf8');
  const { data, cash, fee, part } = flags;
  const directory = fromStdin ? process.cwd() : dirname(resolve(file));
  const { prepareJob, formatProblems } = await import('../jobfile/prepare.ts');
  const result = await prepareJob({
    fileName: fromStdin ? 'stdin' : file,
    text,
    readFile: (path) => readUserFile(resolve(directory, path), DATA_FILE_BYTES_MAX),
    overrides: {
      // A flag is relative to where the user stands, a name in the file to the file.
      ...(data === undefined ? {} : { dataFile: resolve(data) }),
      ...(cash === undefined ? {} : { cash: parseNumber(cash, '--cash') }),
      ...(fee === undefined ? {} : { fee: parseNumber(fee, '--fee') }),
      ...(part === undefined ? {} : { part }),
    },
  });
  if (result.ok) return result.prepared;
  const details = formatProblems(result.problems);
  const count = plural(result.problems.length, 'problem');
  if (context.json) throw new MeshError('BAD_INPUT', `${details}\n${count}`);
  context.err.line(details);
  context.err.line(`${count}; nothing was submitted`);
  return undefined;
}

async function readStdin(): Promise<string> {
  if (process.stdin.isTTY) {
    throw new MeshError('USAGE', 'mesh submit - reads the job file from stdin', {
      hint: 'mesh submit strategies.json',
    });
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > JOB_FILE_BYTES_MAX) throw tooLong('stdin', JOB_FILE_BYTES_MAX);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
