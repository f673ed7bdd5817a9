// What a peer's disk holds for the mesh, and whether it still takes more.
import { statfs } from 'node:fs/promises';
import type { DiskView } from '../control/api.ts';

/** Bytes free below which a disk counts as full: a segment of results and a dataset fit no more. */
const DISK_FULL_BYTES = 16 * 1024 * 1024;

export interface DiskFacts {
  readonly journalBytes: number;
  readonly blobBytes: number;
  readonly keep: { readonly ms: number; readonly bytes: number };
  readonly damaged: readonly string[];
  /** Why records are refused at present. */
  readonly refusal: string | undefined;
  readonly refusesSinceMs: number | undefined;
}

export async function diskView(home: string, facts: DiskFacts): Promise<DiskView> {
  const { bavail, bsize } = await statfs(home);
  const freeBytes = bavail * bsize;
  const { refusal, refusesSinceMs, keep } = facts;
  const isFailing = facts.damaged.length > 0 || (refusal !== undefined && !/full/.test(refusal));
  const isFull = freeBytes < DISK_FULL_BYTES || refusal !== undefined;
  return {
    state: isFailing ? 'failing' : isFull ? 'full' : 'ok',
    freeBytes,
    usedBytes: facts.journalBytes + facts.blobBytes,
    journalBytes: facts.journalBytes,
    blobBytes: facts.blobBytes,
    keep,
    safety: 'power-safe',
    damaged: facts.damaged,
    refuses:
      refusal === undefined || refusesSinceMs === undefined
        ? null
        : { since: new Date(refusesSinceMs).toISOString(), reason: refusal },
  };
}
