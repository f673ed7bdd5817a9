// Everything one core says to another. The codec in node/wire turns these into bytes; a message names a
// kernel and never carries one.
import type { Interval } from '../deque/interval-set.ts';
import type { JobId, PeerId } from './ids.ts';
import type { JobEnding, JobHeader, RowBatch } from './job.ts';

/** Intervals of one job that move together. */
export interface Batch {
  readonly job: JobId;
  readonly intervals: readonly Interval[];
}

/** Measured speed of one peer for one rate key. */
export interface Rate {
  readonly rateKey: string;
  readonly unitsPerMs: number;
}

/** How far one peer is with one job, as it says itself. */
export interface JobProgress {
  readonly job: JobId;
  /** Queued and claimed work of this peer, units. */
  readonly backlogWork: number;
  /** Tasks queued, claimed, or granted and not confirmed. */
  readonly heldTasks: number;
  /** Tasks of the job that the sender, if it is the owner, has counted. */
  readonly countedTasks: number;
  /** Grants of this job that thieves confirmed to the sender, and steal-path messages it sent, so far. */
  readonly steals: number;
  readonly messages: number;
  /** Rows sent so far, with the acknowledgements that answer them. */
  readonly resultMessages?: number | undefined;
  /** What its slots run, while that is few tasks: if the peer dies, one of them may have done it. */
  readonly running?: readonly Interval[] | undefined;
  /** Those of them that are suspicious already, and run apart. */
  readonly apart?: readonly Interval[] | undefined;
  /** ms until all groups of the mesh have run it, as whoever speaks for this one reckons. */
  readonly restMs?: number | undefined;
}

export interface Heartbeat {
  readonly kind: 'heartbeat';
  /** The sender's clock, and the newest heartbeat of the receiver's that it has seen, for the round trip. */
  readonly sentMs: number;
  readonly echoSentMs: number;
  readonly echoAgeMs: number;
  readonly slots: number;
  readonly busySlots: number;
  readonly backlogMs: number;
  readonly draining: boolean;
  readonly rates: readonly Rate[];
  readonly jobs: readonly JobProgress[];
  /** Whole-life counters, for people. */
  readonly done: number;
  readonly failed: number;
  readonly stole: number;
  readonly gave: number;
  readonly donePerSec: number;
  /** Units finished in the last 30 s. */
  readonly recentUnits: number;
}

/** `askMe` answers a lifeline (request 0): there is work here, and several peers may say so at once. */
export type RefusalReason = 'empty' | 'tooSmall' | 'draining' | 'unknownPeer' | 'askMe';

/** What cores say to each other within one group. */
export type CoreMessage =
  | Heartbeat
  /** A job that everybody should keep and may run. Sent to every live peer, and to each that comes later. */
  | { readonly kind: 'jobOffered'; readonly header: JobHeader }
  /** The job runs again, for tasks that used up their attempts in the rounds before this one. */
  | { readonly kind: 'jobRetried'; readonly header: JobHeader; readonly round: number }
  /** The sender has the job and every dataset it names on disk. */
  | { readonly kind: 'jobStored'; readonly job: JobId }
  /** With its header: whoever was away learns of the job and of its end at once. */
  | { readonly kind: 'jobEnded'; readonly header: JobHeader; readonly ending: JobEnding }
  /** An idle peer's standing steal request. */
  | {
      readonly kind: 'lifelineArmed';
      readonly rates: readonly Rate[];
      readonly slots: number;
      /** As in a steal request; absent: all are free. */
      readonly freeMs?: readonly number[] | undefined;
    }
  | {
      readonly kind: 'stealRequest';
      /** Rises by one per request of the thief's incarnation. */
      readonly request: number;
      readonly rates: readonly Rate[];
      readonly slots: number;
      /** Work the thief still has, in milliseconds of its own time; of `job` and what runs before it. */
      readonly backlogMs: number;
      /** ms until each of its slots is free, after what it has; only while tasks are longer than a micro-batch. */
      readonly freeMs?: readonly number[] | undefined;
      /** Slots that stand still: copies of long tasks that run are welcome, when nothing else is there. */
      readonly idleSlots?: number | undefined;
      /** Only tasks of this job, because its turn has come over there. */
      readonly job?: JobId | undefined;
    }
  | { readonly kind: 'stealRefused'; readonly request: number; readonly reason: RefusalReason }
  /** Work changes hands: counts as held by the sender until confirmed. `request` 0: nobody asked. */
  | {
      readonly kind: 'grant';
      readonly grant: number;
      readonly request: number;
      readonly batches: readonly Batch[];
      /** Known or not, these tasks run there, are not given away, and the sender hears what comes out. */
      readonly again?: boolean | undefined;
      /** The sender goes on running them: the receiver gives no third copy away. */
      readonly copy?: boolean | undefined;
    }
  | { readonly kind: 'grantConfirmed'; readonly grant: number }
  /** Rows for the receiver's disk; sent when they are on the sender's, or when that refused them. */
  | {
      readonly kind: 'rows';
      readonly job: JobId;
      readonly delivery: number;
      readonly batch: RowBatch;
      /** The sender's disk refused them: its copy is none. */
      readonly isUnkept?: boolean | undefined;
    }
  /** The rows of that delivery are on the sender's disk. */
  | { readonly kind: 'rowsKept'; readonly delivery: number }
  | { readonly kind: 'census'; readonly job: JobId; readonly census: number }
  | {
      readonly kind: 'censusAnswer';
      readonly job: JobId;
      readonly census: number;
      /** Rows on the sender's disk, per maker. */
      readonly onDisk: readonly {
        readonly maker: PeerId;
        readonly intervals: readonly Interval[];
      }[];
      /** Queued, claimed, granted and not confirmed, or confirmed a moment ago. */
      readonly held: readonly Interval[];
      /** Which of how many messages the answer takes; absent: the only one. */
      readonly part?: number | undefined;
      readonly parts?: number | undefined;
    }
  /** Please send these rows, which you said are on your disk. */
  | {
      readonly kind: 'rowsWanted';
      readonly job: JobId;
      readonly intervals: readonly Interval[];
    }
  /** A slot of the sender, or of `peer`, died over this task, so many times by now. */
  | {
      readonly kind: 'taskTried';
      readonly job: JobId;
      readonly task: number;
      /** Whose slot or process died; absent: the sender’s slot. */
      readonly peer?: PeerId;
      readonly attempts: number;
      readonly reason: string;
    }
  /** The owner of the job says that `peer` gave wrong rows: what it made counts nowhere. A grow-only fact. */
  | { readonly kind: 'quarantined'; readonly job: JobId; readonly peer: PeerId }
  /** Goodbye: the sender gave its queue back and is going. */
  | { readonly kind: 'leaving' };

/** Whoever stands for a group says so. */
export interface Speaks {
  readonly kind: 'speaks';
  /** Of the group: 0 is of peers, 1 of such groups. */
  readonly tier: number;
  readonly group: PeerId;
  readonly peer: PeerId;
  /** Rises with every speaker of that group. */
  readonly term: number;
  /** Of the whole group. */
  readonly slots: number;
}

export type Message =
  | CoreMessage
  | Speaks
  /** One group to another, by those who speak for them. */
  | {
      readonly kind: 'beyond';
      /** Of the mesh whose members they are, 1 or more. */
      readonly tier: number;
      readonly from: PeerId;
      readonly to: PeerId;
      readonly term: number;
      readonly message: CoreMessage;
    };

export type MessageKind = Message['kind'];
