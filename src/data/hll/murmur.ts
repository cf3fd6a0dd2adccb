/**
 * MurmurHash3 x64 128-bit with seed 0, in 32-bit halves: a 64-bit word is `high` and `low`, both int32. Public
 * domain algorithm by Austin Appleby; test values in protocol 15, section 2.
 */

/** Halves of the two 64-bit words of a hash. One instance serves all. */
export class Hash128 {
  high1 = 0;
  low1 = 0;
  high2 = 0;
  low2 = 0;

  /** Hashes `size` bytes at `at`. */
  hash(bytes: Uint8Array, at: number, size: number): void {
    let h1h = 0;
    let h1l = 0;
    let h2h = 0;
    let h2l = 0;
    const tail = size & 15;
    const end = at + size - tail;
    for (let k = at; k < end; k += 16) {
      h1h ^= mix1(readLow(bytes, k), readLow(bytes, k + 4));
      h1l ^= mixedLow;
      // h1 = (rotl(h1, 27) + h2) * 5 + 0x52dce729
      let low = (h1l << 27) | (h1h >>> 5);
      let high = (h1h << 27) | (h1l >>> 5);
      high = (high + h2h + carryOf(low, h2l)) | 0;
      low = (low + h2l) | 0;
      h1h = (Math.imul(high, 5) + carryOfTimes5(low, 0x52dce729)) | 0;
      h1l = (Math.imul(low, 5) + 0x52dce729) | 0;
      h2h ^= mix2(readLow(bytes, k + 8), readLow(bytes, k + 12));
      h2l ^= mixedLow;
      // h2 = (rotl(h2, 31) + h1) * 5 + 0x38495ab5
      low = (h2l << 31) | (h2h >>> 1);
      high = (h2h << 31) | (h2l >>> 1);
      high = (high + h1h + carryOf(low, h1l)) | 0;
      low = (low + h1l) | 0;
      h2h = (Math.imul(high, 5) + carryOfTimes5(low, 0x38495ab5)) | 0;
      h2l = (Math.imul(low, 5) + 0x38495ab5) | 0;
    }
    if (tail > 8) {
      h2h ^= mix2(readPart(bytes, end + 8, tail - 8), readPart(bytes, end + 12, tail - 12));
      h2l ^= mixedLow;
    }
    if (tail > 0) {
      h1h ^= mix1(readPart(bytes, end, tail), readPart(bytes, end + 4, tail - 4));
      h1l ^= mixedLow;
    }
    h1l ^= size;
    h2l ^= size;
    h1h = (h1h + h2h + carryOf(h1l, h2l)) | 0;
    h1l = (h1l + h2l) | 0;
    h2h = (h1h + h2h + carryOf(h1l, h2l)) | 0;
    h2l = (h1l + h2l) | 0;
    h1h = finish(h1h, h1l);
    h1l = mixedLow;
    h2h = finish(h2h, h2l);
    h2l = mixedLow;
    h1h = (h1h + h2h + carryOf(h1l, h2l)) | 0;
    h1l = (h1l + h2l) | 0;
    this.high1 = h1h;
    this.low1 = h1l;
    this.high2 = (h1h + h2h + carryOf(h1l, h2l)) | 0;
    this.low2 = (h1l + h2l) | 0;
  }
}

const C1_HIGH = 0x87c37b91 | 0;
const C1_LOW = 0x114253d5;
const C2_HIGH = 0x4cf5ad43;
const C2_LOW = 0x2745937f;
const F1_HIGH = 0xff51afd7 | 0;
const F1_LOW = 0xed558ccd | 0;
const F2_HIGH = 0xc4ceb9fe | 0;
const F2_LOW = 0x1a85ec53;

/** Low half of what `mix1`, `mix2` and `finish` return the high half of. */
let mixedLow = 0;

/** rotl(k * C1, 31) * C2. @returns its high half. */
function mix1(low: number, high: number): number {
  const h = highOfProduct(high, low, C1_HIGH, C1_LOW);
  const l = Math.imul(low, C1_LOW);
  const rh = (h << 31) | (l >>> 1);
  const rl = (l << 31) | (h >>> 1);
  mixedLow = Math.imul(rl, C2_LOW);
  return highOfProduct(rh, rl, C2_HIGH, C2_LOW);
}

/** rotl(k * C2, 33) * C1. @returns its high half. */
function mix2(low: number, high: number): number {
  const h = highOfProduct(high, low, C2_HIGH, C2_LOW);
  const l = Math.imul(low, C2_LOW);
  const rh = (l << 1) | (h >>> 31);
  const rl = (h << 1) | (l >>> 31);
  mixedLow = Math.imul(rl, C1_LOW);
  return highOfProduct(rh, rl, C1_HIGH, C1_LOW);
}

/** k ^= k >> 33, times F1; the same with F2; k ^= k >> 33. @returns its high half. */
function finish(high: number, low: number): number {
  let l = low ^ (high >>> 1);
  let h = highOfProduct(high, l, F1_HIGH, F1_LOW);
  l = Math.imul(l, F1_LOW);
  l ^= h >>> 1;
  h = highOfProduct(h, l, F2_HIGH, F2_LOW);
  l = Math.imul(l, F2_LOW);
  mixedLow = l ^ (h >>> 1);
  return h;
}

/** High half of the low 64 bits of a product; the low half is the product of the low halves. */
function highOfProduct(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  const a0 = aLow & 0xffff;
  const a1 = aLow >>> 16;
  const b0 = bLow & 0xffff;
  const b1 = bLow >>> 16;
  // Schoolbook in 16-bit digits: each sum stays below 2^32, and is taken as its 32 bits.
  const middle = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) | 0;
  const cross = (Math.imul(a0, b1) + (middle & 0xffff)) | 0;
  const top = (Math.imul(a1, b1) + (middle >>> 16) + (cross >>> 16)) | 0;
  return (top + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) | 0;
}

/** What two low halves carry into the high half when they are added. */
function carryOf(a: number, b: number): number {
  return (a + b) >>> 0 < a >>> 0 ? 1 : 0;
}

/** What `low * 5 + addend` carries into the high half. */
function carryOfTimes5(low: number, addend: number): number {
  const digit = (low & 0xffff) * 5 + (addend & 0xffff);
  return ((low >>> 16) * 5 + (addend >>> 16) + (digit >>> 16)) >>> 16;
}

/** 32 bits, little-endian. */
function readLow(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** The same of the `left` bytes that there are, zeros for the rest. */
function readPart(bytes: Uint8Array, at: number, left: number): number {
  if (left >= 4) return readLow(bytes, at);
  let word = 0;
  for (let k = 0; k < left; k++) word |= bytes[at + k]! << (8 * k);
  return word;
}
