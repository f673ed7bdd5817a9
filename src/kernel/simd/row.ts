// A task's row from what happened, but for what needs a power (cagr and calmar): the twin of engine/metrics.ts. Sums
// run in order of time.

let annualDays: f64 = 0;
let annual: f64 = 0;
let barsInRange: f64 = 0;
let buyAndHold: f64 = 0;

export function setRow(days: f64, bars: i32, held: f64): void {
  annualDays = days;
  annual = sqrt(days);
  barsInRange = bars;
  buyAndHold = held;
}

/** One bit pattern for NaN and for zero; an overflow has no value either. */
// @ts-ignore: decorator
@inline
function put(row: usize, column: usize, value: f64): void {
  store<f64>(row + (column << 3), value - value == 0 ? value + 0 : NaN);
}

// @ts-ignore: decorator
@inline
function ratio(dividend: f64, divisor: f64): f64 {
  return divisor == 0 ? NaN : dividend / divisor;
}

function deviation(values: usize, count: i32, mean: f64): f64 {
  if (count < 2) return NaN;
  let squares: f64 = 0;
  let differs: i32 = 0;
  const first = load<f64>(values);
  const end = values + (<usize>count << 3);
  for (let at = values; at < end; at += 8) {
    const value = load<f64>(at);
    const d = value - mean;
    squares += d * d;
    differs |= i32(value != first);
  }
  return differs != 0 ? sqrt(squares / <f64>(count - 1)) : 0;
}

/** finalEquity to maxDrawdown, of `count` daily returns. */
export function writeReturns(
  row: usize,
  returns: usize,
  count: i32,
  cash: f64,
  equity: f64,
  fall: f64,
): void {
  let sum: f64 = 0;
  let squares: f64 = 0;
  const end = returns + (<usize>count << 3);
  for (let at = returns; at < end; at += 8) {
    const r = load<f64>(at);
    sum += r;
    // A day without a loss counts as 0, which changes nothing.
    const loss = f64x2.extract_lane(f64x2.pmin(f64x2.splat(0), f64x2.splat(r)), 0);
    squares += loss * loss;
  }
  const mean = sum / <f64>count;
  const spread = deviation(returns, count, mean);
  const downside = sqrt(squares / <f64>count);
  put(row, 0, equity);
  put(row, 1, equity / cash - 1);
  put(row, 3, spread * annual);
  put(row, 4, ratio(mean, spread) * annual);
  put(row, 5, ratio(mean * annualDays, downside * annual));
  put(row, 7, fall);
}

/** profitFactor to sqn, of `count` profits, then what the run counted. */
export function writeTrading(
  row: usize,
  profits: usize,
  count: i32,
  exposedBars: i32,
  heldBars: i32,
): void {
  let sum: f64 = 0;
  // Won and lost; what is not above zero adds a zero, which changes nothing.
  let both = f64x2.splat(0);
  let wins: i32 = 0;
  const end = profits + (<usize>count << 3);
  for (let at = profits; at < end; at += 8) {
    const profit = load<f64>(at);
    sum += profit;
    const sides = f64x2.replace_lane(f64x2.splat(profit), 1, -profit);
    both = f64x2.add(both, f64x2.pmax(f64x2.splat(0), sides));
    wins += i32(profit > 0);
  }
  const trades: f64 = count;
  const mean = sum / trades;
  put(row, 8, ratio(f64x2.extract_lane(both, 0), f64x2.extract_lane(both, 1)));
  put(row, 9, ratio(wins, trades));
  put(row, 10, mean);
  put(row, 11, sqrt(trades) * ratio(mean, deviation(profits, count, mean)));
  put(row, 12, <f64>exposedBars / barsInRange);
  put(row, 13, trades);
  put(row, 14, <f64>heldBars / trades);
  put(row, 16, buyAndHold);
  put(row, 19, 0);
}
