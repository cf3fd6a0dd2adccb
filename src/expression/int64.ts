/**
 * 64-bit integers that wrap, as two 32-bit halves of a value. Exact for all operands; those whose result fits a
 * double take a short way, and only long multiplications and divisions go through bigint.
 */
import type { Value } from './value.js';

const WORD = 0x1_0000_0000;
/** High halves of the integers that a double holds exactly: -2^53 to 2^53 - 1. */
const SAFE_HIGH_MIN = -0x20_0000;
const SAFE_HIGH_MAX = 0x1f_ffff;
/** The most negative integer: what a double beyond 64 bits becomes, as on the reference's hardware. */
const LOWEST_HIGH = -0x8000_0000;

const halves = new DataView(new ArrayBuffer(8));

/** @param high any 32 bits. @param low any 32 bits; both may be given signed or unsigned. */
export function setInt(out: Value, high: number, low: number): void {
  out.high = high | 0;
  out.low = low | 0;
}

/** The integer as a double, rounded to the nearest. */
export function toDouble(a: Value): number {
  return a.high * WORD + (a.low >>> 0);
}

/** Sets an integer from a double, fraction cut off. Whatever 64 bits cannot hold becomes the most negative integer. */
export function setFromDouble(out: Value, value: number): void {
  const whole = Math.trunc(value);
  if (whole >= -0x8000_0000_0000_0000 && whole < 0x8000_0000_0000_0000) {
    const high = Math.floor(whole / WORD);
    setInt(out, high, whole - high * WORD);
  } else setInt(out, LOWEST_HIGH, 0);
}

export function isSafe(a: Value): boolean {
  return a.high >= SAFE_HIGH_MIN && a.high <= SAFE_HIGH_MAX;
}

function isSafeDouble(value: number): boolean {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
}

export function isZero(a: Value): boolean {
  return a.high === 0 && a.low === 0;
}

/** @returns -1, 0 or 1. */
export function compareInts(a: Value, b: Value): number {
  if (a.high !== b.high) return a.high < b.high ? -1 : 1;
  const x = a.low >>> 0;
  const y = b.low >>> 0;
  return x < y ? -1 : x > y ? 1 : 0;
}

/** a += b */
export function addTo(a: Value, b: Value): void {
  const low = (a.low >>> 0) + (b.low >>> 0);
  setInt(a, a.high + b.high + (low >= WORD ? 1 : 0), low);
}

/** a -= b */
export function subtractFrom(a: Value, b: Value): void {
  const low = (a.low >>> 0) - (b.low >>> 0);
  setInt(a, a.high - b.high - (low < 0 ? 1 : 0), low);
}

/** a = -a */
export function negateInt(a: Value): void {
  setInt(a, a.low === 0 ? -a.high : ~a.high, -a.low);
}

/** a *= b */
export function multiplyTo(a: Value, b: Value): void {
  if (isSafe(a) && isSafe(b)) {
    const product = toDouble(a) * toDouble(b);
    if (isSafeDouble(product)) {
      setFromDouble(a, product);
      return;
    }
  }
  setFromBigInt(a, toBigInt(a) * toBigInt(b));
}

/** a /= b, rounded toward zero; b is not 0. */
export function divideBy(a: Value, b: Value): void {
  if (isSafe(a) && isSafe(b)) setFromDouble(a, toDouble(a) / toDouble(b));
  else setFromBigInt(a, toBigInt(a) / toBigInt(b));
}

/** a %= b, with the sign of a; b is not 0. */
export function remainderOf(a: Value, b: Value): void {
  if (isSafe(a) && isSafe(b)) setFromDouble(a, toDouble(a) % toDouble(b));
  else setFromBigInt(a, toBigInt(a) % toBigInt(b));
}

/** a <<= count, 0 to 63. */
export function shiftLeft(a: Value, count: number): void {
  if (count === 0) return;
  if (count >= 32) setInt(a, a.low << (count - 32), 0);
  else setInt(a, (a.high << count) | (a.low >>> (32 - count)), a.low << count);
}

/** a >>= count, 0 to 63, filled with zeroes. */
export function shiftRight(a: Value, count: number): void {
  if (count === 0) return;
  if (count >= 32) setInt(a, 0, a.high >>> (count - 32));
  else setInt(a, a.high >>> count, (a.low >>> count) | (a.high << (32 - count)));
}

/** a >>= count, 0 to 63, filled with the sign. */
export function shiftRightSigned(a: Value, count: number): void {
  if (count === 0) return;
  if (count >= 32) setInt(a, a.high >> 31, a.high >> (count - 32));
  else setInt(a, a.high >> count, (a.low >>> count) | (a.high << (32 - count)));
}

/** Set bits. */
export function countBits(a: Value): number {
  return countWord(a.high) + countWord(a.low);
}

function countWord(word: number): number {
  let w = word - ((word >>> 1) & 0x5555_5555);
  w = (w & 0x3333_3333) + ((w >>> 2) & 0x3333_3333);
  return Math.imul((w + (w >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** Index of the first set bit, counted from the highest: 0 to 63, or -1. */
export function scanFromHighest(high: number, low: number): number {
  if (high !== 0) return Math.clz32(high);
  return low === 0 ? -1 : 32 + Math.clz32(low);
}

/** Index of the last set bit, counted from the highest too: 63 for bit 0; -1 when none is set. */
export function scanFromLowest(high: number, low: number): number {
  if (low !== 0) return 32 + Math.clz32(low & -low);
  return high === 0 ? -1 : Math.clz32(high & -high);
}

function toBigInt(a: Value): bigint {
  halves.setInt32(0, a.high);
  halves.setInt32(4, a.low);
  return halves.getBigInt64(0);
}

function setFromBigInt(out: Value, value: bigint): void {
  halves.setBigInt64(0, BigInt.asIntN(64, value));
  out.high = halves.getInt32(0);
  out.low = halves.getInt32(4);
}
