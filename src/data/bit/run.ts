/**
 * Runs of bits: `count` bits (at least one) from bit `at` on, counted from byte `base` of an array; `at` stays
 * below 2^31. Bit 0 is the most significant bit of a byte. Whole bytes are handled as such, only a run's ends bit
 * by bit. No byte is looked at that holds no bit of the run.
 */
import { copyBytes } from '../../base/copy.js';
import { readU32 } from '../../wire/message.js';

/**
 * How a byte of a run and the operand's byte v give the new byte:
 * `(old & (v & keepAnd ^ keepXor)) ^ (v & flipAnd ^ flipXor)`, which covers every function of two bits.
 */
export interface Blend {
  readonly keepAnd: number;
  readonly keepXor: number;
  readonly flipAnd: number;
  readonly flipXor: number;
}

const blend = (keepAnd: number, keepXor: number, flipAnd: number, flipXor: number): Blend => ({
  keepAnd,
  keepXor,
  flipAnd,
  flipXor,
});

export const SET: Blend = blend(0, 0, 0xff, 0); // v
export const OR: Blend = blend(0xff, 0xff, 0xff, 0); // (old & ~v) ^ v
export const XOR: Blend = blend(0, 0xff, 0xff, 0); // old ^ v
export const AND: Blend = blend(0xff, 0, 0, 0); // old & v
const NOT: Blend = blend(0, 0xff, 0, 0xff); // ~old, whatever v
const CLEAR: Blend = blend(0, 0, 0, 0);

/**
 * Blends a run of `source` into a run of `out`. They are different memories, or the same bits.
 * @param at       first bit of the run that changes, from byte `base`.
 * @param sourceAt first bit of the operand, from byte `sourceBase`.
 * @param count    bits; may be 0.
 */
export function blendBits(
  how: Blend,
  out: Uint8Array,
  base: number,
  at: number,
  source: Uint8Array,
  sourceBase: number,
  sourceAt: number,
  count: number,
): void {
  const head = Math.min(-at & 7, count);
  if (head > 0) blendPart(how, out, base, at, head, readPart(source, sourceBase, sourceAt, head));
  const whole = (count - head) >>> 3;
  blendWhole(how, out, base + ((at + head) >>> 3), source, sourceBase, sourceAt + head, whole);
  const done = head + whole * 8;
  const tail = count - done;
  if (tail === 0) return;
  blendPart(how, out, base, at + done, tail, readPart(source, sourceBase, sourceAt + done, tail));
}

/** Blends `size` whole bytes at `outAt` with bits that may start anywhere in a byte. */
function blendWhole(
  how: Blend,
  out: Uint8Array,
  outAt: number,
  source: Uint8Array,
  sourceBase: number,
  sourceAt: number,
  size: number,
): void {
  const from = sourceBase + (sourceAt >>> 3);
  const shift = sourceAt & 7;
  if (shift === 0 && how === SET) {
    copyBytes(out, outAt, source, from, size);
    return;
  }
  const { keepAnd, keepXor, flipAnd, flipXor } = how;
  for (let k = 0; k < size; k++) {
    let v = source[from + k]!;
    // What does not start with a byte ends in the next one.
    if (shift !== 0) v = ((v << shift) | (source[from + k + 1]! >> (8 - shift))) & 0xff;
    out[outAt + k] = (out[outAt + k]! & ((v & keepAnd) ^ keepXor)) ^ ((v & flipAnd) ^ flipXor);
  }
}

/** Copies a run of bits to another memory. */
export function copyBits(
  out: Uint8Array,
  base: number,
  at: number,
  source: Uint8Array,
  sourceBase: number,
  sourceAt: number,
  count: number,
): void {
  blendBits(SET, out, base, at, source, sourceBase, sourceAt, count);
}

export function invertBits(out: Uint8Array, base: number, at: number, count: number): void {
  blendBits(NOT, out, base, at, out, base, at, count);
}

export function clearBits(out: Uint8Array, base: number, at: number, count: number): void {
  blendBits(CLEAR, out, base, at, out, base, at, count);
}

/** @returns Bits of the run that are 1. */
export function countBits(bytes: Uint8Array, base: number, at: number, count: number): number {
  const end = at + count;
  const first = base + (at >>> 3);
  const last = base + ((end - 1) >>> 3);
  const firstMask = 0xff >> (at & 7);
  const lastMask = (0xff << (-end & 7)) & 0xff;
  if (first === last) return onesOf(bytes[first]! & firstMask & lastMask);
  let ones = onesOf(bytes[first]! & firstMask) + onesOf(bytes[last]! & lastMask);
  let k = first + 1;
  for (; k + 4 <= last; k += 4) ones += onesOf(readU32(bytes, k));
  for (; k < last; k++) ones += onesOf(bytes[k]!);
  return ones;
}

/** @returns The first bit of the run that is `bit`, counted from the run's first; -1 when there is none. */
export function findFirst(bytes: Uint8Array, base: number, at: number, count: number, bit: number): number {
  const flip = bit === 1 ? 0 : 0xff; // what is looked for becomes a 1
  const last = (at + count - 1) >>> 3;
  let k = at >>> 3;
  let v = (bytes[base + k]! ^ flip) & (0xff >> (at & 7));
  while (v === 0) {
    if (++k > last) return -1;
    v = bytes[base + k]! ^ flip;
  }
  const found = k * 8 + Math.clz32(v) - 24 - at;
  return found < count ? found : -1;
}

/**
 * @returns The last bit of the run that is `bit`, counted from the run's first; -1 when there is none. As in the
 * reference (recorded), the bits of the run's first byte that lie before the run are looked at too: when only they
 * match, the answer is another negative number.
 */
export function findLast(bytes: Uint8Array, base: number, at: number, count: number, bit: number): number {
  const flip = bit === 1 ? 0 : 0xff;
  const first = at >>> 3;
  const end = at + count;
  let k = (end - 1) >>> 3;
  let v = (bytes[base + k]! ^ flip) & (0xff << (-end & 7)) & 0xff;
  while (v === 0) {
    if (--k < first) return -1;
    v = bytes[base + k]! ^ flip;
  }
  return k * 8 + Math.clz32(v & -v) - 24 - at;
}

/** Up to 8 bits, at the low end. */
function readPart(bytes: Uint8Array, base: number, at: number, count: number): number {
  const k = base + (at >>> 3);
  const used = (at & 7) + count;
  const two = (bytes[k]! << 8) | (used > 8 ? bytes[k + 1]! : 0);
  return (two >> (16 - used)) & ((1 << count) - 1);
}

/** Blends up to 8 bits that lie in one byte; `v` holds the operand's at its low end. */
function blendPart(how: Blend, out: Uint8Array, base: number, at: number, count: number, v: number): void {
  const k = base + (at >>> 3);
  const shift = 8 - (at & 7) - count;
  const mask = ((1 << count) - 1) << shift;
  const operand = v << shift;
  const old = out[k]!;
  const all = (old & ((operand & how.keepAnd) ^ how.keepXor)) ^ ((operand & how.flipAnd) ^ how.flipXor);
  out[k] = (old & ~mask) | (all & mask);
}

/** Ones among 32 bits: sums of pairs, of fours, of bytes. */
function onesOf(word: number): number {
  let n = word - ((word >>> 1) & 0x5555_5555);
  n = (n & 0x3333_3333) + ((n >>> 2) & 0x3333_3333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
