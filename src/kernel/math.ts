// exp, log, pow from the four basic operations only. The language leaves the bits of Math.exp, log and pow
// to each engine, and they do differ between processors; rows must not. Speed is no aim here (a backtest calls
// pow once): everything runs in double-double, pairs hi + lo whose sum carries some 106 bits, by the exact
// transformations of Dekker (Numer. Math. 18, 1971) and Knuth (TAOCP 2, 4.2.2). The final rounding is then
// off by barely more than half a unit in the last place.

/** e^x. */
export function exp(x: number): number {
  if (x !== x) return NaN;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019412) return 0;
  return expOf({ hi: x, lo: 0 });
}

/** Natural logarithm; NaN below zero, -Infinity at zero. */
export function log(x: number): number {
  if (x !== x || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return Infinity;
  return logOf(x).hi;
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
  const logBase = logOf(base);
  const estimate = exponent * logBase.hi;
  if (estimate > 710) return Infinity;
  if (estimate < -746) return 0;
  return expOf(multiply(logBase, { hi: exponent, lo: 0 }));
}

/** An unevaluated sum; |lo| is at most half a unit in the last place of hi. */
interface Pair {
  readonly hi: number;
  readonly lo: number;
}

const ONE: Pair = { hi: 1, lo: 0 };
const LN2: Pair = { hi: Math.LN2, lo: 2.319_046_813_846_299_6e-17 };
const SQRT_HALF = Math.SQRT1_2;

/** 1/(2n+1): the series of atanh. With |s| <= 0.172 the 22nd term is below 2^-110 of the first. */
const ATANH_TERMS: readonly Pair[] = Array.from({ length: 22 }, (_, n) =>
  divide(ONE, { hi: 2 * n + 1, lo: 0 }),
);

/** 1/n: Horner factors of the exponential series; |r| <= 0.35 makes term 26 vanish. */
const EXP_FACTORS: readonly Pair[] = Array.from({ length: 26 }, (_, n) =>
  divide(ONE, { hi: n + 1, lo: 0 }),
);

/** log x = k ln 2 + 2 atanh((m-1)/(m+1)), m in [sqrt(1/2), sqrt 2). */
function logOf(x: number): Pair {
  const { mantissa, exponent } = splitExponent(x);
  const s = divide({ hi: mantissa - 1, lo: 0 }, twoSum(mantissa, 1));
  const square = multiply(s, s);
  let series: Pair = { hi: 0, lo: 0 };
  for (let n = ATANH_TERMS.length - 1; n >= 0; n--) {
    series = add(multiply(series, square), ATANH_TERMS[n] ?? ONE);
  }
  const logMantissa = multiply({ hi: 2 * s.hi, lo: 2 * s.lo }, series);
  return add(multiply(LN2, { hi: exponent, lo: 0 }), logMantissa);
}

/** e^(hi+lo) = 2^k e^r, |r| <= ln 2 / 2. */
function expOf(x: Pair): number {
  const k = Math.round(x.hi / LN2.hi);
  const r = add(x, multiply(LN2, { hi: -k, lo: 0 }));
  let series = ONE;
  for (let n = EXP_FACTORS.length - 1; n >= 0; n--) {
    series = add(ONE, multiply(multiply(r, EXP_FACTORS[n] ?? ONE), series));
  }
  return scaleByPowerOfTwo(series.hi, k);
}

/** x = mantissa * 2^exponent, mantissa in [sqrt(1/2), sqrt 2); x positive and finite. All steps are exact. */
function splitExponent(x: number): { mantissa: number; exponent: number } {
  let mantissa = x;
  let exponent = 0;
  for (let bits = 512; bits >= 1; bits /= 2) {
    const factor = powerOfTwo(bits);
    while (mantissa >= factor) {
      mantissa /= factor;
      exponent += bits;
    }
    while (mantissa < 1 / factor) {
      mantissa *= factor;
      exponent -= bits;
    }
  }
  if (mantissa >= 2 * SQRT_HALF) return { mantissa: mantissa / 2, exponent: exponent + 1 };
  if (mantissa < SQRT_HALF) return { mantissa: mantissa * 2, exponent: exponent - 1 };
  return { mantissa, exponent };
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

function twoSum(a: number, b: number): Pair {
  const hi = a + b;
  const shadow = hi - a;
  return { hi, lo: a - (hi - shadow) + (b - shadow) };
}

function twoProduct(a: number, b: number): Pair {
  const hi = a * b;
  const aHigh = upperHalf(a);
  const aLow = a - aHigh;
  const bHigh = upperHalf(b);
  const bLow = b - bHigh;
  return { hi, lo: aLow * bLow - (hi - aHigh * bHigh - aLow * bHigh - aHigh * bLow) };
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
