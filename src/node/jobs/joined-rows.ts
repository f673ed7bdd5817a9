// Row records of one job, joined into batches: a disk may hold a million records of one row each, and a million
// batches are a million steps of the ledger.
import { peerId } from '../../stealing/ids.ts';
import type { RowBatch } from '../../stealing/job.ts';
import type { RowHead } from './row-record.ts';

/** Rows of one joined batch, at most. */
const JOINED_ROWS_MAX = 4_096;

/** Batches of one job in order; short ones of one maker whose tasks rise are joined, for a million records of one
 * row each are a million steps of the ledger otherwise. */
export class JoinedRows {
  #list: RowBatch[] = [];
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
      const roomBytes = Math.max(joinedBytes, values.byteLength);
      if (this.#values.byteLength < roomBytes) this.#values = new Uint8Array(roomBytes);
    }
    this.#values.set(values, this.#bytes);
    this.#bytes += values.byteLength;
    for (const [start, end] of head.intervals) {
      const previous = this.#intervals.at(-1);
      if (previous !== undefined && previous[1] === start) previous[1] = end;
      else this.#intervals.push([start, end]);
    }
  }

  /** Nothing that `maker` has made so far counts. */
  drop(maker: string): void {
    this.#close();
    const kept = this.#list.filter((batch) => batch.maker !== maker);
    this.#list.splice(0, this.#list.length, ...kept);
  }

  dropFailures(): void {
    this.#close();
    this.#list = this.#list.filter(({ kind }) => kind !== 'failures');
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
    if (isFull) this.#values = new Uint8Array(0);
    const values = new Float64Array(bytes.buffer, 0, this.#bytes / Float64Array.BYTES_PER_ELEMENT);
    this.#list.push({ kind, maker: peerId(maker), intervals: this.#intervals, values });
    this.#head = undefined;
    this.#intervals = [];
    this.#bytes = 0;
  }
}
