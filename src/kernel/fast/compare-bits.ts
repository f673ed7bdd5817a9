// Comparisons of whole series, 32 bars to a word. These loops are most of what a cold cache costs, and the one
// place that a vector twin has to replace: it needs the same seven loops over the same words.
//
// `Number(a > b)` and not `a > b ? 1 : 0`: V8 turns the former into a flag read and the latter into a branch
// that noise makes unpredictable (0.6 against 4 ns per bar, Node 24, x64). Words are signed: V8 keeps an
// Int32Array's values in registers as they are, a Uint32Array's upper half only as doubles.

type Operand = Float64Array | number;
export type PlainOp = '<' | '<=' | '>' | '>=' | '==';

/** Bit j of word w: does bar 32 w + j compare? Comparisons with NaN are false. Words that end before bar `from`
 * stay 0. */
export function compareBits(
  op: PlainOp,
  left: Operand,
  right: Operand,
  { from, barCount }: { readonly from: number; readonly barCount: number },
): Int32Array {
  const words = new Int32Array(wordCount(barCount));
  const range = { words, first: from >>> 5, end: barCount >>> 5 };
  packWords(op, left, right, range);
  for (let bar = barCount & ~31; bar < barCount; bar++) {
    if (holds(op, valueAt(left, bar), valueAt(right, bar))) {
      words[bar >>> 5] = (words[bar >>> 5] as number) | (1 << (bar & 31));
    }
  }
  return words;
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
