// Candles row by row, from whatever file they come. Every row is checked and a bad one is an error with its
// place, never skipped and never mended: a silent repair changes results.

import type { Candles } from '../../kernel/job.ts';
import { MAX_BARS } from '../../kernel/limits.ts';
import type { Problem } from './problem.ts';
import { parseTimeCell } from './time-cell.ts';

export type CandleResult =
  | { readonly ok: true; readonly candles: Candles; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A row as text, cell by cell. */
export interface RowCells {
  readonly time: string;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
}

/** Where a row stands in its file. */
export interface RowPlace {
  readonly line: number;
  readonly col: number;
  readonly excerpt: string;
}

/** Faulty rows that are shown one by one. */
const ROWS_SHOWN = 10;

const EARLIER = 'earlier than the row before: sort the file, oldest first';

const PRICES = ['open', 'high', 'low', 'close', 'volume'] as const;

export class CandleRows {
  readonly #file: string;
  readonly #candles: Candles;
  readonly #problems: Problem[] = [];
  #faultCount = 0;
  #earlierCount = 0;
  #barCount = 0;
  #previousMs = -Infinity;

  constructor(file: string, capacity: number) {
    this.#file = file;
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

  /** Appends the candle of a row; or says what is wrong with it. */
  add(cells: RowCells): string | undefined {
    const timeMs = parseTimeCell(cells.time);
    if (Number.isNaN(timeMs)) {
      const isSlashed = /^\d{1,2}\/\d{1,2}\/\d{4}/.test(cells.time);
      const more = isSlashed
        ? ': day or month may come first, write 2024-01-31'
        : ': write 2024-01-31 10:05 or epoch seconds';
      return `"${cells.time.slice(0, 40)}" is not a time${more}`;
    }
    const orderFault = this.#orderFault(timeMs);
    if (orderFault !== undefined) return orderFault;
    const open = numberOf(cells.open);
    const high = numberOf(cells.high);
    const low = numberOf(cells.low);
    const close = numberOf(cells.close);
    const volume = numberOf(cells.volume);
    // One sum tells whether all are finite.
    if (!Number.isFinite(open + high + low + close + volume)) {
      for (const name of PRICES) {
        if (Number.isFinite(numberOf(cells[name]))) continue;
        return `${name} is "${cells[name].slice(0, 40)}", not a number${adviceOn(cells[name])}`;
      }
      return 'the numbers are too large';
    }
    return this.addBar([timeMs, open, high, low, close, volume]);
  }

  /** Appends a candle of six finite numbers (time in ms, open, high, low, close, volume); or says what is wrong with
   * it, and nothing has changed. */
  addBar(values: ArrayLike<number>): string | undefined {
    const timeMs = values[0] as number;
    const open = values[1] as number;
    const high = values[2] as number;
    const low = values[3] as number;
    const close = values[4] as number;
    const volume = values[5] as number;
    const orderFault = this.#orderFault(timeMs);
    if (orderFault !== undefined) return orderFault;
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

  #orderFault(timeMs: number): string | undefined {
    if (timeMs > this.#previousMs) return undefined;
    return timeMs === this.#previousMs ? 'the same time as the row before' : EARLIER;
  }

  /** Notes a faulty row; the place is looked up only for rows that will be shown. */
  fault(message: string, placeOf: () => RowPlace): void {
    this.#faultCount++;
    if (message === EARLIER) this.#earlierCount++;
    if (this.#problems.length >= ROWS_SHOWN) return;
    const place = placeOf();
    const caretLength = Math.max(1, place.excerpt.length - place.col + 1);
    this.#problems.push({ file: this.#file, ...place, path: '', message, caretLength });
  }

  result(warnings: readonly string[]): CandleResult {
    const hidden = this.#faultCount - this.#problems.length;
    const last = this.#problems.at(-1);
    const [first] = this.#problems;
    if (first !== undefined && this.#barCount === 1 && this.#earlierCount === this.#faultCount) {
      // The fault is in the second row.
      const above = first.line - 2;
      const file = this.#file;
      const turn =
        above > 0
          ? `(head -n ${above} ${file}; tail -n +${above + 1} ${file} | sort)`
          : `sort ${file}`;
      const hint = `turn it round: ${turn} > sorted.csv, where the time is the first column`;
      const message = 'the rows stand newest first; a backtest reads them oldest first';
      return { ok: false, problems: [{ ...first, message, hint }] };
    }
    if (last !== undefined) {
      const message = `and ${hidden} more rows like these`;
      if (hidden > 0) this.#problems.push({ ...last, message, excerpt: '' });
      return { ok: false, problems: this.#problems };
    }
    if (this.#barCount < 2) {
      return candleFailure(this.#file, 'a backtest needs at least two candles');
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
    return { ok: true, candles, warnings };
  }
}

/** A fault of the file as a whole. */
export function candleFailure(
  file: string,
  message: string,
  { hint, excerpt = '' }: { readonly hint?: string; readonly excerpt?: string } = {},
): CandleResult {
  const caretLength = Math.max(1, excerpt.length);
  const more = hint === undefined ? {} : { hint };
  const problem = { file, line: 1, col: 1, path: '', message, excerpt, caretLength, ...more };
  return { ok: false, problems: [problem] };
}

/** What to do about a cell that is no number, where that is plain. */
function adviceOn(cell: string): string {
  if (/^-?\d+,\d+$/.test(cell)) return ': write decimals with a point';
  if (/^(?:null|nan|n\/a|none|-)?$/i.test(cell)) return ': take rows without prices out';
  return '';
}

/** Empty cells and words are NaN, which Number('') is not. */
function numberOf(cell: string): number {
  return cell === '' ? NaN : Number(cell);
}
