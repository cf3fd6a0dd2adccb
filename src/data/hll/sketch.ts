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
import { Field } from '../bit/field.js';

const INDEX_BITS = 1; // u8
const MINHASH_BITS = 2; // u8
const CACHE = 3; // u64, little-endian; 0 when nothing is cached
const REGISTERS = 11;
export const INDEX_BITS_MIN = 4;
export const INDEX_BITS_MAX = 16;
export const MINHASH_BITS_MIN = 4; // or none at all
export const MINHASH_BITS_MAX = 51;
const HASH_BITS = 64; // index and minhash bits come out of one hash
const RHO_BITS = 6;
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

const field = new Field();

/** A sketch somewhere in memory, which `checkHll` has accepted. An instance is reused. */
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

  load(bytes: Uint8Array, at: number): void {
    this.bytes = bytes;
    this.at = at;
    this.p = bytes[at + INDEX_BITS]!;
    this.m = bytes[at + MINHASH_BITS]!;
    this.count = 2 ** this.p;
    this.size = sketchSize(this.p, this.m);
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

  rho(register: number): number {
    return readBits(this.bytes, this.registersAt, register * (RHO_BITS + this.m), RHO_BITS);
  }

  /** The lower m bits of a register, below 2^51. */
  minhash(register: number): number {
    let at = register * (RHO_BITS + this.m) + RHO_BITS;
    let left = this.m;
    let value = 0;
    while (left > 0) {
      const count = Math.min(left, PART_BITS_MAX);
      value = value * 2 ** count + readBits(this.bytes, this.registersAt, at, count);
      at += count;
      left -= count;
    }
    return value;
  }

  setRegister(register: number, rho: number, minhash: number): void {
    const at = register * (RHO_BITS + this.m);
    field.set(0, rho, RHO_BITS);
    field.write(this.bytes, this.registersAt, at);
    if (this.m === 0) return;
    field.set(minhash / 0x1_0000_0000, minhash, this.m);
    field.write(this.bytes, this.registersAt, at + RHO_BITS);
  }

  /** Whether a register is smaller than another value. */
  isBelow(register: number, rho: number, minhash: number): boolean {
    const own = this.rho(register);
    return own < rho || (own === rho && this.m > 0 && this.minhash(register) < minhash);
  }

  /** Keeps the larger one of a register and another value. @returns Whether that changed the register. */
  raise(register: number, rho: number, minhash: number): boolean {
    if (!this.isBelow(register, rho, minhash)) return false;
    this.setRegister(register, rho, minhash);
    return true;
  }

  /** Takes in another sketch with at least as many registers, and with as many minhash bits unless this has none. */
  merge(other: Sketch): void {
    if (this.m === 0 && other.m === 0 && this.p === other.p) {
      mergeEqual(this.bytes, this.registersAt, other.bytes, other.registersAt, this.size - REGISTERS);
      return;
    }
    const mask = this.count - 1;
    for (let r = 0; r < other.count; r++) {
      const rho = other.rho(r);
      const minhash = this.m === 0 ? 0 : other.minhash(r);
      if (rho !== 0 || minhash !== 0) this.raise(r & mask, rho, minhash);
    }
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

/** Bits that `readBits` can take at once: with those before them in their first byte they fill 31. */
const PART_BITS_MAX = 24;

/** `count` bits from bit `at` on, counted from byte `base`; no byte without one of them is looked at. */
function readBits(bytes: Uint8Array, base: number, at: number, count: number): number {
  const end = at + count - 1;
  const last = base + (end >>> 3);
  let k = base + (at >>> 3);
  let bits = bytes[k]!;
  while (k < last) bits = (bits << 8) | bytes[++k]!;
  return (bits >>> (7 - (end & 7))) & ((1 << count) - 1);
}

function readLittle(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
