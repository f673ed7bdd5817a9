// From a job's header to slots that know it: gets the blobs that this disk lacks from any peer that has them,
// validates the spec, puts the candles into memory that all slots share, and compiles the job once more here,
// for its costs and for the names that people read. Tries for as long as the job is active.
import { setTimeout as delay } from 'node:timers/promises';
import { decodeCandles } from '../../kernel/candles.ts';
import { compileJob } from '../../kernel/compile.ts';
import type { Candles, TaskRunner } from '../../kernel/job.ts';
import type { PeerId } from '../../stealing/ids.ts';
import type { BlobRef, JobHeader } from '../../stealing/job.ts';
import { MeshError } from '../errors.ts';
import { kernelFault } from './kernel-id.ts';

/** ms between two rounds over the peers that may have a blob. */
const RETRY_MS = 500;
/** Compiled jobs kept for labels and trades; each holds its indicator cache. */
const RUNNERS_MAX = 8;

interface BlobShelf {
  has(sha256: string): Promise<boolean>;
  read(sha256: string): Promise<Uint8Array>;
  readShared(sha256: string): Promise<SharedArrayBuffer>;
}

export interface SlotJob {
  readonly jobNumber: number;
  readonly specBytes: Uint8Array;
  readonly datasets: readonly { readonly sha256: string; readonly buffer: SharedArrayBuffer }[];
  readonly taskTimeoutMs?: number | undefined;
}

export interface LoaderPorts {
  /** For candles and what is computed of them. */
  readonly memoryBytes: number;
  /** Ids of this peer's kernels. */
  readonly kernels: readonly string[];
  readonly blobs: BlobShelf;
  /** Live peers that may have the job's blobs, by now. */
  holders(header: JobHeader): readonly PeerId[];
  /** Resolves when the blob is on this disk. */
  fetchBlob(blob: BlobRef, from: readonly PeerId[], signal: AbortSignal): Promise<void>;
  /** Of the blob of that name. */
  readSpec(sha256: string, bytes: Uint8Array): Promise<Parameters<typeof compileJob>[0]>;
  loadSlots(job: SlotJob): void;
  /** All that this machine has. */
  readonly machineBytes: number;
}

/** What a submit has read and compiled; it is loaded a moment later, and a loop over generations waits for that. */
interface ReadyJob extends Pick<SlotJob, 'specBytes' | 'datasets'> {
  readonly job: string;
}

/** The job cannot run here, however often it is tried. */
class Unloadable extends Error {}

function requireMemory({ memoryBytes = 0 }: JobHeader, here: number): void {
  if (memoryBytes <= here) return;
  const [needs, has] = [memoryBytes, here].map((bytes) => `${(bytes / 2 ** 30).toFixed(1)} GiB`);
  throw new Unloadable(`the job needs ${needs} of memory, and this machine has ${has}`);
}

export class JobLoader {
  readonly #ports: LoaderPorts;
  readonly #loading = new Map<string, AbortController>();
  readonly #runners = new Map<string, TaskRunner>();
  #ready: ReadyJob | undefined;

  constructor(ports: LoaderPorts) {
    this.#ports = ports;
  }

  /** Resolves with the runner when the slots know the job; undefined when it was unloaded meanwhile. Throws
   * Unloadable. */
  async load(header: JobHeader, jobNumber: number): Promise<TaskRunner | undefined> {
    const abort = new AbortController();
    this.#loading.set(header.job, abort);
    try {
      this.#checkMemory(header);
      requireMemory(header, this.#ports.machineBytes);
      // Before anything is fetched: data that cannot be used here stay where they are.
      const fault = kernelFault(header.kernel, this.#ports.kernels);
      if (fault !== undefined) throw new Unloadable(fault);
      const { specBytes, datasets } =
        this.#takeReady(header.job) ?? (await this.#fetched(header, abort.signal));
      const runner =
        this.#runners.get(header.job) ?? (await this.#compile(header, specBytes, datasets));
      if (runner.taskCount !== header.taskCount || runner.columns.length !== header.rowWidth) {
        throw new Unloadable('the file does not hold what the header promises');
      }
      const { taskTimeoutMs } = header;
      this.#ports.loadSlots({ jobNumber, specBytes, datasets, taskTimeoutMs });
      return abort.signal.aborted ? undefined : runner;
    } catch (error) {
      if (abort.signal.aborted) return undefined;
      throw error;
    } finally {
      this.#loading.delete(header.job);
    }
  }

  /** Stops fetching for a job that has ended. */
  cancel(job: string): void {
    this.#loading.get(job)?.abort();
  }

  cancelAll(): void {
    for (const abort of this.#loading.values()) abort.abort();
  }

  /** The compiled job, for names, columns and trades; its blobs must be on this disk, but for a spec that is given. */
  async runner(
    header: Pick<JobHeader, 'job' | 'spec' | 'datasets'>,
    given?: Uint8Array,
  ): Promise<TaskRunner> {
    const known = this.#runners.get(header.job);
    if (known !== undefined) return known;
    for (const { sha256 } of given === undefined
      ? [header.spec, ...header.datasets]
      : header.datasets) {
      if (!(await this.#ports.blobs.has(sha256))) {
        throw new MeshError('NOT_FOUND', 'the data of this job is not on this machine', {
          hint: 'ask on a machine that ran it: mesh jobs names the owner',
        });
      }
    }
    const specBytes = given ?? (await this.#ports.blobs.read(header.spec.sha256));
    const datasets = await this.#datasets(header.datasets);
    const runner = await this.#compile(header, specBytes, datasets);
    if (given !== undefined) this.#ready = { job: header.job, specBytes, datasets };
    return runner;
  }

  /** The compiled job if it is at hand. */
  knownRunner(job: string): TaskRunner | undefined {
    return this.#runners.get(job);
  }

  /** Said before a byte of it is fetched. */
  #checkMemory({ datasets }: JobHeader): void {
    const bytes = datasets.reduce((sum, blob) => sum + blob.bytes, 0);
    const { memoryBytes } = this.#ports;
    if (bytes <= memoryBytes) return;
    throw new Unloadable(
      `its candles take ${mebibytes(bytes)} and this peer gives ${mebibytes(memoryBytes)} to backtests (mesh join --memory)`,
    );
  }

  #takeReady(job: string): ReadyJob | undefined {
    const ready = this.#ready?.job === job ? this.#ready : undefined;
    this.#ready = undefined;
    return ready;
  }

  async #fetched(
    header: JobHeader,
    signal: AbortSignal,
  ): Promise<Pick<ReadyJob, 'specBytes' | 'datasets'>> {
    for (const blob of [header.spec, ...header.datasets]) await this.#get(header, blob, signal);
    const specBytes = await this.#ports.blobs.read(header.spec.sha256);
    return { specBytes, datasets: await this.#datasets(header.datasets) };
  }

  async #get(header: JobHeader, blob: BlobRef, signal: AbortSignal): Promise<void> {
    while (!(await this.#ports.blobs.has(blob.sha256))) {
      signal.throwIfAborted();
      const from = this.#ports.holders(header);
      try {
        if (from.length > 0) {
          await this.#ports.fetchBlob(blob, from, signal);
          continue;
        }
      } catch (error) {
        if (signal.aborted) throw error;
        // No peer gave it just now (gone, cut off, still fetching itself): the next round asks again.
      }
      await delay(RETRY_MS, undefined, { signal });
    }
  }

  async #datasets(blobs: readonly BlobRef[]): Promise<SlotJob['datasets']> {
    return Promise.all(
      blobs.map(async ({ sha256 }) => ({
        sha256,
        buffer: await this.#ports.blobs.readShared(sha256),
      })),
    );
  }

  async #compile(
    { job, spec: { sha256 } }: Pick<JobHeader, 'job' | 'spec'>,
    specBytes: Uint8Array,
    datasets: SlotJob['datasets'],
  ): Promise<TaskRunner> {
    try {
      const spec = await this.#ports.readSpec(sha256, specBytes);
      const candles = new Map<string, Candles>(
        datasets.map(({ sha256, buffer }) => [sha256, decodeCandles(new Uint8Array(buffer))]),
      );
      const runner = compileJob(spec, candles);
      this.#remember(job, runner);
      return runner;
    } catch (error) {
      throw new Unloadable(error instanceof Error ? error.message : String(error), {
        cause: error,
      });
    }
  }

  #remember(job: string, runner: TaskRunner): void {
    this.#runners.set(job, runner);
    for (const oldest of this.#runners.keys()) {
      if (this.#runners.size <= RUNNERS_MAX) break;
      this.#runners.delete(oldest);
    }
  }
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
