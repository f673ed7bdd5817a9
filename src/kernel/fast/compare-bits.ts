// Comparisons of whole series, 32 bars to a word. These loops are most of what a cold cache costs, and the one
// place that a vector twin has to replace: it needs the same seven loops over the same words.
//
// `Number(a > b)` and not `a > b ? 1 : 0`: V8 turns the former into a flag read and the latter into a branch
// that noise makes unpredictable (0.6 against 4 ns per bar, Node 24, x64). Words are signed: V8 keeps an
// Int32Array's values in registers as they are, a Uint32Array's upper half only as doubles.

import type { NativeKernel } from './native.ts';

type Operand = Float64Array | number;
type PlainOp = '<' | '<=' | '>' | '>=' | '==';

export interface SeriesComparison {
  readonly op: PlainOp;
  readonly left: Operand;
  readonly right: Operand;
}

/** Bit j of word w: does bar 32 w + j compare? Comparisons with NaN are false. `words` are 0; those that end before
 * bar `from` stay so. */
export function compareBits(
  words: Int32Array,
  { op, left, right }: SeriesComparison,
  { from, barCount }: { readonly from: number; readonly barCount: number },
  shared?: VectorTwin,
): void {
  const range = { words, first: from >>> 5, end: barCount >>> 5 };
  const isDone = shared !== undefined && packNatively({ op, left, right }, range, shared);
  if (!isDone) packWords(op, left, right, range);
  for (let bar = barCount & ~31; bar < barCount; bar++) {
    if (holds(op, valueAt(left, bar), valueAt(right, bar))) {
      words[bar >>> 5] = (words[bar >>> 5] as number) | (1 << (bar & 31));
    }
  }
}

/** Where `upper` is above `lower` and was not at the bar before; both are numbers from bar `from` on. */
export function crossBits(
  words: Int32Array,
  { upper, lower }: { readonly upper: Operand; readonly lower: Operand },
  range: { readonly from: number; readonly barCount: number },
  shared?: VectorTwin,
): void {
  const isNative =
    typeof upper !== 'number' &&
    typeof lower !== 'number' &&
    shared?.columns.owns(words) === true &&
    shared.columns.owns(upper) &&
    shared.columns.owns(lower);
  if (!isNative) {
    compareBits(words, { op: '>', left: upper, right: lower }, range, shared);
    keepFirsts(words);
    return;
  }
  const { from, barCount } = range;
  const [x, y, out] = [upper.byteOffset, lower.byteOffset, words.byteOffset];
  shared.native.packSeries(FIRSTS_OP, x, y, out, from >>> 5, barCount >>> 5);
  crossLastBars(words, { upper, lower }, barCount);
}

/** Two series, and pointers to their twins in single precision where both have one. */
export interface CrossedSeries {
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly singles: readonly [number, number] | undefined;
}

/** Both crosses of two series at once, all in the shared memory: `above` where left crosses above right, `below` where
 * it crosses below. All of their words are written, whatever was in them. */
export function crossBothBits(
  { above, below }: { readonly above: Int32Array; readonly below: Int32Array },
  { left, right, singles }: CrossedSeries,
  { from, barCount }: { readonly from: number; readonly barCount: number },
  { native }: VectorTwin,
): void {
  const [x, y] = [left.byteOffset, right.byteOffset];
  const [up, down] = [above.byteOffset, below.byteOffset];
  const [first, end] = [from >>> 5, barCount >>> 5];
  for (const words of [above, below]) words.fill(0, 0, first).fill(0, end);
  if (singles === undefined) native.packCrosses(x, y, up, down, first, end);
  else native.packCrossesOfSingles(...singles, x, y, up, down, first, end);
  crossLastBars(above, { upper: left, lower: right }, barCount);
  crossLastBars(below, { upper: right, lower: left }, barCount);
}

/** The bars behind the last whole word. */
function crossLastBars(
  words: Int32Array,
  { upper, lower }: { readonly upper: Float64Array; readonly lower: Float64Array },
  barCount: number,
): void {
  const isAbove = (bar: number): boolean => (upper[bar] as number) > (lower[bar] as number);
  for (let bar = barCount & ~31; bar < barCount; bar++) {
    if (isAbove(bar) && !(bar > 0 && isAbove(bar - 1))) {
      words[bar >>> 5] = (words[bar >>> 5] as number) | (1 << (bar & 31));
    }
  }
}

/** Leaves of each run of bits the first one. */
function keepFirsts(words: Int32Array): void {
  let carry = 0;
  for (let w = 0; w < words.length; w++) {
    const word = words[w] as number;
    words[w] = word & ~((word << 1) | carry);
    carry = word >>> 31;
  }
}

export function wordCount(barCount: number): number {
  return (barCount + 31) >>> 5;
}

/** Each bit moved one bar later; bar 0 gets 0. */
export function shiftedByOne(words: Int32Array): Int32Array {
  const shifted = new Int32Array(words.length);
  let carry = 0;
  for (let w = 0; w < words.length; w++) {
    const word = words[w] as number;
    shifted[w] = (word << 1) | carry;
    carry = word >>> 31;
  }
  return shifted;
}

function valueAt(operand: Operand, bar: number): number {
  return typeof operand === 'number' ? operand : (operand[bar] as number);
}

function holds(op: PlainOp, a: number, b: number): boolean {
  switch (op) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '==':
      return a === b;
  }
}

/** What the vector twin needs: itself, and to know which arrays lie in its memory. */
interface VectorTwin {
  readonly native: Pick<
    NativeKernel,
    'packConstant' | 'packCrosses' | 'packCrossesOfSingles' | 'packSeries'
  >;
  readonly columns: { owns(view: ArrayBufferView): boolean };
}

/** Numbers of the comparisons in src/kernel/simd/pack.ts; a series below another is the other above it. */
const SERIES_OPS = { '>': 0, '>=': 1, '==': 2, '<': 0, '<=': 1 } as const;
const FIRSTS_OP = 3;
const CONSTANT_OPS = { '>': 0, '>=': 1, '==': 2, '<': 3, '<=': 4 } as const;

/** False, and nothing is done, where an array is not in the twin's memory. */
function packNatively(
  { op, left, right }: SeriesComparison,
  { words, first, end }: Words,
  { native, columns }: VectorTwin,
): boolean {
  if (!columns.owns(words)) return false;
  const out = words.byteOffset;
  if (typeof left === 'number') {
    if (typeof right === 'number' || !columns.owns(right)) return false;
    native.packConstant(CONSTANT_OPS[MIRRORED[op]], right.byteOffset, left, out, first, end);
  } else if (typeof right === 'number') {
    if (!columns.owns(left)) return false;
    native.packConstant(CONSTANT_OPS[op], left.byteOffset, right, out, first, end);
  } else {
    if (!columns.owns(left) || !columns.owns(right)) return false;
    const [upper, lower] = op === '<' || op === '<=' ? [right, left] : [left, right];
    native.packSeries(SERIES_OPS[op], upper.byteOffset, lower.byteOffset, out, first, end);
  }
  return true;
}

/** Whole words only: a typed array read past its end is slow. */
interface Words {
  readonly words: Int32Array;
  readonly first: number;
  readonly end: number;
}

const MIRRORED = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==' } as const;

function packWords(op: PlainOp, left: Operand, right: Operand, range: Words): void {
  if (typeof left === 'number') {
    if (typeof right === 'number') range.words.fill(holds(op, left, right) ? -1 : 0);
    else packWords(MIRRORED[op], right, left, range);
  } else if (typeof right === 'number') packConstant(op, left, right, range);
  else if (op === '>') packGreater(left, right, range);
  else if (op === '<') packGreater(right, left, range);
  else if (op === '>=') packAtLeast(left, right, range);
  else if (op === '<=') packAtLeast(right, left, range);
  else packEqual(left, right, range);
}

function packConstant(op: PlainOp, x: Float64Array, c: number, range: Words): void {
  if (op === '>') packGreaterConstant(x, c, range);
  else if (op === '<') packLessConstant(x, c, range);
  else if (op === '>=') packAtLeastConstant(x, c, range);
  else if (op === '<=') packAtMostConstant(x, c, range);
  else packEqual(x, new Float64Array(x.length).fill(c), range);
}

function packGreater(x: Float64Array, y: Float64Array, { words, first, end }: Words): void {
  for (let w = first; w < end; w++) {
    let bits = 0;
    const base = w << 5;
    for (let j = 0; j < 32; j++) {
      bits |= Number((x[base + j] as number) > (y[base + j] as number)) << j;
    }
    words[w] = bits;
  }
}

function packAtLeast(x: Float64Array, y: Float64Array, { words, first, end }: Words): void {
  for (let w = first; w < end; w++) {
    let bits = 0;
    const base = w << 5;
    for (let j = 0; j < 32; j++) {
      bits |= Number((x[base + j] as number) >= (y[base + j] as number)) << j;
    }
    words[w] = bits;
  }
}

function packEqual(x: Float64Array, y: Float64Array, { words, first, end }: Words): void {
  for (let w = first; w < end; w++) {
    let bits = 0;
    const base = w << 5;
    for (let j = 0; j < 32; j++) bits |= Number(x[base + j] === y[base + j]) << j;
    words[w] = bits;
  }
}

function packGreaterConstant(x: Float64Array, c: number, { words, first, end }: Words): void {
  for (let w = first; w < end; w++) {
    let bits = 0;
    const base = w << 5;
    for (let j = 0; j < 32; j++) bits |= Number((x[base + j] as number) > c) << j;
    words[w] = bits;
  }
}

function packLessConstant(x: Float64Array, c: number, { words, first, end }: Words): void {
  for (let w = first; w < end; w++) {
    let bits = 0;
    const base = w << 5;
    for (let j = 0; j < 32; j++) bits |= Number((x[base + j] as number) < c) << j;
    words[w] = bits;
  }
}

function packAtLeastConstant(x: Float64Array, c: number, { words, first, end }: Words): void {
  for (let w = first; w < end; w++) {
    let bits = 0;
    const base = w << 5;
    for (let j = 0; j < 32; j++) bits |= Number((x[base + j] as number) >= c) << j;
    words[w] = bits;
  }
}

function packAtMostConstant(x: Float64Array, c: number, { words, first, end }: Words): void {
  for (let w = first; w < end; w++) {
    let bits = 0;
    const base = w << 5;
    for (let j = 0; j < 32; j++) bits |= Number((x[base + j] as number) <= c) << j;
    words[w] = bits;
  }
}
