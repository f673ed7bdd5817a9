// One task from the first decision to the last bar: the twin of fast/simulate.ts, days.ts, levels.ts and
// moving-stop.ts, operation by operation.
//
// Scratch memory of an instance, by byte offset:
//   0     4 lists of 16 condition pointers (u32)
//   256   4 distances of 16 bytes: f64 fraction, i32 kind (0 none, 1 a fraction, else pointer to a series in price
//         units); in order stop loss, take profit, trailing stop, breakeven
//   320   the row, f64, without its columns 2 and 6; behind its 20 values held bars, exposed bars, peak
//   512   1,024 waiting trades of 40 bytes
//   41472 daily returns, then the trades' profits, f64 each
import { endsDayBefore, resetDays, sampleFlat, sampleHeld, setDays } from './days';
import { largest, mark, markHeld, peak, placeDrawdown, resetDrawdown, setCloses } from './drawdown';
import { isDistance, kindOf, levelOf, placeDistances } from './levels';
import { firstTouchOfMoving, movingStop, resetMoving, setMovingBlocks } from './moving';
import {
  entryHoldsAt,
  nextLongEntry,
  nextLongExit,
  nextShortEntry,
  nextShortExit,
  placeSearch,
  resetSearch,
} from './search';
import { setRow, writeReturns, writeTrading } from './row';
import { firstTouch, setTouches } from './touch';

const DISTANCES: usize = 256;
const ROW: usize = 320;
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
let returns: usize = 0;
let returnCount: i32 = 0;
let profits: usize = 0;
let heldBars: i32 = 0;
let exposedBars: i32 = 0;
let fees: f64 = 0;
let ambiguousExits: i32 = 0;
let forcedExits: i32 = 0;

let isMoving: bool = false;
/** Some distance is in price units, and may be none at a bar. */
let hasPriceDistance: bool = false;

let doesReverse: bool = false;
let maxBars: i32 = 0;
let sizeKind: i32 = 0;
let sizeValue: f64 = 0;

export function setScratch(at: usize): void {
  scratch = at;
  placeSearch(at);
  placeDrawdown(at + WAITING);
  placeDistances(at + DISTANCES);
}

export function setMarket(
  open: usize,
  high: usize,
  low: usize,
  close: usize,
  first: i32,
  end: i32,
  touches: usize,
  reach: usize,
  blocksOfCloses: usize,
  days: usize,
  closesOfDays: usize,
  daysInRange: i32,
  annualDays: i32,
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
  const t256 = touches + (<usize>by16 << 4);
  setTouches(open, low, high, reach, bars);
  setMovingBlocks(low, high, touches, t256);
  const c256 = blocksOfCloses + (<usize>by16 << 4);
  setCloses(close, blocksOfCloses, c256, c256 + (<usize>by256 << 4));
  setDays(days, closesOfDays, daysInRange, scratch + RETURNS);
  // The range's first day has no day before it.
  returns = scratch + RETURNS + 8;
  returnCount = max(daysInRange - 1, 0);
  profits = scratch + RETURNS + (<usize>daysInRange << 3);
  setRow(annualDays, end - first, at(closes, end - 1) / at(closes, first) - 1);
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
  resetDays();
  trades = 0;
  heldBars = 0;
  exposedBars = 0;
  fees = 0;
  ambiguousExits = 0;
  forcedExits = 0;
  isMoving = kindOf(2) != 0 || kindOf(3) != 0;
  hasPriceDistance = kindOf(0) > 1 || kindOf(1) > 1 || kindOf(2) > 1 || kindOf(3) > 1;
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
  if (endsDayBefore(marketEnd)) sampleFlat(marketEnd, equity);
  const row = scratch + ROW;
  writeReturns(row, returns, returnCount, cash, equity, largest());
  writeTrading(row, profits, trades, exposedBars, heldBars);
  store<f64>(row, fees, 120);
  store<f64>(row, ambiguousExits, 136);
  store<f64>(row, forcedExits, 144);
  store<f64>(row, heldBars, 160);
  store<f64>(row, exposedBars, 168);
  store<f64>(row, peak, 176);
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
  if (hasPriceDistance) {
    if (!isDistance(0, signalBar) || !isDistance(1, signalBar)) return false;
    if (!isDistance(2, signalBar) || !isDistance(3, signalBar)) return false;
  }
  const price = at(opens, bar) * (1 + wanted * slippage);
  const base = stopAtSignalClose ? at(closes, signalBar) : price;
  let level = levelOf(0, signalBar, base, -wanted);
  if (isMoving) {
    resetMoving(wanted, signalBar, price, level);
    level = movingStop;
  }
  const quantityWanted = quantityFor(price * (1 + feeRate), wanted * (price - level));
  if (!(quantityWanted > 0)) return false;
  if (endsDayBefore(bar)) sampleFlat(bar, equity);
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
  let touch: i32;
  if (isMoving) touch = firstTouchOfMoving(entry, decision, target);
  else touch = firstTouch(entry, decision, isLong ? stop : target, isLong ? target : stop);
  const exit = min(touch, min(decision + 1, last));
  const ruin = markHeld(entry, exit - 1, heldEquity, size, entryPrice, stop, target);
  const sampled = ruin == -1 ? exit : ruin;
  if (endsDayBefore(sampled)) sampleHeld(sampled, heldEquity, size, entryPrice);
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
