/**
 * A number for an element that orders elements as far as it goes: the type, then the first bits of the content. Where
 * the prefixes of two elements differ, so do the elements, and the same way round.
 *
 *   integers, strings, blobs   type, 48 bits of content
 *   lists                      type, the first element's type and 44 bits of its content
 *   maps                       type, count of pairs
 */
import { BYTES, Element, EXT, GEOJSON, INT, LIST, MAP, NEGATIVE_INT, STRING } from '../msgpack/element.js';

/** A prefix has four bits of type and 48 of content, so that a double holds it exactly. */
const PREFIX_SIZE = 6; // bytes
const TYPE_UNIT = 2 ** (8 * PREFIX_SIZE);
const CONTENT_MAX = TYPE_UNIT - 1;
/** The same inside of a list: four bits of type and 44 of content. */
const INNER_TYPE_COUNT = 16;
const INNER_TYPE_UNIT = TYPE_UNIT / INNER_TYPE_COUNT;
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
  const { type, count } = element;
  if (type === MAP) return type * TYPE_UNIT + mapSize(bytes, end);
  if (type !== LIST) return type * TYPE_UNIT + contentOf(bytes);
  if (count === 0) return type * TYPE_UNIT;
  // A list by its first element, whose type and content have to do with less room.
  const after = element.read(bytes, next, end);
  if (element.isFlags) {
    if (count === 1) return type * TYPE_UNIT;
    element.read(bytes, after, end);
  }
  return type * TYPE_UNIT + element.type * INNER_TYPE_UNIT + Math.floor(contentOf(bytes) / INNER_TYPE_COUNT);
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

/** The prefix of a value that is looked for; none of one that may be, or hold, a sentinel. */
export function searchPrefixOf(bytes: Uint8Array, at: number, end: number): number {
  element.read(bytes, at, end);
  const { type } = element;
  return type === LIST || type === MAP || type >= EXT ? NO_PREFIX : prefixOf(bytes, at, end);
}

/** Pairs of the map whose header was read, the flag pair not among them. */
function mapSize(bytes: Uint8Array, end: number): number {
  const { count } = element;
  if (count === 0) return 0;
  element.read(bytes, element.bodyAt, end);
  return element.isFlags ? count / 2 - 1 : count / 2;
}
