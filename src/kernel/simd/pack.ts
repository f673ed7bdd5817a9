// Comparisons of whole series, 32 bars to a word: the vector twin of fast/compare-bits.ts.

/** 16 comparison masks of 64 bits to 16 bits. */
// @ts-ignore: decorator
@inline
export function gather(a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128, h: v128): i32 {
  const ab = v128.shuffle<i32>(a, b, 0, 2, 4, 6);
  const cd = v128.shuffle<i32>(c, d, 0, 2, 4, 6);
  const ef = v128.shuffle<i32>(e, f, 0, 2, 4, 6);
  const gh = v128.shuffle<i32>(g, h, 0, 2, 4, 6);
  const low = i16x8.narrow_i32x4_s(ab, cd);
  const high = i16x8.narrow_i32x4_s(ef, gh);
  return i8x16.bitmask(i8x16.narrow_i16x8_s(low, high));
}

// @ts-ignore: decorator
@inline
function at(p: usize, pair: i32): v128 {
  return v128.load(p + (<usize>pair << 4));
}

// @ts-ignore: decorator
@inline
function greater16(x: usize, y: usize): i32 {
  return gather(
    f64x2.gt(at(x, 0), at(y, 0)), f64x2.gt(at(x, 1), at(y, 1)),
    f64x2.gt(at(x, 2), at(y, 2)), f64x2.gt(at(x, 3), at(y, 3)),
    f64x2.gt(at(x, 4), at(y, 4)), f64x2.gt(at(x, 5), at(y, 5)),
    f64x2.gt(at(x, 6), at(y, 6)), f64x2.gt(at(x, 7), at(y, 7)),
  );
}

/** Bit j: is bar j of 32 greater in x than in y? */
// @ts-ignore: decorator
@inline
export function greater32(x: usize, y: usize): i32 {
  return greater16(x, y) | (greater16(x + 128, y + 128) << 16);
}

// @ts-ignore: decorator
@inline
function atLeast16(x: usize, y: usize): i32 {
  return gather(
    f64x2.ge(at(x, 0), at(y, 0)), f64x2.ge(at(x, 1), at(y, 1)),
    f64x2.ge(at(x, 2), at(y, 2)), f64x2.ge(at(x, 3), at(y, 3)),
    f64x2.ge(at(x, 4), at(y, 4)), f64x2.ge(at(x, 5), at(y, 5)),
    f64x2.ge(at(x, 6), at(y, 6)), f64x2.ge(at(x, 7), at(y, 7)),
  );
}

// @ts-ignore: decorator
@inline
function equal16(x: usize, y: usize): i32 {
  return gather(
    f64x2.eq(at(x, 0), at(y, 0)), f64x2.eq(at(x, 1), at(y, 1)),
    f64x2.eq(at(x, 2), at(y, 2)), f64x2.eq(at(x, 3), at(y, 3)),
    f64x2.eq(at(x, 4), at(y, 4)), f64x2.eq(at(x, 5), at(y, 5)),
    f64x2.eq(at(x, 6), at(y, 6)), f64x2.eq(at(x, 7), at(y, 7)),
  );
}

/** `op`: 0 greater, 1 at least, 2 equal, 3 greater and not so at the bar before (of which word `first` - 1 says
 * nothing). Words [first, end) of `out`, of 32 whole bars each. */
export function packSeries(op: i32, x: usize, y: usize, out: usize, first: i32, end: i32): void {
  if (op == 3) return packFirsts(x, y, out, first, end);
  for (let w = first; w < end; w++) {
    const offset = <usize>w << 8;
    const a = x + offset;
    const b = y + offset;
    let low: i32;
    let high: i32;
    if (op == 0) {
      low = greater16(a, b);
      high = greater16(a + 128, b + 128);
    } else if (op == 1) {
      low = atLeast16(a, b);
      high = atLeast16(a + 128, b + 128);
    } else {
      low = equal16(a, b);
      high = equal16(a + 128, b + 128);
    }
    store<i32>(out + (<usize>w << 2), low | (high << 16));
  }
}

function packFirsts(x: usize, y: usize, out: usize, first: i32, end: i32): void {
  let carry: i32 = 0;
  for (let w = first; w < end; w++) {
    const offset = <usize>w << 8;
    const bits = greater32(x + offset, y + offset);
    store<i32>(out + (<usize>w << 2), bits & ~((bits << 1) | carry));
    carry = bits >>> 31;
  }
}

/** Both crosses of two series at once: where x is above y and was not at the bar before, and where it is below and was
 * not. What a rule and its opposite need costs one pass over the series. */
export function packCrosses(
  x: usize,
  y: usize,
  above: usize,
  below: usize,
  first: i32,
  end: i32,
): void {
  let carryAbove: i32 = 0;
  let carryBelow: i32 = 0;
  for (let w = first; w < end; w++) {
    const a = x + (<usize>w << 8);
    const b = y + (<usize>w << 8);
    const isAbove = greater32(a, b);
    const isBelow = greater32(b, a);
    store<i32>(above + (<usize>w << 2), isAbove & ~((isAbove << 1) | carryAbove));
    store<i32>(below + (<usize>w << 2), isBelow & ~((isBelow << 1) | carryBelow));
    carryAbove = isAbove >>> 31;
    carryBelow = isBelow >>> 31;
  }
}

// @ts-ignore: decorator
@inline
function greaterC16(x: usize, c: v128): i32 {
  return gather(
    f64x2.gt(at(x, 0), c), f64x2.gt(at(x, 1), c), f64x2.gt(at(x, 2), c), f64x2.gt(at(x, 3), c),
    f64x2.gt(at(x, 4), c), f64x2.gt(at(x, 5), c), f64x2.gt(at(x, 6), c), f64x2.gt(at(x, 7), c),
  );
}

// @ts-ignore: decorator
@inline
function lessC16(x: usize, c: v128): i32 {
  return gather(
    f64x2.lt(at(x, 0), c), f64x2.lt(at(x, 1), c), f64x2.lt(at(x, 2), c), f64x2.lt(at(x, 3), c),
    f64x2.lt(at(x, 4), c), f64x2.lt(at(x, 5), c), f64x2.lt(at(x, 6), c), f64x2.lt(at(x, 7), c),
  );
}

// @ts-ignore: decorator
@inline
function atLeastC16(x: usize, c: v128): i32 {
  return gather(
    f64x2.ge(at(x, 0), c), f64x2.ge(at(x, 1), c), f64x2.ge(at(x, 2), c), f64x2.ge(at(x, 3), c),
    f64x2.ge(at(x, 4), c), f64x2.ge(at(x, 5), c), f64x2.ge(at(x, 6), c), f64x2.ge(at(x, 7), c),
  );
}

// @ts-ignore: decorator
@inline
function atMostC16(x: usize, c: v128): i32 {
  return gather(
    f64x2.le(at(x, 0), c), f64x2.le(at(x, 1), c), f64x2.le(at(x, 2), c), f64x2.le(at(x, 3), c),
    f64x2.le(at(x, 4), c), f64x2.le(at(x, 5), c), f64x2.le(at(x, 6), c), f64x2.le(at(x, 7), c),
  );
}

// @ts-ignore: decorator
@inline
function equalC16(x: usize, c: v128): i32 {
  return gather(
    f64x2.eq(at(x, 0), c), f64x2.eq(at(x, 1), c), f64x2.eq(at(x, 2), c), f64x2.eq(at(x, 3), c),
    f64x2.eq(at(x, 4), c), f64x2.eq(at(x, 5), c), f64x2.eq(at(x, 6), c), f64x2.eq(at(x, 7), c),
  );
}

/** `op`: 0 greater, 1 at least, 2 equal, 3 less, 4 at most. */
export function packConstant(op: i32, x: usize, c: f64, out: usize, first: i32, end: i32): void {
  const constant = f64x2.splat(c);
  for (let w = first; w < end; w++) {
    const a = x + (<usize>w << 8);
    let low: i32;
    let high: i32;
    if (op == 0) {
      low = greaterC16(a, constant);
      high = greaterC16(a + 128, constant);
    } else if (op == 1) {
      low = atLeastC16(a, constant);
      high = atLeastC16(a + 128, constant);
    } else if (op == 2) {
      low = equalC16(a, constant);
      high = equalC16(a + 128, constant);
    } else if (op == 3) {
      low = lessC16(a, constant);
      high = lessC16(a + 128, constant);
    } else {
      low = atMostC16(a, constant);
      high = atMostC16(a + 128, constant);
    }
    store<i32>(out + (<usize>w << 2), low | (high << 16));
  }
}
