// How long this peer keeps what has ended: for some days, never more than some bytes or jobs, the oldest leave first. A
// running job is always kept. What no job names any more, such as the candles of one that left, goes with it.
import type { JobId } from '../../stealing/ids.ts';
import type { BlobRef, JobHeader } from '../../stealing/job.ts';

export interface Keep {
  /** After this peer learned of the job's end. */
  readonly ms: number;
  /** Of records and blobs together. */
  readonly bytes: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

/** A month covers the question "what did we try before"; twenty gigabytes are a hundred jobs of a million tasks. */
export const DEFAULT_KEEP: Keep = { ms: 30 * DAY_MS, bytes: 20e9 };

/** Ended jobs at most: each takes 8 to 16 KB of the node's heap (small jobs on two peers, November 2026), so all of them
 * 160 to 320 MB. A miner with a job every five seconds has 17,000 a day. More: a node that grows until the
 * machine has no more; less: fewer old results to read. */
export const ENDED_JOBS_MAX = 20_000;

/** ms: a blob is uploaded before its job is known, and must not be swept away in between. */
const BLOB_GRACE_MS = 60 * 60 * 1_000;

export interface KeptJob {
  readonly job: JobId;
  readonly hasEnded: boolean;
  /** Epoch ms by this machine's clock: clocks of two machines are never compared. */
  readonly newestMs: number;
  readonly bytes: number;
}

/** Ended jobs that leave, oldest first. `usedBytes`: everything that is kept by now. */
export function expired(
  jobs: readonly KeptJob[],
  keep: Keep,
  now: { readonly nowMs: number; readonly usedBytes: number },
): JobId[] {
  const oldestFirst = jobs
    .filter(({ hasEnded }) => hasEnded)
    .toSorted((a, b) => a.newestMs - b.newestMs);
  const leaving: JobId[] = [];
  let used = now.usedBytes;
  for (const [index, { job, newestMs, bytes }] of oldestFirst.entries()) {
    const isOld = now.nowMs - newestMs > keep.ms;
    const isOneTooMany = index < oldestFirst.length - ENDED_JOBS_MAX;
    if (!isOld && !isOneTooMany && used <= keep.bytes) continue;
    leaving.push(job);
    used -= bytes;
  }
  return leaving;
}

export interface StoredBlob extends BlobRef {
  /** Epoch ms. */
  readonly writtenMs: number;
}

/** Blobs that no job names and nobody is about to submit. */
export function unneededBlobs(
  blobs: readonly StoredBlob[],
  headers: readonly Pick<JobHeader, 'spec' | 'datasets'>[],
  nowMs: number,
): string[] {
  const needed = new Set(
    headers.flatMap(({ spec, datasets }) => [spec, ...datasets].map(({ sha256 }) => sha256)),
  );
  return blobs
    .filter(({ sha256, writtenMs }) => !needed.has(sha256) && nowMs - writtenMs > BLOB_GRACE_MS)
    .map(({ sha256 }) => sha256);
}
