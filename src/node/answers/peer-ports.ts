// What the answers of a peer need of the peer: its core's snapshots, its disk and its doors, and a way to tell it facts.
import type { TaskRunner } from '../../kernel/job.ts';
import type { TaskExplained } from '../../stealing/explain.ts';
import type { JobSpec } from '../../kernel/spec.ts';
import type { JobId } from '../../stealing/ids.ts';
import type { JobHeader } from '../../stealing/job.ts';
import type { JobBook } from '../../stealing/job-book.ts';
import type { CoreStatus } from '../../stealing/status.ts';
import type { StealEntry } from '../../stealing/steal-log.ts';
import type { ConnectView, DiskView, KeyView, LeaveView, StatusView } from '../control/api.ts';
import type { ControlHandlers, SubmitRequest } from '../control/handlers.ts';
import type { LogLine, LogQuery } from '../logs/log-line.ts';
import type { Contact } from './views.ts';

/** Who gets in, and who is put out. */
export type Doors = Pick<
  ControlHandlers,
  'redeem' | 'invite' | 'approve' | 'rotateKey' | 'requireKey' | 'forget'
>;

export interface PeerPorts {
  readonly identity: Omit<StatusView['self'], 'pid'>;
  readonly embedded: boolean;
  readonly startedMs: number;
  coreStatus(): CoreStatus;
  disk(): Promise<DiskView>;
  book(job: JobId): JobBook | undefined;
  books(): Iterable<JobBook>;
  contact(peer: string): Contact | undefined;
  /** Resolves when job and data are on enough disks. */
  submit(request: SubmitRequest): Promise<{ job: JobId; copies: number }>;
  runner(book: JobBook): Promise<TaskRunner>;
  knownRunner(job: JobId): TaskRunner | undefined;
  /** The job's file, which must be on this disk. */
  spec(header: JobHeader): Promise<JobSpec>;
  requestRows(job: JobId): void;
  cancel(job: JobId): void;
  explain(job: JobId, task: number): TaskExplained | undefined;
  /** Times are epoch ms. */
  steals(): readonly StealEntry[];
  drain(isWanted: boolean): void;
  retry(job: JobId): void;
  hasBlob(sha256: string): Promise<boolean>;
  putBlob(sha256: string, body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>;
  connect(addr: string, waitMs: number): Promise<ConnectView>;
  key(): Promise<KeyView>;
  readonly doors: Doors;
  logs(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogLine>;
  leave(timeoutMs: number): Promise<LeaveView>;
  stop(): Promise<void>;
}
