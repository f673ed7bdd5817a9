// One task from the first decision to the last bar: the twin of fast/simulate.ts, days.ts, levels.ts and
// moving-stop.ts, operation by operation.
//
// Scratch memory of an instance, by byte offset:
//   0     4 lists of 16 condition pointers (u32)
//   256   4 distances of 16 bytes: f64 fraction, i32 kind (0 none, 1 a fraction, else pointer to a series in price
//         units); in order stop loss, take profit, trailing stop, breakeven
//   320   results, f64: final equity, max drawdown, held bars, exposed bars, fees, ambiguous exits, forced exits,
//         trades, peak
//   512   1,024 waiting trades of 40 bytes
//   41472 daily returns, then the trades' profits, f64 each
import { largest, mark, markHeld, peak, placeDrawdown, resetDrawdown, setCloses } from './drawdown';
import { gather } from './pack';
import {
  entryHoldsAt,
  nextLongEntry,
  nextLongExit,
  nextShortEntry,
  nextShortExit,
  placeSearch,
  resetSearch,
} from './search';

const DISTANCES: usize = 256;
const RESULTS: usize = 320;
const WAITING: usize = 512;
const RETURNS: usize = 41472;
const LONG_AGO: i32 = -1073741824;
/** Size kinds. */
const EQUITY: i32 = 0;
const UNITS: i32 = 2;
const RISK: i32 = 3;

let scratch: usize = 0;
let opens: usize = 0;
let highs: usize = 0;
let lows: usize = 0;
let closes: usize = 0;
let marketEnd: i32 = 0;
let last: i32 = 0;
let touch16: usize = 0;
let touch256: usize = 0;
let touch4096: usize = 0;
let dayBars: usize = 0;
let dayCloses: usize = 0;
let dayCount: i32 = 0;

let cash: f64 = 0;
let feeRate: f64 = 0;
let slippage: f64 = 0;
let lot: f64 = 0;
let stopAtSignalClose: bool = false;
let targetFirst: bool = false;

let equity: f64 = 0;
let isRuined: bool = false;
let lastExitBar: i32 = LONG_AGO;
let side: f64 = 0;
let quantity: f64 = 0;
let entryBar: i32 = 0;
let entryFee: f64 = 0;
let heldEquity: f64 = 0;
let size: f64 = 0;
let entryPrice: f64 = 0;
let stop: f64 = 0;
let target: f64 = 0;
let trades: i32 = 0;
let profits: usize = 0;
let heldBars: i32 = 0;
let exposedBars: i32 = 0;
let fees: f64 = 0;
let ambiguousExits: i32 = 0;
let forcedExits: i32 = 0;

let nextDay: i32 = 0;
let dayBefore: f64 = 0;

let isMoving: bool = false;
let movingStop: f64 = 0;
let best: f64 = 0;
let breakevenFrom: f64 = 0;
let signal: i32 = 0;

let doesReverse: bool = false;
let maxBars: i32 = 0;
let sizeKind: i32 = 0;
let sizeValue: f64 = 0;

export function setScratch(at: usize): void {
  scratch = at;
  placeSearch(at);
  placeDrawdown(at + WAITING);
}

export function setMarket(
  open: usize,
  high: usize,
  low: usize,
  close: usize,
  end: i32,
  touches: usize,
  blocksOfCloses: usize,
  days: usize,
  closesOfDays: usize,
  daysInRange: i32,
  bars: i32,
): void {
  opens = open;
  highs = high;
  lows = low;
  closes = close;
  marketEnd = end;
  last = end - 1;
  // The three levels of a pyramid lie one after the other.
  const by16 = (bars + 15) >> 4;
  const by256 = (by16 + 15) >> 4;
  touch16 = touches;
  touch256 = touch16 + (<usize>by16 << 4);
  touch4096 = touch256 + (<usize>by256 << 4);
  const c256 = blocksOfCloses + (<usize>by16 << 4);
  setCloses(close, blocksOfCloses, c256, c256 + (<usize>by256 << 4));
  dayBars = days;
  dayCloses = closesOfDays;
  dayCount = daysInRange;
  profits = scratch + RETURNS + (<usize>daysInRange << 3);
}

export function setBroker(
  money: f64,
  fee: f64,
  slip: f64,
  step: f64,
  measuresFromSignal: bool,
  targetCountsFirst: bool,
): void {
  cash = money;
  feeRate = fee;
  slippage = slip;
  lot = step;
  stopAtSignalClose = measuresFromSignal;
  targetFirst = targetCountsFirst;
}

/** Counts of the four lists, -1 where there is no such side. */
export function run(
  longEnter: i32,
  longExit: i32,
  shortEnter: i32,
  shortExit: i32,
  firstDecision: i32,
  barsMax: i32,
  cooldown: i32,
  reverse: bool,
  kind: i32,
  value: f64,
): void {
  equity = cash;
  isRuined = false;
  lastExitBar = LONG_AGO;
  maxBars = barsMax;
  doesReverse = reverse && longEnter >= 0 && shortEnter >= 0;
  sizeKind = kind;
  sizeValue = value;
  resetSearch(last, longEnter, longExit, shortEnter, shortExit);
  resetDrawdown(cash);
  nextDay = 0;
  dayBefore = NaN;
  trades = 0;
  heldBars = 0;
  exposedBars = 0;
  fees = 0;
  ambiguousExits = 0;
  forcedExits = 0;
  isMoving = kindOf(2) != 0 || kindOf(3) != 0;
  let bar = firstDecision;
  while (!isRuined) {
    let long = nextLongEntry(bar);
    let short = nextShortEntry(bar);
    while (long == short && long < last) {
      short = nextShortEntry(long + 1);
      long = nextLongEntry(long + 1);
    }
    if (long == short) break;
    bar = trade(min(long, short) + 1, long < short ? 1 : -1, cooldown);
  }
  sampleFlat(marketEnd, equity);
  const fall = largest();
  const out = scratch + RESULTS;
  store<f64>(out, equity);
  store<f64>(out, fall, 8);
  store<f64>(out, heldBars, 16);
  store<f64>(out, exposedBars, 24);
  store<f64>(out, fees, 32);
  store<f64>(out, ambiguousExits, 40);
  store<f64>(out, forcedExits, 48);
  store<f64>(out, trades, 56);
  store<f64>(out, peak, 64);
}

function trade(first: i32, wantedSide: f64, cooldown: i32): i32 {
  let bar = first;
  let wanted = wantedSide;
  while (wanted != 0 && enter(bar, wanted)) {
    const held = side;
    const turns = ride();
    bar = lastExitBar;
    wanted = turns ? -held : 0;
  }
  mark(equity);
  return max(bar, lastExitBar + cooldown);
}

// @ts-ignore: decorator
@inline
function at(column: usize, bar: i32): f64 {
  return load<f64>(column + (<usize>bar << 3));
}

// @ts-ignore: decorator
@inline
function kindOf(distance: i32): u32 {
  return load<u32>(scratch + DISTANCES + (<usize>distance << 4), 8);
}

function isDistance(distance: i32, signalBar: i32): bool {
  const kind = kindOf(distance);
  if (kind <= 1) return true;
  const units = at(<usize>kind, signalBar);
  return units > 0 && units < Infinity;
}

function levelOf(distance: i32, signalBar: i32, base: f64, direction: f64): f64 {
  const kind = kindOf(distance);
  if (kind == 0) return NaN;
  if (kind == 1) {
    return base * (1 + direction * load<f64>(scratch + DISTANCES + (<usize>distance << 4)));
  }
  return base + direction * at(<usize>kind, signalBar);
}

function quantityFor(cost: f64, lossPerUnit: f64): f64 {
  if (!(equity > 0)) return 0;
  if (sizeKind == UNITS) {
    const units = lot > 0 ? floor(sizeValue / lot + 1e-9) * lot : sizeValue;
    return units * cost <= equity ? units : 0;
  }
  let wanted: f64;
  if (sizeKind == RISK) {
    if (!(lossPerUnit > 0)) return 0;
    wanted = min((equity * sizeValue) / lossPerUnit, equity / cost);
  } else {
    wanted = (sizeKind == EQUITY ? equity * sizeValue : min(sizeValue, equity)) / cost;
  }
  return lot > 0 ? floor(wanted / lot) * lot : wanted;
}

function enter(bar: i32, wanted: f64): bool {
  const signalBar = bar - 1;
  if (!isDistance(0, signalBar) || !isDistance(1, signalBar)) return false;
  if (!isDistance(2, signalBar) || !isDistance(3, signalBar)) return false;
  const price = at(opens, bar) * (1 + wanted * slippage);
  const base = stopAtSignalClose ? at(closes, signalBar) : price;
  let level = levelOf(0, signalBar, base, -wanted);
  if (isMoving) {
    side = wanted;
    signal = signalBar;
    movingStop = level;
    best = price;
    breakevenFrom = levelOf(3, signalBar, price, wanted);
    raise(levelOf(2, signalBar, price, -wanted));
    level = movingStop;
  }
  const quantityWanted = quantityFor(price * (1 + feeRate), wanted * (price - level));
  if (!(quantityWanted > 0)) return false;
  sampleFlat(bar, equity);
  side = wanted;
  quantity = quantityWanted;
  entryBar = bar;
  entryFee = quantity * price * feeRate;
  equity -= entryFee;
  fees += entryFee;
  heldEquity = equity;
  size = wanted * quantity;
  entryPrice = price;
  stop = level;
  target = levelOf(1, signalBar, base, wanted);
  return true;
}

/** Returns whether the position turns to the other side at the exit's open. */
function ride(): bool {
  const entry = entryBar;
  const isLong = side == 1;
  const exitSignal = isLong ? nextLongExit(entry) : nextShortExit(entry);
  const opposite = doesReverse ? nextOpposite(isLong, entry) : last;
  const decision = min(min(exitSignal, opposite), min(entry + maxBars - 1, last));
  const touch = isMoving ? firstTouchOfMoving(entry, decision) : firstTouch(entry, decision);
  const exit = min(touch, min(decision + 1, last));
  const ruin = markHeld(entry, exit - 1, heldEquity, size, entryPrice, stop, target);
  sampleHeld(ruin == -1 ? exit : ruin);
  if (ruin != -1) {
    isRuined = true;
    exitAtLast(ruin);
  } else if (touch <= decision) exitAtLevel(touch, isMoving ? movingStop : stop);
  else if (decision == last) exitAtLast(last);
  else {
    exitAtMarket(exit, at(opens, exit));
    exposedBars--;
    return opposite == decision;
  }
  return false;
}

function nextOpposite(isLong: bool, from: i32): i32 {
  let bar = isLong ? nextShortEntry(from) : nextLongEntry(from);
  while (bar < last && entryHoldsAt(isLong, bar)) {
    bar = isLong ? nextShortEntry(bar + 1) : nextLongEntry(bar + 1);
  }
  return bar;
}

/** First bar in [from, to] that touches a level, a bar after `to` when there is none. 16 bars or blocks are asked at
 * once; what lies behind the last of them gives answers after `to` only. */
function firstTouch(from: i32, to: i32): i32 {
  if (isNaN(stop) && isNaN(target)) return to + 1;
  const below = f64x2.splat(side == 1 ? stop : target);
  const above = f64x2.splat(side == 1 ? target : stop);
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

function isNearer(level: f64, current: f64): bool {
  return !isNaN(level) && (isNaN(current) || side * (level - current) > 0);
}

function raise(level: f64): void {
  if (isNearer(level, movingStop)) movingStop = level;
}

function firstTouchOfMoving(from: i32, to: i32): i32 {
  const isLong = side == 1;
  let bar = from;
  while (bar <= to) {
    if ((bar & 15) == 0) {
      if ((bar & 255) == 0 && bar + 255 <= to && passes(touch256, bar >> 8)) {
        bar += 256;
        continue;
      }
      if (bar + 15 <= to && passes(touch16, bar >> 4)) {
        bar += 16;
        continue;
      }
    }
    const low = at(lows, bar);
    const high = at(highs, bar);
    if (isLong ? low <= movingStop || high >= target : high >= movingStop || low <= target) {
      return bar;
    }
    const better = isLong ? high : low;
    if (side * (better - best) > 0) best = better;
    raise(levelOf(2, signal, best, -side));
    if (side * (better - breakevenFrom) >= 0) {
      raise(entryPrice);
      breakevenFrom = NaN;
    }
    bar++;
  }
  return to + 1;
}

function passes(blocks: usize, block: i32): bool {
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

function exitAtLevel(bar: i32, level: f64): void {
  const open = at(opens, bar);
  const low = at(lows, bar);
  const high = at(highs, bar);
  const isLong = side == 1;
  if (isLong ? open <= level : open >= level) exitAtMarket(bar, open);
  else if (isLong ? open >= target : open <= target) exitAt(bar, open);
  else {
    const touchesStop = isLong ? low <= level : high >= level;
    const touchesTarget = isLong ? high >= target : low <= target;
    const isAmbiguous = touchesStop && touchesTarget;
    if (isAmbiguous) ambiguousExits++;
    if (touchesStop && (!isAmbiguous || !targetFirst)) exitAtMarket(bar, level);
    else exitAt(bar, target);
  }
}

function exitAtLast(bar: i32): void {
  forcedExits++;
  exitAtMarket(bar, at(closes, bar));
}

function exitAtMarket(bar: i32, price: f64): void {
  exitAt(bar, price * (1 - side * slippage));
}

function exitAt(bar: i32, price: f64): void {
  const gain = size * (price - entryPrice);
  const fee = quantity * price * feeRate;
  const profit = gain - entryFee - fee;
  equity += gain - fee;
  fees += fee;
  store<f64>(profits + (<usize>trades << 3), profit);
  trades++;
  heldBars += bar - entryBar;
  exposedBars += bar - entryBar + 1;
  lastExitBar = bar;
}

// @ts-ignore: decorator
@inline
function dayEnd(day: i32): i32 {
  return load<i32>(dayBars + (<usize>day << 2));
}

// @ts-ignore: decorator
@inline
function putReturn(day: i32, value: f64): void {
  store<f64>(scratch + RETURNS + (<usize>day << 3), value);
}

function sampleFlat(bar: i32, value: f64): void {
  let day = nextDay;
  if (!(day < dayCount && dayEnd(day) < bar)) return;
  putReturn(day++, dayBefore > 0 ? value / dayBefore - 1 : 0);
  dayBefore = value;
  const unchanged: f64 = value > 0 ? value / value - 1 : 0;
  while (day < dayCount && dayEnd(day) < bar) putReturn(day++, unchanged);
  nextDay = day;
}

function sampleHeld(bar: i32): void {
  let day = nextDay;
  let before = dayBefore;
  while (day < dayCount && dayEnd(day) < bar) {
    const value = heldEquity + size * (at(dayCloses, day) - entryPrice);
    putReturn(day++, before > 0 ? value / before - 1 : 0);
    before = value;
  }
  nextDay = day;
  dayBefore = before;
}
