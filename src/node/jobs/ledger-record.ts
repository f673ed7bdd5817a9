// What the core wants on disk, as bytes, and back. A job and its end are the messages that would tell another peer
// the same thing, in the wire's codec: one schema, one validator. Rows, of which there are many, have a form of
// their own. Every record lies under the id of its job.
import { validIntervals } from '../../deque/interval-set.ts';
import type { Input } from '../../stealing/input.ts';
import { peerId } from '../../stealing/ids.ts';
import type { JobEnding, JobHeader, RowBatch } from '../../stealing/job.ts';
import type { PersistEntry } from '../../stealing/output.ts';
import { decodeMessage, encodeMessage } from '../wire/codec.ts';
import { encodeRows, readRowHead, type RowHead, ROWS_KIND } from './row-record.ts';

export type RecoveredJob = Extract<Input, { kind: 'jobRecovered' }>;

const MESSAGE_KIND = 1;
/** Rows of one recovered batch, at most, when short ones are joined. */
const JOINED_ROWS_MAX = 4_096;

/** `header` is that of the entry's job. */
export function recordOf(entry: PersistEntry, header: JobHeader): Uint8Array {
  switch (entry.kind) {
    case 'job':
      return withKind(encodeMessage({ kind: 'jobOffered', header }));
    case 'rows':
      return encodeRows(entry.batch, header.rowWidth);
    case 'ended':
      return withKind(encodeMessage({ kind: 'jobEnded', header, ending: entry.ending }));
  }
}

interface Draft {
  header: JobHeader | undefined;
  readonly batches: Joined;
  ending: JobEnding | undefined;
}

/** Folds the records of a disk, oldest first, into jobs in the order in which this peer came to know them. */
export class Recovery {
  /** Rows may come before the job's own record: a second copy may arrive before the job's data has. */
  readonly #drafts = new Map<string, Draft>();
  readonly #known = new Set<JobHeader>();
  /** Records that this version does not understand: a newer release wrote them. */
  unreadable = 0;

  /** `record` may be overwritten afterwards. */
  add(job: string, record: Uint8Array): void {
    const draft = this.#draft(job);
    if (record[0] === ROWS_KIND) {
      const head = readRowHead(record);
      if (head === undefined) this.unreadable++;
      else draft.batches.add(head, record.subarray(head.valuesAt));
      return;
    }
    const decoded = record[0] === MESSAGE_KIND ? decodeMessage(record.subarray(1)) : undefined;
    if (decoded?.ok !== true) {
      this.unreadable++;
      return;
    }
    const { message } = decoded;
    if (message.kind !== 'jobOffered' && message.kind !== 'jobEnded') return;
    draft.header ??= message.header;
    this.#known.add(draft.header);
    // Both may have been written in a partition.
    if (message.kind === 'jobEnded' && draft.ending?.state !== 'done') {
      draft.ending = message.ending;
    }
  }

  jobs(): RecoveredJob[] {
    return [...this.#known].map((header) => {
      const draft = this.#draft(header.job);
      const batches = draft.batches.list().filter((batch) => fits(batch, header));
      return { kind: 'jobRecovered', header, batches, ending: draft.ending };
    });
  }

  #draft(job: string): Draft {
    const known = this.#drafts.get(job);
    if (known !== undefined) return known;
    const draft: Draft = { header: undefined, batches: new Joined(), ending: undefined };
    this.#drafts.set(job, draft);
    return draft;
  }
}

function fits(batch: RowBatch, header: JobHeader): boolean {
  const tasks = batch.intervals.reduce((sum, [start, end]) => sum + end - start, 0);
  const isWide = batch.values.length === tasks * header.rowWidth;
  return isWide && validIntervals(batch.intervals, header.taskCount);
}

function withKind(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.byteLength + 1);
  bytes[0] = MESSAGE_KIND;
  bytes.set(message, 1);
  return bytes;
}

/** Batches of one job in order; short ones of one maker whose tasks rise are joined, for a million records of one
 * row each are a million steps of the ledger otherwise. */
class Joined {
  readonly #list: RowBatch[] = [];
  #head: RowHead | undefined;
  #intervals: [number, number][] = [];
  #values: Uint8Array = new Uint8Array(0);
  #bytes = 0;

  add(head: RowHead, values: Uint8Array): void {
    const last = this.#head;
    const isNext =
      last?.kind === head.kind &&
      last.maker === head.maker &&
      last.rowWidth === head.rowWidth &&
      (this.#intervals.at(-1)?.[1] ?? 0) <= (head.intervals[0]?.[0] ?? 0) &&
      this.#bytes + values.byteLength <= this.#values.byteLength;
    if (!isNext) {
      this.#close();
      this.#head = head;
      const joinedBytes = JOINED_ROWS_MAX * head.rowWidth * Float64Array.BYTES_PER_ELEMENT;
      this.#values = new Uint8Array(Math.max(joinedBytes, values.byteLength));
    }
    this.#values.set(values, this.#bytes);
    this.#bytes += values.byteLength;
    for (const [start, end] of head.intervals) {
      const previous = this.#intervals.at(-1);
      if (previous !== undefined && previous[1] === start) previous[1] = end;
      else this.#intervals.push([start, end]);
    }
  }

  list(): RowBatch[] {
    this.#close();
    return this.#list;
  }

  #close(): void {
    if (this.#head === undefined) return;
    const { kind, maker } = this.#head;
    // A copy of what is used, when that is little: a job of ten rows must not hold room for thousands.
    const isFull = this.#bytes * 2 > this.#values.byteLength;
    const bytes = isFull ? this.#values : this.#values.slice(0, this.#bytes);
    const values = new Float64Array(bytes.buffer, 0, this.#bytes / Float64Array.BYTES_PER_ELEMENT);
    this.#list.push({ kind, maker: peerId(maker), intervals: this.#intervals, values });
    this.#head = undefined;
    this.#intervals = [];
    this.#bytes = 0;
  }
}
