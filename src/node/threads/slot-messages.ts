// What the pool and a slot say to each other. Claims need no message: they go through the shared cursor.
import type { Interval } from '../../deque/interval-set.ts';
import type { Throttle } from './pace.ts';

export interface SlotDataset {
  /** Of the dataset's binary form, in hex. */
  readonly sha256: string;
  /** One memory for all slots. */
  readonly buffer: SharedArrayBuffer;
}

/** What a thread is born with. */
export interface SlotData {
  /** The cursor's. */
  readonly buffer: SharedArrayBuffer;
  readonly slot: number;
  readonly throttle: Throttle;
  /** Where all slots keep what they compute of candles; undefined: each for itself. */
  readonly memory: WebAssembly.Memory | undefined;
}

/** Pool to slot. A job is loaded before the first window of it opens. */
export type PoolMessage = LoadMessage | { readonly kind: 'unload'; readonly jobNumber: number };

export interface LoadMessage {
  readonly kind: 'load';
  readonly jobNumber: number;
  /** The validated job as JSON in UTF-8. */
  readonly specBytes: Uint8Array;
  readonly datasets: readonly SlotDataset[];
  /** ms that one task may take; absent: as long as it takes. */
  readonly taskTimeoutMs?: number | undefined;
}

/** Slot to pool. */
export type SlotMessage =
  | RowsMessage
  /** Nothing was unclaimed when the slot looked; said once per window. */
  | { readonly kind: 'dry'; readonly window: number }
  /** The job does not compile; the thread ends over it. */
  | { readonly kind: 'loadFailed'; readonly jobNumber: number; readonly reason: string };

export interface RowsMessage {
  readonly kind: 'rows';
  readonly jobNumber: number;
  readonly window: number;
  /** In the order of the rows. */
  readonly intervals: readonly Interval[];
  /** The rows one behind the other; the buffer is the receiver's. */
  readonly values: Float64Array<ArrayBuffer>;
  /** Wall time that the slot spent on these rows, waits and throttle included. */
  readonly busyMs: number;
}

/** A slot's number in the arena, where 0 is the pool's own. */
export function arenaSlot(slot: number): number {
  return slot + 1;
}
