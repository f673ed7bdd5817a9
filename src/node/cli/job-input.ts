// From a file (or stdin) to a prepared job, in this process: the node never sees a path of the user's.
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { MeshError } from '../errors.ts';
import type { PreparedJob } from '../jobfile/prepare.ts';
import type { Context } from './context.ts';
import { parseNumber } from './options.ts';
import { plural } from './output/format.ts';

/** Bytes of a job file: ten thousand strategies written out are 5 MB. */
const JOB_FILE_BYTES_MAX = 64 * 2 ** 20;
/** Bytes of a data file, as text: twenty years of one-minute candles are 700 MB. */
const DATA_FILE_BYTES_MAX = 2 ** 31;

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
  const text = fromStdin ? await readStdin() : await readJobFile(file);
  const { data, cash, fee, part } = flags;
  const directory = fromStdin ? process.cwd() : dirname(resolve(file));
  const { prepareJob, formatProblems } = await import('../jobfile/prepare.ts');
  const result = await prepareJob({
    fileName: fromStdin ? 'stdin' : file,
    text,
    readFile: (path) => readBounded(resolve(directory, path), DATA_FILE_BYTES_MAX),
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

async function readJobFile(file: string): Promise<string> {
  return (await readBounded(file, JOB_FILE_BYTES_MAX)).toString('utf8');
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory, name a file in it',
};

async function readBounded(file: string, bytesMax: number): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > bytesMax) throw tooLong(file, bytesMax);
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof MeshError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const why = WHY[code ?? ''] ?? (cause as Error).message;
    throw new MeshError('BAD_INPUT', `cannot read ${file}: ${why}`, { cause });
  }
}

function tooLong(file: string, bytesMax: number): MeshError {
  return new MeshError('BAD_INPUT', `${file} has more than ${bytesMax / 2 ** 20} MiB`);
}
