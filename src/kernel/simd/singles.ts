// Series in single precision beside those in double: half the bytes, twice the bars to a vector. Rounding never turns
// two values round, so that what is greater in single precision is greater in double; only of equal ones the double
// precision has to tell.
import { greater32 } from './pack';

/** `bars` of `x`, rounded; the last vector may be filled with what lies behind them. */
export function singlesOf(x: usize, out: usize, bars: i32): void {
  for (let bar = 0; bar < bars; bar += 4) {
    const from = x + (<usize>bar << 3);
    const low = f32x4.demote_f64x2_zero(v128.load(from));
    const high = f32x4.demote_f64x2_zero(v128.load(from, 16));
    v128.store(out + (<usize>bar << 2), v128.shuffle<i64>(low, high, 0, 2));
  }
}

// @ts-ignore: decorator
@inline
function at(p: usize, group: i32): v128 {
  return v128.load(p + (<usize>group << 4));
}

// @ts-ignore: decorator
@inline
function greater(a: usize, b: usize, group: i32): v128 {
  return f32x4.gt(at(a, group), at(b, group));
}

/** Masks of 16 bars to 16 bits. */
// @ts-ignore: decorator
@inline
function gather(a: v128, b: v128, c: v128, d: v128): i32 {
  return i8x16.bitmask(
    i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)),
  );
}

// @ts-ignore: decorator
@inline
function equal(a: usize, b: usize, group: i32): v128 {
  return v128.or(
    f32x4.eq(at(a, group), at(b, group)),
    f32x4.eq(at(a, group + 1), at(b, group + 1)),
  );
}

/** What packCrosses of `x` and `y` gives, from their single-precision twins; x and y are numbers wherever it means
 * anything. */
export function packCrossesOfSingles(
  singlesX: usize,
  singlesY: usize,
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
    const a = singlesX + (<usize>w << 7);
    const b = singlesY + (<usize>w << 7);
    const ties = v128.or(
      v128.or(equal(a, b, 0), equal(a, b, 2)),
      v128.or(equal(a, b, 4), equal(a, b, 6)),
    );
    let isAbove =
      gather(greater(a, b, 0), greater(a, b, 1), greater(a, b, 2), greater(a, b, 3)) |
      (gather(greater(a, b, 4), greater(a, b, 5), greater(a, b, 6), greater(a, b, 7)) << 16);
    let isBelow = ~isAbove;
    if (v128.any_true(ties)) {
      const offset = <usize>w << 8;
      isAbove = greater32(x + offset, y + offset);
      isBelow = greater32(y + offset, x + offset);
    }
    store<i32>(above + (<usize>w << 2), isAbove & ~((isAbove << 1) | carryAbove));
    store<i32>(below + (<usize>w << 2), isBelow & ~((isBelow << 1) | carryBelow));
    carryAbove = isAbove >>> 31;
    carryBelow = isBelow >>> 31;
  }
}
