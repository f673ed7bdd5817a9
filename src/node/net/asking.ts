// A question to another peer's control room, on a stream of its own: the bytes of an HTTP request there, those of
// its answer back. Which questions a member may ask is the control room's to say; here are only bytes.
import { Duplex } from 'node:stream';
import { MAX_CONTROL_FRAME } from '../wire/codec.ts';
import type { FrameStream } from './stream.ts';

export const ASK_PROTOCOL = '/mesh/ask/1.0.0';

/** Bytes per frame: half of what a stream may claim at once. */
const FRAME_BYTES_MAX = MAX_CONTROL_FRAME / 2;
/** ms to say the last bytes. */
const END_MS_MAX = 5_000;

/** The stream as Node's HTTP takes it. Destroying it aborts the stream. */
export function duplexOf(stream: FrameStream): Duplex {
  const duplex = new Duplex({
    read() {
      stream.read().then(
        (frame) => duplex.push(frame ?? null),
        (error: Error) => duplex.destroy(error),
      );
    },
    write(chunk: Uint8Array, _encoding, done) {
      void tell(writeAll(stream, chunk), done);
    },
    final(done) {
      void tell(stream.end(AbortSignal.timeout(END_MS_MAX)), done);
    },
    destroy(error, done) {
      stream.abort(error ?? new Error('nobody listens any more'));
      done(error);
    },
  });
  // Whoever uses it learns of a failure from what he is doing; without a listener it would end the process.
  duplex.on('error', () => {});
  return duplex;
}

async function tell(work: Promise<void>, done: (error?: Error) => void): Promise<void> {
  let failure: Error | undefined;
  try {
    await work;
  } catch (error) {
    failure = error as Error;
  }
  done(failure);
}

async function writeAll(stream: FrameStream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; at += FRAME_BYTES_MAX) {
    await stream.write(bytes.subarray(at, at + FRAME_BYTES_MAX));
  }
}
