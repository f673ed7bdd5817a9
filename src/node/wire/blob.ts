// The two small frames around a blob on the wire: what is asked for, and whether the other side has it. The bytes
// themselves follow raw.
import { encode } from 'cborg';
import { decodeCbor } from './codec.ts';
import { count, Fault, type Field, optional, record } from './field.ts';
import { sha256Hex } from './message-schema.ts';

/** Bytes of one raw frame: large enough to be cheap, below the muxer's own split. */
export const BLOB_FRAME_BYTES = 192 << 10;

export interface BlobRequest {
  readonly sha256: string;
  /** The first byte wanted; the receiver has those before it. */
  readonly offset: number;
}

/** `bytes`: size of the whole blob; undefined when the sender does not have it. */
export interface BlobHeader {
  readonly bytes: number | undefined;
}

const request: Field<BlobRequest> = record<BlobRequest>({ sha256: sha256Hex, offset: count });
const header: Field<BlobHeader> = record<BlobHeader>({ bytes: optional(count) });

export function encodeBlobRequest(value: BlobRequest): Uint8Array {
  return encode(request.write(value));
}

export function encodeBlobHeader(value: BlobHeader): Uint8Array {
  return encode(header.write(value));
}

/** Undefined for anything that is not exactly a request. */
export function decodeBlobRequest(frame: Uint8Array): BlobRequest | undefined {
  return read(request, frame);
}

export function decodeBlobHeader(frame: Uint8Array): BlobHeader | undefined {
  return read(header, frame);
}

function read<T>(field: Field<T>, frame: Uint8Array): T | undefined {
  const parsed = decodeCbor(frame);
  if (!parsed.ok) return undefined;
  try {
    return field.read(parsed.value);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
