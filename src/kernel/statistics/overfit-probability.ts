// The probability of backtest overfitting by combinatorially symmetric cross-validation (Bailey, Borwein, Lopez de Prado and
// Zhu, J. Computational Finance 20(4), 2017): the time is cut into segments; for every way to take half of them the strategy
// that was best there is looked up in the other half. Overfit means that it does no better there than the middle one.

/** Of each strategy and segment: days, sum of the daily returns, sum of their squares; strategy by strategy. */
export interface SegmentSums {
  readonly strategies: number;
  /** Even, at most 24. */
  readonly segments: number;
  /** strategies x segments x 3. */
  readonly sums: Float64Array;
}

export interface OverfitProbability {
  /** Ways to take half of the segments: 12,870 of 16. */
  readonly combinations: number;
  /** Share of them in which the best of one half is not above the median of the other. */
  readonly pbo: number;
  /** Share of them in which the best of one half loses in the other. */
  readonly lossShare: number;
}

const PER_SEGMENT = 3;

/** `strategies` >= 2. */
export function overfitProbability({
  strategies,
  segments,
  sums,
}: SegmentSums): OverfitProbability {
  const inside = new Float64Array(strategies);
  const outside = new Float64Array(strategies);
  let combinations = 0;
  let overfit = 0;
  let losses = 0;
  for (let mask = 0; mask < 1 << segments; mask++) {
    if (bitsOf(mask) !== segments / 2) continue;
    combinations++;
    for (let strategy = 0; strategy < strategies; strategy++) {
      const at = strategy * segments * PER_SEGMENT;
      inside[strategy] = sharpeOf(sums, at, segments, mask);
      outside[strategy] = sharpeOf(sums, at, segments, ~mask);
    }
    const best = indexOfLargest(inside);
    const there = outside[best] as number;
    if (relativeRank(outside, there) <= 0.5) overfit++;
    if (there < 0) losses++;
  }
  return { combinations, pbo: overfit / combinations, lossShare: losses / combinations };
}

/** Per day, over the segments in `mask`; 0 for a strategy that stood still there: it neither gained nor risked. */
function sharpeOf(sums: Float64Array, at: number, segments: number, mask: number): number {
  let days = 0;
  let sum = 0;
  let sum2 = 0;
  for (let segment = 0; segment < segments; segment++) {
    if ((mask & (1 << segment)) === 0) continue;
    const from = at + segment * PER_SEGMENT;
    days += sums[from] as number;
    sum += sums[from + 1] as number;
    sum2 += sums[from + 2] as number;
  }
  const mean = sum / days;
  const variance = sum2 / days - mean * mean;
  return variance > 0 ? mean / Math.sqrt(variance) : 0;
}

function indexOfLargest(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) {
    if ((values[i] as number) > (values[best] as number)) best = i;
  }
  return best;
}

/** Above 0, below 1: place from below by the number of values and one; equals share theirs. */
function relativeRank(values: Float64Array, value: number): number {
  let below = 0;
  let equal = 0;
  for (const other of values) {
    if (other < value) below++;
    else if (other === value) equal++;
  }
  return (below + (equal + 1) / 2) / (values.length + 1);
}

function bitsOf(mask: number): number {
  let bits = 0;
  for (let left = mask; left !== 0; left &= left - 1) bits++;
  return bits;
}
