// mesh help TOPIC: pages that belong to no single verb.
import { EXIT_CODES } from '../errors.ts';

const EXIT_MEANINGS: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'success; the job ended and no task failed'],
  [String(EXIT_CODES.INTERNAL), 'unexpected error, or a node runs in this home already'],
  [String(EXIT_CODES.USAGE), 'unknown command, flag, value, job or task'],
  [String(EXIT_CODES.NO_NODE), 'no node runs here, or the peer cannot be reached'],
  [
    String(EXIT_CODES.TASKS_FAILED),
    'the job ended, some tasks failed or are disputed; the other results are there',
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
  [
    'MESH_NAME',
    'as --name of join; so are MESH_SLOTS, MESH_MEMORY, MESH_LISTEN, MESH_PORT and MESH_KEEP',
  ],
  ['MESH_PEERS', 'addresses with commas, as --peer of join; MESH_ALLOW_NET as --allow-net'],
  ['MESH_POLITE', '1 or 0, as --polite of join; so are MESH_AWAKE, MESH_WORK and MESH_KEEP_TRYING'],
  ['MESH_LOG_LEVEL', 'trace, debug, info (default), warn or error: what a node writes down'],
  ['NO_COLOR', 'no colour; FORCE_COLOR=1 the opposite; TERM=dumb counts'],
  ['COLUMNS', 'width of the screen when the terminal does not say'],
  ['DEBUG', 'set to anything: errors come with their stack'],
];

const FORMATTING = `stdout is data, stderr is everything else; each decides for itself.

on a terminal     lists are tables, jobs have a live block, results are a table
on a pipe         peers, jobs: tab-separated, a header line, raw numbers
                  submit, watch, results, logs: one JSON object a line, results as they come in
--json            one object with "v": 1 on stdout; an error is one line on stderr
--plain           tab-separated, no colour; results --by peer: count<TAB>address
-q                nothing; the exit status speaks (submit -d -q: the job id alone)
-o FILE           .ndjson, .csv, .json or .parquet
--color WHEN      auto, always, never; NO_COLOR, FORCE_COLOR and TERM=dumb count

Durations are 90s, 10m, 1h30m; counts may be 1_000_000. A job is its id, three or more characters of that, its
name, or last. Times are ISO 8601 UTC in JSON and of this machine on screens; shares are 0..1 in JSON.`;

const RAY: readonly (readonly [ray: string, mesh: string])[] = [
  ['ray start --head --num-cpus=12', 'mesh join --slots 12            (there is no head)'],
  ['ray start --address=HEAD:6379', 'mesh join --peer ANY_MACHINE'],
  ['ray stop', 'mesh leave                      (at once: mesh stop)'],
  ['own launchd plist, own logs', 'mesh service install            mesh logs -f --all'],
  ['ray status, the dashboard', 'mesh peers, mesh top            (scripts: --json)'],
  ['@ray.remote(…SPREAD…)', 'nothing: idle machines take work by themselves'],
  ['ray.get([f.remote(x) …])', 'mesh submit strategies.json'],
  ['… | sort | uniq -c', 'mesh results last --by peer'],
  [
    'the script dies with its driver',
    'the job outlives the terminal, the submitter and any one machine',
  ],
  ['actors, object store, GPUs', 'not offered'],
];

export const HELP_TOPICS: Readonly<Record<string, () => string>> = {
  'exit-codes': () => twoColumns(EXIT_MEANINGS),
  environment: () => `${twoColumns(ENVIRONMENT)}\n${SETTINGS}`,
  formatting: () => FORMATTING,
  ray: () => twoColumns(RAY),
};

const SETTINGS = `
Flags of join that shall always hold also stand in config.json of that home, with an editor's help:

  { "$schema": "./config.schema.json", "name": "studio", "slots": 10, "peers": ["100.77.179.14"], "keep": "90d" }

  mesh schema config > ~/.mesh/config.schema.json

A flag beats the environment, the environment beats the file, the file what mesh takes by itself. A file that has a
mistake stops the command that reads it (exit 65).`;

function twoColumns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`).join('\n');
}
