// What the core wants on disk, as bytes. A record is the message that would tell another peer the same thing,
// in the wire's codec: one schema, one validator, and a peer's disk can say nothing that the wire could not.
import type { Input } from '../../stealing/input.ts';
import type { JobId } from '../../stealing/ids.ts';
import type { JobEnding, JobHeader, RowBatch } from '../../stealing/job.ts';
import type { PersistEntry } from '../../stealing/output.ts';
import { decodeMessage, encodeMessage } from '../wire/codec.ts';

export type RecoveredJob = Extract<Input, { kind: 'jobRecovered' }>;

/** `header` is that of the entry's job. */
export function recordOf(entry: PersistEntry, header: JobHeader): Uint8Array {
  switch (entry.kind) {
    case 'job':
      return encodeMessage({ kind: 'jobOffered', header });
    case 'rows':
      return encodeMessage({ kind: 'rows', job: entry.job, delivery: 0, batch: entry.batch });
    case 'ended':
      return encodeMessage({ kind: 'jobEnded', header, ending: entry.ending });
  }
}

interface Draft {
  readonly header: JobHeader;
  readonly batches: RowBatch[];
  ending: JobEnding | undefined;
}

/** Folds the records of a disk, oldest first, into jobs in the order in which this peer came to know them. */
export class Recovery {
  readonly #drafts = new Map<JobId, Draft>();
  /** Rows of jobs whose own record comes later: a second copy may arrive before the job's data has. */
  readonly #early = new Map<JobId, RowBatch[]>();
  /** Records that no codec of this version reads: a newer release wrote them. */
  unreadable = 0;

  add(record: Uint8Array): void {
    const decoded = decodeMessage(record);
    if (!decoded.ok) {
      this.unreadable++;
      return;
    }
    const { message } = decoded;
    if (message.kind === 'jobOffered') this.#draft(message.header);
    else if (message.kind === 'jobEnded') this.#draft(message.header).ending = message.ending;
    else if (message.kind === 'rows') this.#rowsOf(message.job).push(message.batch);
  }

  jobs(): RecoveredJob[] {
    return [...this.#drafts.values()].map((draft) => ({ kind: 'jobRecovered', ...draft }));
  }

  #rowsOf(job: JobId): RowBatch[] {
    const known = this.#drafts.get(job)?.batches ?? this.#early.get(job) ?? [];
    if (!this.#drafts.has(job)) this.#early.set(job, known);
    return known;
  }

  #draft(header: JobHeader): Draft {
    const known = this.#drafts.get(header.job);
    if (known !== undefined) return known;
    const draft: Draft = { header, batches: this.#rowsOf(header.job), ending: undefined };
    this.#drafts.set(header.job, draft);
    return draft;
  }
}
