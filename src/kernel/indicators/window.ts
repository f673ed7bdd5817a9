// Sums over sliding windows in which nothing is ever taken away again: what a running sum has left after it has
// let go of large values is noise, and the noise of one spike stays for good. The bars are cut into blocks as long
// as the window; a window is then the end of one block and the beginning of the next, and both are sums that only
// grow. Linear in the bars whatever the period (the block decomposition of van Herk, Pattern Recognition
// Letters 13, 1992, for sums instead of extremes). A window of zeros sums up to exactly zero.

/** Sum of the `period` values that end at each bar. Defined from start + period - 1. */
export function windowSum(x: Float64Array, start: number, period: number): Float64Array {
  const out = new Float64Array(x.length).fill(NaN);
  if (start + period > x.length) return out;
  const tails = new Float64Array(period + 1);
  let head = 0;
  let place = 0;
  for (let bar = start; bar < x.length; bar++, place++) {
    if (place === period || bar === start) {
      if (bar > start) {
        for (let i = 1; i <= period; i++) {
          tails[period - i] = (tails[period - i + 1] as number) + (x[bar - i] as number);
        }
      }
      head = 0;
      place = 0;
    }
    head += x[bar] as number;
    if (bar - start >= period - 1) out[bar] = (tails[place + 1] as number) + head;
  }
  return out;
}

/** What a window's values add up to as differences `d` to one of them, the origin. Because the origin lies inside
 * the window, its distance from the mean is bounded by the spread, and so is what a difference of sums can lose. */
export interface WindowMoments {
  readonly origin: number;
  /** Of d. */
  readonly sum: number;
  /** Of d * d. */
  readonly squares: number;
  /** Of d * place, the place being 0 for the window's oldest bar. */
  readonly weighted: number;
}

/** A value for each full window, from its moments. Defined from start + period - 1. */
export function overWindows(
  x: Float64Array,
  start: number,
  period: number,
  valueOf: (moments: WindowMoments) => number,
): Float64Array {
  const out = new Float64Array(x.length).fill(NaN);
  if (start + period > x.length) return out;
  // Of the last `period - i` values of the block before.
  const sums = new Float64Array(period + 1);
  const squares = new Float64Array(period + 1);
  const weighted = new Float64Array(period + 1);
  const moments = { origin: 0, sum: 0, squares: 0, weighted: 0 };
  let headSum = 0;
  let headSquares = 0;
  let headWeighted = 0;
  let place = 0;
  for (let bar = start; bar < x.length; bar++, place++) {
    if (place === period || bar === start) {
      const origin = x[bar] as number;
      moments.origin = origin;
      if (bar > start) {
        for (let i = period - 1; i >= 0; i--) {
          const d = (x[bar - period + i] as number) - origin;
          sums[i] = (sums[i + 1] as number) + d;
          squares[i] = (squares[i + 1] as number) + d * d;
          // One more value before them: all places move up by one.
          weighted[i] = (weighted[i + 1] as number) + (sums[i + 1] as number);
        }
      }
      headSum = 0;
      headSquares = 0;
      headWeighted = 0;
      place = 0;
    }
    const d = (x[bar] as number) - moments.origin;
    headSum += d;
    headSquares += d * d;
    headWeighted += place * d;
    if (bar - start < period - 1) continue;
    const tail = place + 1;
    moments.sum = (sums[tail] as number) + headSum;
    moments.squares = (squares[tail] as number) + headSquares;
    moments.weighted = (weighted[tail] as number) + (period - tail) * headSum + headWeighted;
    out[bar] = valueOf(moments);
  }
  return out;
}
