/**
 * Sums of numbers inside of lists and maps. The number that is there decides the type: an integer takes the whole
 * part of a double, and wraps at 64 bits. Source: protocol 11, section 5 (INCREMENT).
 */
import { DOUBLE, Element, INT, NEGATIVE_INT, NIL } from '../msgpack/element.js';
import { Writer } from '../msgpack/writer.js';
import { readDouble, readSingle, writeDouble } from '../number.js';

/** Bytes that a sum takes at most. */
export const SUM_SIZE_MAX = 9;

const WORD = 0x1_0000_0000;
const INT64_LIMIT = 2 ** 63;
const DOUBLE_HEAD = 0xcb;

const element = new Element();
const delta = new Element();
const writer = new Writer();

/**
 * Writes the sum, or the difference, of two elements.
 * @param bytes   the number that is there, at `at`; with -1 there is none, and it counts as 0 of the other's type.
 * @param deltaAt in `deltas`, up to `deltaEnd`, what is added: a number, or nil for 1; with -1 it is 1.
 * @param out     room for SUM_SIZE_MAX bytes from `outAt`.
 * @returns Bytes written, or -1 when one of them is no number.
 */
export function writeSum(
  bytes: Uint8Array,
  at: number,
  end: number,
  deltas: Uint8Array,
  deltaAt: number,
  deltaEnd: number,
  isDifference: boolean,
  out: Uint8Array,
  outAt: number,
): number {
  if (deltaAt < 0 || (delta.read(deltas, deltaAt, deltaEnd) >= 0 && delta.type === NIL)) {
    delta.type = INT;
    delta.high = 0;
    delta.low = 1;
  }
  const isDeltaDouble = delta.type === DOUBLE;
  if (!isDeltaDouble && delta.type !== INT && delta.type !== NEGATIVE_INT) return -1;
  const deltaDouble = isDeltaDouble ? doubleAt(deltas, deltaAt) : (delta.high | 0) * WORD + delta.low;
  if (at < 0) {
    element.type = isDeltaDouble ? DOUBLE : INT;
    element.high = 0;
    element.low = 0;
  } else if (element.read(bytes, at, end) < 0) return -1;
  if (element.type === DOUBLE) {
    const value = at < 0 ? 0 : doubleAt(bytes, at);
    out[outAt] = DOUBLE_HEAD;
    writeDouble(isDifference ? value - deltaDouble : value + deltaDouble, out, outAt + 1);
    return SUM_SIZE_MAX;
  }
  if (element.type !== INT && element.type !== NEGATIVE_INT) return -1;
  if (isDeltaDouble) truncate(deltaDouble);
  if (isDifference) negate();
  const low = element.low + delta.low;
  const high = (element.high + delta.high + (low >= WORD ? 1 : 0)) >>> 0;
  writer.start(out, outAt);
  writer.integer(high >= 0x8000_0000 ? NEGATIVE_INT : INT, high, low >>> 0);
  return writer.at - outAt;
}

function doubleAt(bytes: Uint8Array, at: number): number {
  return bytes[at] === DOUBLE_HEAD ? readDouble(bytes, at + 1) : readSingle(bytes, at + 1);
}

/** Makes `delta` the whole part of a double; what does not fit becomes the smallest integer. */
function truncate(value: number): void {
  const whole = Math.trunc(value);
  if (whole >= -INT64_LIMIT && whole < INT64_LIMIT) {
    const high = Math.floor(whole / WORD);
    delta.low = whole - high * WORD;
    delta.high = high >>> 0;
  } else {
    delta.high = 0x8000_0000;
    delta.low = 0;
  }
}

function negate(): void {
  delta.high = (~delta.high + (delta.low === 0 ? 1 : 0)) >>> 0;
  delta.low = -delta.low >>> 0;
}
