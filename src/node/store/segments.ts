// Where the next records of the journal go, and what a failure means for what comes after. Facts in, orders out:
// the journal on a real disk and the one on a simulated disk carry out the same orders in the same order.
//
// One segment is written at a time, only at its end. Behind the end lies room, zeros that were written before
// they are needed: when the disk is full there is still place for the small records that end a job. A failed
// write or flush is fatal for its segment, because nobody knows what the disk holds of it, and a second flush
// would say "done" of pages that the system has dropped (Rebello et al., USENIX ATC 2020): what was acknowledged
// stays readable, the next records go to a new segment, whose first sequence number says where the old one ends.
import { HEADER_BYTES, segmentHeader, stampRecord } from './record.ts';

/** Bytes of a segment, about: what one cleaning has to copy at most. */
export const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes set aside at once. More: a larger smallest home; less: more writes of zeros. */
const ROOM_BYTES = 1024 * 1024;
/** Bytes of the room that only vital records may use: the ends of some hundred jobs. */
const RESERVE_BYTES = 64 * 1024;

export type DiskOrder =
  /** A new file, durable with its name before the next order. */
  | { readonly kind: 'create'; readonly segment: number; readonly bytes: Uint8Array }
  /** Zeros up to that size. `atLeastBytes` will do when there is no space for all of it. */
  | {
      readonly kind: 'allocate';
      readonly segment: number;
      readonly fromBytes: number;
      readonly toBytes: number;
      readonly atLeastBytes: number;
    }
  | {
      readonly kind: 'write';
      readonly segment: number;
      readonly atBytes: number;
      readonly parts: readonly Uint8Array[];
    }
  | { readonly kind: 'flush'; readonly segment: number };

/** Where the journal goes on. */
export interface SegmentEnd {
  readonly segment: number;
  readonly endBytes: number;
  readonly fileBytes: number;
  readonly nextSequence: number;
  /** It takes no more: the next record begins a new one. */
  readonly isSealed: boolean;
}

export class Segments {
  readonly #maxBytes: number;
  /** undefined: the next records need a new one. */
  #current: { segment: number; endBytes: number; roomBytes: number } | undefined;
  #lastNumber: number;
  #nextSequence: number;

  constructor(end: SegmentEnd | undefined, maxBytes: number = SEGMENT_BYTES_MAX) {
    this.#maxBytes = maxBytes;
    this.#lastNumber = end?.segment ?? 0;
    this.#nextSequence = end?.nextSequence ?? 0;
    if (end !== undefined && !end.isSealed) {
      const { segment, endBytes, fileBytes } = end;
      this.#current = { segment, endBytes, roomBytes: fileBytes };
    }
  }

  /** The segment that is written; everything below it is sealed. */
  get current(): number | undefined {
    return this.#current?.segment;
  }

  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** What it takes to have these records on disk. Stamps them. `isVital`: they may use the reserve. */
  place(records: readonly Uint8Array[], isVital: boolean): DiskOrder[] {
    const bytes = records.reduce((sum, record) => sum + record.byteLength, 0);
    for (const [i, record] of records.entries()) stampRecord(record, this.#nextSequence + i);
    const orders: DiskOrder[] = [];
    const known = this.#current;
    const isFull = known !== undefined && known.endBytes + bytes > this.#maxBytes;
    const isNew = known === undefined || (isFull && known.endBytes > HEADER_BYTES);
    const segment = isNew ? this.#lastNumber + 1 : known.segment;
    const endBytes = isNew ? HEADER_BYTES : known.endBytes;
    const roomBytes = isNew ? HEADER_BYTES : known.roomBytes;
    if (isNew) {
      const header = segmentHeader({
        number: segment,
        firstSequence: this.#nextSequence,
        compactedRecords: undefined,
      });
      orders.push({ kind: 'create', segment, bytes: header });
    }
    const atLeastBytes = endBytes + bytes + (isVital ? 0 : RESERVE_BYTES);
    if (atLeastBytes > roomBytes) {
      const toBytes = atLeastBytes + ROOM_BYTES;
      orders.push({ kind: 'allocate', segment, fromBytes: roomBytes, toBytes, atLeastBytes });
    }
    orders.push({ kind: 'write', segment, atBytes: endBytes, parts: records });
    orders.push({ kind: 'flush', segment });
    return orders;
  }

  /** An order was carried out; `roomBytes`: how far an allocation came. */
  done(order: DiskOrder, roomBytes = 0): void {
    if (order.kind === 'create') {
      this.#lastNumber = order.segment;
      const bytes = HEADER_BYTES;
      this.#current = { segment: order.segment, endBytes: bytes, roomBytes: bytes };
    } else if (order.kind === 'allocate' && this.#current !== undefined) {
      this.#current.roomBytes = roomBytes;
    }
  }

  /** All orders of `place` were carried out. */
  kept(records: readonly Uint8Array[]): void {
    this.#nextSequence += records.length;
    if (this.#current === undefined) return;
    for (const { byteLength } of records) this.#current.endBytes += byteLength;
    this.#current.roomBytes = Math.max(this.#current.roomBytes, this.#current.endBytes);
  }

  /** An order failed: nothing of its records counts. */
  failed(order: DiskOrder): void {
    // The name is used up: half a file may bear it.
    if (order.kind === 'create') this.#lastNumber = order.segment;
    // Zeros that did not fit harm nothing. Half a record might look like a whole one, later.
    if (order.kind === 'write' || order.kind === 'flush') this.#current = undefined;
  }
}
