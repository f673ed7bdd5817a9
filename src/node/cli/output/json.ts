// What scripts read: one JSON object per line, and every error as one line on stderr.
import type { ErrorBody } from '../../control/api.ts';
import type { MeshError } from '../../errors.ts';
import type { Terminal } from './terminal.ts';

export function printJson(terminal: Terminal, value: unknown): void {
  terminal.line(JSON.stringify(value));
}

export function errorBody(error: MeshError): ErrorBody {
  return {
    error: {
      code: error.code,
      message: error.message,
      hint: error.hint ?? null,
      exit: error.exitCode,
    },
  };
}
