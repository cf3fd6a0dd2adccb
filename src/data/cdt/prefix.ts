/**
 * A number for an element that orders elements as far as it goes. Where the prefixes of two elements differ, so do the
 * elements, and the same way round. It has 13 digits of four bits, so that a double holds it exactly.
 *
 *   integers, strings, blobs   type, 48 bits of content
 *   lists and maps             a digit a type, and all that is inside one after the other, as many digits as there are:
 *     integers                 count of bytes, bytes; of negative ones the complements of both
 *     strings, blobs           bytes; what comes after one is left out
 *     lists                    elements, a zero
 *     maps                     count of pairs, keys and values, a zero
 */
import {
  BYTES,
  Element,
  EXT,
  GEOJSON,
  INT,
  LIST,
  MAP,
  NEGATIVE_INT,
  NIL,
  STRING,
} from '../msgpack/element.js';

const PREFIX_SIZE = 6; // bytes
const TYPE_UNIT = 2 ** (8 * PREFIX_SIZE);
const CONTENT_MAX = TYPE_UNIT - 1;
const DIGIT_COUNT = 13;
/** By count of digits: how many numbers there are of them. */
const UNITS = Float64Array.from({ length: DIGIT_COUNT + 1 }, (_, count) => 2 ** (4 * count));
/** Ends a list: below every type. */
const END_DIGIT = 0;
/** Where only a full comparison tells. */
export const NO_PREFIX = -1;
/** Equal prefixes below this mean equal elements, nil, bools and integers, but for very small integers. */
const WHOLE_END = INT * TYPE_UNIT + CONTENT_MAX;
const WHOLE_EXCEPT = NEGATIVE_INT * TYPE_UNIT;

const element = new Element();

/**
 * A number that orders elements as `compare` does as far as it tells: smaller when the element is smaller, or equal.
 */
export function prefixOf(bytes: Uint8Array, at: number, end: number): number {
  const next = element.read(bytes, at, end);
  const { type } = element;
  if (type !== MAP && type !== LIST) return type * TYPE_UNIT + contentOf(bytes);
  return contentPrefix(bytes, next, end);
}

/** Digits so far, how many there may still be, and whether all that could follow is left out. */
let digits = 0;
let room = 0;
let isCut = false;
/** Whether a sentinel, or another ext that is no flags, is among what the digits are of. */
let hasExt = false;
/** Elements still to come on each level above the present one. */
const pending = new Float64Array(DIGIT_COUNT + 1);

/** The prefix of the list or map whose header was read. @param childrenAt where its first child starts. */
function contentPrefix(bytes: Uint8Array, childrenAt: number, end: number): number {
  digits = 0;
  room = DIGIT_COUNT;
  isCut = false;
  hasExt = false;
  let p = openContainer(bytes, childrenAt, end);
  let left = element.count;
  let depth = 0;
  while (room > 0 && !isCut) {
    if (left === 0) {
      putDigits(END_DIGIT, 1);
      if (depth === 0) break;
      left = pending[--depth]!;
      continue;
    }
    left--;
    p = element.read(bytes, p, end);
    if (element.type === LIST || element.type === MAP) {
      pending[depth++] = left;
      p = openContainer(bytes, p, end);
      left = element.count;
    } else putScalar(bytes);
  }
  return digits * UNITS[room]!;
}

/**
 * Puts the type of the container whose header was read, and a map's count.
 * @returns Where its first child is that is no flag; how many there are is in `element.count`. -1 and 0 when it is malformed.
 */
function openContainer(bytes: Uint8Array, childrenAt: number, end: number): number {
  const { type, count } = element;
  putDigits(type, 1);
  let p = childrenAt;
  let left = count;
  if (count > 0) {
    let next = element.read(bytes, p, end);
    if (element.isFlags) {
      left -= type === LIST ? 1 : 2;
      if (type === MAP) next = element.read(bytes, next, end);
      p = next;
      if (next < 0) {
        isCut = true;
        left = 0;
      }
    }
  }
  if (type === MAP) putInteger(0, left / 2);
  element.count = left;
  return p;
}

/** Puts the type and content of the scalar that was read. Doubles have no content: NaN may be equal to any. */
function putScalar(bytes: Uint8Array): void {
  const { type, high, low } = element;
  putDigits(type, 1);
  if (type === INT) putInteger(high, low);
  else if (type === NEGATIVE_INT) {
    const size = byteCount(~high >>> 0, ~low >>> 0);
    putDigits(8 - size, 1);
    putBytes(high, low, size);
  } else if (type === STRING || type === BYTES || type === GEOJSON) {
    for (let k = 0; k < element.bodySize && room > 0; k++) putDigits(bytes[element.bodyAt + k]!, 2);
    isCut = true;
  } else if (type > NEGATIVE_INT || type < NIL) {
    hasExt = type >= EXT;
    isCut = true;
  }
}

function putInteger(high: number, low: number): void {
  const size = byteCount(high, low);
  putDigits(size, 1);
  putBytes(high, low, size);
}

function byteCount(high: number, low: number): number {
  if (high !== 0) return 4 + byteCount(0, high);
  return low === 0 ? 0 : (39 - Math.clz32(low)) >>> 3;
}

/** Puts the last `size` bytes of a number. */
function putBytes(high: number, low: number, size: number): void {
  if (size > 4) putDigits(size === 8 ? high : high % UNITS[2 * (size - 4)]!, 2 * (size - 4));
  const lowSize = Math.min(size, 4);
  putDigits(lowSize === 4 ? low : low % UNITS[2 * lowSize]!, 2 * lowSize);
}

/** Appends a number of `count` digits, or as many of them as there is room for. */
function putDigits(value: number, count: number): void {
  if (count <= room) {
    digits = digits * UNITS[count]! + value;
    room -= count;
  } else {
    digits = digits * UNITS[room]! + Math.floor(value / UNITS[count - room]!);
    room = 0;
  }
}

/** Up to 48 bits of what the element read last holds, of strings and blobs with the type byte; 0 for containers. */
function contentOf(bytes: Uint8Array): number {
  const { type, high, low } = element;
  if (type === INT) return high > 0xffff ? CONTENT_MAX : high * 0x1_0000_0000 + low;
  // Two's complement orders alike; all below -2^47 are one.
  if (type === NEGATIVE_INT) return high < 0xffff_8000 ? 0 : (high & 0xffff) * 0x1_0000_0000 + low;
  if (type === EXT) return element.extType;
  if (type !== STRING && type !== BYTES && type !== GEOJSON) return 0;
  let content = 0;
  for (let k = 0; k < PREFIX_SIZE; k++) {
    content = content * 256 + (k < element.bodySize ? bytes[element.bodyAt + k]! : 0);
  }
  return content;
}

/** Whether elements of this prefix are equal to each other: nil, bools and nearly all integers. */
export function isWhole(prefix: number): boolean {
  return prefix < WHOLE_END && prefix !== WHOLE_EXCEPT;
}

/** The prefix of a value that is looked for; none of a sentinel, or of what has one as far as the prefix goes. */
export function searchPrefixOf(bytes: Uint8Array, at: number, end: number): number {
  element.read(bytes, at, end);
  if (element.type >= EXT) return NO_PREFIX;
  hasExt = false;
  const prefix = prefixOf(bytes, at, end);
  return hasExt ? NO_PREFIX : prefix;
}
