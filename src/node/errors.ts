// The one error class of everything that touches the world, and what each code means to a script.
// Bugs are not here: a broken invariant throws a plain Error and ends as INTERNAL.

/** Exit status per code; the table is a promise to scripts (docs: exit codes). */
export const EXIT_CODES = {
  /** A bug or an I/O fault that nothing else names. */
  INTERNAL: 1,
  /** Unknown verb, flag or value. Retry cannot help. */
  USAGE: 2,
  /** No peer runs on this machine. `mesh join` helps. */
  NO_NODE: 3,
  /** The other side does not answer. A retry can help. */
  UNREACHABLE: 3,
  /** The job ended, some of its tasks failed or are disputed. */
  TASKS_FAILED: 4,
  /** The job was cancelled. */
  CANCELLED: 5,
  /** --timeout passed; the job goes on. */
  TIMEOUT: 6,
  /** Not admitted: another mesh key, another login. */
  REFUSED: 7,
  /** The two versions do not speak the same protocol. */
  VERSION: 8,
  /** The port is taken. */
  ADDRESS_IN_USE: 9,
  /** A peer runs in this home already. */
  ALREADY_RUNNING: 1,
  /** No such job, task or peer. */
  NOT_FOUND: 2,
  /** The disk is full or failing. Space helps. */
  DISK: 1,
  /** The input file is wrong. */
  BAD_INPUT: 65,
} as const;

export type ErrorCode = keyof typeof EXIT_CODES;

export class MeshError extends Error {
  readonly code: ErrorCode;
  /** What to do next: a command or a sentence. */
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, more: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: more.cause });
    this.name = 'MeshError';
    this.code = code;
    this.hint = more.hint;
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}
