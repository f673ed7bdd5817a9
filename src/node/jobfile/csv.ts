// Candles from a CSV file as users have them: which column is which, and each line cut into its cells. Bars that
// are missing are kept missing and counted elsewhere.

import { CandleRows, type CandleResult, candleFailure } from './candle-rows.ts';
import { type CsvColumns, readCsvHeader, unquote } from './csv-header.ts';
import { PlainLines } from './plain-lines.ts';

const LINE_FEED = 0x0a;

/** A first line that is nothing but an address. */
const SOURCE = /^(?:https?:\/\/|www\.)[^,;\s]*\r?\n/i;
const SOURCE_CHARS_MAX = 200;

/** Characters of the line of column names: a thousand columns of a wide table are some 20,000. */
const HEADER_CHARS_MAX = 100_000;

/** The shortest line of a candle: eight digits of a date, five numbers of one, and what parts them. */
const LINE_BYTES_MIN = 8 + 5 * 2 + 1;

export function parseCandleCsv(file: string, fileBytes: Uint8Array): CandleResult {
  const bytes = stripMark(fileBytes);
  const textOf = latin1Of(bytes);
  // CryptoDataDownload says where a file is from, in a line above the column names.
  const hasSource = SOURCE.test(textOf(0, SOURCE_CHARS_MAX));
  const headerStart = hasSource ? lineEnd(bytes, 0) + 1 : 0;
  const headerEnd = lineEnd(bytes, headerStart);
  const headerLine = withoutReturn(textOf(headerStart, headerEnd));
  if (headerLine.trim() === '') return candleFailure(file, 'the file is empty');
  const fault = headerFault(file, headerLine);
  if (fault !== undefined) return fault;
  const header = readCsvHeader(headerLine);
  if (!header.ok) return candleFailure(file, header.message, { ...header, excerpt: headerLine });
  const { columns } = header;
  const rows = new CandleRows(file, Math.ceil(bytes.length / LINE_BYTES_MIN));
  const plain = columns.clock < 0 ? new PlainLines(bytes, columns, textOf) : undefined;
  // A blank line is fine at the end of the file only.
  let blankLine = 0;
  let lineNumber = (hasSource ? 2 : 1) + (header.isHeaderless ? 0 : 1);
  for (
    let start = header.isHeaderless ? headerStart : headerEnd + 1;
    start < bytes.length;
    lineNumber++
  ) {
    if (plain !== undefined && blankLine === 0) {
      const next = plain.read(start);
      // What is wrong with a candle is said below, where the line is read again as text.
      if (next >= 0 && rows.addBar(plain.values) === undefined) {
        start = next;
        continue;
      }
    }
    const end = lineEnd(bytes, start);
    const line = withoutReturn(textOf(start, end));
    start = end + 1;
    if (line.trim() === '') {
      blankLine ||= lineNumber;
      continue;
    }
    if (blankLine > 0) {
      const blank = { line: blankLine, col: 1, excerpt: '' };
      rows.fault('an empty line between rows', () => blank);
    }
    blankLine = 0;
    const fault = addLine(rows, columns, line);
    if (fault !== undefined) {
      const place = { line: lineNumber, col: 1, excerpt: line };
      rows.fault(fault, () => place);
    }
  }
  const { extra } = columns;
  const warnings: string[] = [];
  if (header.isHeaderless) warnings.push('no column names: read by the order of the columns');
  if (extra.length > 0) {
    const names = extra.map((name) => (name === '' ? '(without a name)' : name));
    warnings.push(`columns not read: ${names.join(', ')}`);
  }
  return rows.result(warnings);
}

/** What is wrong with the first line before anybody looks for column names in it. */
function headerFault(file: string, line: string): CandleResult | undefined {
  if (line.includes('\r')) {
    const hint = `write it anew: tr '\\r' '\\n' < ${file} > candles.csv`;
    return candleFailure(file, 'the lines end with carriage returns alone', { hint });
  }
  if (line.length <= HEADER_CHARS_MAX) return undefined;
  const message = `the first line has more than ${HEADER_CHARS_MAX} characters`;
  return candleFailure(file, message, {
    hint: 'one line for each candle, column names above them',
  });
}

function addLine(rows: CandleRows, columns: CsvColumns, line: string): string | undefined {
  const cells = line.split(columns.delimiter);
  if (cells.length !== columns.columnCount) {
    const count = `${cells.length} columns where the header has ${columns.columnCount}`;
    const isGrouped = /"[^"]*\d,\d{3}/.test(line);
    return isGrouped ? `${count}: write numbers without commas between thousands` : count;
  }
  const cell = (index: number): string => unquote((cells[index] as string).trim());
  const date = cell(columns.time);
  return rows.add({
    time: columns.clock < 0 ? date : `${date} ${cell(columns.clock)}`,
    open: cell(columns.open),
    high: cell(columns.high),
    low: cell(columns.low),
    close: cell(columns.close),
    volume: cell(columns.volume),
  });
}

function stripMark(bytes: Uint8Array): Uint8Array {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasMark ? bytes.subarray(3) : bytes;
}

/** Cells and lines as text; one character is one byte. */
function latin1Of(bytes: Uint8Array): (start: number, end: number) => string {
  let text: string | undefined;
  return (start, end) => {
    // Latin-1 decodes any bytes, fast; what is read is ASCII.
    text ??= new TextDecoder('latin1').decode(bytes);
    return text.slice(start, end);
  };
}

function lineEnd(bytes: Uint8Array, start: number): number {
  const end = bytes.indexOf(LINE_FEED, start);
  return end < 0 ? bytes.length : end;
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
