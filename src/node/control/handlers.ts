// The one list of what a peer can be asked to do. The daemon implements it, the server puts it on a socket, the
// client offers it again on the other side: a verb cannot tell whether the peer lives in its own process.
import type {
  ApprovalView,
  BrokenEvent,
  CancelView,
  ConnectView,
  ForgetView,
  InviteView,
  JobEvent,
  JobsView,
  JobSummary,
  KeyView,
  LeaveView,
  PeersView,
  RekeyView,
  ResultsView,
  SnapshotEvent,
  StatusView,
  SubmitView,
  TradesView,
} from './api.ts';
import type { DrainView, ExplainView, StealLogView } from './placement-api.ts';
import type { LogLine, LogQuery } from '../logs/log-line.ts';
import type { RowFilter } from './row-query.ts';
import type { FailuresView, RetryView } from './failure-api.ts';
import type { SegmentsView } from './segments-api.ts';

type Awaitable<T> = T | Promise<T>;

export interface BlobName {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** A prepared job whose blobs are on the peer already. */
export interface SubmitRequest {
  readonly name: string;
  readonly kernel: string;
  readonly spec: BlobName;
  /** The spec itself, while it is small; a large one is put before. */
  readonly specText?: string | undefined;
  readonly datasets: readonly BlobName[];
  readonly taskCount: number;
  /** -10..10 and 1..100; default 0 and 1. */
  readonly priority?: number | undefined;
  readonly weight?: number | undefined;
  /** Which rows of others are run again before the end; default: some of every peer's. */
  readonly audit?: 'sample' | 'all' | 'none' | undefined;
  /** Names, addresses or ids of peers. */
  readonly onlyPeers?: readonly string[] | undefined;
  readonly notPeers?: readonly string[] | undefined;
  readonly memoryBytes?: number | undefined;
  /** Compute everything, whatever rows are known. */
  readonly fresh?: boolean | undefined;
  /** ms, 1,000 at least. */
  readonly taskTimeoutMs?: number | undefined;
  /** Set by the peer itself: the job that this one looks back at. */
  readonly about?: string | undefined;
}

export interface WatchOptions {
  /** Rows too; first all that count already. */
  readonly rows: boolean;
  /** With what people call each task. */
  readonly labels?: boolean;
  /** Length of `top` in the summary. */
  readonly top: number;
  /** A column, optionally with `:asc` or `:desc`; absent: the job's own ranking. */
  readonly sort?: string;
  /** Of rows like these `top` is made; rows are told whatever they are. */
  readonly where?: readonly RowFilter[];
}

export interface ObserveOptions {
  /** ms between two snapshots. */
  readonly intervalMs: number;
}

export interface SummaryQuery {
  readonly top: number;
  readonly sort?: string;
  readonly where?: readonly RowFilter[];
}

export interface ResultsQuery {
  /** Absent: all rows. */
  readonly top?: number;
  /** Absent: with `top` the job's own ranking, else task order. */
  readonly sort?: string;
  readonly where?: readonly RowFilter[];
  /** Only the job's winners: as many of the best as it keeps. */
  readonly winners?: boolean;
  /** Also say what people call each row's task. */
  readonly labels?: boolean;
}

/**
 * `job` is always what a person typed: see selector.ts. Whatever a user can cause (no such job, a peer that does
 * not answer, a full disk) is thrown as MeshError; anything else is a bug and ends as INTERNAL.
 */
export interface ControlHandlers {
  status(): Awaitable<StatusView>;
  peers(): Awaitable<PeersView>;
  jobs(): Awaitable<JobsView>;
  hasBlob(sha256: string): Promise<boolean>;
  /** Reads `body` to its end; rejects with BAD_INPUT, keeping nothing, when its SHA-256 is another one. */
  putBlob(sha256: string, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** Resolves when the job and its datasets are durable here and, if there is another live peer, on one more. */
  submit(request: SubmitRequest): Promise<SubmitView>;
  /**
   * Tells `listener` at once how far the job is (or that it has ended), then about every change, `ended` being the
   * last call. Returns how to stop. Rejects with NOT_FOUND.
   */
  watch(
    job: string,
    options: WatchOptions,
    listener: (event: JobEvent) => void,
  ): Awaitable<() => void>;
  /** A snapshot at once, then one every `intervalMs`. Returns how to stop. */
  observe(
    options: ObserveOptions,
    listener: (event: SnapshotEvent | BrokenEvent) => void,
  ): Awaitable<() => void>;
  summary(job: string, query: SummaryQuery): Promise<JobSummary>;
  results(job: string, query: ResultsQuery): Promise<ResultsView>;
  /** What the node wrote down; when following, until the reader goes. */
  logs(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogLine>;
  /** Recomputed on the spot. */
  trades(job: string, task: number): Promise<TradesView>;
  /** Where a task is and why. */
  explain(job: string, task: number): Awaitable<ExplainView>;
  steals(): Awaitable<StealLogView>;
  /** Gives the queue back and takes nothing, or takes work again. */
  drain(isWanted: boolean): Awaitable<DrainView>;
  /** Accepts `all`. Says which jobs it cancelled. */
  cancel(job: string): Promise<CancelView>;
  /** What failed so far, and why. */
  failures(job: string): Promise<FailuresView>;
  /** New attempts for tasks of an ended job that used up theirs. */
  retry(job: string): Promise<RetryView>;
  /** Runs a job about the segments of that one's winners, or finds its rows again. */
  segments(job: string): Promise<SegmentsView>;
  /** Dials `addr` (IP, host:port, peer name) and waits for the hello at most `waitMs`. */
  connect(addr: string, waitMs: number): Promise<ConnectView>;
  /** Dials the maker of an invite where the invite says that it is, or at `addr`. */
  redeem(invite: string, waitMs: number, addr?: string): Promise<ConnectView>;
  key(): Promise<KeyView>;
  /** Good once, at this peer alone, for `validMs`. */
  invite(validMs: number): Promise<InviteView>;
  /** Lets in the machine that shows `code`. Rejects with USAGE for what is no code. */
  approve(code: string): Promise<ApprovalView>;
  rotateKey(): Promise<RekeyView>;
  requireKey(): Promise<RekeyView>;
  /** `peer` as people type it. The peer is refused from here on, and so is its key. */
  forget(peer: string): Promise<ForgetView>;
  /** Gives queue and jobs to others, at most `timeoutMs`; the peer goes down after the answer is out. */
  leave(options: { timeoutMs: number }): Promise<LeaveView>;
  /** The peer goes down after the answer is out; others find its work by census. */
  stop(): Promise<void>;
}
