/**
 * An index entry: 14 little words of 4 bytes, 56 bytes a record. Everything that a command needs to decide
 * without reading the record is here.
 *
 *   0      handle of the next entry of the sprig, or of the next free entry; 0 = none
 *   1..5   digest in walking order: bytes 2..19, 1, 0, each word big-endian with its top bit flipped
 *   6      generation (low 16 bits), set id (high 16)
 *   7      void-time, seconds since 2010, 0 = never
 *   8      LUT, low 32 bits of milliseconds since 2010
 *   9      write sequence, low 32 bits
 *  10      LUT high (low 16 bits), write sequence high (high 16)
 *  11      storage location, low 32 bits of a count of 16-byte record blocks
 *  12      storage location high (low 8 bits), stored size in bytes (high 24), 0 = nothing stored
 *  13      flags: low half named below, high half the incarnation
 *
 * The partition fixes byte 0 and half of byte 1, so those come last. The flipped top bit lets signed words
 * compare as the unsigned ones would: Int32Array keeps every value a small integer in V8, Uint32Array not.
 */
export const ENTRY_WORDS = 14;
export const ENTRY_SIZE = ENTRY_WORDS * 4; // bytes

export const ENTRY_NEXT = 0;
export const ENTRY_ORDER = 1; // five words
export const ENTRY_GENERATION_SET = 6;
export const ENTRY_VOID_TIME = 7;
export const ENTRY_LUT_LOW = 8;
export const ENTRY_SEQUENCE_LOW = 9;
export const ENTRY_LUT_SEQUENCE_HIGH = 10;
export const ENTRY_LOCATION_LOW = 11;
export const ENTRY_LOCATION_HIGH_SIZE = 12;
export const ENTRY_FLAGS = 13;

/** Bits of the flags word, for `hasFlag` and `setFlag`. Reserved from the start, whether used yet or not. */
export const TOMBSTONE = 1 << 0; // a delete marker, no record
export const KEY_STORED = 1 << 1;
export const IN_SINDEX = 1 << 2;
export const XDR = 1 << 3; // last written by XDR
export const MRT_PROVISIONAL = 1 << 4; // belongs to an open transaction; its original is in a side table
/** Those that the stored record says too, so that a start knows them; the rest is made anew by whoever sets it. */
export const STORED_FLAGS = TOMBSTONE | KEY_STORED;
/** Fields inside the same word. */
export const REPLICATION_SHIFT = 5;
export const REPLICATION_MASK = 0x3; // two bits: replicated, replicating, unreplicated, reserved
export const REGIME_SHIFT = 7;
export const REGIME_MASK = 0x1f; // five bits
/** The entry was given back: it is in no list. 13 to 15 are free. */
export const FREED = 1 << 12;

/** The high half of the flags word counts how often the handle was removed. */
export const INCARNATION_SHIFT = 16;

/** The largest stored size an entry can name, bytes. */
export const STORED_SIZE_MAX = 0xffffff;
/** Flips the top bit of an order word. */
export const ORDER_BIAS = -0x80000000;

/** The order word made of digest bytes `at` to `at + 3`. */
export function orderWord(digest: Uint8Array, at: number): number {
  return (
    ((digest[at]! << 24) | (digest[at + 1]! << 16) | (digest[at + 2]! << 8) | digest[at + 3]!) ^ ORDER_BIAS
  );
}

/** The fifth order word of the digest at `at`: bytes 18, 19, 1, 0. */
export function lastOrderWord(digest: Uint8Array, at: number): number {
  return (
    ((digest[at + 18]! << 24) | (digest[at + 19]! << 16) | (digest[at + 1]! << 8) | digest[at]!) ^ ORDER_BIAS
  );
}

/** Pid from the fifth order word, which ends in digest bytes 1 and 0. */
export function pidOfLastWord(word: number): number {
  return word & 0xfff;
}

/** Writes the 20 digest bytes whose order words start at `words[w]` to `out`. */
export function digestFromOrder(words: Int32Array, w: number, out: Uint8Array, at: number): void {
  for (let i = 0; i < 4; i++) putWord(out, at + 2 + i * 4, words[w + i]! ^ ORDER_BIAS);
  const last = words[w + 4]! ^ ORDER_BIAS;
  out[at + 18] = last >>> 24;
  out[at + 19] = last >>> 16;
  out[at + 1] = last >>> 8;
  out[at] = last;
}

function putWord(out: Uint8Array, at: number, word: number): void {
  out[at] = word >>> 24;
  out[at + 1] = word >>> 16;
  out[at + 2] = word >>> 8;
  out[at + 3] = word;
}
