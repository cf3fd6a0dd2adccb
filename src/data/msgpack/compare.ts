/**
 * The total order of values, of protocol 10, section 4: by type first, then within the type. Everything that
 * list and map operations call index and rank rests on it. Works on the packed bytes and builds no values.
 */
import { readDouble, readSingle } from '../number.js';
import {
  BYTES,
  DEPTH_MAX,
  DOUBLE,
  Element,
  EXT,
  GEOJSON,
  INT,
  LIST,
  MAP,
  NEGATIVE_INT,
  ORDERED,
  STRING,
  WILDCARD,
} from './element.js';

/** What `compareOrdered` returns when it met a map whose pairs are in no order. */
export const UNORDERED = 2;

/** Headers a0 to bf: str with its size in the low five bits. */
const FIXSTR = 0xa0;
/** 80 to 8f: a map with its count in the low four bits; 90 to 9f: a list. */
const FIXMAP = 0x80;
const ARRAY16 = 0xdc;
const MAP32 = 0xdf;
const NEVER = 0xc1;
/** Bytes that are looked over at once for being the same: behind an element there may be neighbours that are the same too. */
const ALIKE_MAX = 64;
const EXT8 = 0xc7;
const EXT32 = 0xc9;
const FIXEXT1 = 0xd4;
const FIXEXT16 = 0xd8;

/** Where each side stands; set by the exported functions and moved on by the helpers. */
let a: Uint8Array = new Uint8Array(0);
let b: Uint8Array = a;
let aAt = 0;
let bAt = 0;
let aEnd = 0;
let bEnd = 0;
/** A wildcard was met: the whole comparison is over and the result is "equal". */
let isWild = false;
/** A map that is not empty and not in key order was met: so is the comparison, when that matters. */
let isUnordered = false;
let needsOrder = false;
/** Whether NaN is below all other doubles; otherwise it is equal to each. */
let isTotal = false;

const aElement = new Element();
const bElement = new Element();

/**
 * Compares the element at `leftAt` with the one at `rightAt`. Both are meant to be well formed (`sizeOf`); a
 * malformed or too deeply nested one sorts below everything, and nothing at or beyond an end is looked at.
 * @returns -1, 0 or 1. A wildcard on either side ends the comparison as 0, so 0 is not transitive with one.
 */
export function compare(
  left: Uint8Array,
  leftAt: number,
  leftEnd: number,
  right: Uint8Array,
  rightAt: number,
  rightEnd: number,
): number {
  begin(left, leftAt, leftEnd, right, rightAt, rightEnd);
  return leftAt < leftEnd && isContainer(left[leftAt]!) ? compareContainers() : compareHere(0);
}

/**
 * Compares as `compare` does, but that NaN is below all other doubles and equal to itself. That `compare` has it equal
 * to each makes no order that a sort and a search would agree on.
 */
export function compareTotal(
  left: Uint8Array,
  leftAt: number,
  leftEnd: number,
  right: Uint8Array,
  rightAt: number,
  rightEnd: number,
): number {
  begin(left, leftAt, leftEnd, right, rightAt, rightEnd);
  isTotal = true;
  return leftAt < leftEnd && isContainer(left[leftAt]!) ? compareContainers() : compareHere(0);
}

/**
 * Compares as expressions do: maps have to be in key order, those in other containers too, as far as the comparison
 * gets. Source: protocol 10, section 4.4.
 * @returns -1, 0 or 1, or UNORDERED.
 */
export function compareOrdered(
  left: Uint8Array,
  leftAt: number,
  leftEnd: number,
  right: Uint8Array,
  rightAt: number,
  rightEnd: number,
): number {
  begin(left, leftAt, leftEnd, right, rightAt, rightEnd);
  needsOrder = true;
  isUnordered = false;
  const order = compareHere(0);
  return isUnordered ? UNORDERED : order;
}

function begin(
  left: Uint8Array,
  leftAt: number,
  leftEnd: number,
  right: Uint8Array,
  rightAt: number,
  rightEnd: number,
): void {
  a = left;
  aAt = leftAt;
  aEnd = leftEnd;
  b = right;
  bAt = rightAt;
  bEnd = rightEnd;
  isWild = false;
  needsOrder = false;
  isTotal = false;
}

/** Whether a list or map has this head. */
function isContainer(head: number): boolean {
  return (head & 0xe0) === FIXMAP || (head >= ARRAY16 && head <= MAP32);
}

/**
 * `compareHere(0)` of two elements the first of which is a container. Sorting compares many that are alike for a long
 * way. Where their bytes are the same, both hold the same and the structure need only be walked over on one side, up to
 * the elements that differ; they decide, or are equal none the less, and it goes on behind them. Anything out of the
 * ordinary is left to the comparison from the start.
 */
function compareContainers(): number {
  const aFirst = aAt;
  const bFirst = bAt;
  let left = 1; // elements still to come, on all levels
  let opened = 0;
  let isExtBefore = false;
  while (left > 0) {
    const distance = bAt - aAt;
    const end = Math.min(aEnd, bEnd - distance);
    const runEnd = Math.min(end, aAt + ALIKE_MAX);
    let same = aAt;
    while (same < runEnd && a[same] === b[same + distance]) same++;
    for (; left > 0; left--) {
      const next = aElement.read(a, aAt, aEnd);
      if (next < 0 || next > same || aElement.count > end - next || aElement.type === WILDCARD) break;
      isExtBefore = aElement.type === EXT;
      left += aElement.count;
      if (aElement.count > 0) opened++;
      aAt = next;
    }
    if (left === 0) return 0;
    bAt = aAt + distance;
    if (isExtBefore || opened > DEPTH_MAX || isExt(a, aAt, aEnd) || isExt(b, bAt, bEnd)) break;
    const order = compareHere(0);
    if (order !== 0 || isWild) return order;
    if (aAt < 0 || bAt < 0) break;
    left--;
  }
  if (left === 0) return 0;
  aAt = aFirst;
  bAt = bFirst;
  return compareHere(0);
}

/** Whether the element at `at` is missing, broken or an ext: flags or a sentinel. */
function isExt(bytes: Uint8Array, at: number, end: number): boolean {
  if (at >= end) return true;
  const head = bytes[at]!;
  return head === NEVER || (head >= EXT8 && head <= EXT32) || (head >= FIXEXT1 && head <= FIXEXT16);
}

function compareHere(depth: number): number {
  // Small non-negative integers are their own headers, and most keys of maps that programs sort.
  if (aAt < aEnd && bAt < bEnd) {
    const x = a[aAt]!;
    const y = b[bAt]!;
    if (x < 0x80 && y < 0x80) {
      aAt++;
      bAt++;
      return x < y ? -1 : x > y ? 1 : 0;
    }
    // So it is with short strings, or short values of any one type byte.
    if ((x & 0xe0) === FIXSTR && (y & 0xe0) === FIXSTR) {
      const aSize = x & 0x1f;
      const bSize = y & 0x1f;
      const aBody = aAt + 1;
      const bBody = bAt + 1;
      if (aSize > 0 && bSize > 0 && aSize <= aEnd - aBody && bSize <= bEnd - bBody && a[aBody] === b[bBody]) {
        aAt = aBody + aSize;
        bAt = bBody + bSize;
        return compareBytes(aBody, aSize, bBody, bSize);
      }
    }
  }
  const aNext = aElement.read(a, aAt, aEnd);
  const bNext = bElement.read(b, bAt, bEnd);
  const type = aElement.type;
  const otherType = bElement.type;
  if (type === WILDCARD || otherType === WILDCARD) {
    isWild = true;
    return 0;
  }
  if (type !== otherType) {
    if (needsOrder) {
      aAt = aNext;
      bAt = bNext;
      if (type === MAP) openMap(a, true, aElement.count);
      else if (otherType === MAP) openMap(b, false, bElement.count);
    }
    return type < otherType ? -1 : 1;
  }
  const aHead = aAt;
  const bHead = bAt;
  aAt = aNext;
  bAt = bNext;
  switch (type) {
    case NEGATIVE_INT: // two's complement halves order alike among negative numbers
    case INT:
      if (aElement.high !== bElement.high) return aElement.high < bElement.high ? -1 : 1;
      return aElement.low < bElement.low ? -1 : aElement.low > bElement.low ? 1 : 0;
    case STRING:
    case BYTES:
    case GEOJSON:
      return compareBytes(aElement.bodyAt, aElement.bodySize, bElement.bodyAt, bElement.bodySize);
    case EXT: // the type byte stands right before the body
      return compareBytes(
        aElement.bodyAt - 1,
        aElement.bodySize + 1,
        bElement.bodyAt - 1,
        bElement.bodySize + 1,
      );
    case DOUBLE: {
      const x = doubleAt(a, aHead);
      const y = doubleAt(b, bHead);
      if (x < y) return -1;
      if (x > y) return 1;
      return isTotal ? Number(Number.isNaN(y)) - Number(Number.isNaN(x)) : 0;
    }
    case LIST:
      return depth < DEPTH_MAX ? compareLists(aElement.count, bElement.count, depth) : 0;
    case MAP:
      return depth < DEPTH_MAX ? compareMaps(aElement.count, bElement.count, depth) : 0;
    default:
      return 0;
  }
}

function compareLists(aCount: number, bCount: number, depth: number): number {
  const aLength = aCount - skipFlags(a, true, aCount, 1);
  const bLength = bCount - skipFlags(b, false, bCount, 1);
  const common = Math.min(aLength, bLength);
  const order = compareChildren(common, depth);
  if (order !== 0 || isWild) return order;
  return aLength < bLength ? -1 : aLength > bLength ? 1 : 0;
}

function compareMaps(aCount: number, bCount: number, depth: number): number {
  const aLength = openMap(a, true, aCount);
  const bLength = openMap(b, false, bCount);
  if (isUnordered && needsOrder) {
    isWild = true; // ends the comparison
    return 0;
  }
  if (aLength !== bLength) return aLength < bLength ? -1 : 1;
  return compareChildren(aLength, depth);
}

/** Moves one side past the flags of a map. @returns How many keys and values there are. */
function openMap(bytes: Uint8Array, isLeft: boolean, count: number): number {
  const length = count - skipFlags(bytes, isLeft, count, 2);
  const element = isLeft ? aElement : bElement;
  if (length > 0 && (length === count || (element.extType & ORDERED) === 0)) isUnordered = true;
  return length;
}

function compareChildren(count: number, depth: number): number {
  for (let k = 0; k < count; k++) {
    const order = compareHere(depth + 1);
    if (order !== 0 || isWild) return order;
    if (aAt < 0) return 0; // both sides are malformed here, and alike so far
  }
  return 0;
}

/**
 * Moves one side's position past the flag element of a container that starts here.
 * @param width 1 for a list, 2 for a map, whose flags are the key of a pair.
 * @returns How many of the container's children that was: 0 or `width`.
 */
function skipFlags(bytes: Uint8Array, isLeft: boolean, count: number, width: number): number {
  if (count < width) return 0;
  const element = isLeft ? aElement : bElement;
  const end = isLeft ? aEnd : bEnd;
  let next = element.read(bytes, isLeft ? aAt : bAt, end);
  if (!element.isFlags) return 0;
  if (width === 2) next = element.read(bytes, next, end);
  if (next < 0) return 0;
  if (isLeft) aAt = next;
  else bAt = next;
  return width;
}

function compareBytes(at: number, size: number, otherAt: number, otherSize: number): number {
  const common = Math.min(size, otherSize);
  for (let k = 0; k < common; k++) {
    const x = a[at + k]!;
    const y = b[otherAt + k]!;
    if (x !== y) return x < y ? -1 : 1;
  }
  return size < otherSize ? -1 : size > otherSize ? 1 : 0;
}

/** The double or float32 whose header is at `at`. */
function doubleAt(bytes: Uint8Array, at: number): number {
  return bytes[at] === 0xcb ? readDouble(bytes, at + 1) : readSingle(bytes, at + 1);
}
