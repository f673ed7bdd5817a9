// What a peer needs of its disk: records that stay once they are acknowledged. A plain file implements it here;
// a segmented journal or a simulated disk can stand in its place.

export interface Store {
  /** Resolves when the record is on disk (flushed, so that it survives a power cut); rejects with a MeshError
   * DISK when this disk does not keep it, in which case nothing of it remains. `record` is not kept. */
  append(record: Uint8Array): Promise<void>;
  /** Everything acknowledged by former lives, oldest first. Handed over once: a second call
   * returns nothing. */
  recovered(): readonly Uint8Array[];
  close(): Promise<void>;
}

/** Longest record, bytes: a flush of 4,096 rows of 20 columns is 655 kB. */
export const RECORD_BYTES_MAX = 8 * 1024 * 1024;
