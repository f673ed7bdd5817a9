// What a peer needs of its disk: records that stay once they are acknowledged, found again by their key (the job
// that they speak of). The segmented journal implements it; a simulated disk can stand in its place.

export interface Store {
  /** Resolves when the record is flushed, so that it survives a power cut; rejects with a MeshError DISK when this
   * disk does not keep it (after a crash it may be there all the same: records say what is true anyway).
   * `isVital`: small, and may use the room that is set aside for a full disk. `record` is not kept. */
  append(key: string, record: Uint8Array, isVital: boolean): Promise<void>;
  /** Visits the records of one key, oldest first; what was appended and not acknowledged is left out. */
  read(key: string, visit: (record: Uint8Array) => void): Promise<void>;
  /** From here on the key's records are dead: their bytes are freed by and by. */
  forget(key: string): void;
  /** What the records of one key take, and when the newest was written (epoch ms); undefined: there are none. */
  about(key: string): { readonly bytes: number; readonly newestMs: number } | undefined;
  /** Frees what dead records take, as far as it is worth it; returns the bytes that were freed. */
  clean(): Promise<number>;
  usage(): StoreUsage;
  close(): Promise<void>;
}

export interface StoreUsage {
  /** Of all files, room and dead records included. */
  readonly bytes: number;
  readonly liveBytes: number;
  /** Segments that held something that is no record: its owner's copies on other disks are what is left of it. */
  readonly damaged: readonly string[];
  /** Epoch ms since when records are refused; undefined while they are kept. */
  readonly refusesSinceMs: number | undefined;
  readonly refusal: string | undefined;
}
