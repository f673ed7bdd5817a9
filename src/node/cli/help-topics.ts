// mesh help TOPIC: pages that belong to no single verb.
import { EXIT_CODES } from '../errors.ts';

const EXIT_MEANINGS: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'success; the job ended and no task failed'],
  [String(EXIT_CODES.INTERNAL), 'unexpected error, or a node runs in this home already'],
  [String(EXIT_CODES.USAGE), 'unknown command, flag, value, job or task'],
  [String(EXIT_CODES.NO_NODE), 'no node runs here, or the peer cannot be reached'],
  [
    String(EXIT_CODES.TASKS_FAILED),
    'the job ended, some tasks failed; the other results are there',
  ],
  [String(EXIT_CODES.CANCELLED), 'the job was cancelled'],
  [String(EXIT_CODES.TIMEOUT), '--timeout passed; the job goes on'],
  [String(EXIT_CODES.REFUSED), 'not admitted: another mesh key, another login'],
  [String(EXIT_CODES.VERSION), 'the versions do not fit'],
  [String(EXIT_CODES.ADDRESS_IN_USE), 'the port is taken'],
  [String(EXIT_CODES.BAD_INPUT), 'the input file is wrong; nothing was submitted'],
  ['130', 'Ctrl-C: detached, the job goes on'],
  ['143', 'SIGTERM: detached, the job goes on'],
  ['129', 'SIGHUP: detached, the job goes on'],
];

const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ['MESH_HOME', 'where this machine keeps key, identity and jobs (default ~/.mesh)'],
  ['MESH_LOG_LEVEL', 'trace, debug, info (default), warn or error: what a node writes down'],
  ['NO_COLOR', 'no colour; FORCE_COLOR=1 the opposite; TERM=dumb counts'],
  ['COLUMNS', 'width of the screen when the terminal does not say'],
  ['DEBUG', 'set to anything: errors come with their stack'],
];

export const HELP_TOPICS: Readonly<Record<string, () => string>> = {
  'exit-codes': () => twoColumns(EXIT_MEANINGS),
  environment: () => twoColumns(ENVIRONMENT),
};

function twoColumns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`).join('\n');
}
