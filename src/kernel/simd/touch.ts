// The first bar that reaches one of two prices: what fast/pyramid.ts answers. 16 bars, or blocks of bars, are asked at
// once, so that no branch depends on where among them it is.
import { gather } from './pack';
import { reached, roundedDown, roundedUp } from './reach';
import { entryWordsNear } from './search';

let opens: usize = 0;
let lows: usize = 0;
let highs: usize = 0;
let level1: usize = 0;
let level2: usize = 0;
let level3: usize = 0;
/** What was read only so that the memory answers early. Of trades far apart each look waits for the memory, one after
 * the other: what the exit and the next entry will look at is known from the block on, before the bar is. */
let ahead: i32 = 0;

/** `reach` has the levels of reach.ts one after the other. */
export function setTouches(open: usize, low: usize, high: usize, reach: usize, bars: i32): void {
  opens = open;
  lows = low;
  highs = high;
  const groups1 = (bars + 255) >> 8;
  level1 = reach;
  level2 = level1 + (<usize>groups1 << 7);
  level3 = level2 + (<usize>((groups1 + 15) >> 4) << 7);
}

/** First bar in [from, to] that is at or below `low` or at or above `high`, a bar after `to` when there is none. */
export function firstTouch(from: i32, to: i32, low: f64, high: f64): i32 {
  if (isNaN(low) && isNaN(high)) return to + 1;
  const below = f64x2.splat(low);
  const above = f64x2.splat(high);
  let block = from >> 4;
  let bits = touchedBars(block, below, above) & (-1 << (from & 15));
  if (bits == 0) {
    const nearBelow = f32x4.splat(roundedUp(low));
    const nearAbove = f32x4.splat(roundedDown(high));
    // Only rounding makes a second round.
    while (bits == 0) {
      block++;
      if (block << 4 > to) return to + 1;
      block = firstBlock(block, to, nearBelow, nearAbove);
      if (block << 4 > to) return to + 1;
      const open = opens + (<usize>block << 7);
      ahead ^= load<i32>(open) ^ load<i32>(open, 64);
      bits = touchedBars(block, below, above);
    }
  }
  return (block << 4) + ctz(bits);
}

/** The first block of 16 bars from `from` on that may touch; one behind `to` when there is none. */
function firstBlock(from: i32, to: i32, below: v128, above: v128): i32 {
  let wide = from >> 4;
  const near = group(level1, wide, below, above) & (-1 << (from & 15));
  wide++;
  // Asked before it is known to be needed: the memory answers both at once.
  let bits = group(level2, wide >> 4, below, above) & (-1 << (wide & 15));
  if (near != 0) return (from & ~15) + ctz(near);
  if (wide << 8 > to) return wide << 4;
  while (bits == 0) {
    wide = (wide | 15) + 1;
    // Blocks of 4,096 bars without a touch are passed over 16 at once.
    while (wide << 8 <= to) {
      bits = group(level3, wide >> 8, below, above) & (-1 << ((wide >> 4) & 15));
      if (bits != 0) {
        wide = (wide & ~255) + (ctz(bits) << 4);
        break;
      }
      wide = (wide | 255) + 1;
    }
    if (wide << 8 > to) return wide << 4;
    bits = group(level2, wide >> 4, below, above) & (-1 << (wide & 15));
  }
  wide = (wide & ~15) + ctz(bits);
  ahead ^= entryWordsNear(wide << 8);
  return wide << 8 > to ? wide << 4 : (wide << 4) + ctz(group(level1, wide, below, above));
}

// @ts-ignore: decorator
@inline
function group(level: usize, index: i32, below: v128, above: v128): i32 {
  return reached(level + (<usize>index << 7), below, above);
}

/** Bit j: does bar j of the block of 16 bars touch? */
// @ts-ignore: decorator
@inline
function touchedBars(block: i32, below: v128, above: v128): i32 {
  const l = lows + (<usize>block << 7);
  const h = highs + (<usize>block << 7);
  return gather(
    touches(l, h, below, above),
    touches(l + 16, h + 16, below, above),
    touches(l + 32, h + 32, below, above),
    touches(l + 48, h + 48, below, above),
    touches(l + 64, h + 64, below, above),
    touches(l + 80, h + 80, below, above),
    touches(l + 96, h + 96, below, above),
    touches(l + 112, h + 112, below, above),
  );
}

// @ts-ignore: decorator
@inline
function touches(low: usize, high: usize, below: v128, above: v128): v128 {
  return v128.or(f64x2.le(v128.load(low), below), f64x2.ge(v128.load(high), above));
}
