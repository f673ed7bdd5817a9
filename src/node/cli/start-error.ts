// How a background node that cannot start tells the `join` that started it: one JSON line in a file, because its
// stderr goes to the log.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ErrorBody } from '../control/api.ts';
import { EXIT_CODES, type ErrorCode, MeshError } from '../errors.ts';
import { errorBody } from './output/json.ts';

function startErrorPath(home: string): string {
  return join(home, 'run', 'start-error.json');
}

export async function writeStartError(home: string, thrown: unknown): Promise<void> {
  const error =
    thrown instanceof MeshError
      ? thrown
      : new MeshError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown));
  await mkdir(join(home, 'run'), { recursive: true, mode: 0o700 });
  await writeFile(startErrorPath(home), `${JSON.stringify(errorBody(error))}\n`, { mode: 0o600 });
}

export async function clearStartError(home: string): Promise<void> {
  await rm(startErrorPath(home), { force: true });
}

/** Undefined when there is none, or only the first half of one. */
export async function readStartError(home: string): Promise<MeshError | undefined> {
  try {
    const { error } = JSON.parse(await readFile(startErrorPath(home), 'utf8')) as ErrorBody;
    const code = Object.hasOwn(EXIT_CODES, error.code) ? (error.code as ErrorCode) : 'INTERNAL';
    return new MeshError(code, error.message, error.hint === null ? {} : { hint: error.hint });
  } catch {
    return undefined;
  }
}
