/**
 * Keys of a map, which all maps keep in order, flagged or not (protocol 10, section 3).
 */
import type { Container } from '../cdt/container.js';
import { compare } from '../msgpack/compare.js';
import { BYTES, Element, INT, NEGATIVE_INT, STRING } from '../msgpack/element.js';
import { BLOB } from '../type.js';

/**
 * Pairs that are walked over between two looks at a key, in a map whose places are not known. One, and then fours, is
 * how a walk goes where the pairs are alike.
 */
const STRIDE = 65;

/** Heads a0 to bf: a str with its size in the low five bits. */
const FIXSTR = 0xa0;
const FIXSTR_MAX = 31; // bytes

/** What a comparison gives where the map is malformed. */
const MALFORMED = 2;

const element = new Element();

/**
 * The first pair from number `from` on whose key is not smaller.
 * @param bytes holds the key from `at` to `end`.
 * @returns Its number, the count when there is none, -1 when the map is malformed.
 */
export function lowerBound(
  target: Container,
  from: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  let low = from;
  let high = target.count;
  if (!target.isIndexed) {
    for (let probe = low + STRIDE; probe < high; probe += STRIDE) {
      const order = compareKey(target, probe, bytes, at, end);
      if (order === MALFORMED) return -1;
      if (order < 0) low = probe + 1;
      else high = probe;
    }
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareKey(target, middle, bytes, at, end);
    if (order === MALFORMED) return -1;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The pair with a key, or -1 when there is none. */
export function findKey(target: Container, bytes: Uint8Array, at: number, end: number): number {
  const index = lowerBound(target, 0, bytes, at, end);
  return index >= 0 && hasKey(target, index, bytes, at, end) ? index : -1;
}

/** Whether pair `index`, if there is one, has a key. */
export function hasKey(
  target: Container,
  index: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): boolean {
  return index < target.count && compareKey(target, index, bytes, at, end) === 0;
}

/** Whether the element at `at` may be a key: an integer, a string or a plain blob. */
export function isKey(bytes: Uint8Array, at: number, end: number): boolean {
  if (element.read(bytes, at, end) < 0) return false;
  const { type } = element;
  if (type === INT || type === NEGATIVE_INT || type === STRING) return true;
  return type === BYTES && element.bodySize > 0 && bytes[element.bodyAt] === BLOB;
}

/**
 * How the key of pair `index` compares with another. Most keys are short strings: they are compared right here, type
 * byte first, as long as that is the same.
 */
function compareKey(target: Container, index: number, bytes: Uint8Array, at: number, end: number): number {
  const own = target.offsetOf(index);
  if (own < 0 || own >= target.end || at >= end) return MALFORMED;
  const stored = target.bytes;
  const size = stored[own]! - FIXSTR;
  const otherSize = bytes[at]! - FIXSTR;
  if (
    size <= 0 ||
    size > FIXSTR_MAX ||
    size > target.end - own - 1 ||
    otherSize <= 0 ||
    otherSize > FIXSTR_MAX ||
    otherSize > end - at - 1 ||
    stored[own + 1] !== bytes[at + 1]
  ) {
    return compare(stored, own, target.end, bytes, at, end);
  }
  const common = Math.min(size, otherSize);
  for (let k = 2; k <= common; k++) {
    const difference = stored[own + k]! - bytes[at + k]!;
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return size < otherSize ? -1 : size > otherSize ? 1 : 0;
}
