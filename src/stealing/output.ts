// Orders, imperative: everything the core can ask of the shell. A `send` with `after` waits until that
// persist is on disk; without it, it waits for nothing.
import type { JobId, PeerId } from './ids.ts';
import type { JobEnding, JobHeader, RowBatch } from './job.ts';
import type { Message } from './messages.ts';

export type PersistEntry =
  | { readonly kind: 'job'; readonly header: JobHeader }
  | { readonly kind: 'rows'; readonly job: JobId; readonly batch: RowBatch }
  | { readonly kind: 'quarantined'; readonly job: JobId; readonly peer: PeerId }
  | { readonly kind: 'ended'; readonly job: JobId; readonly ending: JobEnding }
  /** The job runs again from this round on; failures before it are forgotten. */
  | { readonly kind: 'retried'; readonly job: JobId; readonly round: number };

export type Output =
  | {
      readonly kind: 'send';
      readonly to: PeerId;
      readonly message: Message;
      readonly after?: number;
    }
  /** Answer with the fact `persisted` or `persistFailed` of the same id. */
  | { readonly kind: 'persist'; readonly id: number; readonly entry: PersistEntry }
  /** Get spec and datasets from whoever has them, load the slots, then tell `jobLoaded`. */
  | {
      readonly kind: 'loadJob';
      readonly header: JobHeader;
      /** The small integer by which cursor and slots know the job; never used again for another. */
      readonly jobNumber: number;
    }
  /** Read the job's rows from this disk, then tell `rowsRecalled`. */
  | { readonly kind: 'recallRows'; readonly job: JobId }
  | { readonly kind: 'unloadJob'; readonly job: JobId }
  /** The submit may be answered: job and data are on this many disks. */
  | { readonly kind: 'answerSubmit'; readonly job: JobId; readonly copies: number }
  /** New counted rows or an ending: whoever watches the job should look again. */
  | { readonly kind: 'jobChanged'; readonly job: JobId }
  /** Two different rows for one task: never a merge. */
  | {
      readonly kind: 'raiseAlarm';
      readonly job: JobId;
      readonly task: number;
      readonly makers: readonly PeerId[];
    }
  /** All custody is given back: the process may end. */
  | { readonly kind: 'finishLeaving' }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn';
      readonly text: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };
