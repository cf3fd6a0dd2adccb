/**
 * Integer, float and bool particles, and the INCR operation. 64-bit values are handled as two 32-bit halves.
 * Source: protocol 18, sections 2 and 3.
 */
import { INCOMPATIBLE_TYPE, PARAMETER, UNKNOWN } from '../base/result.js';
import { readU32, writeU32 } from '../wire/message.js';
import { FLOAT, GEOJSON, INTEGER, NULL } from './type.js';

/** Bytes of a stored integer or float. */
export const NUMBER_SIZE = 8;
/** An INCR operand of this size is the memcache form: a decrement stops at 0. Its second half is ignored. */
const MEMCACHE_SIZE = 16;

/** @returns 8, or -PARAMETER when `size` is not 1, 2, 4 or 8. */
export function checkInteger(_bytes: Uint8Array, _at: number, size: number): number {
  return size === 8 || size === 4 || size === 2 || size === 1 ? NUMBER_SIZE : -PARAMETER;
}

/** @returns 8, or -PARAMETER when `size` is not 8. */
export function checkFloat(_bytes: Uint8Array, _at: number, size: number): number {
  return size === NUMBER_SIZE ? NUMBER_SIZE : -PARAMETER;
}

/** @returns 1, or -PARAMETER unless the particle is one byte, 0 or 1. */
export function checkBool(bytes: Uint8Array, at: number, size: number): number {
  return size === 1 && bytes[at]! <= 1 ? 1 : -PARAMETER;
}

/**
 * Writes an integer particle of 1, 2, 4 or 8 bytes as 8 bytes; short forms are zero-extended, never sign-extended.
 * @returns 8.
 */
export function writeInteger(
  bytes: Uint8Array,
  at: number,
  size: number,
  out: Uint8Array,
  outAt: number,
): number {
  const pad = NUMBER_SIZE - size;
  for (let k = 0; k < pad; k++) out[outAt + k] = 0;
  for (let k = 0; k < size; k++) out[outAt + pad + k] = bytes[at + k]!;
  return NUMBER_SIZE;
}

/**
 * Whether INCR of an operand is allowed on an existing bin. A missing bin is not a case of this: there INCR
 * writes the operand, so ask `checkWrite` (and refuse NULL).
 * @param binType particle type of the bin.
 * @param type    particle type of the operand, `size` its bytes.
 * @returns 8, the size of the result, or -PARAMETER, -INCOMPATIBLE_TYPE, -UNKNOWN (geojson bin).
 */
export function checkIncr(binType: number, type: number, size: number): number {
  if (type === NULL) return -PARAMETER;
  if (binType === GEOJSON) return -UNKNOWN;
  if (binType !== type || (type !== INTEGER && type !== FLOAT)) return -INCOMPATIBLE_TYPE;
  if (size === NUMBER_SIZE) return NUMBER_SIZE;
  if (type === INTEGER && (size === 1 || size === 2 || size === 4 || size === MEMCACHE_SIZE))
    return NUMBER_SIZE;
  return -PARAMETER;
}

/**
 * Writes the sum of a bin and an INCR operand that `checkIncr` has allowed.
 * @param type   INTEGER or FLOAT, of both.
 * @param bin    the stored 8 bytes at `binAt`.
 * @param bytes  the operand, `size` bytes at `at`.
 * @param out    8 bytes from `outAt`; may be the bin itself.
 * @returns 8.
 */
export function writeIncr(
  type: number,
  bin: Uint8Array,
  binAt: number,
  bytes: Uint8Array,
  at: number,
  size: number,
  out: Uint8Array,
  outAt: number,
): number {
  if (type === FLOAT) {
    writeDouble(readDouble(bin, binAt) + readDouble(bytes, at), out, outAt);
    return NUMBER_SIZE;
  }
  const isMemcache = size === MEMCACHE_SIZE;
  const operandSize = isMemcache ? NUMBER_SIZE : size;
  const operandHigh = operandSize === NUMBER_SIZE ? readU32(bytes, at) : 0;
  const operandLow = readLow(bytes, at, operandSize);
  const binHigh = readU32(bin, binAt);
  let low = readU32(bin, binAt + 4) + operandLow;
  let high = binHigh + operandHigh;
  if (low > 0xffffffff) {
    low -= 0x1_0000_0000;
    high++;
  }
  // Unsigned old + (2^64 - n) carries out of 64 bits exactly when old >= n; without that carry it went below 0.
  if (isMemcache && operandHigh >= 0x8000_0000 && high <= 0xffffffff) {
    low = 0;
    high = 0;
  }
  writeU32(out, outAt, high);
  writeU32(out, outAt + 4, low);
  return NUMBER_SIZE;
}

const float = new DataView(new ArrayBuffer(NUMBER_SIZE));

/** The big-endian double at `at`. */
export function readDouble(bytes: Uint8Array, at: number): number {
  for (let k = 0; k < NUMBER_SIZE; k++) float.setUint8(k, bytes[at + k]!);
  return float.getFloat64(0);
}

/** The big-endian single-precision float at `at`. */
export function readSingle(bytes: Uint8Array, at: number): number {
  for (let k = 0; k < 4; k++) float.setUint8(k, bytes[at + k]!);
  return float.getFloat32(0);
}

/** Writes a big-endian double to the 8 bytes at `at`. */
export function writeDouble(value: number, out: Uint8Array, outAt: number): void {
  float.setFloat64(0, value);
  for (let k = 0; k < NUMBER_SIZE; k++) out[outAt + k] = float.getUint8(k);
}

/** The low 32 bits of an unsigned big-endian integer of 1, 2, 4 or 8 bytes. */
function readLow(bytes: Uint8Array, at: number, size: number): number {
  if (size >= 4) return readU32(bytes, at + size - 4);
  return size === 2 ? (bytes[at]! << 8) | bytes[at + 1]! : bytes[at]!;
}
