// exp, log, pow from the four basic operations only. The language leaves the bits of Math.exp, log and pow
// to each engine, and they do differ between processors; rows must not. The values of two tables run in
// double-double, pairs hi + lo whose sum carries some 106 bits, by the exact transformations of Dekker (Numer. Math.
// 18, 1971) and Knuth (TAOCP 2, 4.2.2). Between the tables' points (Tang, ACM TOMS 15 and 16, 1989) the leading term
// is a pair and the rest, some 2^-18 of it, a number: together 2^-69 of the result, so that the final rounding is off
// by barely more than half a unit in the last place.

/** Points per factor of two: |r| and |s| stay below 2^-8. More makes the tables larger, fewer the series longer. */
const POINTS = 128;

/** e^x. */
export function exp(x: number): number {
  if (x !== x) return NaN;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019412) return 0;
  return expOf(x, 0);
}

/** Natural logarithm; NaN below zero, -Infinity at zero. */
export function log(x: number): number {
  if (x !== x || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return Infinity;
  return logOf(x);
}

/** base^exponent for a base that is not negative; NaN for a negative base. */
export function pow(base: number, exponent: number): number {
  if (exponent === 0) return 1;
  if (base !== base || exponent !== exponent || base < 0) return NaN;
  if (base === 1) return 1;
  if (base === 0) return exponent > 0 ? 0 : Infinity;
  if (base === Infinity) return exponent > 0 ? Infinity : 0;
  if (exponent === Infinity) return base > 1 ? Infinity : 0;
  if (exponent === -Infinity) return base > 1 ? 0 : Infinity;
  const high = logOf(base);
  const product = high * exponent;
  if (product > 710) return Infinity;
  if (product < -746) return 0;
  return expOf(product, productError(high, exponent, product) + (rest[0] as number) * exponent);
}

/** The low part of logOf's last result. */
const rest = new Float64Array(1);

/** log x = k ln 2 + log c + 2 atanh s, s = (m - c) / (m + c), m in [sqrt(1/2), sqrt 2), c the next point to it; near
 * x = 1 both k and log c are zero. x is positive and finite. Returns the high part; `rest` has the low one. */
function logOf(x: number): number {
  const { logs } = (tables ??= makeTables());
  bits.setFloat64(0, x);
  let exponent = 0;
  if (bits.getUint32(0) < 0x10_0000) {
    bits.setFloat64(0, x * 18_014_398_509_481_984);
    exponent = -54;
  }
  const high = bits.getUint32(0);
  exponent += (high >>> 20) - 1023;
  bits.setUint32(0, (high & 0xf_ffff) | 0x3ff0_0000);
  let mantissa = bits.getFloat64(0);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const point = Math.round((mantissa - 1) * POINTS);
  const c = 1 + point / POINTS;
  // Exact: m and c are less than a factor of two apart.
  const difference = mantissa - c;
  const sum = mantissa + c;
  const sumError = sumErrorOf(mantissa, c, sum);
  const s = difference / sum;
  const back = s * sum;
  const sRest = (difference - back - productError(s, sum, back) - s * sumError) / sum;
  const square = s * s;
  const tail = s * square * (1 / 3 + square * (1 / 5 + square * (1 / 7 + square / 9)));
  const at = 2 * (point + POINTS / 2);
  const whole = exponent * LN2_HIGH;
  const first = whole + (logs[at] as number);
  const firstError = sumErrorOf(whole, logs[at] as number, first);
  const second = first + 2 * s;
  const secondError = sumErrorOf(first, 2 * s, second);
  const low = 2 * (tail + sRest) + (logs[at + 1] as number) + exponent * LN2_LOW;
  const total = firstError + secondError + low;
  const result = second + total;
  rest[0] = second - result + total;
  return result;
}

/** e^(hi + lo) = 2^k 2^(j/128) e^r, |r| <= ln 2 / 256. */
function expOf(hi: number, lo: number): number {
  const { powers } = (tables ??= makeTables());
  const steps = Math.round(hi * STEPS_PER_UNIT);
  // Exact: steps has at most 18 bits, LN2_HIGH 26.
  const near = hi - steps * (LN2_HIGH / POINTS);
  const correction = -steps * (LN2_LOW / POINTS);
  const r = near + correction;
  const rRest = sumErrorOf(near, correction, r) + lo;
  const series =
    r * r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r / 5040)))));
  const at = 2 * (steps & (POINTS - 1));
  const power = powers[at] as number;
  const step = power * r;
  const sum = power + step;
  const sumError = power - sum + step;
  const low =
    sumError +
    productError(power, r, step) +
    (power * (series + rRest + r * rRest) + (powers[at + 1] as number) * (1 + r));
  return scaleByPowerOfTwo(sum + low, (steps - (steps & (POINTS - 1))) / POINTS);
}

const bits = new DataView(new ArrayBuffer(8));

interface Tables {
  /** log(1 + j/128) for j from -64 to 64: high part at 2 (j + 64), low part behind it. */
  readonly logs: Float64Array;
  /** 2^(j/128) for j from 0 to 127, in the same way. */
  readonly powers: Float64Array;
}

/** Made at first use. */
let tables: Tables | undefined;

function makeTables(): Tables {
  const logs = new Float64Array(2 * (POINTS + 1));
  for (let j = -POINTS / 2; j <= POINTS / 2; j++) {
    const { hi, lo } = logPair(1 + j / POINTS);
    logs.set([hi, lo], 2 * (j + POINTS / 2));
  }
  const powers = new Float64Array(2 * POINTS);
  for (let j = 0; j < POINTS; j++) {
    const { hi, lo } = expPair(multiply(LN2, { hi: j / POINTS, lo: 0 }));
    powers.set([hi, lo], 2 * j);
  }
  return { logs, powers };
}

/** An unevaluated sum; |lo| is at most half a unit in the last place of hi. */
interface Pair {
  readonly hi: number;
  readonly lo: number;
}

const ONE: Pair = { hi: 1, lo: 0 };
const LN2: Pair = { hi: Math.LN2, lo: 2.319_046_813_846_299_6e-17 };
/** ln 2 in two parts, the high one of 26 bits, so that products with whole numbers are exact. */
const LN2_HIGH = upperHalf(LN2.hi);
const LN2_LOW = LN2.hi - LN2_HIGH + LN2.lo;
const STEPS_PER_UNIT = POINTS / LN2.hi;

/** 1/(2n+1): the series of atanh. With |s| <= 1/3 the 34th term is below 2^-110 of the first. */
const ATANH_TERMS: readonly Pair[] = Array.from({ length: 34 }, (_, n) =>
  divide(ONE, { hi: 2 * n + 1, lo: 0 }),
);

/** 1/n: Horner factors of the exponential series; |x| < 0.7 makes term 32 vanish. */
const EXP_FACTORS: readonly Pair[] = Array.from({ length: 32 }, (_, n) =>
  divide(ONE, { hi: n + 1, lo: 0 }),
);

/** log x = 2 atanh((x-1)/(x+1)) for x in [1/2, 3/2]. */
function logPair(x: number): Pair {
  const s = divide({ hi: x - 1, lo: 0 }, twoSum(x, 1));
  const square = multiply(s, s);
  let series: Pair = { hi: 0, lo: 0 };
  for (let n = ATANH_TERMS.length - 1; n >= 0; n--) {
    series = add(multiply(series, square), ATANH_TERMS[n] ?? ONE);
  }
  return multiply({ hi: 2 * s.hi, lo: 2 * s.lo }, series);
}

/** e^x for x in [0, ln 2). */
function expPair(x: Pair): Pair {
  let series = ONE;
  for (let n = EXP_FACTORS.length - 1; n >= 0; n--) {
    series = add(ONE, multiply(multiply(x, EXP_FACTORS[n] ?? ONE), series));
  }
  return series;
}

/** 2^bits for 0 <= bits <= 1023. */
function powerOfTwo(bits: number): number {
  let result = 1;
  for (let left = bits; left > 0; left -= 30) {
    result *= left >= 30 ? 1_073_741_824 : (1 << left) >>> 0;
  }
  return result;
}

/** In two steps, so that neither factor leaves the range of normal numbers and only the last step rounds. */
function scaleByPowerOfTwo(x: number, k: number): number {
  if (k > 1023) return x * 2 * powerOfTwo(k - 1);
  if (k >= 0) return x * powerOfTwo(k);
  if (k >= -1000) return x / powerOfTwo(-k);
  return x / powerOfTwo(-k - 500) / powerOfTwo(500);
}

/** What a + b lost when it was rounded to `sum`. */
function sumErrorOf(a: number, b: number, sum: number): number {
  const shadow = sum - a;
  return a - (sum - shadow) + (b - shadow);
}

/** What a * b lost when it was rounded to `product`. */
function productError(a: number, b: number, product: number): number {
  const aHigh = upperHalf(a);
  const aLow = a - aHigh;
  const bHigh = upperHalf(b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

function twoSum(a: number, b: number): Pair {
  const hi = a + b;
  return { hi, lo: sumErrorOf(a, b, hi) };
}

function twoProduct(a: number, b: number): Pair {
  const hi = a * b;
  return { hi, lo: productError(a, b, hi) };
}

/** The upper 26 bits (Dekker's split). Values here stay far below the 2^996 where it would overflow. */
function upperHalf(a: number): number {
  const c = 134_217_729 * a;
  return c - (c - a);
}

function add(a: Pair, b: Pair): Pair {
  const sum = twoSum(a.hi, b.hi);
  const low = twoSum(a.lo, b.lo);
  const first = twoSum(sum.hi, sum.lo + low.hi);
  return twoSum(first.hi, first.lo + low.lo);
}

function multiply(a: Pair, b: Pair): Pair {
  const product = twoProduct(a.hi, b.hi);
  return twoSum(product.hi, product.lo + (a.hi * b.lo + a.lo * b.hi));
}

function divide(a: Pair, b: Pair): Pair {
  const first = a.hi / b.hi;
  const rest = add(a, multiply(b, { hi: -first, lo: 0 }));
  const second = rest.hi / b.hi;
  const rest2 = add(rest, multiply(b, { hi: -second, lo: 0 }));
  const sum = twoSum(first, second);
  return twoSum(sum.hi, sum.lo + rest2.hi / b.hi);
}
