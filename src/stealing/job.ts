// What every peer knows of a job before it has a byte of its file: enough to fetch it, rank its owner and
// account for its tasks.
import type { Interval } from '../deque/interval-set.ts';
import type { JobId, PeerId } from './ids.ts';

export interface BlobRef {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Immutable from submit on. */
export interface JobHeader {
  readonly job: JobId;
  readonly name: string;
  readonly submitter: PeerId;
  /** ISO 8601 UTC, for people; no decision reads it. */
  readonly submittedAt: string;
  readonly taskCount: number;
  /** Float64 per row, 1..20. */
  readonly rowWidth: number;
  /** Kernel id: a peer that lacks it cannot run the job. */
  readonly kernel: string;
  /** Rates are measured per kernel and data: two jobs with one key share them. */
  readonly rateKey: string;
  readonly spec: BlobRef;
  readonly datasets: readonly BlobRef[];
  /** -10..10, 0 when absent: jobs of a higher one run first. */
  readonly priority?: number | undefined;
  /** 1..100, 1 when absent: parts of the slots' time that the job has beside others of its priority. */
  readonly weight?: number | undefined;
  /** Which rows of others the owner runs again before the end: some of every peer's, or all; absent: none. */
  readonly audit?: 'sample' | 'all' | undefined;
  /** Peers that may run it; absent or empty: all. */
  readonly onlyPeers?: readonly PeerId[] | undefined;
  readonly notPeers?: readonly PeerId[] | undefined;
  /** Bytes that a peer must have to run it; a peer that has less cannot load it. */
  readonly memoryBytes?: number | undefined;
  /** Tasks that were answered from rows of earlier jobs: counted apart, and in nobody's share. */
  readonly cached?: readonly Interval[] | undefined;
  /** ms that one task may take on a slot, 1,000 at least; absent: as long as it takes. */
  readonly taskTimeoutMs?: number | undefined;
  /** The job that this one looks back at: nobody submitted it, and `last` is not it. */
  readonly about?: JobId | undefined;
}

/**
 * Consecutive rows of one maker. `rows` are results; `failures` are tasks whose attempts are used up: their
 * rows are NaN but for the error code in the last place, and a later real row replaces them.
 */
export interface RowBatch {
  readonly kind: 'rows' | 'failures';
  readonly maker: PeerId;
  /** Rising and disjoint; their tasks are the rows of `values` in order. */
  readonly intervals: readonly Interval[];
  /** Of failures: the job's round in which the attempts were made; 0 when absent. */
  readonly round?: number | undefined;
  /** Row-major, (tasks of intervals) x rowWidth. Shared by reference and never written again. */
  readonly values: Float64Array;
}

/** Whom a job's rows came from. */
export interface PeerShare {
  readonly peer: PeerId;
  readonly name: string;
  readonly addr: string;
  readonly slots: number;
  readonly done: number;
  readonly units: number;
  /** Units per slot-millisecond x slots when the job ended. */
  readonly rate: number;
}

/** How near a job came to what its costs and the measured speeds allow; 0..1. */
export interface JobEfficiency {
  /** The largest lower bound / elapsed. */
  readonly bound: number;
  /** A central queue without latency / elapsed: what the mesh costs. */
  readonly greedy: number;
  /** The same queue, longest task first: what order could give. */
  readonly lpt?: number | undefined;
  /** All work over all speeds; the longest task on the fastest slot; the k longest on the k fastest; whole equal
   * tasks on whole slots (0 when they differ); the way there and back. */
  readonly boundsMs?:
    | {
        readonly area: number;
        readonly longest: number;
        readonly prefix: number;
        readonly granularity: number;
        readonly latency: number;
      }
    | undefined;
}

/** How a job ended: a grow-only fact; `done` beats `cancelled` when both were written in a partition. */
export interface JobEnding {
  readonly state: 'done' | 'cancelled';
  /** Epoch ms of the owner's wall clock, for people. */
  readonly endedAtMs: number;
  readonly done: number;
  readonly failed: number;
  readonly elapsedMs: number;
  readonly shares: readonly PeerShare[];
  readonly steals: number;
  readonly messages: number;
  readonly efficiency: JobEfficiency;
  /** Messages of the result path, rows and their acknowledgements; `messages` are those of the steal path. */
  readonly resultMessages?: number | undefined;
  /** Tasks for which two peers have two rows, and nobody could judge. */
  readonly disputed?: number | undefined;
  /** Tasks that peers held which were lost, and that went to others. */
  readonly lost?: number | undefined;
  /** Tasks that were run a second time to compare the rows. */
  readonly checked?: number | undefined;
  /** How often the job was retried before this end; 0 when absent. */
  readonly round?: number | undefined;
}
