// The standard normal distribution from the four operations, square roots and this kernel's own exp and log: the same
// bits on every machine. Near the middle the density's Taylor series (Marsaglia, J. Stat. Softw. 11(4), 2004), in the tails
// Laplace's continued fraction; both good to some 1e-15 of the value.
import { exp, log } from '../math.ts';

const ROOT_TWO_PI = 2.5066282746310002;
/** Where the tail begins: the series loses digits beyond, the fraction converges slowly before. */
const TAIL_FROM = 3;
/** Steps of the fraction: at 3 the last one changes nothing. */
const FRACTION_STEPS = 200;

/** P(Z <= x); NaN for NaN. */
export function normalCdf(x: number): number {
  if (x !== x) return NaN;
  if (x < -TAIL_FROM) return tail(-x);
  if (x > TAIL_FROM) return 1 - tail(x);
  const square = x * x;
  let term = x;
  let sum = x;
  for (let k = 3; sum + term !== sum; k += 2) {
    term *= square / k;
    sum += term;
  }
  return 0.5 + sum * density(x);
}

/** x with P(Z <= x) = p; NaN outside 0..1, infinite at its ends. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return NaN;
  if (p === 0) return -Infinity;
  if (p === 1) return Infinity;
  if (p > 0.5) return -lowerQuantile(1 - p);
  return lowerQuantile(p);
}

/** For 0 < p <= 0.5: Hastings' start (Abramowitz and Stegun 26.2.23, off by 4.5e-4), then Halley's steps. */
function lowerQuantile(p: number): number {
  const t = Math.sqrt(-2 * log(p));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  let x = above / below - t;
  for (let step = 0; step < 3; step++) {
    const error = (normalCdf(x) - p) / density(x);
    x -= error / (1 + (x * error) / 2);
  }
  return x;
}

function density(x: number): number {
  return exp((-x * x) / 2) / ROOT_TWO_PI;
}

/** P(Z > x) for x > 0. */
function tail(x: number): number {
  let fraction = x;
  for (let k = FRACTION_STEPS; k >= 1; k--) fraction = x + k / fraction;
  return density(x) / fraction;
}
