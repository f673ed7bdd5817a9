// Candles from a CSV file as users have them: which column is which, and each line cut into its cells. Bars that
// are missing are kept missing and counted elsewhere.

import { CandleRows, type CandleResult, candleFailure } from './candle-rows.ts';
import { type CsvColumns, readCsvHeader, unquote } from './csv-header.ts';

export function parseCandleCsv(file: string, bytes: Uint8Array): CandleResult {
  // Latin-1 decodes any bytes, fast; what is read is ASCII.
  const text = new TextDecoder('latin1').decode(stripMark(bytes));
  const headerEnd = lineEnd(text, 0);
  const headerLine = withoutReturn(text.slice(0, headerEnd));
  if (headerLine.trim() === '') return candleFailure(file, 'the file is empty');
  const header = readCsvHeader(headerLine);
  if (!header.ok) return candleFailure(file, header.message, { ...header, excerpt: headerLine });
  const { columns } = header;
  const rows = new CandleRows(file, countLines(text));
  // A blank line is fine at the end of the file only.
  let blankLine = 0;
  let lineNumber = 2;
  for (let start = headerEnd + 1; start < text.length; lineNumber++) {
    const end = lineEnd(text, start);
    const line = withoutReturn(text.slice(start, end));
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
  return rows.result(extra.length === 0 ? [] : [`columns not read: ${extra.join(', ')}`]);
}

function addLine(rows: CandleRows, columns: CsvColumns, line: string): string | undefined {
  const cells = line.split(columns.delimiter);
  if (cells.length !== columns.columnCount) {
    return `${cells.length} columns where the header has ${columns.columnCount}`;
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
