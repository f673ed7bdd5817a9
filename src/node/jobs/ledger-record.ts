// What the core wants on disk, as bytes, and back. A job and its end are the messages that would tell another peer
// the same thing, in the wire's codec: one schema, one validator. Rows, of which there are many, have a form of
// their own. Every record lies under the id of its job.
import { countTasks, IntervalSet, validIntervals } from '../../deque/interval-set.ts';
import { type PeerId, peerId } from '../../stealing/ids.ts';
import type { Input } from '../../stealing/input.ts';
import type { JobEnding, JobHeader, RowBatch } from '../../stealing/job.ts';
import type { Message } from '../../stealing/messages.ts';
import type { PersistEntry } from '../../stealing/output.ts';
import { decodeMessage, encodeMessage } from '../wire/codec.ts';
import { JoinedRows } from './joined-rows.ts';
import { encodeRows, readRowHead, ROWS_KIND } from './row-record.ts';

export type RecoveredJob = Extract<Input, { kind: 'jobRecovered' }>;
type ReleasedRows = Omit<RowBatch, 'values'>;

const MESSAGE_KIND = 1;

/** `header` is that of the entry's job. */
export function recordOf(entry: PersistEntry, header: JobHeader): Uint8Array {
  switch (entry.kind) {
    case 'job':
      return withKind(encodeMessage({ kind: 'jobOffered', header }));
    case 'rows':
      return encodeRows(entry.batch, header.rowWidth);
    case 'quarantined':
      return withKind(encodeMessage(entry));
    case 'retried':
      return withKind(encodeMessage({ kind: 'jobRetried', header, round: entry.round }));
    case 'ended':
      return withKind(encodeMessage({ kind: 'jobEnded', header, ending: entry.ending }));
  }
}

interface Draft {
  header: JobHeader | undefined;
  readonly rows: Map<string, ReleasedRows & { readonly set: IntervalSet }>;
  /** With their values, until the job's end is read: what comes behind it is only noted. */
  joined: JoinedRows | undefined;
  ending: JobEnding | undefined;
  round: number;
  readonly liars: Set<PeerId>;
}

/** Folds the records of a disk, oldest first, into jobs in the order in which this peer came to know them. Rows of
 * a job that ended are only noted: most of what a disk holds are rows of jobs that ended long ago. */
export class Recovery {
  /** Rows may lie before the job's own record: older releases did not wait for it. */
  readonly #drafts = new Map<string, Draft>();
  /** In the order of their first header. */
  readonly #known = new Set<string>();
  /** Records that this version does not understand: a newer release wrote them. */
  unreadable = 0;

  /** `record` may be overwritten afterwards. */
  add(job: string, record: Uint8Array): void {
    const draft = this.#draft(job);
    if (record[0] === ROWS_KIND) {
      const head = readRowHead(record);
      if (head === undefined) this.unreadable++;
      else {
        noteRows(draft, { ...head, maker: peerId(head.maker) });
        draft.joined?.add(head, record.subarray(head.valuesAt));
      }
      return;
    }
    const decoded = record[0] === MESSAGE_KIND ? decodeMessage(record.subarray(1)) : undefined;
    if (decoded?.ok !== true) {
      this.unreadable++;
      return;
    }
    const { message } = decoded;
    if (message.kind === 'quarantined') {
      draft.liars.add(message.peer);
      draft.joined?.drop(message.peer);
      for (const kind of ['rows', 'failures']) draft.rows.delete(`${kind} ${message.peer}`);
    }
    if (!isOfJob(message)) return;
    draft.header ??= message.header;
    this.#known.add(job);
    // Both may have been written in a partition.
    if (message.kind === 'jobRetried') retried(draft, message.round);
    if (message.kind !== 'jobEnded' || draft.ending?.state === 'done') return;
    draft.ending = message.ending;
    draft.joined = undefined;
  }

  jobs(): RecoveredJob[] {
    return [...this.#known].flatMap((job) => {
      const { header, ending, rows, joined, round, liars } = this.#draft(job);
      if (header === undefined) return [];
      const batches = (joined?.list() ?? []).filter((batch) => fits(batch, header));
      // Without their values, when the job had ended and was retried.
      const released = joined === undefined ? inOrder([...rows.values()], header) : [];
      const told = liars.size === 0 ? {} : { liars: [...liars] };
      return [{ kind: 'jobRecovered', header, ending, round, batches, released, ...told }];
    });
  }

  #draft(job: string): Draft {
    const known = this.#drafts.get(job);
    if (known !== undefined) return known;
    const draft: Draft = {
      header: undefined,
      rows: new Map(),
      joined: new JoinedRows(),
      ending: undefined,
      round: 0,
      liars: new Set(),
    };
    this.#drafts.set(job, draft);
    return draft;
  }
}

interface Shelf {
  read(key: string, visit: (record: Uint8Array) => void): Promise<void>;
}

/** The rows of one job that a disk has, in the order in which they were written. */
export async function readRowsOf(header: JobHeader, shelf: Shelf): Promise<RowBatch[]> {
  const joined = new JoinedRows();
  await shelf.read(header.job, (record) => {
    if (record[0] === MESSAGE_KIND) {
      const decoded = decodeMessage(record.subarray(1));
      if (decoded.ok && decoded.message.kind === 'quarantined') joined.drop(decoded.message.peer);
      return;
    }
    const head = record[0] === ROWS_KIND ? readRowHead(record) : undefined;
    if (head?.rowWidth !== header.rowWidth) return;
    if (!validIntervals(head.intervals, header.taskCount)) return;
    joined.add(head, record.subarray(head.valuesAt));
  });
  return joined.list();
}

type OfJob = Extract<Message, { kind: 'jobOffered' | 'jobRetried' | 'jobEnded' }>;

function isOfJob(message: Message): message is OfJob {
  const { kind } = message;
  return kind === 'jobOffered' || kind === 'jobRetried' || kind === 'jobEnded';
}

/** Failures that were written before it are forgotten, and the end too, unless that is of this round already. */
function retried(draft: Draft, round: number): void {
  draft.round = Math.max(draft.round, round);
  for (const [key, { kind }] of draft.rows) if (kind === 'failures') draft.rows.delete(key);
  draft.joined?.dropFailures();
  if ((draft.ending?.round ?? 0) < round) draft.ending = undefined;
}

function inOrder(
  rows: readonly (ReleasedRows & { readonly set: IntervalSet })[],
  header: JobHeader,
): ReleasedRows[] {
  // A row replaces a failure, so it is told first.
  return rows
    .map(({ kind, maker, set }) => ({ kind, maker, intervals: set.intervals() }))
    .filter(({ intervals }) => validIntervals(intervals, header.taskCount))
    .toSorted((a, b) => Number(a.kind !== 'rows') - Number(b.kind !== 'rows'));
}

function fits(batch: RowBatch, header: JobHeader): boolean {
  const isWide = batch.values.length === countTasks(batch.intervals) * header.rowWidth;
  return isWide && validIntervals(batch.intervals, header.taskCount);
}

function noteRows(draft: Draft, rows: ReleasedRows): void {
  const key = `${rows.kind} ${rows.maker}`;
  let known = draft.rows.get(key);
  if (known === undefined) {
    known = { kind: rows.kind, maker: rows.maker, intervals: [], set: new IntervalSet() };
    draft.rows.set(key, known);
  }
  for (const [start, end] of rows.intervals) known.set.add(start, end);
}

function withKind(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.byteLength + 1);
  bytes[0] = MESSAGE_KIND;
  bytes.set(message, 1);
  return bytes;
}
