// Facts, past tense: everything the world can tell the core.
import type { Interval } from '../deque/interval-set.ts';
import type { JobId, PeerId } from './ids.ts';
import type { JobEnding, JobHeader, RowBatch } from './job.ts';
import type { Message } from './messages.ts';
import type { WorkModel } from './work.ts';

/** What the hello said about a peer. */
export interface PeerFace {
  readonly peer: PeerId;
  readonly name: string;
  readonly addr: string;
  readonly slots: number;
  /** Rises with every start of that peer; older ones are fenced. */
  readonly incarnation: number;
  /** Ids of the kernels that it computes with; undefined: it did not say. */
  readonly kernels?: readonly string[] | undefined;
}

export type Input =
  /** A job that a former life of this peer left on its disk. */
  | {
      readonly kind: 'jobRecovered';
      readonly header: JobHeader;
      readonly batches: readonly RowBatch[];
      /** Rows that stay on disk until somebody wants to read them: those of an ended job. */
      readonly released?: readonly Omit<RowBatch, 'values'>[];
      readonly ending: JobEnding | undefined;
      /** How often it was retried; 0 when absent. */
      readonly round?: number;
      /** Peers whose rows count nowhere in this job. */
      readonly liars?: readonly PeerId[];
    }
  /** The rows of a job that this disk has, oldest first. */
  | {
      readonly kind: 'rowsRecalled';
      readonly job: JobId;
      readonly batches: readonly RowBatch[];
    }
  /** An ended job has left this disk: it was kept for as long as was asked. */
  | { readonly kind: 'jobExpired'; readonly job: JobId }
  /** Admitted, and its control stream is open. */
  | { readonly kind: 'peerConnected'; readonly face: PeerFace }
  /** `refused`: a redial at once was refused, so nobody is there; else it may be the network. */
  | { readonly kind: 'peerDisconnected'; readonly peer: PeerId; readonly refused: boolean }
  | {
      readonly kind: 'messageReceived';
      readonly from: PeerId;
      readonly incarnation: number;
      readonly message: Message;
    }
  /** Submitted here; spec and datasets are on this disk. */
  | {
      readonly kind: 'jobSubmitted';
      readonly header: JobHeader;
      /** Rows of the header's `cached` tasks, this peer their maker. */
      readonly cached?: readonly RowBatch[];
    }
  /** Spec and datasets are on this disk and the slots know the job. */
  | { readonly kind: 'jobLoaded'; readonly job: JobId; readonly work: WorkModel }
  /** This peer cannot run the job: no such kernel, no space for its data. */
  | { readonly kind: 'jobUnloadable'; readonly job: JobId; readonly reason: string }
  /** A slot finished tasks of one micro-batch. `busyMs`: the slot's own time for exactly these. */
  | {
      readonly kind: 'tasksFinished';
      readonly job: JobId;
      readonly slot: number;
      readonly intervals: readonly Interval[];
      readonly values: Float64Array;
      readonly busyMs: number;
    }
  /** A slot found the open window empty. */
  | { readonly kind: 'windowDry' }
  /** A slot died over these unfinished tasks of its claim. */
  | {
      readonly kind: 'slotDied';
      readonly job: JobId;
      readonly intervals: readonly Interval[];
      readonly reason: string;
    }
  | { readonly kind: 'persisted'; readonly id: number }
  | { readonly kind: 'persistFailed'; readonly id: number; readonly reason: string }
  /** A job came from beyond this group: as if it was submitted here, but its tasks come when they are handed over. */
  | { readonly kind: 'jobHanded'; readonly header: JobHeader }
  /** These tasks are this group's to run; for whoever speaks for it. `restMs`: until all groups have run all there is. */
  | {
      readonly kind: 'tasksHanded';
      readonly job: JobId;
      readonly intervals: readonly Interval[];
      readonly restMs: number;
    }
  /** This peer's group holds these already: they were handed to it before this peer spoke for it. */
  | {
      readonly kind: 'tasksAdopted';
      readonly job: JobId;
      readonly intervals: readonly Interval[];
    }
  /** Rows that this peer's group has counted, this peer their maker. `busyMs`: of all its slots, for these. */
  | {
      readonly kind: 'rowsCounted';
      readonly job: JobId;
      readonly batches: readonly RowBatch[];
      readonly busyMs: number;
    }
  /** Who speaks for this group; undefined: nobody at the moment. */
  | { readonly kind: 'speakerChosen'; readonly peer: PeerId | undefined }
  | {
      readonly kind: 'jobEndedBeyond';
      readonly header: JobHeader;
      readonly ending: JobEnding;
    }
  | { readonly kind: 'cancelRequested'; readonly job: JobId }
  /** New attempts for the tasks of an ended job that used up theirs. */
  | { readonly kind: 'retryRequested'; readonly job: JobId }
  /** Somebody here wants to read all rows of a job. */
  | { readonly kind: 'rowsRequested'; readonly job: JobId }
  /** Give the queue back and take nothing, or be a peer like others again. */
  | { readonly kind: 'drainRequested'; readonly isWanted: boolean }
  /** Take nothing from others and go on with what is here, or be a peer like others again. */
  | { readonly kind: 'sparingRequested'; readonly isWanted: boolean }
  /** Give the queue back, take nothing, then go. */
  | { readonly kind: 'leaveRequested' }
  | { readonly kind: 'wakeDue' };
