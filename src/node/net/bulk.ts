// The second connection of a pair: blobs and large messages, so that neither ever stands before a steal or a
// heartbeat. Opened when first needed, closed when idle for a minute. Where a second connection cannot be had
// (only the other side can dial), the control connection carries the bytes too: slower steals beat none.
import type { Connection } from '@libp2p/interface';
import { MAX_CONTROL_FRAME } from '../wire/codec.ts';
import { FrameStream } from './stream.ts';

export const LARGE_MESSAGE_PROTOCOL = '/mesh/large/1.0.0';

/** Longer keeps a socket per pair for nothing, shorter pays a handshake (5 ms, 3 ms CPU) again and again. */
const IDLE_MS = 60_000;
/** A fresh dial to a peer that answers on its control connection. */
const OPEN_TIMEOUT_MS = 4000;

export interface BulkInit {
  /** Dials the second connection. */
  readonly dial: (signal: AbortSignal) => Promise<Connection>;
  readonly control: Connection;
  /** This peer's own incarnation: the receiver fences a large message by it. */
  readonly incarnation: number;
  /** Large messages were lost: the pair must part and meet again, so that both cores know. */
  readonly onBroken: (error: Error) => void;
}

export class Bulk {
  readonly #init: BulkInit;
  #connection: Promise<Connection> | undefined;
  #large: FrameStream | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isOpening = false;
  #users = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(init: BulkInit) {
    this.#init = init;
  }

  get queuedBytes(): number {
    return this.#waitingBytes + (this.#large?.queuedBytes ?? 0);
  }

  /** One stream for one use; the connection stays open at least as long. */
  async use<T>(
    protocol: string,
    signal: AbortSignal,
    work: (stream: FrameStream) => Promise<T>,
  ): Promise<T> {
    this.#users++;
    clearTimeout(this.#idleTimer);
    try {
      const connection = await this.#open();
      const stream = new FrameStream(
        await connection.newStream(protocol, { signal }),
        MAX_CONTROL_FRAME,
      );
      try {
        return await work(stream);
      } finally {
        stream.abort(new Error('done'));
      }
    } finally {
      this.#users--;
      this.#rest();
    }
  }

  /** Reliable, or `onBroken`; in no promised order with the control stream. */
  sendLarge(frame: Uint8Array): void {
    this.#rest();
    if (this.#large?.send(frame) === true) return;
    this.#waiting.push(frame);
    this.#waitingBytes += frame.byteLength;
    void this.#openLarge();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#idleTimer);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#large?.abort(new Error('the pair has parted'));
    this.#hangUp();
  }

  async #openLarge(): Promise<void> {
    if (this.#isOpening || this.#isClosed) return;
    this.#isOpening = true;
    try {
      const connection = await this.#open();
      const signal = AbortSignal.timeout(OPEN_TIMEOUT_MS);
      const raw = await connection.newStream(LARGE_MESSAGE_PROTOCOL, { signal });
      const stream = new FrameStream(raw, MAX_CONTROL_FRAME);
      stream.send(encodeIncarnation(this.#init.incarnation));
      for (const frame of this.#waiting) stream.send(frame);
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#large = stream;
      void stream.closed.then(() => this.#onLargeClosed(stream));
    } catch (error) {
      if (!this.#isClosed) this.#init.onBroken(error as Error);
    } finally {
      this.#isOpening = false;
    }
  }

  #onLargeClosed(stream: FrameStream): void {
    if (this.#large !== stream) return;
    this.#large = undefined;
    if (!this.#isClosed) this.#init.onBroken(new Error('the stream of large messages broke'));
  }

  async #open(): Promise<Connection> {
    this.#connection ??= this.#init
      .dial(AbortSignal.timeout(OPEN_TIMEOUT_MS))
      .catch(() => this.#init.control)
      .then((connection) => {
        connection.addEventListener('close', () => {
          this.#connection = undefined;
        });
        return connection;
      });
    return this.#connection;
  }

  #rest(): void {
    clearTimeout(this.#idleTimer);
    if (this.#isClosed) return;
    this.#idleTimer = setTimeout(() => this.#closeIfIdle(), IDLE_MS);
    this.#idleTimer.unref();
  }

  #closeIfIdle(): void {
    if (this.#users > 0 || this.queuedBytes > 0 || this.#isOpening) return;
    const large = this.#large;
    this.#large = undefined;
    large?.abort(new Error('idle'));
    this.#hangUp();
  }

  #hangUp(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) void this.#abortUnlessControl(connection);
  }

  async #abortUnlessControl(connection: Promise<Connection>): Promise<void> {
    const open = await connection;
    if (open !== this.#init.control) open.abort(new Error('idle'));
  }
}

function encodeIncarnation(incarnation: number): Uint8Array {
  const frame = new Uint8Array(8);
  new DataView(frame.buffer).setFloat64(0, incarnation);
  return frame;
}

/** NaN, which equals no incarnation, for anything else. */
export function decodeIncarnation(frame: Uint8Array): number {
  if (frame.byteLength !== 8) return Number.NaN;
  return new DataView(frame.buffer, frame.byteOffset).getFloat64(0);
}
