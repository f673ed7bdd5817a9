// Candles from a JSON list of rows [time, open, high, low, close, volume], as exchanges answer; what stands after
// the volume is not read. Numbers may be written as text, as some exchanges do.

import { CandleRows, type CandleResult, type RowPlace, candleFailure } from './candle-rows.ts';
import { firstTooDeep } from './nesting.ts';

const CELLS = 6;

export function parseCandleJson(file: string, bytes: Uint8Array): CandleResult {
  const text = new TextDecoder().decode(bytes);
  if (firstTooDeep(text) !== undefined) return candleFailure(file, 'nested too deeply');
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return candleFailure(file, 'this is not JSON', { excerpt: text.slice(0, 80) });
  }
  if (!Array.isArray(list)) return candleFailure(file, 'a list of rows is expected');
  const rows = new CandleRows(file, list.length);
  let hasMore = false;
  for (const [index, row] of list.entries()) {
    const fault = addRow(rows, row);
    if (fault !== undefined) rows.fault(fault, () => placeOf(text, index));
    hasMore ||= Array.isArray(row) && row.length > CELLS;
  }
  return rows.result(hasMore ? ['what stands after the volume in a row is not read'] : []);
}

function addRow(rows: CandleRows, row: unknown): string | undefined {
  if (!Array.isArray(row) || row.length < CELLS) {
    return 'a row is a list of time, open, high, low, close and volume';
  }
  const cell = (index: number): string => {
    const value: unknown = row[index];
    return typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  };
  return rows.add({
    time: cell(0),
    open: cell(1),
    high: cell(2),
    low: cell(3),
    close: cell(4),
    volume: cell(5),
  });
}

/** Line and column of the list's item `wanted`, found by counting brackets. */
function placeOf(text: string, wanted: number): RowPlace {
  let depth = 0;
  let item = -1;
  let isInString = false;
  // The first item begins where the list's bracket ends.
  let isBefore = true;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (isInString) {
      if (character === '\\') at++;
      else if (character === '"') isInString = false;
      continue;
    }
    if (depth === 1 && isBefore && /[^\s,\]]/.test(character)) {
      isBefore = false;
      if (++item === wanted) return lineAt(text, at);
    }
    if (character === '"') isInString = true;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    else if (character === ',' && depth === 1) isBefore = true;
  }
  return { line: 1, col: 1, excerpt: '' };
}

function lineAt(text: string, offset: number): RowPlace {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf('\n') + 1;
  const end = text.indexOf('\n', offset);
  return {
    line: before.split('\n').length,
    col: offset - start + 1,
    excerpt: text.slice(start, end < 0 ? text.length : end),
  };
}
