// Lows and highs of blocks of bars in single precision: 16 of each side by side in 128 bytes, so that one look asks 16
// blocks and touches two cache lines. Lows are rounded down and highs up: what reaches a price in double precision
// reaches it here. What reaches it here only by rounding is found out by who looks at the bars.
//
// Level 1 has blocks of 16 bars, level n + 1 the extremes of each 16 of level n. Behind the last stand a low of
// +Infinity and a high of -Infinity, that nothing reaches.

/** Twice the largest error of rounding to single precision, of the value and at the smallest values. */
const RELATIVE: f64 = 1.1920928955078125e-7;
const ABSOLUTE: f64 = 3e-45;

// @ts-ignore: decorator
@inline
export function roundedUp(x: f64): f32 {
  return <f32>(x + abs(x) * RELATIVE + ABSOLUTE);
}

// @ts-ignore: decorator
@inline
export function roundedDown(x: f64): f32 {
  return <f32>(x - abs(x) * RELATIVE - ABSOLUTE);
}

/** Bit j: does entry j of the group at `at` go down to `low` or up to `high`? */
// @ts-ignore: decorator
@inline
export function reached(at: usize, low: v128, high: v128): i32 {
  const a = v128.or(f32x4.le(v128.load(at), low), f32x4.ge(v128.load(at, 64), high));
  const b = v128.or(f32x4.le(v128.load(at, 16), low), f32x4.ge(v128.load(at, 80), high));
  const c = v128.or(f32x4.le(v128.load(at, 32), low), f32x4.ge(v128.load(at, 96), high));
  const d = v128.or(f32x4.le(v128.load(at, 48), low), f32x4.ge(v128.load(at, 112), high));
  return i8x16.bitmask(
    i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)),
  );
}

/** The first level, of blocks of 16 bars. */
export function reachOfBlocks(lows: usize, highs: usize, out: usize, bars: i32): void {
  const padded = (bars + 255) & ~255;
  for (let bar = 0; bar < padded; bar += 16) {
    let least = f64x2.splat(Infinity);
    let most = f64x2.splat(-Infinity);
    const end = min(bars, bar + 16);
    for (let b = bar; b < end; b++) {
      least = f64x2.pmin(least, v128.load64_splat(lows + (<usize>b << 3)));
      most = f64x2.pmax(most, v128.load64_splat(highs + (<usize>b << 3)));
    }
    const at = out + (<usize>(bar >> 8) << 7) + (<usize>((bar >> 4) & 15) << 2);
    store<f32>(at, bar < bars ? roundedDown(f64x2.extract_lane(least, 0)) : Infinity);
    store<f32>(at, bar < bars ? roundedUp(f64x2.extract_lane(most, 0)) : -Infinity, 64);
  }
}

/** The level above `count` groups of a level. */
export function reachOfGroups(from: usize, out: usize, count: i32): void {
  const padded = (count + 15) & ~15;
  for (let group = 0; group < padded; group++) {
    let least = f32x4.splat(Infinity);
    let most = f32x4.splat(-Infinity);
    if (group < count) {
      const at = from + (<usize>group << 7);
      for (let lane: usize = 0; lane < 64; lane += 16) {
        least = f32x4.pmin(least, v128.load(at + lane));
        most = f32x4.pmax(most, v128.load(at + lane, 64));
      }
    }
    const at = out + (<usize>(group >> 4) << 7) + (<usize>(group & 15) << 2);
    store<f32>(at, extreme(least, true));
    store<f32>(at, extreme(most, false), 64);
  }
}

// @ts-ignore: decorator
@inline
function extreme(values: v128, least: bool): f32 {
  const turned = v128.shuffle<i32>(values, values, 2, 3, 0, 1);
  const two = least ? f32x4.pmin(values, turned) : f32x4.pmax(values, turned);
  const one = v128.shuffle<i32>(two, two, 1, 0, 3, 2);
  return f32x4.extract_lane(least ? f32x4.pmin(two, one) : f32x4.pmax(two, one), 0);
}
