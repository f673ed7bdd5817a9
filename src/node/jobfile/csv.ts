// Candles from a CSV file as users have them. Every row is checked and a bad one is an error with its line,
// never skipped and never mended: a silent repair changes results. Bars that are missing are kept missing and
// counted.

import type { Candles } from '../../kernel/job.ts';
import { MAX_BARS } from '../../kernel/limits.ts';
import { type CsvColumns, readCsvHeader, unquote } from './csv-header.ts';
import type { Problem } from './problem.ts';
import { parseTimeCell } from './time-cell.ts';

export type CsvResult =
  | { readonly ok: true; readonly candles: Candles; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Bytes of a CSV file: what fits into one string. Two million rows are some 140 MB. */
const CSV_BYTES_MAX = 400 * 2 ** 20;

/** Faulty rows that are shown one by one. */
const ROWS_SHOWN = 10;

export function parseCandleCsv(file: string, bytes: Uint8Array): CsvResult {
  if (bytes.byteLength > CSV_BYTES_MAX) {
    const message = `more than ${CSV_BYTES_MAX / 2 ** 20} MiB of CSV`;
    return failure(file, { line: 1, excerpt: '' }, { message });
  }
  // Latin-1 decodes any bytes, fast; what is read is ASCII.
  const text = new TextDecoder('latin1').decode(stripMark(bytes));
  const headerEnd = lineEnd(text, 0);
  const headerLine = withoutReturn(text.slice(0, headerEnd));
  if (headerLine.trim() === '') {
    return failure(file, { line: 1, excerpt: '' }, { message: 'the file is empty' });
  }
  const header = readCsvHeader(headerLine);
  if (!header.ok) return failure(file, { line: 1, excerpt: headerLine }, header);
  const rows = new Rows(file, header.columns, countLines(text));
  let line = 2;
  for (let start = headerEnd + 1; start < text.length; line++) {
    const end = lineEnd(text, start);
    rows.add(withoutReturn(text.slice(start, end)), line);
    start = end + 1;
  }
  return rows.result();
}

class Rows {
  readonly #file: string;
  readonly #columns: CsvColumns;
  readonly #candles: Candles;
  readonly #problems: Problem[] = [];
  #faultCount = 0;
  #barCount = 0;
  #previousMs = -Infinity;
  /** A blank line is fine at the end of the file only. */
  #blankLine = 0;

  constructor(file: string, columns: CsvColumns, capacity: number) {
    this.#file = file;
    this.#columns = columns;
    const column = (): Float64Array => new Float64Array(Math.min(capacity, MAX_BARS));
    this.#candles = {
      barCount: 0,
      timeMs: column(),
      open: column(),
      high: column(),
      low: column(),
      close: column(),
      volume: column(),
    };
  }

  add(line: string, lineNumber: number): void {
    if (line.trim() === '') {
      this.#blankLine ||= lineNumber;
      return;
    }
    if (this.#blankLine > 0) this.#fault(this.#blankLine, '', 'an empty line between rows');
    this.#blankLine = 0;
    const fault = this.#read(line);
    if (fault !== undefined) this.#fault(lineNumber, line, fault);
  }

  result(): CsvResult {
    const hidden = this.#faultCount - this.#problems.length;
    const last = this.#problems.at(-1);
    if (last !== undefined) {
      if (hidden > 0) this.#problems.push({ ...last, ...more(hidden) });
      return { ok: false, problems: this.#problems };
    }
    if (this.#barCount < 2) {
      const message = 'a backtest needs at least two candles';
      return failure(this.#file, { line: 1, excerpt: '' }, { message });
    }
    const cut = (column: Float64Array): Float64Array => column.subarray(0, this.#barCount);
    const { timeMs, open, high, low, close, volume } = this.#candles;
    const candles = {
      barCount: this.#barCount,
      timeMs: cut(timeMs),
      open: cut(open),
      high: cut(high),
      low: cut(low),
      close: cut(close),
      volume: cut(volume),
    };
    const { extra } = this.#columns;
    const ignored = extra.length === 0 ? [] : [`columns not read: ${extra.join(', ')}`];
    return { ok: true, candles, warnings: ignored };
  }

  /** Appends the candle of a line; or says what is wrong with it. */
  #read(line: string): string | undefined {
    const columns = this.#columns;
    const cells = line.split(columns.delimiter);
    if (cells.length !== columns.columnCount) {
      return `${cells.length} columns where the header has ${columns.columnCount}`;
    }
    const cell = (index: number): string => unquote((cells[index] as string).trim());
    const timeText =
      columns.clock < 0 ? cell(columns.time) : `${cell(columns.time)} ${cell(columns.clock)}`;
    const timeMs = parseTimeCell(timeText);
    if (Number.isNaN(timeMs)) return `"${timeText.slice(0, 40)}" is not a time`;
    if (timeMs === this.#previousMs) return 'the same time as the row before';
    if (timeMs < this.#previousMs)
      return 'earlier than the row before: sort the file, oldest first';
    const open = numberOf(cell(columns.open));
    const high = numberOf(cell(columns.high));
    const low = numberOf(cell(columns.low));
    const close = numberOf(cell(columns.close));
    const volume = numberOf(cell(columns.volume));
    for (const name of ['open', 'high', 'low', 'close', 'volume'] as const) {
      const value = numberOf(cell(columns[name]));
      if (Number.isFinite(value)) continue;
      return `${name} is "${cell(columns[name]).slice(0, 40)}", not a number`;
    }
    if (high < low) return `high ${high} is below low ${low}`;
    if (high < open || high < close) return `high ${high} is below open or close`;
    if (low > open || low > close) return `low ${low} is above open or close`;
    if (low <= 0) return `price ${low} is not above 0`;
    if (volume < 0) return `volume ${volume} is below 0`;
    if (this.#barCount >= MAX_BARS) return `more than ${MAX_BARS} candles`;
    const bar = this.#barCount++;
    this.#previousMs = timeMs;
    this.#candles.timeMs[bar] = timeMs;
    this.#candles.open[bar] = open;
    this.#candles.high[bar] = high;
    this.#candles.low[bar] = low;
    this.#candles.close[bar] = close;
    this.#candles.volume[bar] = volume;
    return undefined;
  }

  #fault(lineNumber: number, line: string, message: string): void {
    this.#faultCount++;
    if (this.#problems.length >= ROWS_SHOWN) return;
    this.#problems.push({
      file: this.#file,
      line: lineNumber,
      col: 1,
      path: '',
      message,
      excerpt: line,
      caretLength: Math.max(1, line.length),
    });
  }
}

function more(hidden: number): Pick<Problem, 'message' | 'excerpt'> {
  return { message: `and ${hidden} more rows like these`, excerpt: '' };
}

/** Empty cells and words are NaN, which Number('') is not. */
function numberOf(cell: string): number {
  return cell === '' ? NaN : Number(cell);
}

function failure(
  file: string,
  { line, excerpt }: { line: number; excerpt: string },
  { message, hint }: { message: string; hint?: string },
): CsvResult {
  const caretLength = Math.max(1, excerpt.length);
  const more = hint === undefined ? {} : { hint };
  const problem = { file, line, col: 1, path: '', message, excerpt, caretLength, ...more };
  return { ok: false, problems: [problem] };
}

function stripMark(bytes: Uint8Array): Uint8Array {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasMark ? bytes.subarray(3) : bytes;
}

function countLines(text: string): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function lineEnd(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end < 0 ? text.length : end;
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
