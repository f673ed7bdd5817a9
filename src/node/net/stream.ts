// The one wrapper around a libp2p stream; nobody else touches a raw one. The library's own conveniences lose
// data or memory: its iterator never pauses the sender, and hangs when the other side has already closed; its
// drain promise resolves at once for ever after the first time. Here reading is pulled (the sender stops when
// the reader does), writing hands over one slice and waits until it has left, and frames have a length that is checked before a byte
// of them is kept.
import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface';
import * as lp from 'it-length-prefixed';
import { pipe } from 'it-pipe';
import type { Uint8ArrayList } from 'uint8arraylist';

/** Bytes read ahead of the consumer before the sender is stopped: enough to hide a wake-up, little per stream. */
const READ_AHEAD_BYTES = 512 << 10;

/** Bytes handed to the muxer's stream before a writer that waits is made to wait. */
const WRITE_AHEAD_BYTES = 512 << 10;

/**
 * Bytes given to the muxer at once. The muxer makes one frame of them, and other streams wait behind it; it is
 * also what the guard on the other side holds us to.
 */
const SLICE_BYTES = 64 << 10;

/** Bytes. No stream of ours has longer frames; most allow less. */
const FRAME_CLAIM_MAX = 1 << 20;

export class FrameStream {
  readonly #stream: Stream;
  #frameBytesMax: number;
  readonly #closed = Promise.withResolvers<void>();

  #unread: Uint8ArrayList[] = [];
  #unreadBytes = 0;
  #isResuming = false;
  #hasEnded = false;
  #failure: Error | undefined;
  #wakeReader: (() => void) | undefined;

  #unsent: Uint8ArrayList[] = [];
  #unsentBytes = 0;
  #wakeWriters: (() => void)[] = [];
  #frames: AsyncIterator<Uint8ArrayList> | undefined;

  constructor(stream: Stream, frameBytesMax: number) {
    this.#stream = stream;
    this.#frameBytesMax = frameBytesMax;
    stream.addEventListener('message', (event: StreamMessageEvent) => this.#onChunk(event));
    stream.addEventListener('end', () => this.#onEnd());
    stream.addEventListener('close', (event: StreamCloseEvent) => this.#onClose(event.error));
    // Dispatched from inside the library's own sending, where another send is taken and never flushed.
    stream.addEventListener('idle', () => queueMicrotask(() => this.#pump()));
    // Ended before anybody listened: no event will come for that any more.
    if (stream.readableEnded && stream.readBufferLength === 0) this.#onEnd();
    if (stream.status !== 'open' && stream.status !== 'closing') this.#onClose(undefined);
  }

  /** Settles when the stream is over in both directions, for whatever reason. Never rejects. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Bytes that are accepted here and not yet taken by the connection. */
  get queuedBytes(): number {
    return this.#unsentBytes + this.#stream.writeBufferLength;
  }

  /** Frames to come may be this long: a stranger may say little, a member more. */
  allowFrames(bytesMax: number): void {
    this.#frameBytesMax = bytesMax;
  }

  /** The next frame; undefined when the other side has ended. A cut stream or an oversized claim throws. */
  async read(): Promise<Uint8Array | undefined> {
    this.#frames ??= pipe(this.#chunks(), (source) =>
      lp.decode(source, {
        maxDataLength: FRAME_CLAIM_MAX,
        onLength: (length) => this.#checkClaim(length),
      }),
    )[Symbol.asyncIterator]();
    const next = await this.#frames.next();
    return next.done === true ? undefined : next.value.subarray();
  }

  /** As `read`, but gives up when `signal` aborts; the stream is of no use after that. */
  async readWithin(signal: AbortSignal): Promise<Uint8Array | undefined> {
    signal.throwIfAborted();
    const cut = (): void => this.abort(signal.reason as Error);
    signal.addEventListener('abort', cut, { once: true });
    try {
      return await this.read();
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }

  /** Queues one frame. False when the stream takes nothing any more. The caller watches `queuedBytes`. */
  send(frame: Uint8Array): boolean {
    if (this.#stream.writeStatus !== 'writable') return false;
    const bytes = lp.encode.single(frame, { maxDataLength: FRAME_CLAIM_MAX });
    for (let start = 0; start < bytes.byteLength; start += SLICE_BYTES) {
      this.#unsent.push(bytes.sublist(start, Math.min(start + SLICE_BYTES, bytes.byteLength)));
    }
    this.#unsentBytes += bytes.byteLength;
    this.#pump();
    return true;
  }

  /** Queues one frame and waits until the connection keeps up. Throws when the stream is cut. */
  async write(frame: Uint8Array): Promise<void> {
    if (!this.send(frame)) throw this.#failure ?? new Error('the stream is closed');
    while (this.queuedBytes > WRITE_AHEAD_BYTES) {
      if (this.#stream.writeStatus !== 'writable')
        throw this.#failure ?? new Error('the stream is closed');
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
    }
  }

  /** Says all that is queued, then that no more will come. The other side may still send. */
  async end(signal: AbortSignal): Promise<void> {
    while (this.#unsentBytes > 0 && this.#stream.writeStatus === 'writable') {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wakeWriters.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    await this.#stream.close({ signal });
  }

  abort(reason: Error): void {
    this.#failure ??= reason;
    this.#stream.abort(reason);
  }

  #checkClaim(bytes: number): void {
    if (bytes > this.#frameBytesMax) throw new Error(`a frame claims ${bytes} bytes`);
  }

  async *#chunks(): AsyncGenerator<Uint8ArrayList> {
    for (;;) {
      const chunk = this.#unread.shift();
      if (chunk !== undefined) {
        this.#unreadBytes -= chunk.byteLength;
        yield chunk;
        continue;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#hasEnded) return;
      if (this.#stream.readStatus === 'paused') {
        this.#resume();
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  /** A pause from inside resume() would be undone by it: the muxer opens its window last. */
  #resume(): void {
    this.#isResuming = true;
    this.#stream.resume();
    this.#isResuming = false;
    this.#pauseIfFull();
  }

  #pauseIfFull(): void {
    const isOpen = this.#stream.readStatus === 'readable';
    if (this.#unreadBytes > READ_AHEAD_BYTES && isOpen && !this.#isResuming) this.#stream.pause();
  }

  #onChunk(event: StreamMessageEvent): void {
    const chunk = event.data as Uint8ArrayList;
    this.#unread.push(chunk);
    this.#unreadBytes += chunk.byteLength;
    this.#pauseIfFull();
    // Bytes that came back from protocol negotiation arrive after the end was announced, which is not said twice.
    if (this.#stream.readableEnded && this.#stream.readBufferLength === 0) this.#hasEnded = true;
    this.#wake();
  }

  #onEnd(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  #onClose(error: Error | undefined): void {
    this.#failure ??= error;
    if (this.#stream.readBufferLength === 0) this.#hasEnded = true;
    this.#unsent = [];
    this.#unsentBytes = 0;
    this.#wake();
    this.#releaseWriters();
    this.#closed.resolve();
  }

  #wake(): void {
    this.#wakeReader?.();
    this.#wakeReader = undefined;
  }

  #releaseWriters(): void {
    const waiting = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of waiting) wake();
  }

  /** One slice at a time in the stream's buffer: what lies there goes out as one frame of the muxer. */
  #pump(): void {
    const stream = this.#stream;
    while (stream.writeBufferLength === 0 && this.#unsent.length > 0) {
      if (stream.writeStatus !== 'writable') break;
      const bytes = this.#unsent.shift()!;
      this.#unsentBytes -= bytes.byteLength;
      stream.send(bytes);
    }
    if (this.queuedBytes <= WRITE_AHEAD_BYTES) this.#releaseWriters();
  }
}
