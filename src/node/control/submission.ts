// Handing a prepared job to a peer: its blobs first, so that the job itself is one small message.
import { createHash } from 'node:crypto';
import { SPEC_RIDES_BYTES_MAX, type SubmitView } from './api.ts';
import type { BlobName, ControlHandlers } from './handlers.ts';

/** What `prepareJob` makes of a job file, as far as a peer needs it. */
export interface Submission {
  readonly name: string;
  readonly kernel: string;
  readonly specBytes: Uint8Array;
  readonly datasets: readonly { readonly sha256: string; readonly bytes: Uint8Array }[];
  readonly taskCount: number;
  readonly priority?: number | undefined;
  readonly weight?: number | undefined;
  readonly audit?: 'all' | 'none' | undefined;
  readonly onlyPeers?: readonly string[] | undefined;
  readonly notPeers?: readonly string[] | undefined;
  readonly memoryBytes?: number | undefined;
  readonly taskTimeoutMs?: number | undefined;
  readonly fresh?: boolean | undefined;
}

type Receiver = Pick<ControlHandlers, 'hasBlob' | 'putBlob' | 'submit'>;

/** Bytes per chunk of an upload: few enough to keep the daemon's loop free between two. */
const CHUNK_BYTES = 256 * 1024;
const JOB_NAME_CHARS_MAX = 200;

/** Uploads what the peer lacks, then the job. */
export async function submitPrepared(peer: Receiver, job: Submission): Promise<SubmitView> {
  const { specBytes } = job;
  const rides = specBytes.byteLength <= SPEC_RIDES_BYTES_MAX;
  const spec = { sha256: sha256Of(specBytes), bytes: specBytes.byteLength };
  // Side by side: each is a question and often nothing more, and a loop over generations waits for all of them.
  const [datasets] = await Promise.all([
    Promise.all(job.datasets.map(({ sha256, bytes }) => upload(peer, sha256, bytes))),
    rides ? undefined : upload(peer, spec.sha256, specBytes),
  ]);
  const { kernel, taskCount, priority, weight, audit, onlyPeers, notPeers, memoryBytes } = job;
  const { taskTimeoutMs, fresh } = job;
  return peer.submit({
    name: job.name.slice(0, JOB_NAME_CHARS_MAX),
    kernel,
    spec,
    ...(rides ? { specText: Buffer.from(specBytes).toString('utf8') } : {}),
    datasets,
    taskCount,
    priority,
    weight,
    audit,
    onlyPeers,
    notPeers,
    memoryBytes,
    taskTimeoutMs,
    fresh,
  });
}

async function upload(peer: Receiver, sha256: string, bytes: Uint8Array): Promise<BlobName> {
  if (!(await peer.hasBlob(sha256))) await peer.putBlob(sha256, chunksOf(bytes));
  return { sha256, bytes: bytes.byteLength };
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) {
    yield bytes.subarray(at, at + CHUNK_BYTES);
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
