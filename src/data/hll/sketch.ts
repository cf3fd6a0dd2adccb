/**
 * The bytes of a HyperLogLog sketch. Source: protocol 15, section 1.
 *
 *   0        1              2                3                      11
 *   flags 0  index bits p   minhash bits m   cached count, u64 LE   registers: 2^p times (6 + m) bits
 */
import { PARAMETER } from '../../base/result.js';

const INDEX_BITS = 1; // u8
const MINHASH_BITS = 2; // u8
const REGISTERS = 11;
const INDEX_BITS_MIN = 4;
const INDEX_BITS_MAX = 16;
const MINHASH_BITS_MIN = 4; // or none at all
const MINHASH_BITS_MAX = 51;
const HASH_BITS = 64; // index and minhash bits come out of one hash
const RHO_BITS = 6; // the HLL value of a register

/** @returns `size`, or -PARAMETER when flags, widths and length do not fit together. */
export function checkHll(bytes: Uint8Array, at: number, size: number): number {
  if (size < REGISTERS || bytes[at] !== 0) return -PARAMETER;
  const p = bytes[at + INDEX_BITS]!;
  const m = bytes[at + MINHASH_BITS]!;
  if (p < INDEX_BITS_MIN || p > INDEX_BITS_MAX) return -PARAMETER;
  if (m !== 0 && (m < MINHASH_BITS_MIN || m > MINHASH_BITS_MAX || p + m > HASH_BITS)) return -PARAMETER;
  return size === sketchSize(p, m) ? size : -PARAMETER;
}

/** Bytes of a sketch with `p` index bits and `m` minhash bits. */
export function sketchSize(p: number, m: number): number {
  return REGISTERS + Math.ceil(((RHO_BITS + m) * 2 ** p) / 8);
}
