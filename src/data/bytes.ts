/**
 * Byte strings: the APPEND and PREPEND operations on string and blob bins.
 * Source: protocol 18, section 3.
 */
import { copyBytes } from '../base/copy.js';
import { INCOMPATIBLE_TYPE, UNKNOWN } from '../base/result.js';
import { GEOJSON, isBlob, STRING } from './type.js';

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
  copyBytes(out, outAt, first, firstAt, firstSize);
  copyBytes(out, outAt + firstSize, second, secondAt, secondSize);
  return firstSize + secondSize;
}
