// The first bar that reaches one of two prices: the twin of fast/pyramid.ts. 16 bars, or blocks of bars, are asked at
// once, so that no branch depends on where among them it is.
import { gather } from './pack';

let lows: usize = 0;
let highs: usize = 0;
let touch16: usize = 0;
let touch256: usize = 0;
let touch4096: usize = 0;

export function setTouches(low: usize, high: usize, by16: usize, by256: usize, by4096: usize): void {
  lows = low;
  highs = high;
  touch16 = by16;
  touch256 = by256;
  touch4096 = by4096;
}

/** First bar in [from, to] that is at or below `low` or at or above `high`, a bar after `to` when there is none. 16 bars or blocks are asked at
 * once; what lies behind the last of them gives answers after `to` only. */
export function firstTouch(from: i32, to: i32, low: f64, high: f64): i32 {
  if (isNaN(low) && isNaN(high)) return to + 1;
  const below = f64x2.splat(low);
  const above = f64x2.splat(high);
  let bits = touchedBars(from >> 4, below, above) & (-1 << (from & 15));
  if (bits != 0) return (from & ~15) + ctz(bits);
  let block = (from >> 4) + 1;
  if (block << 4 > to) return to + 1;
  if ((block & 15) != 0) {
    bits = touchedBlocks(touch16, block >> 4, below, above) & (-1 << (block & 15));
    if (bits != 0) return barIn((block & ~15) + ctz(bits), below, above);
    block = (block | 15) + 1;
  }
  let wide = block >> 4;
  while (wide << 8 <= to) {
    bits = touchedBlocks(touch256, wide >> 4, below, above) & (-1 << (wide & 15));
    if (bits != 0) {
      wide = (wide & ~15) + ctz(bits);
      if (wide << 8 > to) break;
      const inner = touchedBlocks(touch16, wide, below, above);
      return barIn((wide << 4) + ctz(inner), below, above);
    }
    wide = (wide | 15) + 1;
    // A wide block of 4,096 bars without a touch is passed over at once.
    while (wide << 8 <= to && !isTouched(touch4096, wide >> 4, below, above)) wide += 16;
  }
  return to + 1;
}

// @ts-ignore: decorator
@inline
function barIn(block: i32, below: v128, above: v128): i32 {
  return (block << 4) + ctz(touchedBars(block, below, above));
}

/** Bit j: does bar j of the block of 16 bars touch? */
function touchedBars(block: i32, below: v128, above: v128): i32 {
  const offset = <usize>block << 7;
  return le16(lows + offset, below) | ge16(highs + offset, above);
}

/** Bit j: does block 16 `group` + j touch? */
function touchedBlocks(level: usize, group: i32, below: v128, above: v128): i32 {
  const pairs = level + (<usize>group << 8);
  let bits: i32 = 0;
  for (let j = 0; j < 16; j += 4) {
    const at = pairs + (<usize>j << 4);
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const one = v128.or(
      f64x2.le(v128.shuffle<f64>(a, b, 0, 2), below),
      f64x2.ge(v128.shuffle<f64>(a, b, 1, 3), above),
    );
    const two = v128.or(
      f64x2.le(v128.shuffle<f64>(c, d, 0, 2), below),
      f64x2.ge(v128.shuffle<f64>(c, d, 1, 3), above),
    );
    bits |= i32x4.bitmask(v128.shuffle<i32>(one, two, 0, 2, 4, 6)) << j;
  }
  return bits;
}

// @ts-ignore: decorator
@inline
function isTouched(blocks: usize, block: i32, below: v128, above: v128): bool {
  const pair = blocks + (<usize>block << 4);
  return (
    load<f64>(pair) <= f64x2.extract_lane(below, 0) ||
    load<f64>(pair, 8) >= f64x2.extract_lane(above, 0)
  );
}

// @ts-ignore: decorator
@inline
function le16(x: usize, c: v128): i32 {
  return gather(
    f64x2.le(v128.load(x), c), f64x2.le(v128.load(x, 16), c),
    f64x2.le(v128.load(x, 32), c), f64x2.le(v128.load(x, 48), c),
    f64x2.le(v128.load(x, 64), c), f64x2.le(v128.load(x, 80), c),
    f64x2.le(v128.load(x, 96), c), f64x2.le(v128.load(x, 112), c),
  );
}

// @ts-ignore: decorator
@inline
function ge16(x: usize, c: v128): i32 {
  return gather(
    f64x2.ge(v128.load(x), c), f64x2.ge(v128.load(x, 16), c),
    f64x2.ge(v128.load(x, 32), c), f64x2.ge(v128.load(x, 48), c),
    f64x2.ge(v128.load(x, 64), c), f64x2.ge(v128.load(x, 80), c),
    f64x2.ge(v128.load(x, 96), c), f64x2.ge(v128.load(x, 112), c),
  );
}
