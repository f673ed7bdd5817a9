// The mesh as a library: `for await (const result of mesh.submit(file))`. The same peer, the same contracts and the
// same errors as the command line; where no node runs, this process is one for as long as the connection is open.
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { JobsView, JobSummary, PeersView, ResultsView, RowsEvent } from './control/api.ts';
import { ControlClient } from './control/client.ts';
import type { ControlHandlers, ResultsQuery } from './control/handlers.ts';
import { submitPrepared } from './control/submission.ts';
import { MeshError } from './errors.ts';
import { formatProblems, prepareJob } from './jobfile/prepare.ts';
import { DATA_FILE_BYTES_MAX, JOB_FILE_BYTES_MAX, readUserFile } from './jobfile/user-file.ts';

export interface ConnectOptions {
  /** State of the peer; default: $MESH_HOME or ~/.mesh. */
  readonly home?: string;
  /** Another peer that shall answer: its name, address or id. Needs a node on this machine. */
  readonly via?: string;
  /** Without a node in `home`, be one: `auto` (default), or fail with NO_NODE: `never`. */
  readonly embed?: 'auto' | 'never';
  /** Of such a node: where the mesh can be reached, and how many slots it has (default: all cores). */
  readonly peers?: readonly string[];
  readonly slots?: number;
}

export interface SubmitOptions {
  /** What the job is called; default: the name in it, or of the file. */
  readonly name?: string;
  /** Where the names of data files in a job object begin; default: the working directory. */
  readonly directory?: string;
  /** Ends the iteration with its reason. The job goes on; `run.cancel()` ends it. */
  readonly signal?: AbortSignal;
}

/** One finished task. Undefined metrics are null. */
export interface MeshResult {
  readonly task: number;
  /** Its strategy, and the values of its variables. */
  readonly name: string;
  readonly params: Readonly<Record<string, number | string>>;
  /** Empty when the task failed. */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Why the task failed for good; absent: it did not. */
  readonly errorCode?: number;
}

/** A job on its way. Iterate it once: every counted result comes exactly once, in the order in which they count. */
export interface MeshRun extends AsyncIterable<MeshResult> {
  /** As people type it; resolves when job and data are durable. */
  readonly job: Promise<string>;
  /** Resolves when the job has ended, whether it is iterated or not. */
  readonly summary: Promise<JobSummary>;
  cancel(): Promise<void>;
}

export interface Mesh {
  /** A job file by its path, or its content as an object. */
  submit(job: string | object, options?: SubmitOptions): MeshRun;
  peers(): Promise<PeersView>;
  jobs(): Promise<JobsView>;
  /** `job`: id, prefix of one, name, or `last`. */
  results(job: string, query?: ResultsQuery): Promise<ResultsView>;
  summary(job: string, top?: number): Promise<JobSummary>;
  /** Jobs of a running node go on; a node of this process hands over what it can and ends. */
  close(): Promise<void>;
}

/** ms for the members that an embedded node names to answer. */
const REACH_MS = 15_000;
/** ms for handing over unfinished work when the last user of an embedded node goes. */
const LEAVE_MS = 5_000;
const TOP_DEFAULT = 10;

/** Throws NO_NODE, UNREACHABLE, REFUSED, ALREADY_RUNNING as the command line does. */
export async function connect(options: ConnectOptions = {}): Promise<Mesh> {
  const home = resolve(options.home ?? process.env['MESH_HOME'] ?? join(homedir(), '.mesh'));
  const node = await ControlClient.find(home, options.via);
  if (node !== undefined) {
    await node.status();
    return meshOf(node, () => Promise.resolve());
  }
  if (options.embed === 'never' || options.via !== undefined) {
    throw new MeshError('NO_NODE', 'no mesh node runs on this machine', { hint: 'mesh join' });
  }
  return embedded(home, options);
}

async function embedded(home: string, { peers = [], slots }: ConnectOptions): Promise<Mesh> {
  const { Daemon } = await import('./daemon.ts');
  const { meshVersion } = await import('./cli/version.ts');
  const daemon = await Daemon.start({
    home,
    version: meshVersion(),
    embedded: true,
    peers: [],
    ...(slots === undefined ? {} : { slots }),
  });
  try {
    await Promise.all(peers.map((peer) => daemon.handlers.connect(peer, REACH_MS)));
  } catch (error) {
    await daemon.close();
    throw error;
  }
  return meshOf(daemon.handlers, async () => {
    await daemon.handlers.leave({ timeoutMs: LEAVE_MS });
    await daemon.close();
  });
}

function meshOf(peer: ControlHandlers, close: () => Promise<void>): Mesh {
  const files = new DataFiles();
  return {
    submit: (job, options = {}) => new Run(peer, submit(peer, files, job, options), options.signal),
    peers: async () => peer.peers(),
    jobs: async () => peer.jobs(),
    results: async (job, query = { labels: true }) => peer.results(job, query),
    summary: async (job, top = TOP_DEFAULT) => peer.summary(job, { top }),
    close,
  };
}

async function submit(
  peer: ControlHandlers,
  files: DataFiles,
  job: string | object,
  { name, directory = process.cwd() }: SubmitOptions,
): Promise<string> {
  const isPath = typeof job === 'string';
  const folder = isPath ? dirname(resolve(job)) : resolve(directory);
  const prepared = await prepareJob({
    fileName: isPath ? job : 'job',
    text: isPath
      ? (await readUserFile(job, JOB_FILE_BYTES_MAX)).toString('utf8')
      : JSON.stringify(job),
    readFile: (path) => files.read(resolve(folder, path)),
  });
  if (!prepared.ok) throw new MeshError('BAD_INPUT', formatProblems(prepared.problems));
  const given = { ...prepared.prepared, name: name ?? prepared.prepared.name };
  return (await submitPrepared(peer, given)).job;
}

/** The same bytes for a file that has not changed: whoever knows them need not read candles a second time. */
class DataFiles {
  readonly #known = new Map<string, { readonly stamp: string; readonly bytes: Uint8Array }>();

  async read(path: string): Promise<Uint8Array> {
    const stats = await stat(path).catch(() => undefined);
    const stamp = stats?.isFile() === true ? `${stats.mtimeMs} ${stats.size} ${stats.ino}` : '';
    const known = this.#known.get(path);
    if (known?.stamp === stamp) return known.bytes;
    const bytes = await readUserFile(path, DATA_FILE_BYTES_MAX);
    if (stamp !== '') this.#known.set(path, { stamp, bytes });
    return bytes;
  }
}

class Run implements MeshRun {
  readonly job: Promise<string>;
  readonly summary: Promise<JobSummary>;
  readonly #peer: ControlHandlers;
  readonly #signal: AbortSignal | undefined;
  #waiting: RowsEvent[] = [];
  #isOver = false;
  #wake: () => void = () => {};

  constructor(peer: ControlHandlers, job: Promise<string>, signal: AbortSignal | undefined) {
    this.#peer = peer;
    this.#signal = signal;
    this.job = job;
    this.summary = this.#follow();
    // Who only iterates hears of a failure there; who only waits, here. Neither must be a crash.
    this.summary.catch(() => {});
    this.job.catch(() => {});
  }

  async cancel(): Promise<void> {
    await this.#peer.cancel(await this.job);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<MeshResult> {
    for (;;) {
      this.#signal?.throwIfAborted();
      const event = this.#waiting.shift();
      if (event !== undefined) yield* resultsOf(event);
      else if (this.#isOver) break;
      else await this.#news();
    }
    await this.summary;
  }

  async #follow(): Promise<JobSummary> {
    try {
      const job = await this.job;
      const { promise, resolve, reject } = Promise.withResolvers<JobSummary>();
      const options = { rows: true, labels: true, top: TOP_DEFAULT };
      const stop = await this.#peer.watch(job, options, (event) => {
        if (event.kind === 'rows') this.#waiting.push(event);
        if (event.kind === 'ended') resolve(event.summary);
        if (event.kind === 'broken') reject(new MeshError('UNREACHABLE', event.reason));
        if (event.kind === 'rows') this.#wake();
      });
      return await promise.finally(stop);
    } finally {
      this.#isOver = true;
      this.#wake();
    }
  }

  #news(): Promise<void> {
    return new Promise((wake) => {
      this.#wake = wake;
      this.#signal?.addEventListener('abort', () => wake(), { once: true });
    });
  }
}

function* resultsOf({ columns, tasks, values, failed, labels }: RowsEvent): Generator<MeshResult> {
  const width = columns.length;
  const failedTasks = new Set(failed);
  for (const [at, task] of tasks.entries()) {
    const row = values.subarray(at * width, (at + 1) * width);
    const label = labels?.[at] ?? { name: '', params: {} };
    if (failedTasks.has(task)) {
      yield { task, ...label, metrics: {}, errorCode: row[width - 1] ?? Number.NaN };
    } else {
      const metrics = columns.map((name, nth) => [name, orNull(row[nth])] as const);
      yield { task, ...label, metrics: Object.fromEntries(metrics) };
    }
  }
}

function orNull(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}
