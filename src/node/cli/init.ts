// mesh init: a job file that runs, with candles and the schema for editors, into a folder. A first file is easier to
// change than to write. What lies there already is never overwritten unless --force says so.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { MeshError } from '../errors.ts';
import { exampleFile } from '../example.ts';
import { strategiesJsonSchema } from '../jobfile/editor-schema.ts';
import type { Context } from './context.ts';
import { printJson } from './output/json.ts';

const JOB_FILE = 'strategies.json';
const SCHEMA_FILE = 'strategies.schema.json';

interface NewFile {
  readonly name: string;
  readonly about: string;
  readonly bytes: Buffer;
}

export async function init(
  context: Context,
  folder: string,
  { force = false }: { readonly force?: boolean },
): Promise<number> {
  const target = resolve(folder);
  const files = await filesOfStart();
  try {
    await mkdir(target, { recursive: true });
    if (!force) await refuseToOverwrite(target, files);
    for (const { name, bytes } of files) {
      // Equal files stay as they are.
      await writeFile(join(target, name), bytes, { flag: force ? 'w' : 'wx' }).catch(
        ignoreExisting,
      );
    }
  } catch (error) {
    throw asMeshError(error, target);
  }
  if (context.json) {
    printJson(context.out, { v: 1, folder: target, files: files.map(({ name }) => name) });
  } else if (!context.quiet) {
    for (const line of screen(shortest(target), files)) context.out.line(line);
  }
  return 0;
}

async function exampleJob(): Promise<string> {
  const text = await readFile(exampleFile('aapl.json'), 'utf8');
  return text.replace('{\n', `{\n  "$schema": "./${SCHEMA_FILE}",\n`);
}

async function filesOfStart(): Promise<readonly NewFile[]> {
  const schema = `${JSON.stringify(strategiesJsonSchema(), null, 2)}\n`;
  return [
    {
      name: JOB_FILE,
      about: 'three strategies, every point of their grids a backtest',
      bytes: Buffer.from(await exampleJob()),
    },
    {
      name: 'aapl.csv',
      about: 'daily candles of Apple, 2013-2018',
      bytes: await readFile(exampleFile('aapl.csv')),
    },
    {
      name: 'aapl-NOTICE.md',
      about: 'where they come from, and their licence',
      bytes: await readFile(exampleFile('NOTICE.md')),
    },
    {
      name: SCHEMA_FILE,
      about: 'lets an editor complete and check the file',
      bytes: Buffer.from(schema),
    },
  ];
}

/** The same bytes are no loss: a second `mesh init` in a row says what the first one said. */
async function refuseToOverwrite(target: string, files: readonly NewFile[]): Promise<void> {
  const inTheWay: string[] = [];
  for (const { name, bytes } of files) {
    const found = await readFile(join(target, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (found !== undefined && !found.equals(bytes)) inTheWay.push(name);
  }
  if (inTheWay.length === 0) return;
  const are = inTheWay.length === 1 ? 'is' : 'are';
  throw new MeshError(
    'USAGE',
    `${inTheWay.join(' and ')} ${are} in ${target} already; nothing was written`,
    { hint: 'mesh init another-folder, or mesh init --force to overwrite' },
  );
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function asMeshError(error: unknown, target: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof MeshError || code === undefined) return error;
  return new MeshError('DISK', `cannot write into ${target}: ${code}`, {
    hint: 'mesh init FOLDER, with a folder that you may write to',
    cause: error,
  });
}

/** As one would type it from here. */
function shortest(target: string): string {
  const path = relative(process.cwd(), target);
  return path.split(sep)[0] === '..' ? target : path;
}

function screen(folder: string, files: readonly NewFile[]): readonly string[] {
  const width = Math.max(...files.map(({ name }) => name.length));
  const path = folder === '' ? JOB_FILE : join(folder, JOB_FILE);
  return [
    ...files.map(({ name, about }) => `${name.padEnd(width)}  ${about}`),
    '',
    `see what it would be:  mesh submit ${path} --dry-run`,
    `run it:                mesh submit ${path}`,
  ];
}
