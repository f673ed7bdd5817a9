// Stands before the muxer: yamux keeps a whole data frame in memory before it looks at any window, so a peer
// that claims 4 GiB in one header fattens this process without limit. The guard walks the 12-byte headers and
// cuts a connection that claims more than any honest muxer sends.
import type { MessageStream, StreamMessageEvent, StreamMuxerFactory } from '@libp2p/interface';

/** Bytes. Our streams hand the muxer 64 KiB at a time, and it splits no finer; the rest is room for others. */
export const FRAME_BYTES_MAX = 256 << 10;

const HEADER_BYTES = 12;
const DATA_FRAME = 0;

/** Wraps a muxer so that a connection with an oversized frame is cut before the muxer sees it. */
export function guarded<C>(
  muxer: (components: C) => StreamMuxerFactory,
): (components: C) => StreamMuxerFactory {
  return (components) => {
    const factory = muxer(components);
    const create = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => {
      watchFrames(connection);
      return create(connection);
    };
    return factory;
  };
}

/** Must be called before the muxer adds its own listener: the first listener may keep the event from it. */
function watchFrames(connection: MessageStream): void {
  const walker = new FrameWalker();
  connection.addEventListener('message', (event: StreamMessageEvent) => {
    if (walker.accepts(event.data.subarray())) return;
    event.stopImmediatePropagation();
    connection.abort(new Error('a muxer frame claims more bytes than any peer sends'));
  });
}

/** Follows frame borders across chunks. */
export class FrameWalker {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #bodyLeft = 0;

  /** False as soon as a header claims too much; the walker is of no use after that. */
  accepts(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.byteLength) {
      if (this.#bodyLeft > 0) {
        const skipped = Math.min(this.#bodyLeft, chunk.byteLength - at);
        this.#bodyLeft -= skipped;
        at += skipped;
        continue;
      }
      const part = chunk.subarray(at, at + HEADER_BYTES - this.#headerBytes);
      this.#header.set(part, this.#headerBytes);
      this.#headerBytes += part.byteLength;
      at += part.byteLength;
      if (this.#headerBytes === HEADER_BYTES && !this.#takeHeader()) return false;
    }
    return true;
  }

  #takeHeader(): boolean {
    this.#headerBytes = 0;
    if (this.#header[1] !== DATA_FRAME) return true;
    this.#bodyLeft = new DataView(this.#header.buffer).getUint32(8);
    return this.#bodyLeft <= FRAME_BYTES_MAX;
  }
}
