// One watcher's stream of events over HTTP. A reader that cannot keep up costs no memory: snapshots are
// skipped, and rows wait as references to what the ledger holds anyway until the reader has caught up.
import type { ServerResponse } from 'node:http';
import type { EndedEvent, RowsEvent, StreamEvent } from './api.ts';
import { encodeEvent, splitRows } from './event-codec.ts';

/** Bytes that wait in the response before a reader counts as slow: a second of a busy mesh. */
const PENDING_BYTES_MAX = 2 ** 20;
/** A comment this often shows a dead reader, and tells a live one that the peer is there. */
const KEEP_ALIVE_MS = 15_000;

export class EventStream {
  readonly #response: ServerResponse;
  #rows: RowsEvent[] = [];
  #ended: EndedEvent | undefined;
  readonly #keepAlive: NodeJS.Timeout;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    response.on('drain', () => this.#flush());
    this.#keepAlive = setInterval(() => {
      if (!this.#isSlow()) response.write(': here\n\n');
    }, KEEP_ALIVE_MS);
    this.#keepAlive.unref();
    response.once('close', () => clearInterval(this.#keepAlive));
  }

  send(event: StreamEvent): void {
    if (this.#response.destroyed || this.#ended !== undefined) return;
    switch (event.kind) {
      case 'progress':
      case 'snapshot':
      case 'broken':
        if (!this.#isSlow()) this.#response.write(encodeEvent(event));
        return;
      case 'rows':
        this.#rows.push(...splitRows(event));
        break;
      case 'ended':
        this.#ended = event;
        break;
    }
    this.#flush();
  }

  #flush(): void {
    let sent = 0;
    while (sent < this.#rows.length && !this.#isSlow()) {
      const next = this.#rows[sent++];
      if (next !== undefined) this.#response.write(encodeEvent(next));
    }
    if (sent > 0) this.#rows = this.#rows.slice(sent);
    if (this.#rows.length === 0 && this.#ended !== undefined && !this.#response.writableEnded) {
      this.#response.end(encodeEvent(this.#ended));
    }
  }

  #isSlow(): boolean {
    return this.#response.writableLength > PENDING_BYTES_MAX;
  }
}
