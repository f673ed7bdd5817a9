// The stop of a position that trails the best price or moves to the entry price: the twin of fast/moving-stop.ts.
import { levelOf } from './levels';

let lows: usize = 0;
let highs: usize = 0;
let blocks16: usize = 0;
let blocks256: usize = 0;
let side: f64 = 0;
let price: f64 = 0;
let signal: i32 = 0;
let best: f64 = 0;
let breakevenFrom: f64 = 0;
export let movingStop: f64 = 0;

export function setMovingBlocks(low: usize, high: usize, by16: usize, by256: usize): void {
  lows = low;
  highs = high;
  blocks16 = by16;
  blocks256 = by256;
}

export function resetMoving(direction: f64, signalBar: i32, fill: f64, stop: f64): void {
  side = direction;
  price = fill;
  signal = signalBar;
  movingStop = stop;
  best = fill;
  breakevenFrom = levelOf(3, signalBar, fill, direction);
  raise(levelOf(2, signalBar, fill, -direction));
}

function isNearer(level: f64, current: f64): bool {
  return !isNaN(level) && (isNaN(current) || side * (level - current) > 0);
}

function raise(level: f64): void {
  if (isNearer(level, movingStop)) movingStop = level;
}

export function firstTouchOfMoving(from: i32, to: i32, target: f64): i32 {
  const isLong = side == 1;
  let bar = from;
  while (bar <= to) {
    if ((bar & 15) == 0) {
      if ((bar & 255) == 0 && bar + 255 <= to && passes(blocks256, bar >> 8, target)) {
        bar += 256;
        continue;
      }
      if (bar + 15 <= to && passes(blocks16, bar >> 4, target)) {
        bar += 16;
        continue;
      }
    }
    const low = load<f64>(lows + (<usize>bar << 3));
    const high = load<f64>(highs + (<usize>bar << 3));
    if (isLong ? low <= movingStop || high >= target : high >= movingStop || low <= target) {
      return bar;
    }
    const better = isLong ? high : low;
    if (side * (better - best) > 0) best = better;
    raise(levelOf(2, signal, best, -side));
    if (side * (better - breakevenFrom) >= 0) {
      raise(price);
      breakevenFrom = NaN;
    }
    bar++;
  }
  return to + 1;
}

function passes(blocks: usize, block: i32, target: f64): bool {
  const pair = blocks + (<usize>block << 4);
  const isLong = side == 1;
  const worst = isLong ? load<f64>(pair) : load<f64>(pair, 8);
  const better = isLong ? load<f64>(pair, 8) : load<f64>(pair);
  const furthest = side * (better - best) > 0 ? better : best;
  const level = levelOf(2, signal, furthest, -side);
  const stopThere = isNearer(level, movingStop) ? level : movingStop;
  if (isLong ? worst <= stopThere || better >= target : worst >= stopThere || better <= target) {
    return false;
  }
  if (side * (better - breakevenFrom) >= 0) return false;
  best = furthest;
  movingStop = stopThere;
  return true;
}
