// StreamEvent <-> frames of a server-sent-event stream (text/event-stream, WHATWG HTML 9.2). Rows travel as base64 of
// little-endian Float64, so that NaN, infinities and every last bit survive, which JSON numbers do not offer.
import type { RowsEvent, StreamEvent } from './api.ts';

/** A frame longer than this is not one of ours; a row event has at most ROWS_PER_FRAME_MAX rows. */
const FRAME_CHARS_MAX = 16 * 2 ** 20;
/** 4,096 rows of 20 values are 875 kB as base64: under the mark at which a reader counts as slow. */
const ROWS_PER_FRAME_MAX = 4096;

export function encodeEvent(event: StreamEvent): string {
  const body = event.kind === 'rows' ? { ...event, values: packValues(event.values) } : event;
  return `event: ${event.kind}\ndata: ${JSON.stringify(body)}\n\n`;
}

/** Cuts a long rows event, so that one frame stays within the limit; others pass as they are. */
export function splitRows(event: RowsEvent): readonly RowsEvent[] {
  if (event.tasks.length <= ROWS_PER_FRAME_MAX) return [event];
  const width = event.columns.length;
  const failed = new Set(event.failed);
  const parts: RowsEvent[] = [];
  for (let from = 0; from < event.tasks.length; from += ROWS_PER_FRAME_MAX) {
    const tasks = event.tasks.slice(from, from + ROWS_PER_FRAME_MAX);
    parts.push({
      ...event,
      tasks,
      values: event.values.subarray(from * width, (from + tasks.length) * width),
      failed: tasks.filter((task) => failed.has(task)),
      ...(event.labels === undefined
        ? {}
        : { labels: event.labels.slice(from, from + tasks.length) }),
    });
  }
  return parts;
}

/** Bytes of the stream in, events out. A frame that cannot be read throws: the stream is of no use after it. */
export class EventDecoder {
  #text = '';
  readonly #utf8 = new TextDecoder();

  push(bytes: Uint8Array): StreamEvent[] {
    this.#text += this.#utf8.decode(bytes, { stream: true });
    const frames = this.#text.split('\n\n');
    this.#text = frames.pop() ?? '';
    if (this.#text.length > FRAME_CHARS_MAX) throw new Error('event frame too long');
    return frames.flatMap(decodeFrame);
  }
}

/** Comments (keep-alive) and kinds of a newer peer decode to nothing. */
function decodeFrame(frame: string): StreamEvent[] {
  const data = frame
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length))
    .join('\n');
  if (data === '') return [];
  const event = JSON.parse(data) as { kind: string };
  switch (event.kind) {
    case 'progress':
    case 'snapshot':
    case 'ended':
    case 'broken':
      return [event as StreamEvent];
    case 'rows': {
      const rows = event as Omit<RowsEvent, 'values'> & { values: string };
      return [
        { ...rows, values: unpackValues(rows.values, rows.tasks.length * rows.columns.length) },
      ];
    }
    default:
      return [];
  }
}

function packValues(values: Float64Array): string {
  const bytes = Buffer.allocUnsafe(values.length * 8);
  for (const [at, value] of values.entries()) bytes.writeDoubleLE(value, at * 8);
  return bytes.toString('base64');
}

function unpackValues(text: string, count: number): Float64Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== count * 8) throw new Error('rows frame of a wrong length');
  const values = new Float64Array(count);
  for (let at = 0; at < count; at++) values[at] = bytes.readDoubleLE(at * 8);
  return values;
}
