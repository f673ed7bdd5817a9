// Blobs between members: asked for by SHA-256 from a byte on, so that a transfer that was cut goes on where it
// stopped, from the same peer or another. The length is known before; a stream that ends early is a failure. The
// bytes are checked against their hash by whoever stores them.
import type { PeerId } from '../../stealing/ids.ts';
import type { BlobRef } from '../../stealing/job.ts';
import { MeshError } from '../errors.ts';
import {
  BLOB_FRAME_BYTES,
  decodeBlobHeader,
  decodeBlobRequest,
  encodeBlobHeader,
  encodeBlobRequest,
} from '../wire/blob.ts';
import type { FrameStream } from './stream.ts';

export const BLOB_PROTOCOL = '/mesh/blob/1.0.0';

/** Without a byte for this long the next peer is asked. */
const STALL_MS = 10_000;

/** What this peer has for others. */
export interface BlobSource {
  /** Undefined when it is not here. */
  size(sha256: string): Promise<number | undefined>;
  read(sha256: string, offset: number, length: number): Promise<Uint8Array>;
}

/** Where a fetched blob goes; `offset` is how much of it is there. */
export interface BlobSink {
  readonly offset: number;
  write(chunk: Uint8Array): Promise<void>;
}

/** Answers one request on a member's stream. */
export async function serveBlob(
  stream: FrameStream,
  blobs: BlobSource,
  onSent: (ref: BlobRef, sentBytes: number) => void = () => {},
): Promise<void> {
  const frame = await stream.readWithin(AbortSignal.timeout(STALL_MS));
  const request = frame && decodeBlobRequest(frame);
  if (request === undefined) throw new Error('not a request for a blob');
  const bytes = await blobs.size(request.sha256);
  await stream.write(encodeBlobHeader({ bytes }));
  const end = bytes ?? 0;
  for (let offset = request.offset; offset < end; offset += BLOB_FRAME_BYTES) {
    const length = Math.min(BLOB_FRAME_BYTES, end - offset);
    await stream.write(await blobs.read(request.sha256, offset, length));
    onSent({ sha256: request.sha256, bytes: end }, offset + length);
  }
  await stream.end(AbortSignal.timeout(STALL_MS));
  // Until the receiver hangs up its last bytes may be under way.
  await Promise.race([stream.closed, stream.readWithin(AbortSignal.timeout(STALL_MS))]);
}

/** Receives the rest of one blob on a stream to a peer. Throws when the peer lacks it, stalls or is cut. */
export async function receiveBlob(
  stream: FrameStream,
  { sha256, bytes }: BlobRef,
  sink: BlobSink,
  signal: AbortSignal,
): Promise<void> {
  await stream.write(encodeBlobRequest({ sha256, offset: sink.offset }));
  const head = await readBeforeStall(stream, signal);
  const header = head && decodeBlobHeader(head);
  if (header?.bytes !== bytes) throw new Error('the peer does not have this blob');
  while (sink.offset < bytes) {
    const chunk = await readBeforeStall(stream, signal);
    if (chunk === undefined) throw new Error('the blob ended early');
    if (chunk.byteLength === 0 || chunk.byteLength > bytes - sink.offset) {
      throw new Error('the peer sends other bytes than it said');
    }
    const before = sink.offset;
    await sink.write(chunk);
    if (sink.offset !== before + chunk.byteLength) throw new Error('the sink lost bytes');
  }
}

/** Asks one peer after the other, twice round, and goes on where the one before stopped. */
export async function fetchFrom(
  peers: readonly PeerId[],
  ref: BlobRef,
  signal: AbortSignal,
  ask: (peer: PeerId) => Promise<void>,
): Promise<void> {
  const failures: string[] = [];
  for (const peer of [...peers, ...peers]) {
    signal.throwIfAborted();
    try {
      return await ask(peer);
    } catch (error) {
      signal.throwIfAborted();
      failures.push(`${peer.slice(-6)}: ${(error as Error).message}`);
    }
  }
  const hint = failures.length === 0 ? 'No peer is known to have it.' : failures.join('; ');
  throw new MeshError('UNREACHABLE', `no peer gave the data ${ref.sha256.slice(0, 12)}`, { hint });
}

async function readBeforeStall(
  stream: FrameStream,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  return stream.readWithin(AbortSignal.any([signal, AbortSignal.timeout(STALL_MS)]));
}
