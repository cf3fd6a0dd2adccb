/**
 * The form in which lists and maps are stored, made from what a client sent: smallest headers, maps in key order,
 * ordered containers proven to be so. Source: protocol 10, section 3, and the recorded answers.
 *
 * The stored form is what a read returns, but for PERSIST_INDEX: a whole bin's list or map keeps the flag, which
 * never leaves the server, and gets its table later (cdt/index-writer.ts); inner ones lose it.
 * This form is never longer than the input, so the input's size is always room enough.
 */
import { copyBytes } from '../../base/copy.js';
import { BLOB } from '../type.js';
import { compare } from './compare.js';
import {
  BYTES,
  DEPTH_MAX,
  Element,
  EXT,
  GEOJSON,
  INF,
  INT,
  LIST,
  MAP,
  NEGATIVE_INT,
  ORDERED,
  PERSIST_INDEX,
  STRING,
  sizeOf,
  VALUE_ORDERED,
  WILDCARD,
} from './element.js';
import { Writer } from './writer.js';

/** What these functions return for a value that must not be stored; callers turn it into a code. */
export const REJECTED = -1;

/** Scratch larger than this is given back after use. */
const SCRATCH_KEPT = 1 << 20; // bytes

let source: Uint8Array = new Uint8Array(0);
let sourceEnd = 0;
let from = 0; // next byte to read
/** Flags that the outermost container keeps besides those of its order: PERSIST_INDEX or 0. */
let topFlags = 0;
/** Whether the value is one to be compared, in which WILDCARD and INF may stand. */
let keepsSentinels = false;
const target = new Writer();

const element = new Element();

/** Where each pair of the maps being written starts in `target`: a stack, inner maps above outer ones. */
let pairAt = new Uint32Array(1024);
let pairTop = 0;
/** Bytes of a map whose pairs are being put in order. */
let shuffle = new Uint8Array(4096);

/**
 * Writes the stored form of a whole list or map.
 * @param type  LIST or MAP (element types), which the particle claims to be.
 * @param bytes the particle, `size` bytes from `at`: one element and nothing after it.
 * @param out   at least `size` bytes from `outAt`; does not overlap the particle.
 * @returns Bytes written, or REJECTED.
 */
export function normalise(
  type: number,
  bytes: Uint8Array,
  at: number,
  size: number,
  out: Uint8Array,
  outAt: number,
): number {
  if (element.read(bytes, at, at + size) < 0 || element.type !== type) return REJECTED;
  const written = normaliseFrom(bytes, at, at + size, out, outAt, PERSIST_INDEX);
  return from === at + size ? written : REJECTED;
}

/**
 * Writes the stored form of the element at `at`, whatever follows it. No persist flag is in it.
 * @param end first byte that does not belong to the caller's value.
 * @param out at least `end - at` bytes from `outAt`; does not overlap the source.
 * @returns Bytes written, or REJECTED.
 */
export function normaliseElement(
  bytes: Uint8Array,
  at: number,
  end: number,
  out: Uint8Array,
  outAt: number,
): number {
  return normaliseFrom(bytes, at, end, out, outAt, 0);
}

/**
 * Writes a value that elements are compared with in the form in which they are stored: a sentinel in it stays what it is.
 * @param out as above.
 * @returns Bytes written, or REJECTED.
 */
export function normaliseCompared(
  bytes: Uint8Array,
  at: number,
  end: number,
  out: Uint8Array,
  outAt: number,
): number {
  keepsSentinels = true;
  const size = normaliseFrom(bytes, at, end, out, outAt, 0);
  keepsSentinels = false;
  return size;
}

function normaliseFrom(
  bytes: Uint8Array,
  at: number,
  end: number,
  out: Uint8Array,
  outAt: number,
  keptAtTop: number,
): number {
  topFlags = keptAtTop;
  source = bytes;
  sourceEnd = end;
  from = at;
  target.start(out, outAt);
  pairTop = 0;
  const isStorable = put(0);
  if (pairAt.byteLength > SCRATCH_KEPT) pairAt = new Uint32Array(1024);
  if (shuffle.byteLength > SCRATCH_KEPT) shuffle = new Uint8Array(4096);
  return isStorable ? target.at - outAt : REJECTED;
}

/** Copies one element, normalised. @returns false when it must not be stored. */
function put(depth: number): boolean {
  const at = from;
  const next = element.read(source, from, sourceEnd);
  if (next < 0) return false;
  from = next;
  switch (element.type) {
    case INT:
    case NEGATIVE_INT:
      target.integer(element.type, element.high, element.low);
      return true;
    case STRING:
    case BYTES:
    case GEOJSON:
      target.payload(source, at, element.bodyAt, element.bodySize);
      return true;
    case LIST:
      return depth < DEPTH_MAX && putList(element.count, depth);
    case MAP:
      return depth < DEPTH_MAX && putMap(element.count, depth);
    case WILDCARD:
    case INF:
      if (!keepsSentinels) return false;
      target.copy(source, at, next - at);
      return true;
    case EXT: // would be taken for flags as soon as it came to stand first, as it does when what stands before it is removed
      return false;
    default: // nil, false, true, doubles
      target.copy(source, at, next - at);
      return true;
  }
}

function putList(count: number, depth: number): boolean {
  const sent = takeFlags(count);
  const length = sent < 0 ? count : count - 1;
  const flags = sent < 0 ? 0 : sent & (depth === 0 ? ORDERED | topFlags : ORDERED);
  target.listHeader(flags === 0 ? length : length + 1, flags);
  let previousAt = target.at;
  for (let k = 0; k < length; k++) {
    const { at } = target;
    if (!put(depth + 1)) return false;
    if ((flags & ORDERED) !== 0 && k > 0 && compareWritten(previousAt, at) > 0) return false;
    previousAt = at;
  }
  return true;
}

function putMap(count: number, depth: number): boolean {
  const sent = takeFlags(count);
  let length = count / 2;
  if (sent >= 0) {
    const size = sizeOf(source, from, sourceEnd); // the flags' own value, nil
    if (size < 0) return false;
    from += size;
    length--;
  }
  const isOrdered = sent >= 0 && (sent & ORDERED) !== 0;
  let flags = isOrdered ? sent & (ORDERED | VALUE_ORDERED) : 0;
  if (sent >= 0 && depth === 0) flags |= sent & topFlags;
  target.mapHeader(flags === 0 ? length : length + 1, flags);
  const bottom = pairTop;
  let isSorted = true;
  for (let k = 0; k < length; k++) {
    const { at } = target;
    if (!isKey() || !put(depth + 1)) return false;
    if (k > 0) {
      const order = compareWritten(pairAt[pairTop - 1]!, at);
      if (order === 0 || (order > 0 && isOrdered)) return false;
      if (order > 0) isSorted = false;
    }
    // Room is taken pair by pair, since a header may claim far more pairs than there are.
    reservePairs(1);
    pairAt[pairTop++] = at;
    if (!put(depth + 1)) return false;
  }
  if (!isSorted && !sortPairs(bottom)) return false;
  pairTop = bottom;
  return true;
}

/** Steps over the flag element that may open a container of `count` children. @returns Its flags, or -1 without one. */
function takeFlags(count: number): number {
  if (count === 0) return -1;
  const next = element.read(source, from, sourceEnd);
  if (!element.isFlags) return -1;
  from = next;
  return element.extType;
}

/** Whether the next element may be a map key: an integer, a string or a plain blob. */
function isKey(): boolean {
  element.read(source, from, sourceEnd);
  const { type } = element;
  return (
    type === INT ||
    type === NEGATIVE_INT ||
    type === STRING ||
    (type === BYTES && element.bodySize > 0 && source[element.bodyAt] === BLOB)
  );
}

/** Compares two elements that were written. */
function compareWritten(at: number, otherAt: number): number {
  return compare(target.bytes, at, target.at, target.bytes, otherAt, target.at);
}

/**
 * Puts the pairs from number `bottom` on, which end where `target` stands, in key order.
 * @returns false when two keys are equal.
 */
function sortPairs(bottom: number): boolean {
  const length = pairTop - bottom;
  const end = target.at;
  // The numbers of the pairs lie above the pairs, twice.
  reservePairs(length * 2);
  const sorted = mergeSort(bottom, pairTop, pairTop + length, length);
  for (let k = 1; k < length; k++) {
    if (compareWritten(pairAt[pairAt[sorted + k - 1]!]!, pairAt[pairAt[sorted + k]!]!) === 0) return false;
  }
  const firstAt = pairAt[bottom]!;
  const size = end - firstAt;
  if (shuffle.length < size) shuffle = new Uint8Array(Math.max(size, shuffle.length * 2));
  copyBytes(shuffle, 0, target.bytes, firstAt, size);
  target.at = firstAt;
  for (let k = 0; k < length; k++) {
    const pair = pairAt[sorted + k]!;
    const at = pairAt[pair]!;
    const next = pair + 1 < pairTop ? pairAt[pair + 1]! : end;
    target.copy(shuffle, at - firstAt, next - at);
  }
  return true;
}

/**
 * Sorts the numbers of `length` pairs from `bottom` on by their keys, runs of 1, 2, 4 … at a time, back and forth
 * between two ranges of `pairAt`.
 * @returns Which of the two ranges holds the result.
 */
function mergeSort(bottom: number, rangeA: number, rangeB: number, length: number): number {
  let input = rangeA;
  let output = rangeB;
  for (let k = 0; k < length; k++) pairAt[input + k] = bottom + k;
  for (let run = 1; run < length; run *= 2) {
    for (let first = 0; first < length; first += 2 * run) {
      const middle = Math.min(first + run, length);
      const last = Math.min(middle + run, length);
      let left = first;
      let right = middle;
      for (let k = first; k < last; k++) {
        const isLeft =
          left < middle &&
          (right === last ||
            compareWritten(pairAt[pairAt[input + left]!]!, pairAt[pairAt[input + right]!]!) <= 0);
        pairAt[output + k] = pairAt[input + (isLeft ? left++ : right++)]!;
      }
    }
    [input, output] = [output, input];
  }
  return input;
}

function reservePairs(count: number): void {
  if (pairTop + count <= pairAt.length) return;
  const larger = new Uint32Array(Math.max(pairTop + count, pairAt.length * 2));
  larger.set(pairAt.subarray(0, pairTop));
  pairAt = larger;
}
