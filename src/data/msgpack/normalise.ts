/**
 * The form in which lists and maps are stored, made from what a client sent: smallest headers, maps in key order,
 * ordered containers proven to be so. Source: protocol 10, section 3, and the recorded answers.
 *
 * The stored form is what a read returns. PERSIST_INDEX, a hint that never leaves the server, is not in it:
 * `persistsIndex` tells it of the bytes that came in, for whoever keeps it beside the bin.
 * The stored form is never longer than the input, so the input's size is always room enough.
 */
import { copyBytes } from '../bytes.js';
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
  SENTINEL,
  STRING,
  sizeOf,
  VALUE_ORDERED,
  WILDCARD,
} from './element.js';

/** What these functions return for a value that must not be stored; callers turn it into a code. */
export const REJECTED = -1;

/** A comparison sentinel is an ext 0xff with a body this long; a longer one is an ordinary value. */
const SENTINEL_BODY_MAX = 3; // bytes
const FIXSTR_MAX = 31; // bytes
const FIX_COUNT_MAX = 15;
/** Scratch larger than this is given back after use. */
const SCRATCH_KEPT = 1 << 20; // bytes

let source: Uint8Array = new Uint8Array(0);
let sourceEnd = 0;
let from = 0; // next byte to read
let target: Uint8Array = source;
let to = 0; // next byte to write

const element = new Element();

/** Where each pair of the maps being written starts in `target`; inner maps lie above outer ones. */
let pairAt = new Int32Array(1024);
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
  const written = normaliseElement(bytes, at, at + size, out, outAt);
  return from === at + size ? written : REJECTED;
}

/**
 * Writes the stored form of the element at `at`, whatever follows it.
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
  source = bytes;
  sourceEnd = end;
  from = at;
  target = out;
  to = outAt;
  pairTop = 0;
  const isStorable = put(0);
  if (pairAt.byteLength > SCRATCH_KEPT) pairAt = new Int32Array(1024);
  if (shuffle.byteLength > SCRATCH_KEPT) shuffle = new Uint8Array(4096);
  return isStorable ? to - outAt : REJECTED;
}

/** Whether a list or map particle asks for its index to be kept; the bit that the stored form does not have. */
export function persistsIndex(bytes: Uint8Array, at: number, size: number): boolean {
  const next = element.read(bytes, at, at + size);
  if (next < 0 || element.count === 0) return false;
  element.read(bytes, next, at + size);
  return element.isFlags && (element.extType & PERSIST_INDEX) !== 0;
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
      putInteger(element.type, element.high, element.low);
      return true;
    case STRING:
    case BYTES:
    case GEOJSON:
      putPayload(at, element.bodyAt, element.bodySize);
      return true;
    case LIST:
      return depth < DEPTH_MAX && putList(element.count, depth);
    case MAP:
      return depth < DEPTH_MAX && putMap(element.count, depth);
    case WILDCARD:
    case INF:
      return false;
    case EXT:
      return putExt(element.extType, element.bodyAt, element.bodySize);
    default: // nil, false, true
      copyBytes(source, at, next - at, target, to);
      to += next - at;
      return true;
  }
}

function putList(count: number, depth: number): boolean {
  const sent = takeFlags(count);
  const length = sent < 0 ? count : count - 1;
  // An ext behind the flags would be taken for them as soon as they are dropped.
  if (sent >= 0 && takeFlags(length) >= 0) return false;
  const flags = sent < 0 ? 0 : sent & ORDERED;
  putCount(0x90, 0xdc, flags === 0 ? length : length + 1);
  if (flags !== 0) putFlags(flags);
  let previousAt = to;
  for (let k = 0; k < length; k++) {
    const at = to;
    if (!put(depth + 1)) return false;
    if (flags !== 0 && k > 0 && compare(target, previousAt, at, target, at, to) > 0) return false;
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
  const flags = sent < 0 || (sent & ORDERED) === 0 ? 0 : sent & (ORDERED | VALUE_ORDERED);
  putCount(0x80, 0xde, flags === 0 ? length : length + 1);
  if (flags !== 0) {
    putFlags(flags);
    target[to++] = 0xc0;
  }
  const bottom = pairTop;
  reservePairs(length);
  pairTop += length;
  let isSorted = true;
  for (let k = 0; k < length; k++) {
    const at = to;
    if (!isKey() || !put(depth + 1)) return false;
    if (k > 0) {
      const previousAt = pairAt[bottom + k - 1]!;
      const order = compare(target, previousAt, at, target, at, to);
      if (order === 0 || (order > 0 && flags !== 0)) return false;
      if (order > 0) isSorted = false;
    }
    pairAt[bottom + k] = at;
    if (!put(depth + 1)) return false;
  }
  if (!isSorted && !sortPairs(bottom, length)) return false;
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

/** Number of the map being sorted's first pair in `pairAt`, for the comparator. */
let sortBottom = 0;

/**
 * Puts the `length` pairs that end at `to` in key order.
 * @returns false when two keys are equal.
 */
function sortPairs(bottom: number, length: number): boolean {
  const firstAt = pairAt[bottom]!;
  const size = to - firstAt;
  reservePairs(length);
  const order = pairAt.subarray(pairTop, pairTop + length);
  for (let k = 0; k < length; k++) order[k] = k;
  sortBottom = bottom;
  order.sort(byKey);
  for (let k = 1; k < length; k++) if (byKey(order[k - 1]!, order[k]!) === 0) return false;
  if (shuffle.length < size) shuffle = new Uint8Array(Math.max(size, shuffle.length * 2));
  copyBytes(target, firstAt, size, shuffle, 0);
  let next = firstAt;
  for (let k = 0; k < length; k++) {
    const pair = order[k]!;
    const at = pairAt[bottom + pair]!;
    const end = pair + 1 < length ? pairAt[bottom + pair + 1]! : to;
    copyBytes(shuffle, at - firstAt, end - at, target, next);
    next += end - at;
  }
  return true;
}

function byKey(x: number, y: number): number {
  return compare(target, pairAt[sortBottom + x]!, to, target, pairAt[sortBottom + y]!, to);
}

function reservePairs(count: number): void {
  if (pairTop + count <= pairAt.length) return;
  const larger = new Int32Array(Math.max(pairTop + count, pairAt.length * 2));
  larger.set(pairAt.subarray(0, pairTop));
  pairAt = larger;
}

function putInteger(type: number, high: number, low: number): void {
  if (type === INT) {
    if (high !== 0) {
      target[to++] = 0xcf;
      putU32(high);
      putU32(low);
    } else if (low < 0x80) target[to++] = low;
    else if (low <= 0xff) {
      target[to++] = 0xcc;
      target[to++] = low;
    } else if (low <= 0xffff) putU16(0xcd, low);
    else {
      target[to++] = 0xce;
      putU32(low);
    }
    return;
  }
  const value = low | 0;
  if (high !== 0xffffffff || value >= 0) {
    target[to++] = 0xd3;
    putU32(high);
    putU32(low);
  } else if (value >= -0x20) target[to++] = value;
  else if (value >= -0x80) {
    target[to++] = 0xd0;
    target[to++] = value;
  } else if (value >= -0x8000) putU16(0xd1, value);
  else {
    target[to++] = 0xd2;
    putU32(value);
  }
}

/** Puts a string, blob or other bytes; a header that could not be smaller stays as it is, str family or bin. */
function putPayload(headAt: number, bodyAt: number, bodySize: number): void {
  const smallest = bodySize <= FIXSTR_MAX ? 1 : bodySize <= 0xff ? 2 : bodySize <= 0xffff ? 3 : 5;
  if (bodyAt - headAt === smallest) {
    copyBytes(source, headAt, smallest + bodySize, target, to);
    to += smallest + bodySize;
    return;
  }
  if (smallest === 1) target[to++] = 0xa0 | bodySize;
  else if (smallest === 2) {
    target[to++] = 0xd9;
    target[to++] = bodySize;
  } else putU16(0xda, bodySize);
  copyBytes(source, bodyAt, bodySize, target, to);
  to += bodySize;
}

/** Puts an ext that is no sentinel, under its smallest header. */
function putExt(type: number, bodyAt: number, bodySize: number): boolean {
  if (type === SENTINEL && bodySize > 0 && bodySize <= SENTINEL_BODY_MAX) return false;
  const fixed = bodySize <= 16 ? FIXEXT[bodySize]! : 0;
  if (fixed !== 0) target[to++] = fixed;
  else if (bodySize <= 0xff) {
    target[to++] = 0xc7;
    target[to++] = bodySize;
  } else if (bodySize <= 0xffff) putU16(0xc8, bodySize);
  else {
    target[to++] = 0xc9;
    putU32(bodySize);
  }
  target[to++] = type;
  copyBytes(source, bodyAt, bodySize, target, to);
  to += bodySize;
  return true;
}

/** Headers of exts with a body of 1, 2, 4, 8 or 16 bytes, by that size. */
const FIXEXT: readonly number[] = [0, 0xd4, 0xd5, 0, 0xd6, 0, 0, 0, 0xd7, 0, 0, 0, 0, 0, 0, 0, 0xd8];

/** Puts a container's header: `fix` with the count in it, or `wide` (u16) or the header after that (u32). */
function putCount(fix: number, wide: number, count: number): void {
  if (count <= FIX_COUNT_MAX) target[to++] = fix | count;
  else if (count <= 0xffff) putU16(wide, count);
  else {
    target[to++] = wide + 1;
    putU32(count);
  }
}

function putFlags(flags: number): void {
  target[to++] = 0xc7;
  target[to++] = 0;
  target[to++] = flags;
}

function putU16(header: number, value: number): void {
  target[to++] = header;
  target[to++] = value >> 8;
  target[to++] = value;
}

function putU32(value: number): void {
  target[to++] = value >>> 24;
  target[to++] = value >>> 16;
  target[to++] = value >>> 8;
  target[to++] = value;
}
