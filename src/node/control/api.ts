// What the control socket says: the JSON objects that scripts read with --json and that the screens are drawn
// from. Fields are only added within `v: 1`, never renamed or removed. Times are ISO 8601 UTC, durations end
// in `Ms`, `share` and `efficiency` are 0..1, an undefined metric is null.

/** Names the version that answers, on every response, so that a client can see a skew. */
export const VERSION_HEADER = 'mesh-version';

/** Names the peer that is meant to answer instead of the one that is asked. */
export const VIA_HEADER = 'mesh-via';

/** A spec up to this rides with its job: one question less, and the peer compiles while its disk writes. More would
 * not fit into a JSON body, where quotes double it; a generation of a miner is some 20,000. */
export const SPEC_RIDES_BYTES_MAX = 64 * 1024;

type PeerState = 'ok' | 'suspect' | 'draining' | 'lost';
type PeerPath = 'self' | 'direct' | 'relay';
type JobState = 'running' | 'done' | 'cancelled';

export interface PeerView {
  readonly id: string;
  readonly name: string;
  readonly addr: string;
  readonly port: number;
  readonly state: PeerState;
  readonly slots: number;
  /** Slots that compute right now. */
  readonly running: number;
  /** Tasks in its deque. */
  readonly queued: number;
  /** Tasks finished per second over the last 30 s. */
  readonly donePerSec: number;
  /** By work, of the last 30 s, or of the last finished job when idle. */
  readonly share: number;
  /** Units per millisecond of the whole peer, as measured; 0 while unknown. */
  readonly rate: number;
  readonly done: number;
  readonly failed: number;
  /** Tasks received as thief, given as victim. */
  readonly stole: number;
  readonly gave: number;
  readonly rttMs: number;
  readonly path: PeerPath;
  readonly version: string;
  /** Ids of the kernels that it computes with; empty when it does not say. */
  readonly kernels: readonly string[];
  readonly since: string;
}

export interface PeersView {
  readonly v: 1;
  readonly at: string;
  /** Peer id of the one that answers. */
  readonly self: string;
  readonly totals: {
    readonly peers: number;
    readonly slots: number;
    readonly donePerSec: number;
    readonly queued: number;
  };
  readonly peers: readonly PeerView[];
}

export interface DiskView {
  readonly state: 'ok' | 'full' | 'failing';
  readonly freeBytes: number;
  /** Journal and blobs of this home. */
  readonly usedBytes: number;
  readonly journalBytes: number;
  readonly blobBytes: number;
  /** Ended jobs stay for so long, and while everything takes at most so many bytes. */
  readonly keep: { readonly ms: number; readonly bytes: number };
  /** What is acknowledged here survives: `kill-safe` a kill of the process, `power-safe` a power cut too. */
  readonly safety: 'kill-safe' | 'power-safe';
  /** Files of the journal in which acknowledged records are gone. */
  readonly damaged: readonly string[];
  /** Records are refused at present. */
  readonly refuses: { readonly since: string; readonly reason: string } | null;
}

export interface StatusView {
  readonly v: 1;
  readonly self: {
    readonly id: string;
    readonly name: string;
    readonly addr: string;
    readonly port: number;
    readonly version: string;
    readonly pid: number;
    readonly home: string;
  };
  readonly state: 'ok' | 'draining';
  /** Why it takes no work of others: on its way out, told to, or below half of its battery. */
  readonly stepsBack: 'leaving' | 'drained' | 'sparing' | null;
  readonly slots: number;
  /** Jobs that run on this mesh, as far as this peer knows. */
  readonly jobs: number;
  readonly disk: DiskView;
  readonly running: number;
  readonly queued: number;
  /** Running jobs that this peer answers for. */
  readonly owned: number;
  readonly since: string;
  readonly embedded: boolean;
  readonly mesh: { readonly peers: number; readonly slots: number; readonly reachable: number };
}

export interface JobView {
  /** As people type it: `j-` and the shortest prefix that is unique on this mesh. */
  readonly id: string;
  /** The whole id. */
  readonly jobId: string;
  readonly name: string;
  readonly state: JobState;
  readonly tasks: number;
  readonly done: number;
  readonly failed: number;
  readonly donePerSec: number;
  /** null: nothing finished yet, or the job has ended. */
  readonly etaMs: number | null;
  /** Name of the peer that answers for the job. */
  readonly owner: string;
  readonly submittedAt: string;
  readonly priority: number;
  readonly weight: number;
  /** Why no live peer can run it (no such kernel, no memory); null: some can. */
  readonly stuck: string | null;
}

export interface JobsView {
  readonly v: 1;
  readonly jobs: readonly JobView[];
}

/** What people call a task: its strategy's name and the values of its variables. */
export interface TaskName {
  readonly name: string;
  readonly params: Readonly<Record<string, number | string>>;
}

export interface RankedTask extends TaskName {
  readonly task: number;
  readonly metrics: Readonly<Record<string, number | null>>;
}

export interface PeerShareView {
  readonly id: string;
  readonly name: string;
  readonly addr: string;
  readonly slots: number;
  readonly done: number;
  readonly share: number;
  readonly rate: number;
}

/** What `submit` and `watch` print at the end, and `results --by peer` draws. */
export interface JobSummary {
  readonly v: 1;
  readonly job: string;
  readonly name: string;
  readonly state: JobState;
  readonly tasks: number;
  readonly done: number;
  readonly failed: number;
  readonly cached: number;
  /** Tasks for which two peers computed two rows, and no third could judge. */
  readonly disputed: number;
  /** Backtests that peers held which were lost: others ran them. */
  readonly lost: number;
  /** Run a second time on another peer, to compare the rows. */
  readonly checked: number;
  /** From job accepted to last row counted. */
  readonly elapsedMs: number;
  /** null while the job runs. */
  readonly resultsSha256: string | null;
  readonly peers: readonly PeerShareView[];
  /** Against the lower bound, and against greedy list scheduling; 0 while the job runs. */
  readonly efficiency: {
    readonly bound: number;
    readonly greedy: number;
    /** Longest task first: what order could give. Absent in jobs of older versions. */
    readonly lpt?: number | undefined;
    /** ms; `bound` is the largest of them over `elapsedMs`. */
    readonly boundsMs?: Readonly<
      Record<'area' | 'longest' | 'prefix' | 'granularity' | 'latency', number>
    >;
  };
  readonly steals: number;
  /** Of the steal path, and of the result path. */
  readonly messages: number;
  readonly resultMessages: number;
  readonly top: readonly RankedTask[];
  /** Which bars the rows are about, for each dataset; absent: all. `to` is the first instant that does not count. */
  readonly stretches?: readonly {
    readonly symbol: string | null;
    readonly from: string | null;
    readonly to: string | null;
  }[];
}

export interface ResultsView {
  readonly v: 1;
  readonly job: string;
  /** `columns[0]` is `task`. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (number | null)[])[];
  /** One per row, when asked for. */
  readonly labels?: readonly TaskName[];
}

interface TradeView {
  readonly side: 'long' | 'short';
  readonly entryBar: number;
  readonly exitBar: number;
  readonly entryTime: string;
  readonly exitTime: string;
  readonly size: number;
  readonly entryPrice: number;
  readonly exitPrice: number;
  readonly pnl: number;
  readonly exitReason: string;
}

export interface TradesView {
  readonly v: 1;
  readonly trades: readonly TradeView[];
}

export interface SubmitView {
  readonly v: 1;
  /** As people type it. */
  readonly job: string;
  readonly jobId: string;
  /** Live peers that have job and data on disk. */
  readonly copies: number;
}

export interface ConnectView {
  readonly v: 1;
  /** The peer that answered at the address. */
  readonly peer: {
    readonly id: string;
    readonly name: string;
    readonly addr: string;
    readonly slots: number;
    readonly rttMs: number;
  };
}

export interface KeyView {
  readonly v: 1;
  readonly key: string;
  readonly fingerprint: string;
}

export interface InviteView {
  readonly v: 1;
  /** The word for `mesh join --invite`. */
  readonly invite: string;
  readonly expiresAt: string;
}

export interface ApprovalView {
  readonly v: 1;
  readonly expiresAt: string;
}

/** The mesh has another key, or now requires it. */
export interface RekeyView {
  readonly v: 1;
  readonly fingerprint: string;
  readonly required: boolean;
  /** Members that were told; others come back as newcomers do. */
  readonly told: number;
}

export interface ForgetView extends RekeyView {
  readonly peer: { readonly id: string; readonly name: string };
}

export interface LeaveView {
  readonly v: 1;
  /** Unfinished tasks that went to others. */
  readonly handedOver: number;
  /** Names of the peers that took work or jobs over; empty: there was nobody. */
  readonly heirs: readonly string[];
}

export interface CancelView {
  readonly v: 1;
  readonly jobs: readonly string[];
}

/** A peer as a job's progress sees it. */
export interface ProgressPeer {
  readonly id: string;
  readonly name: string;
  readonly slots: number;
  readonly running: number;
  readonly share: number;
  readonly done: number;
}

export interface CopyView {
  /** Name of the peer that receives. */
  readonly peer: string;
  readonly sha256: string;
  readonly sentBytes: number;
  readonly bytes: number;
}

/** A snapshot: a reader that misses one has lost nothing. */
export interface ProgressEvent {
  readonly kind: 'progress';
  readonly job: string;
  readonly name: string;
  readonly tasks: number;
  readonly done: number;
  readonly failed: number;
  readonly cached: number;
  readonly elapsedMs: number;
  readonly donePerSec: number;
  readonly etaMs: number | null;
  readonly peers: readonly ProgressPeer[];
  /** Data of the job on its way from the peer that says this. */
  readonly copies?: readonly CopyView[];
  readonly best?: RankedTask;
}

/** Rows that count from here on. Every counted row comes exactly once per watcher that asked for rows. */
export interface RowsEvent {
  readonly kind: 'rows';
  /** Names of a row's values, without `task`. */
  readonly columns: readonly string[];
  readonly tasks: readonly number[];
  /** Row-major, tasks.length x columns.length. Shared by reference; nobody writes to it again. */
  readonly values: Float64Array;
  /** Those of `tasks` that failed for good: their row is NaN but for the error code in the last place. */
  readonly failed: readonly number[];
  /** One per task, when asked for. */
  readonly labels?: readonly TaskName[];
}

export interface EndedEvent {
  readonly kind: 'ended';
  readonly summary: JobSummary;
}

/** The stream to the peer broke (it stopped, or was killed); only a client says this, never the peer itself. */
export interface BrokenEvent {
  readonly kind: 'broken';
  readonly reason: string;
}

export type JobEvent = ProgressEvent | RowsEvent | EndedEvent | BrokenEvent;

/** Tasks that changed hands, or did not. */
export interface StealView {
  readonly at: string;
  /** Names. `victim` is null where only the thief's counter is known: a steal between two other peers. */
  readonly thief: string;
  readonly victim: string | null;
  /** 0: refused. */
  readonly tasks: number;
  /** Why it was refused; null for one that was not. */
  readonly refused: string | null;
}

interface PeerHistory {
  readonly id: string;
  /** Busy slots / slots, one sample a second, oldest first, at most 30. */
  readonly busy: readonly number[];
}

/** All that a live screen shows, at one moment: a reader that misses one has lost nothing. */
export interface SnapshotEvent {
  readonly kind: 'snapshot';
  readonly v: 1;
  readonly peers: PeersView;
  /** Running ones, and the last few that have ended; newest last. */
  readonly jobs: JobsView;
  readonly history: readonly PeerHistory[];
  /** The last ones, newest first. */
  readonly steals: readonly StealView[];
}

/** Everything that an event stream carries. */
export type StreamEvent = JobEvent | SnapshotEvent;

/** Body of every answer that is not 2xx, and what `--json` prints on stderr. */
export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
    readonly exit: number;
  };
}
