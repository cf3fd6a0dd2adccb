/**
 * Byte strings: copying them, and the APPEND and PREPEND operations on string and blob bins.
 * Source: protocol 18, section 3.
 */
import { INCOMPATIBLE_TYPE, UNKNOWN } from '../base/result.js';
import { GEOJSON, isBlob, STRING } from './type.js';

/** Up to this many bytes a plain loop is faster than making the view that `set` needs. */
const LOOP_COPY_MAX = 64;

/** Copies `size` bytes from `bytes` at `at` into `out` at `outAt`; the two ranges do not overlap. */
export function copyBytes(bytes: Uint8Array, at: number, size: number, out: Uint8Array, outAt: number): void {
  if (size <= LOOP_COPY_MAX) {
    for (let k = 0; k < size; k++) out[outAt + k] = bytes[at + k]!;
    return;
  }
  out.set(bytes.subarray(at, at + size), outAt);
}

/**
 * Size of an existing bin after APPEND or PREPEND of an operand. A missing bin is not a case of this: there
 * both operations write the operand, so ask `checkWrite`.
 * @param binType particle type of the bin.     @param binSize its stored bytes.
 * @param type    particle type of the operand. @param size its bytes.
 * @returns Bytes, or -INCOMPATIBLE_TYPE, or -UNKNOWN for any operand on a geojson bin.
 */
export function concatSize(binType: number, binSize: number, type: number, size: number): number {
  if (binType === GEOJSON) return -UNKNOWN;
  if (binType !== type || !(binType === STRING || isBlob(binType))) return -INCOMPATIBLE_TYPE;
  return binSize + size;
}

/**
 * Writes `first` then `second`: the bin and the operand for APPEND, the operand and the bin for PREPEND.
 * Both are stored forms already, since strings and blobs are stored as they travel.
 * @param out at least `firstSize + secondSize` bytes from `outAt`; overlaps neither source.
 * @returns Bytes written.
 */
export function writeConcat(
  first: Uint8Array,
  firstAt: number,
  firstSize: number,
  second: Uint8Array,
  secondAt: number,
  secondSize: number,
  out: Uint8Array,
  outAt: number,
): number {
  copyBytes(first, firstAt, firstSize, out, outAt);
  copyBytes(second, secondAt, secondSize, out, outAt + firstSize);
  return firstSize + secondSize;
}
