// The next bar at which a list of conditions holds, 128 bars at a step where nothing holds: the twin of
// fast/bit-search.ts and fast/signals.ts. List 0: long entry, 1: long exit, 2: short entry, 3: short exit.

/** Conditions of one list; longer lists are for the TypeScript twin. */
const LIST_MAX: i32 = 16;

let scratch: usize = 0;
let limit: i32 = 0;
let count0: i32 = 0;
let count1: i32 = 0;
let count2: i32 = 0;
let count3: i32 = 0;
/** Of each list's search: nothing holds from `from` to before `found`. */
let from0: i32 = 0;
let from1: i32 = 0;
let from2: i32 = 0;
let from3: i32 = 0;
let found0: i32 = 0;
let found1: i32 = 0;
let found2: i32 = 0;
let found3: i32 = 0;

export function placeSearch(at: usize): void {
  scratch = at;
}

/** Counts of -1: that side does not exist; an empty exit list never holds. */
export function resetSearch(end: i32, a: i32, b: i32, c: i32, d: i32): void {
  limit = end;
  count0 = a;
  count1 = b;
  count2 = c;
  count3 = d;
  from0 = a > 0 ? 1 : 0;
  from1 = b > 0 ? 1 : 0;
  from2 = c > 0 ? 1 : 0;
  from3 = d > 0 ? 1 : 0;
  found0 = a > 0 ? 0 : end;
  found1 = b > 0 ? 0 : end;
  found2 = c > 0 ? 0 : end;
  found3 = d > 0 ? 0 : end;
}

export function nextLongEntry(from: i32): i32 {
  if (from >= from0 && from <= found0) return found0;
  if (from >= limit) return limit;
  from0 = from;
  found0 = scan(0, count0, 1, count1, from);
  return found0;
}

export function nextLongExit(from: i32): i32 {
  if (from >= from1 && from <= found1) return found1;
  if (from >= limit) return limit;
  from1 = from;
  found1 = scan(1, count1, 0, 0, from);
  return found1;
}

export function nextShortEntry(from: i32): i32 {
  if (from >= from2 && from <= found2) return found2;
  if (from >= limit) return limit;
  from2 = from;
  found2 = scan(2, count2, 3, count3, from);
  return found2;
}

export function nextShortExit(from: i32): i32 {
  if (from >= from3 && from <= found3) return found3;
  if (from >= limit) return limit;
  from3 = from;
  found3 = scan(3, count3, 0, 0, from);
  return found3;
}

export function entryHoldsAt(isLong: bool, bar: i32): bool {
  const list = isLong ? 0 : 2;
  const count = isLong ? count0 : count2;
  const vetoes = isLong ? count1 : count3;
  return (wordAt(list, count, list + 1, vetoes, bar >> 5) & (1 << (bar & 31))) != 0;
}

// @ts-ignore: decorator
@inline
function pointer(list: i32, i: i32): usize {
  return <usize>load<u32>(scratch + (<usize>(list * LIST_MAX + i) << 2));
}

function wordAt(list: i32, count: i32, veto: i32, vetoes: i32, word: i32): i32 {
  const offset = <usize>word << 2;
  let bits = load<i32>(pointer(list, 0) + offset);
  for (let i = 1; i < count && bits != 0; i++) bits &= load<i32>(pointer(list, i) + offset);
  if (bits == 0 || vetoes <= 0) return bits;
  let forbidden: i32 = -1;
  for (let i = 0; i < vetoes; i++) forbidden &= load<i32>(pointer(veto, i) + offset);
  return bits & ~forbidden;
}

/** Reads the words at which the next entry is sought after `bar`, so that the memory answers before they are needed.
 * What comes back means nothing; it keeps the compiler from leaving the reading out. */
export function entryWordsNear(bar: i32): i32 {
  const offset = <usize>(bar >> 8) << 5;
  let bits: i32 = 0;
  if (count0 > 0) bits = wordsNear(0, count0, offset);
  if (count2 > 0) bits ^= wordsNear(2, count2, offset);
  return bits;
}

// @ts-ignore: decorator
@inline
function wordsNear(list: i32, count: i32, offset: usize): i32 {
  const first = pointer(list, 0);
  const second = count > 1 ? pointer(list, 1) : first;
  const third = count > 2 ? pointer(list, 2) : first;
  return load<i32>(first + offset) ^ load<i32>(second + offset) ^ load<i32>(third + offset);
}

/** Of the word with `from` first, then sixteen words at once. What lies behind the last bar may be read and means
 * nothing. */
function scan(list: i32, count: i32, veto: i32, vetoes: i32, from: i32): i32 {
  const first = pointer(list, 0);
  const second = count > 1 ? pointer(list, 1) : first;
  const third = count > 2 ? pointer(list, 2) : first;
  const isMore = count > 3 || vetoes > 0;
  const start = from >> 5;
  let bits = threeAt(first, second, third, start) & (-1 << (from & 31));
  if (bits != 0 && isMore) bits &= wordAt(list, count, veto, vetoes, start);
  if (bits != 0) return min((start << 5) + ctz(bits), limit);
  const end = (limit + 31) >> 5;
  let block = start & ~15;
  let words = wordsOf(first, second, third, block) & (-2 << (start & 15));
  while (true) {
    for (; words != 0; words &= words - 1) {
      const word = block + ctz(words);
      const holds = isMore
        ? wordAt(list, count, veto, vetoes, word)
        : threeAt(first, second, third, word);
      // Without more conditions the first word is the one.
      if (holds != 0) return min((word << 5) + ctz(holds), limit);
    }
    do {
      block += 16;
      if (block >= end) return limit;
    } while (!holdsInBlock(first, second, third, block));
    words = wordsOf(first, second, third, block);
  }
}

// @ts-ignore: decorator
@inline
function threeAt(first: usize, second: usize, third: usize, word: i32): i32 {
  const offset = <usize>word << 2;
  return load<i32>(first + offset) & load<i32>(second + offset) & load<i32>(third + offset);
}

// @ts-ignore: decorator
@inline
function holdsInBlock(first: usize, second: usize, third: usize, block: i32): bool {
  const offset = <usize>block << 2;
  const near = v128.or(
    three(first, second, third, offset),
    three(first, second, third, offset + 16),
  );
  const far = v128.or(
    three(first, second, third, offset + 32),
    three(first, second, third, offset + 48),
  );
  return v128.any_true(v128.or(near, far));
}

/** Bit j: do the three conditions hold anywhere in word j of the block of sixteen? */
// @ts-ignore: decorator
@inline
function wordsOf(first: usize, second: usize, third: usize, block: i32): i32 {
  const offset = <usize>block << 2;
  const none = i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(
      nowhere(three(first, second, third, offset)),
      nowhere(three(first, second, third, offset + 16)),
    ),
    i16x8.narrow_i32x4_s(
      nowhere(three(first, second, third, offset + 32)),
      nowhere(three(first, second, third, offset + 48)),
    ),
  );
  return ~i8x16.bitmask(none) & 0xffff;
}

// @ts-ignore: decorator
@inline
function nowhere(bits: v128): v128 {
  return i32x4.eq(bits, i32x4.splat(0));
}

// @ts-ignore: decorator
@inline
function three(first: usize, second: usize, third: usize, offset: usize): v128 {
  return v128.and(
    v128.and(v128.load(first + offset), v128.load(second + offset)),
    v128.load(third + offset),
  );
}
