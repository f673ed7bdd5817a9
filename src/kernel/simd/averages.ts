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
  const oldest = <usize>(period - 1) << 3;
  const end = out + (<usize>bars << 3);
  let from = x + (<usize>first << 3);
  for (let to = out + (<usize>first << 3); to < end; to += 8) {
    sum += load<f64>(from);
    store<f64>(to, sum / divisor);
    sum -= load<f64>(from - oldest);
    from += 8;
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
  const end = out + (<usize>bars << 3);
  let from = x + (<usize>first << 3);
  for (let to = out + (<usize>(first + 1) << 3); to < end; to += 8) {
    from += 8;
    average = (load<f64>(from) - average) * k + average;
    store<f64>(to, average);
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
  const none = f64x2.splat(0);
  let both = f64x2.replace_lane(f64x2.splat(gain), 1, loss);
  const end = out + (<usize>bars << 3);
  let from = x + (<usize>first << 3);
  for (let to = out + (<usize>(first + 1) << 3); to < end; to += 8) {
    const closes = v128.load(from);
    from += 8;
    // Rise and fall; the lane that is not above zero gets a zero, which changes nothing: neither mean is ever -0.
    const changes = f64x2.sub(v128.shuffle<f64>(closes, closes, 1, 0), closes);
    const moved = f64x2.pmax(none, changes);
    both = f64x2.div(f64x2.add(f64x2.mul(both, rest), moved), all);
    store<f64>(to, gainShare(f64x2.extract_lane(both, 0), f64x2.extract_lane(both, 1)));
  }
}

// @ts-ignore: decorator
@inline
function gainShare(gain: f64, loss: f64): f64 {
  const both = gain + loss;
  return both < 1e-14 ? 0 : 100 * (gain / both);
}
