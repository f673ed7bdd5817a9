// The largest fall of the equity at closes, without looking at every close: the twin of fast/drawdown.ts, which says
// why it may skip what it skips.

const ROUNDING_MARGIN: f64 = 1 + 1e-12;
/** Trades that may wait at a time; one more is looked at at once. */
const WAITING_MAX: i32 = 1024;
/** Longer trades are looked at at once: their blocks are as many as the levels above would be. */
const BOUNDED_BARS: i32 = 4096;
/** Bytes of one: worst, equity, size, entryPrice, from, to. */
const WAITING_BYTES: usize = 40;

let closes: usize = 0;
let blocks16: usize = 0;
let blocks256: usize = 0;
let blocks4096: usize = 0;
let waitingAt: usize = 0;
let waiting: i32 = 0;
export let peak: f64 = 0;
let trough: f64 = 0;
let largestFall: f64 = 0;

export function placeDrawdown(at: usize): void {
  waitingAt = at;
}

export function setCloses(close: usize, by16: usize, by256: usize, by4096: usize): void {
  closes = close;
  blocks16 = by16;
  blocks256 = by256;
  blocks4096 = by4096;
}

export function resetDrawdown(equity: f64): void {
  peak = equity;
  trough = equity;
  largestFall = 0;
  waiting = 0;
}

export function largest(): f64 {
  if (waiting > 0) markWaiting();
  const fall = (peak - trough) / peak;
  if (fall > largestFall) largestFall = fall;
  return largestFall;
}

export function mark(equity: f64): void {
  if (equity > peak) {
    largest();
    peak = equity;
    trough = equity;
  } else if (equity < trough) trough = equity;
}

export function markHeld(
  from: i32,
  to: i32,
  equity: f64,
  size: f64,
  entryPrice: f64,
  stop: f64,
  target: f64,
): i32 {
  if (equity + size * (target - entryPrice) <= peak) {
    const worst = equity + size * (stop - entryPrice);
    if (worst > 0) {
      if (worst < trough) wait(worst, from, to, equity, size, entryPrice);
      return -1;
    }
  }
  return waitsByBlocks(from, to, equity, size, entryPrice)
    ? -1
    : markNow(from, to, equity, size, entryPrice);
}

/** Without a stop or a target the blocks that the trade lies in say what it can reach at most; where that is no new
 * peak, the trade may wait as well. Whether it does, or need not be looked at. */
function waitsByBlocks(from: i32, to: i32, equity: f64, size: f64, entryPrice: f64): bool {
  const bars = to - from;
  if (bars > BOUNDED_BARS) return false;
  const shift = bars < 128 ? 4 : 8;
  const blocks = bars < 128 ? blocks16 : blocks256;
  let least = f64x2.splat(Infinity);
  let most = f64x2.splat(-Infinity);
  for (let block = from >> shift; block <= to >> shift; block++) {
    const pair = v128.load(blocks + (<usize>block << 4));
    least = f64x2.pmin(least, pair);
    most = f64x2.pmax(most, pair);
  }
  const low = f64x2.extract_lane(least, 0);
  const high = f64x2.extract_lane(most, 1);
  const worst = equity + size * ((size > 0 ? low : high) - entryPrice);
  const best = equity + size * ((size > 0 ? high : low) - entryPrice);
  if (!(best <= peak && worst > 0)) return false;
  if (worst < trough) wait(worst, from, to, equity, size, entryPrice);
  return true;
}

function markNow(from: i32, to: i32, equity: f64, size: f64, entryPrice: f64): i32 {
  let bar = from;
  while (bar <= to) {
    let marked = 0;
    if ((bar & 15) == 0 && bar + 15 <= to) marked = markBlocks(bar, to, equity, size, entryPrice);
    if (marked == 0) {
      // What is left of a block of 16 is a block of its own, its extremes found on the spot.
      const end = min(to, bar | 15);
      let least = v128.load64_splat(closes + (<usize>bar << 3));
      let most = least;
      // The vector's minimum has no branch.
      for (let b = bar + 1; b <= end; b++) {
        const close = v128.load64_splat(closes + (<usize>b << 3));
        least = f64x2.pmin(least, close);
        most = f64x2.pmax(most, close);
      }
      const low = f64x2.extract_lane(least, 0);
      const high = f64x2.extract_lane(most, 0);
      if (markExtremes(low, high, equity, size, entryPrice)) marked = end + 1 - bar;
      else {
        for (; bar <= end; bar++) {
          const value = equity + size * (load<f64>(closes + (<usize>bar << 3)) - entryPrice);
          if (value <= 0) return bar;
          mark(value);
        }
      }
    }
    bar += marked;
  }
  return -1;
}

function wait(worst: f64, from: i32, to: i32, equity: f64, size: f64, entryPrice: f64): void {
  while (waiting > 0 && load<f64>(place(waiting - 1)) >= trough) waiting--;
  if (waiting == WAITING_MAX) markWaiting();
  const at = place(waiting++);
  store<f64>(at, worst);
  store<f64>(at, equity, 8);
  store<f64>(at, size, 16);
  store<f64>(at, entryPrice, 24);
  store<i32>(at, from, 32);
  store<i32>(at, to, 36);
}

// @ts-ignore: decorator
@inline
function place(index: i32): usize {
  return waitingAt + <usize>index * WAITING_BYTES;
}

function markWaiting(): void {
  const count = waiting;
  waiting = 0;
  for (let i = count - 1; i >= 0; i--) {
    const at = place(i);
    if (load<f64>(at) < trough) {
      markNow(
        load<i32>(at, 32),
        load<i32>(at, 36),
        load<f64>(at, 8),
        load<f64>(at, 16),
        load<f64>(at, 24),
      );
    }
  }
}

function markBlocks(bar: i32, to: i32, equity: f64, size: f64, entryPrice: f64): i32 {
  if ((bar & 255) == 0 && bar + 255 <= to) {
    if ((bar & 4095) == 0 && bar + 4095 <= to) {
      if (markBlock(blocks4096 + (<usize>(bar >> 12) << 4), equity, size, entryPrice)) return 4096;
    }
    if (markBlock(blocks256 + (<usize>(bar >> 8) << 4), equity, size, entryPrice)) return 256;
  }
  return markBlock(blocks16 + (<usize>(bar >> 4) << 4), equity, size, entryPrice) ? 16 : 0;
}

// @ts-ignore: decorator
@inline
function markBlock(block: usize, equity: f64, size: f64, entryPrice: f64): bool {
  return markExtremes(load<f64>(block), load<f64>(block, 8), equity, size, entryPrice);
}

function markExtremes(
  least: f64,
  most: f64,
  equity: f64,
  size: f64,
  entryPrice: f64,
): bool {
  const atLeast = equity + size * (least - entryPrice);
  const atMost = equity + size * (most - entryPrice);
  const low = size > 0 ? atLeast : atMost;
  const high = size > 0 ? atMost : atLeast;
  if (!(low > 0)) return false;
  if (high <= peak) {
    if (low < trough) trough = low;
    return true;
  }
  if (!(((high - low) / high) * ROUNDING_MARGIN <= largest())) return false;
  peak = high;
  trough = high;
  return true;
}
