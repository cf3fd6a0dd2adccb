/**
 * The bytes of a HyperLogLog sketch. Source: protocol 15, sections 1 and 2.
 *
 *   0        1              2                3                      11
 *   flags 0  index bits p   minhash bits m   cached count, u64 LE   registers: 2^p times (6 + m) bits
 *
 * A register is one number, most significant bit first: rho (trailing zeros of a hash, plus 1) in its 6 upper
 * bits, and below them m bits of another hash.
 */
import { PARAMETER } from '../../base/result.js';
import { readU32, writeU32 } from '../../wire/message.js';
import { copyBits } from '../bit/run.js';

const INDEX_BITS = 1; // u8
const MINHASH_BITS = 2; // u8
const CACHE = 3; // u64, little-endian; 0 when nothing is cached
const REGISTERS = 11;
export const INDEX_BITS_MIN = 4;
export const INDEX_BITS_MAX = 16;
export const MINHASH_BITS_MIN = 4; // or none at all
export const MINHASH_BITS_MAX = 51;
const HASH_BITS = 64; // index and minhash bits come out of one hash
export const RHO_BITS = 6;
export const RHO_COUNT = 1 << RHO_BITS;

/** @returns `size`, or -PARAMETER when flags, widths and length do not fit together. */
export function checkHll(bytes: Uint8Array, at: number, size: number): number {
  if (size < REGISTERS || bytes[at] !== 0) return -PARAMETER;
  const p = bytes[at + INDEX_BITS]!;
  const m = bytes[at + MINHASH_BITS]!;
  return isLegal(p, m) && size === sketchSize(p, m) ? size : -PARAMETER;
}

/** Whether there are sketches with `p` index bits and `m` minhash bits. */
export function isLegal(p: number, m: number): boolean {
  if (p < INDEX_BITS_MIN || p > INDEX_BITS_MAX) return false;
  return m === 0 || (m >= MINHASH_BITS_MIN && m <= MINHASH_BITS_MAX && p + m <= HASH_BITS);
}

/** Bytes of a sketch with `p` index bits and `m` minhash bits. */
export function sketchSize(p: number, m: number): number {
  return REGISTERS + Math.ceil(((RHO_BITS + m) * 2 ** p) / 8);
}

const WINDOW = 64; // bits; a register and the bits before it in its first byte fit
/** A register on its way into a sketch. */
const register = new Uint8Array(WINDOW / 8);

/**
 * A sketch somewhere in memory, which `checkHll` has accepted. An instance is reused. The value of a register is
 * handled as the upper 6 + m bits of two 32-bit words (int32): so rho is the upper 6 bits of the first.
 */
export class Sketch {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  /** Bytes. */
  size = 0;
  /** Index bits: there are 2^p registers. */
  p = 0;
  /** Minhash bits of a register. */
  m = 0;
  /** Registers. */
  count = 0;
  /** The register read last. */
  high = 0;
  low = 0;
  #highMask = 0;
  #lowMask = 0;

  load(bytes: Uint8Array, at: number): void {
    this.bytes = bytes;
    this.at = at;
    this.p = bytes[at + INDEX_BITS]!;
    this.m = bytes[at + MINHASH_BITS]!;
    this.count = 2 ** this.p;
    this.size = sketchSize(this.p, this.m);
    const bits = RHO_BITS + this.m;
    this.#highMask = bits < 32 ? ~(-1 >>> bits) : -1;
    this.#lowMask = bits > 32 ? ~(-1 >>> (bits - 32)) : 0;
  }

  /** Makes an empty sketch of `sketchSize(p, m)` bytes at `at`. */
  clear(bytes: Uint8Array, at: number, p: number, m: number): void {
    bytes.fill(0, at, at + sketchSize(p, m));
    bytes[at + INDEX_BITS] = p;
    bytes[at + MINHASH_BITS] = m;
    this.load(bytes, at);
  }

  /** Where the registers start. */
  get registersAt(): number {
    return this.at + REGISTERS;
  }

  get isEmpty(): boolean {
    const end = this.at + this.size;
    for (let k = this.registersAt; k < end; k++) if (this.bytes[k] !== 0) return false;
    return true;
  }

  get isCached(): boolean {
    return this.cacheLow !== 0 || this.cacheHigh !== 0;
  }

  get cacheLow(): number {
    return readLittle(this.bytes, this.at + CACHE);
  }

  get cacheHigh(): number {
    return readLittle(this.bytes, this.at + CACHE + 4);
  }

  /** @param count a whole number below 2^53; 0: nothing is cached. */
  setCache(count: number): void {
    let rest = count;
    for (let k = 0; k < 8; k++) {
      this.bytes[this.at + CACHE + k] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }

  rho(index: number): number {
    const at = index * (RHO_BITS + this.m);
    const k = this.registersAt + (at >>> 3);
    const shift = 10 - (at & 7); // bits behind it in two bytes
    const two = (this.bytes[k]! << 8) | (shift < 8 ? this.bytes[k + 1]! : 0);
    return (two >> shift) & (RHO_COUNT - 1);
  }

  /** Reads a register into `high` and `low`. */
  read(index: number): void {
    const at = index * (RHO_BITS + this.m);
    const k = this.registersAt + (at >>> 3);
    const end = this.at + this.size;
    let high = 0;
    let low = 0;
    if (k + WINDOW / 8 <= end) {
      high = readU32(this.bytes, k);
      low = readU32(this.bytes, k + 4);
    } else {
      for (let i = k; i < end; i++) {
        const shift = 8 * (3 - ((i - k) & 3));
        if (i < k + 4) high |= this.bytes[i]! << shift;
        else low |= this.bytes[i]! << shift;
      }
    }
    const shift = at & 7;
    this.high = ((high << shift) | ((low >>> 1) >>> (31 - shift))) & this.#highMask;
    this.low = (low << shift) & this.#lowMask;
  }

  /** Keeps the larger one of a register and another value. @returns Whether that changed the register. */
  raise(index: number, high: number, low: number): boolean {
    if (!this.isBelow(index, high, low)) return false;
    this.write(index, high, low);
    return true;
  }

  /** Whether a register is smaller than another value, of which the bits that it has no room for are ignored. */
  isBelow(index: number, high: number, low: number): boolean {
    this.read(index);
    const otherHigh = high & this.#highMask;
    if (this.high !== otherHigh) return this.high >>> 0 < otherHigh >>> 0;
    return this.low >>> 0 < (low & this.#lowMask) >>> 0;
  }

  write(index: number, high: number, low: number): void {
    const bits = RHO_BITS + this.m;
    writeU32(register, 0, high);
    writeU32(register, 4, low);
    copyBits(this.bytes, this.registersAt, index * bits, register, 0, 0, bits);
  }

  /** Takes in another sketch with at least as many registers, and with as many minhash bits unless this has none. */
  merge(other: Sketch): void {
    if (this.m === 0 && other.m === 0 && this.p === other.p) {
      mergeEqual(this.bytes, this.registersAt, other.bytes, other.registersAt, this.size - REGISTERS);
      return;
    }
    const mask = this.count - 1;
    for (let k = 0; k < other.count; k++) {
      other.read(k);
      if (other.high !== 0 || other.low !== 0) this.raise(k & mask, other.high, other.low);
    }
  }

  /** Empties the registers that differ from those of another sketch, which has at least as many. */
  keepEqual(other: Sketch): void {
    const mask = this.count - 1;
    for (let k = 0; k < other.count; k++) {
      other.read(k);
      this.read(k & mask);
      if (this.high !== other.high || this.low !== other.low) this.write(k & mask, 0, 0);
    }
  }

  /** @returns Registers that are not 0. */
  usedCount(): number {
    let used = 0;
    for (let k = 0; k < this.count; k++) {
      this.read(k);
      if (this.high !== 0 || this.low !== 0) used++;
    }
    return used;
  }
}

/** Merges registers of 6 bits; four of them are three bytes. */
function mergeEqual(bytes: Uint8Array, at: number, other: Uint8Array, otherAt: number, size: number): void {
  for (let k = 0; k < size; k += 3) {
    const a = (bytes[at + k]! << 16) | (bytes[at + k + 1]! << 8) | bytes[at + k + 2]!;
    const b = (other[otherAt + k]! << 16) | (other[otherAt + k + 1]! << 8) | other[otherAt + k + 2]!;
    if (b === 0 || a === b) continue;
    const max =
      Math.max(a & 0xfc0000, b & 0xfc0000) |
      Math.max(a & 0x03f000, b & 0x03f000) |
      Math.max(a & 0x000fc0, b & 0x000fc0) |
      Math.max(a & 0x00003f, b & 0x00003f);
    bytes[at + k] = max >> 16;
    bytes[at + k + 1] = max >> 8;
    bytes[at + k + 2] = max;
  }
}

function readLittle(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
