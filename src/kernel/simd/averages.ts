// SMA, EMA and RSI, operation by operation as in indicators/averages.ts and momentum.ts. `x` is defined from bar
// `start`; `out` has `bars` values, NaN before the first that is defined.

// @ts-ignore: decorator
@inline
function get(p: usize, bar: i32): f64 {
  return load<f64>(p + (<usize>bar << 3));
}

// @ts-ignore: decorator
@inline
function put(p: usize, bar: i32, value: f64): void {
  store<f64>(p + (<usize>bar << 3), value);
}

function clear(out: usize, bars: i32): void {
  for (let bar = 0; bar < bars; bar++) put(out, bar, NaN);
}

export function sma(x: usize, out: usize, bars: i32, start: i32, period: i32): void {
  const first = start + period - 1;
  clear(out, min(first, bars));
  const divisor: f64 = period;
  let sum: f64 = 0;
  for (let bar = start; bar < min(first, bars); bar++) sum += get(x, bar);
  for (let bar = first; bar < bars; bar++) {
    sum += get(x, bar);
    put(out, bar, sum / divisor);
    sum -= get(x, bar - period + 1);
  }
}

export function ema(x: usize, out: usize, bars: i32, start: i32, period: i32): void {
  const first = start + period - 1;
  clear(out, min(first, bars));
  if (first >= bars) return;
  let sum: f64 = 0;
  for (let bar = start; bar <= first; bar++) sum += get(x, bar);
  const k = 2.0 / <f64>(period + 1);
  let average = sum / <f64>period;
  put(out, first, average);
  for (let bar = first + 1; bar < bars; bar++) {
    average = (get(x, bar) - average) * k + average;
    put(out, bar, average);
  }
}

/** Gain and loss are the two lanes of one vector. */
export function rsi(x: usize, out: usize, bars: i32, start: i32, period: i32): void {
  const first = start + period;
  clear(out, min(first, bars));
  if (first >= bars) return;
  let gain: f64 = 0;
  let loss: f64 = 0;
  for (let bar = start + 1; bar <= first; bar++) {
    const change = get(x, bar) - get(x, bar - 1);
    if (change < 0) loss -= change;
    else gain += change;
  }
  loss /= <f64>period;
  gain /= <f64>period;
  put(out, first, gainShare(gain, loss));
  const all = f64x2.splat(<f64>period);
  const rest = f64x2.splat(<f64>(period - 1));
  let both = f64x2.replace_lane(f64x2.splat(gain), 1, loss);
  let before = get(x, first);
  for (let bar = first + 1; bar < bars; bar++) {
    const close = get(x, bar);
    const change = close - before;
    before = close;
    const falls = change < 0;
    // The other lane gets a zero, which changes nothing: neither mean is ever -0.
    const up = falls ? 0 : change;
    const down = falls ? -change : 0;
    const moved = f64x2.replace_lane(f64x2.splat(up), 1, down);
    both = f64x2.div(f64x2.add(f64x2.mul(both, rest), moved), all);
    put(out, bar, gainShare(f64x2.extract_lane(both, 0), f64x2.extract_lane(both, 1)));
  }
}

// @ts-ignore: decorator
@inline
function gainShare(gain: f64, loss: f64): f64 {
  const both = gain + loss;
  return both == 0 ? 0 : 100 * (gain / both);
}
