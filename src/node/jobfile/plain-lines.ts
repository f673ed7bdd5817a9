// Lines of a CSV file as most tools write them (bare numbers, one of the common times), read from the bytes without
// making a string: several times as fast as cell by cell. Whatever looks different in any way is left to the
// reader in csv.ts, which says what is meant and what is wrong; both give the same bars, bit for bit.

import type { CsvColumns } from './csv-header.ts';
import { epochMs, parseTimeCell } from './time-cell.ts';

const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const UPPER_T = 0x54;
const UPPER_Z = 0x5a;

/** Where the cell of a column goes in `values`; beyond them: nowhere. */
const TIME = 0;
const UNREAD = 6;

/** Up to here one more digit still gives an integer below 2 ** 53. */
const EXACT_MAX = 9e14;
/** Characters of a number with more digits than that; text beyond is no plain number. */
const NUMBER_CHARS_MAX = 30;
/** 10 ** 0 .. 10 ** 22: those that a double holds exactly, so that one division rounds as `Number` does
 * (Clinger, How to Read Floating Point Numbers Accurately, 1990, section 2). */
const POWERS = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

export class PlainLines {
  /** Of the line read last: time in ms, open, high, low, close, volume. */
  readonly values = new Float64Array(UNREAD);
  readonly #bytes: Uint8Array;
  readonly #delimiter: number;
  readonly #targets: Uint8Array;
  readonly #textOf: (start: number, end: number) => string;
  /** Where the cell read last ended. */
  #at = 0;
  /** As yyyymmdd: rows of one day follow each other. */
  #day = -1;
  #dayMs = NaN;

  /** `textOf` gives a range of the bytes as text. The time must be one column. */
  constructor(
    bytes: Uint8Array,
    columns: CsvColumns,
    textOf: (start: number, end: number) => string,
  ) {
    this.#bytes = bytes;
    this.#textOf = textOf;
    this.#delimiter = columns.delimiter.charCodeAt(0);
    const { time, open, high, low, close, volume } = columns;
    this.#targets = new Uint8Array(columns.columnCount).fill(UNREAD);
    for (const [target, column] of [time, open, high, low, close, volume].entries()) {
      this.#targets[column] = target;
    }
  }

  /** Reads the line at `start` into `values`, and says where the next one starts; -1: the line is not plain. */
  read(start: number): number {
    const bytes = this.#bytes;
    const last = this.#targets.length - 1;
    this.#at = start;
    for (let column = 0; ; column++) {
      const target = this.#targets[column] as number;
      if (target === UNREAD) this.#skipCell();
      else {
        const value = target === TIME ? this.#time() : this.#number();
        // NaN: not plain.
        if (value !== value) return -1;
        this.values[target] = value;
      }
      if (column === last) return this.#lineEnd();
      if (bytes[this.#at] !== this.#delimiter) return -1;
      this.#at++;
    }
  }

  #lineEnd(): number {
    let at = this.#at;
    if (at >= this.#bytes.length) return at;
    if (this.#bytes[at] === RETURN) at++;
    return this.#bytes[at] === LINE_FEED ? at + 1 : -1;
  }

  #skipCell(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte === this.#delimiter || byte === LINE_FEED || byte === RETURN) break;
    }
    this.#at = at;
  }

  /** Digits, with or without a point: exactly what `Number` makes of them. */
  #number(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    let whole = 0;
    let digit = (bytes[at] as number) - ZERO;
    // Beyond the last byte the digit is NaN, which ends every loop.
    for (; digit >= 0 && digit <= 9 && whole <= EXACT_MAX; digit = (bytes[++at] as number) - ZERO) {
      whole = whole * 10 + digit;
    }
    if (at === start) return NaN;
    let decimals = 0;
    if (bytes[at] === DOT) {
      const point = at;
      digit = (bytes[++at] as number) - ZERO;
      for (
        ;
        digit >= 0 && digit <= 9 && whole <= EXACT_MAX;
        digit = (bytes[++at] as number) - ZERO
      ) {
        whole = whole * 10 + digit;
      }
      decimals = at - point - 1;
    }
    this.#at = at;
    if (digit >= 0 && digit <= 9) return this.#longNumber(start);
    return decimals < POWERS.length ? whole / (POWERS[decimals] as number) : NaN;
  }

  /** More digits than an exact integer has. */
  #longNumber(start: number): number {
    let at = this.#at;
    for (; at - start <= NUMBER_CHARS_MAX; at++) {
      const byte = this.#bytes[at] as number;
      if (byte !== DOT && !(byte >= ZERO && byte <= ZERO + 9)) break;
    }
    this.#at = at;
    return at - start > NUMBER_CHARS_MAX ? NaN : Number(this.#textOf(start, at));
  }

  #time(): number {
    if (this.#bytes[this.#at + 4] === MINUS) return this.#date();
    const start = this.#at;
    const value = this.#number();
    const digits = this.#at - start;
    for (let at = start; at < this.#at; at++) if (this.#bytes[at] === DOT) return NaN;
    return digits >= 9 && digits <= 16 ? epochMs(value) : NaN;
  }

  /** `2024-01-31`, alone or before ` 10:05`, `T10:05:00`, and `Z` or `+00:00`. */
  #date(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    if (bytes[start + 7] !== MINUS) return NaN;
    const year = this.#twoDigits(start) * 100 + this.#twoDigits(start + 2);
    const day = (year * 100 + this.#twoDigits(start + 5)) * 100 + this.#twoDigits(start + 8);
    if (day !== this.#day) {
      if (day !== day) return NaN;
      this.#dayMs = parseTimeCell(this.#textOf(start, start + 10));
      this.#day = day;
    }
    this.#at = start + 10;
    const between = bytes[start + 10];
    if (between !== SPACE && between !== UPPER_T) return this.#dayMs;
    if (bytes[start + 13] !== COLON) return NaN;
    const hours = this.#twoDigits(start + 11);
    const minutes = this.#twoDigits(start + 14);
    this.#at = start + 16;
    let seconds = 0;
    if (bytes[this.#at] === COLON) {
      seconds = this.#twoDigits(start + 17);
      this.#at = start + 19;
    }
    if (!(hours <= 23 && minutes <= 59 && seconds <= 59)) return NaN;
    this.#skipZone();
    return this.#dayMs + ((hours * 60 + minutes) * 60 + seconds) * 1000;
  }

  /** Only what means UTC; at any other zone the cell does not end, and the line is not plain. */
  #skipZone(): void {
    const at = this.#at;
    const zone = this.#bytes[at];
    if (zone === UPPER_Z) this.#at = at + 1;
    else if (zone === PLUS && this.#bytes[at + 3] === COLON) {
      if (this.#twoDigits(at + 1) === 0 && this.#twoDigits(at + 4) === 0) this.#at = at + 6;
    }
  }

  /** NaN when they are none. */
  #twoDigits(at: number): number {
    const tens = (this.#bytes[at] as number) - ZERO;
    const ones = (this.#bytes[at + 1] as number) - ZERO;
    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
  }
}
