/**
 * What a stored list or map must look like, and what an answer may: a check that shares no code with what it
 * checks, except the order of values.
 */
import { compare } from '../../../src/data/msgpack/compare.js';
import { BLOB, BOOL, FLOAT, GEOJSON, HLL, INTEGER, LIST, MAP, NULL, STRING } from '../../../src/data/type.js';

const DEPTH_MAX = 256;
const ORDERED = 1;
const VALUE_ORDERED = 2;
const PRESERVE_ORDER = 8;
const PERSISTED = 0x10;

/** Elements that are not canonical end the walk with this. */
class Flaw extends Error {}

let bytes: Uint8Array = new Uint8Array(0);
let end = 0;
let isAnswer = false;
/** With NaNs, which are equal to everything, no order can be told. */
let hasNaN = false;
let checksOrder = true;

/**
 * Looks at a list or map from `at` up to `until`.
 * @param answers allows what only stands in answers: sentinels that were in the arguments, flags of answers.
 * @returns What is wrong with it, or undefined.
 */
function flawOf(
  source: Uint8Array,
  at: number,
  until: number,
  type: number,
  answers: boolean,
): string | undefined {
  bytes = source;
  end = until;
  isAnswer = answers;
  try {
    const head = byteAt(at);
    const isList = (head & 0xf0) === 0x90 || head === 0xdc || head === 0xdd;
    if (isList !== (type === LIST)) return `starts with ${head.toString(16)}`;
    const next = element(at, 0);
    return next === until ? undefined : `ends ${until - next} bytes early`;
  } catch (error) {
    if (error instanceof Flaw) return error.message;
    throw error;
  }
}

/** Says that values may hold NaNs. */
export function ignoreOrder(): void {
  hasNaN = true;
}

/** What is wrong with a list or map that is to be stored, or undefined. */
export function flawOfStored(type: number, source: Uint8Array, at: number, size: number): string | undefined {
  checksOrder = true;
  return flawOf(source, at, at + size, type, false);
}

/**
 * What is wrong with a particle that an operation answers, or undefined.
 * @param isOrdered whether maps have to be in order: not in the answers of expressions, whose literals are not.
 */
export function flawOfAnswer(
  type: number,
  source: Uint8Array,
  at: number,
  size: number,
  isOrdered: boolean,
): string | undefined {
  checksOrder = isOrdered;
  if (at < 0 || size < 0 || at + size > source.length) return 'lies outside its bytes';
  switch (type) {
    case NULL:
      return size === 0 ? undefined : 'has bytes';
    case INTEGER:
    case FLOAT:
      return size === 8 ? undefined : `has ${size} bytes`;
    case BOOL:
      return size === 1 && source[at]! < 2 ? undefined : 'is no bool';
    case STRING:
    case BLOB:
    case HLL: // an element of a list may call itself one
      return undefined;
    case GEOJSON:
      return size >= 3 ? undefined : 'is too short';
    case LIST:
    case MAP:
      return flawOf(source, at, at + size, type, true);
    default: // typed bytes of any other type
      return type > 0 && type < 256 ? undefined : 'has no such type';
  }
}

function flaw(what: string, at: number): never {
  throw new Flaw(`${what} at ${at}`);
}

function byteAt(at: number): number {
  return at < end ? bytes[at]! : flaw('cut off', at);
}

function uint(at: number, size: number): number {
  let value = 0;
  for (let k = 0; k < size; k++) value = value * 256 + byteAt(at + k);
  return value;
}

/** Walks over one element. @returns Where it ends. */
function element(at: number, depth: number): number {
  const b = byteAt(at);
  if (b < 0x80 || b >= 0xe0) return at + 1;
  if (b < 0x90) return map(at + 1, b & 0x0f, depth);
  if (b < 0xa0) return list(at + 1, b & 0x0f, depth);
  if (b < 0xc0) return inside(at + 1 + (b & 0x1f));
  switch (b) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return at + 1;
    case 0xc4:
    case 0xd9:
      return sized(at, 1, 32);
    case 0xc5:
    case 0xda:
      return sized(at, 2, 0x100);
    case 0xc6:
    case 0xdb:
      return sized(at, 4, 0x1_0000);
    case 0xca:
      return inside(at + 5);
    case 0xcb:
      return inside(at + 9);
    case 0xcc:
      return number(at, 1, 0x80);
    case 0xcd:
      return number(at, 2, 0x100);
    case 0xce:
      return number(at, 4, 0x1_0000);
    case 0xcf:
      return number(at, 8, 0x1_0000_0000);
    case 0xd0:
      return negative(at, 1, 0x20);
    case 0xd1:
      return negative(at, 2, 0x80);
    case 0xd2:
      return negative(at, 4, 0x8000);
    case 0xd3:
      return negative(at, 8, 0x8000_0000);
    case 0xdc:
      return list(at + 3, atLeast(uint(at + 1, 2), 16, at), depth);
    case 0xdd:
      return list(at + 5, atLeast(uint(at + 1, 4), 0x1_0000, at), depth);
    case 0xde:
      return map(at + 3, atLeast(uint(at + 1, 2), 16, at), depth);
    case 0xdf:
      return map(at + 5, atLeast(uint(at + 1, 4), 0x1_0000, at), depth);
    default:
      return flaw(`an element that is never stored, ${b.toString(16)},`, at);
  }
}

function inside(next: number): number {
  return next <= end ? next : flaw('cut off', next);
}

function atLeast(value: number, least: number, at: number): number {
  return value >= least ? value : flaw('a header larger than it has to be', at);
}

function sized(at: number, width: number, least: number): number {
  return inside(at + 1 + width + atLeast(uint(at + 1, width), least, at));
}

function number(at: number, width: number, least: number): number {
  atLeast(uint(at + 1, width), least, at);
  return at + 1 + width;
}

/** A negative integer, which must be below `-least`. */
function negative(at: number, width: number, least: number): number {
  if ((byteAt(at + 1) & 0x80) === 0) flaw('a positive integer in a negative form', at);
  // Eight bytes do not fit a double, but then those above the lower four say enough.
  const isFar = width === 8 && uint(at + 1, 4) !== 0xffff_ffff;
  const low = Math.min(width, 4);
  const value = uint(at + 1 + width - low, low) - 256 ** low;
  if (!isFar && value >= -least) flaw('an integer larger than it has to be', at);
  return inside(at + 1 + width);
}

/** The flag element that may be at `at`. @returns The flags, or -1; `flagsEnd` is where they end. */
let flagsEnd = 0;
function flagsAt(at: number, count: number, allowed: number, depth: number): number {
  if (count === 0) return -1;
  const b = byteAt(at);
  if (b !== 0xc7 && b !== 0xc8 && b !== 0xc9) return -1;
  const width = 1 << (b - 0xc7);
  const size = uint(at + 1, width);
  const flags = byteAt(at + 1 + width);
  if ((flags & ~allowed) !== 0 || (flags === 0 && !isAnswer)) flaw(`flags ${flags}`, at);
  if (size > 0 && (depth > 0 || (flags & PERSISTED) === 0)) flaw('an index that should not be there', at);
  flagsEnd = inside(at + 2 + width + size);
  return flags;
}

function list(childAt: number, count: number, depth: number): number {
  if (depth === DEPTH_MAX) flaw('nested too deep', childAt);
  let p = childAt;
  let left = count;
  const flags = flagsAt(p, count, ORDERED | PERSISTED, depth);
  if (flags >= 0) {
    p = flagsEnd;
    left--;
  }
  let previous = -1;
  for (; left > 0; left--) {
    const at = p;
    p = element(at, depth + 1);
    if (flags > 0 && (flags & ORDERED) !== 0 && previous >= 0 && order(previous, at) > 0)
      flaw('an ordered list that is not in order', at);
    previous = at;
  }
  return p;
}

function map(childAt: number, count: number, depth: number): number {
  if (depth === DEPTH_MAX) flaw('nested too deep', childAt);
  let p = childAt;
  let left = count;
  const flags = flagsAt(
    p,
    count,
    ORDERED | VALUE_ORDERED | PERSISTED | (isAnswer ? PRESERVE_ORDER : 0),
    depth,
  );
  if (flags >= 0) {
    p = flagsEnd;
    if (byteAt(p++) !== 0xc0) flaw('flags without their nil', p);
    left--;
    if ((flags & VALUE_ORDERED) !== 0 && (flags & ORDERED) === 0)
      flaw('a map in the order of values alone', p);
  }
  let previous = -1;
  for (; left > 0; left--) {
    const at = p;
    p = element(element(at, depth + 1), depth + 1);
    const isFree = isAnswer && depth === 0;
    if (previous >= 0 && !isFree && order(previous, at) >= 0) flaw('keys that are not in order', at);
    previous = at;
  }
  return p;
}

function order(at: number, otherAt: number): number {
  if (hasNaN || !checksOrder) return -1;
  return compare(bytes, at, end, bytes, otherAt, end);
}
