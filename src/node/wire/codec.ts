// Message <-> bytes: the one place where a peer's words become bytes and a stranger's bytes become a message.
// A frame is the CBOR array [protocol version, kind, body] or, for a job offer, [.., body, spec]. Decoding never
// throws and never believes a length: whatever is not exactly a message is a fault, which costs the sender its
// stream. Pure, so that the simulator puts real bytes into its path.
import { decode, encode } from 'cborg';
import { invariant } from '../../invariant.ts';
import type { Message, MessageKind } from '../../stealing/messages.ts';
import { Fault, type Field } from './field.ts';
import { BODIES, KIND_CODES } from './message-schema.ts';

/**
 * Rises when a release speaks in another way; the hello compares it. Peers one apart speak the lower one, which the newer
 * of them sees to, so that machines need not be updated in one moment. Within one version fields are only appended, and
 * a kind of message that is not known is passed over.
 */
export const PROTOCOL_VERSION = 1;

/** Bytes. More would let one frame block the loop: 1 MiB of hostile CBOR costs under 200 ms to refuse. */
export const MAX_CONTROL_FRAME = 1 << 20;

/** Bytes. A spec this small rides with its offer and saves the receiver a round trip for the blob. */
export const MAX_ATTACHMENT = 64 << 10;

export type Decoded =
  | { readonly ok: true; readonly message: Message; readonly attachment?: Uint8Array }
  | { readonly ok: false; readonly fault: string; readonly isUnknownKind?: true };

/** `attachment`: the job's spec, only with `jobOffered`. A message that does not fit a frame is a bug of its maker. */
export function encodeMessage(message: Message, attachment?: Uint8Array): Uint8Array {
  const body = bodyOf(message.kind).write(message);
  const frame: unknown[] = [PROTOCOL_VERSION, KIND_CODES[message.kind], body];
  if (attachment !== undefined) {
    invariant(message.kind === 'jobOffered', 'only a job offer carries an attachment');
    invariant(attachment.byteLength <= MAX_ATTACHMENT, 'an attachment is at most 64 KiB');
    frame.push(attachment);
  }
  const bytes = encode(frame);
  invariant(bytes.byteLength <= MAX_CONTROL_FRAME, `a ${message.kind} frame is at most 1 MiB`);
  return bytes;
}

export function decodeMessage(bytes: Uint8Array): Decoded {
  if (bytes.byteLength > MAX_CONTROL_FRAME) return { ok: false, fault: 'frame too long' };
  const parsed = decodeCbor(bytes);
  if (!parsed.ok) return parsed;
  try {
    return readFrame(parsed.value);
  } catch (error) {
    if (error instanceof Fault) return { ok: false, fault: error.message };
    throw error;
  }
}

/** CBOR without its liberties: no indefinite lengths, no undefined, no integers beyond 2^53. */
export function decodeCbor(
  bytes: Uint8Array,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: string } {
  try {
    const options = { allowIndefinite: false, allowUndefined: false, allowBigInt: false };
    return { ok: true, value: decode(bytes, options) };
  } catch (error) {
    // The parser throws plain Errors, and a RangeError when nesting exhausts the stack: all are the sender's doing.
    return { ok: false, fault: error instanceof Error ? error.message : 'not CBOR' };
  }
}

function readFrame(frame: unknown): Decoded {
  if (!Array.isArray(frame) || frame.length < 3) return { ok: false, fault: 'not a frame' };
  const [version, code, rawBody, rawAttachment] = frame as unknown[];
  if (version !== PROTOCOL_VERSION) return { ok: false, fault: 'unknown protocol version' };
  const kind = KINDS.get(code);
  if (kind === undefined) {
    const fault = 'unknown kind of message';
    const isOfLaterRelease = Number.isSafeInteger(code) && (code as number) > KIND_CODE_MAX;
    return isOfLaterRelease ? { ok: false, fault, isUnknownKind: true } : { ok: false, fault };
  }
  const message = { kind, ...bodyOf(kind).read(rawBody) } as Message;
  if (rawAttachment === undefined) return { ok: true, message };
  if (kind !== 'jobOffered') return { ok: false, fault: 'only a job offer carries an attachment' };
  if (!(rawAttachment instanceof Uint8Array) || rawAttachment.byteLength > MAX_ATTACHMENT) {
    return { ok: false, fault: 'attachment is not at most 64 KiB' };
  }
  return { ok: true, message, attachment: rawAttachment };
}

const KINDS: ReadonlyMap<unknown, MessageKind> = new Map(
  Object.entries(KIND_CODES).map(([kind, code]) => [code, kind as MessageKind]),
);

const KIND_CODE_MAX = Math.max(...Object.values(KIND_CODES));

invariant(KINDS.size === Object.keys(KIND_CODES).length, 'each kind has a number of its own');

/** The table is exact per kind; the union of its fields is not something the compiler can call. */
function bodyOf(kind: MessageKind): Field<object> {
  return BODIES[kind];
}
