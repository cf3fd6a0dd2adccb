/**
 * One element of the msgpack dialect: what it is, where its payload lies, how large it is. Source: protocol 10,
 * sections 1 and 2. Strings and blobs use the str and bin headers alike; the first payload byte, which the
 * header's length counts, is the particle type. An ext of type 0xff is a sentinel of comparisons; any other ext
 * that opens a list, or is the first key of a map, carries the container's flags and is no element of it.
 *
 *   list   93 | c7 00 01 | 01 | 05             header counts the flag element
 *   map    82 | c7 00 01  c0 | a2 03 61  01    flag pair: flags, nil
 */
import { readU16, readU32 } from '../../wire/message.js';
import { GEOJSON as GEOJSON_BYTE, STRING as STRING_BYTE } from '../type.js';

/** Element types; their numbers are the total order between types, of protocol 10, section 4.1. */
export const ERROR = 0; // c1, or an element that does not end before its container does
export const NIL = 1;
export const FALSE = 2;
export const TRUE = 3;
export const NEGATIVE_INT = 4;
export const INT = 5; // not negative; up to 2^64 - 1
export const STRING = 6;
export const LIST = 7;
export const MAP = 8;
export const BYTES = 9; // blobs, HLL, every other type byte, and the empty string header
export const DOUBLE = 10;
export const GEOJSON = 11;
export const EXT = 12;
export const WILDCARD = 13; // sentinel; equals everything, so its place in the order is never used
export const INF = 14; // sentinel; above everything

/** Containers inside containers, the outermost counted. The comparison of the reference's client library stops there too. */
export const DEPTH_MAX = 256;

/** Flag bits of a container. */
export const ORDERED = 0x01; // a list in order, a map in key order
export const VALUE_ORDERED = 0x02; // a map, with ORDERED
export const PRESERVE_ORDER = 0x08; // a map in answers alone: its pairs are in an order of their own
export const PERSIST_INDEX = 0x10; // a bin's top-level container; never leaves the server
export const LIST_FLAGS = ORDERED | PERSIST_INDEX;
export const MAP_FLAGS = ORDERED | VALUE_ORDERED | PERSIST_INDEX;

export const SENTINEL = 0xff; // ext type
const SENTINEL_WILDCARD = 0; // ext body
const SENTINEL_INF = 1;
const SENTINEL_BODY_MAX = 3; // bytes; a longer body makes it an ordinary ext

/** Heads of strings and blobs of up to 255 and 65535 bytes. */
const BIN8 = 0xc4;
const BIN16 = 0xc5;
const STR8 = 0xd9;
const STR16 = 0xda;

/** One element's header, decoded. An instance is reused; it holds no reference to the bytes. */
export class Element {
  type = ERROR;
  /** First byte of the payload (particle type included), of an ext's body, or of a container's first child. */
  bodyAt = 0;
  /** Bytes of payload or ext body; 0 for a container. */
  bodySize = 0;
  /** Children of a container: elements of a list, keys and values of a map; flag elements are counted. */
  count = 0;
  /** An integer's 64 bits, two's complement when negative; a container's flags are not read here. */
  high = 0;
  low = 0;
  /** An ext's type byte. */
  extType = 0;

  /**
   * Decodes the header at `at` of an element that must lie before `end`; a container's children are not looked at.
   * @returns Where the next element starts: after a scalar, or at a container's first child. -1 (and ERROR) if
   * the header or payload is cut off or invalid, or a container claims more children than bytes are left.
   */
  read(bytes: Uint8Array, at: number, end: number): number {
    this.type = ERROR;
    if (at >= end) return -1;
    const b = bytes[at]!;
    if (b < 0x80) return this.#int(INT, 0, b, at + 1);
    if (b >= 0xe0) return this.#int(NEGATIVE_INT, 0xffffffff, (b - 256) >>> 0, at + 1);
    if (b < 0x90) return this.#container(MAP, (b & 0x0f) * 2, at + 1, end);
    if (b < 0xa0) return this.#container(LIST, b & 0x0f, at + 1, end);
    if (b < 0xc0) return this.#payload(bytes, b & 0x1f, at + 1, end);
    const left = end - at - 1;
    if (left < FIXED[b - 0xc0]!) return -1;
    switch (b) {
      case 0xc0:
        return this.#plain(NIL, at, 1);
      case 0xc2:
        return this.#plain(FALSE, at, 1);
      case 0xc3:
        return this.#plain(TRUE, at, 1);
      case 0xc4:
      case 0xd9:
        return this.#payload(bytes, bytes[at + 1]!, at + 2, end);
      case 0xc5:
      case 0xda:
        return this.#payload(bytes, readU16(bytes, at + 1), at + 3, end);
      case 0xc6:
      case 0xdb:
        return this.#payload(bytes, readU32(bytes, at + 1), at + 5, end);
      case 0xc7:
        return this.#ext(bytes, bytes[at + 1]!, at + 2, end);
      case 0xc8:
        return this.#ext(bytes, readU16(bytes, at + 1), at + 3, end);
      case 0xc9:
        return this.#ext(bytes, readU32(bytes, at + 1), at + 5, end);
      case 0xca:
        return this.#plain(DOUBLE, at, 5);
      case 0xcb:
        return this.#plain(DOUBLE, at, 9);
      case 0xcc:
        return this.#int(INT, 0, bytes[at + 1]!, at + 2);
      case 0xcd:
        return this.#int(INT, 0, readU16(bytes, at + 1), at + 3);
      case 0xce:
        return this.#int(INT, 0, readU32(bytes, at + 1), at + 5);
      case 0xcf:
        return this.#int(INT, readU32(bytes, at + 1), readU32(bytes, at + 5), at + 9);
      case 0xd0:
        return this.#signed((bytes[at + 1]! << 24) >> 24, at + 2);
      case 0xd1:
        return this.#signed((readU16(bytes, at + 1) << 16) >> 16, at + 3);
      case 0xd2:
        return this.#signed(readU32(bytes, at + 1) | 0, at + 5);
      case 0xd3: {
        const high = readU32(bytes, at + 1);
        return this.#int(high >= 0x8000_0000 ? NEGATIVE_INT : INT, high, readU32(bytes, at + 5), at + 9);
      }
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#ext(bytes, 1 << (b - 0xd4), at + 1, end);
      case 0xdc:
        return this.#container(LIST, readU16(bytes, at + 1), at + 3, end);
      case 0xdd:
        return this.#container(LIST, readU32(bytes, at + 1), at + 5, end);
      case 0xde:
        return this.#container(MAP, readU16(bytes, at + 1) * 2, at + 3, end);
      case 0xdf:
        return this.#container(MAP, readU32(bytes, at + 1) * 2, at + 5, end);
      default:
        return -1;
    }
  }

  /** Whether this is an ext that carries flags when it opens a container. */
  get isFlags(): boolean {
    return this.type === EXT && this.extType !== SENTINEL;
  }

  #plain(type: number, at: number, size: number): number {
    this.type = type;
    this.bodyAt = at + 1;
    this.bodySize = size - 1;
    this.count = 0;
    return at + size;
  }

  #int(type: number, high: number, low: number, next: number): number {
    this.type = type;
    this.high = high;
    this.low = low;
    this.bodyAt = next;
    this.bodySize = 0;
    this.count = 0;
    return next;
  }

  #signed(value: number, next: number): number {
    return value < 0
      ? this.#int(NEGATIVE_INT, 0xffffffff, value >>> 0, next)
      : this.#int(INT, 0, value, next);
  }

  #payload(bytes: Uint8Array, size: number, bodyAt: number, end: number): number {
    if (size > end - bodyAt) return -1;
    const typeByte = size === 0 ? 0 : bytes[bodyAt]!;
    this.type = typeByte === STRING_BYTE ? STRING : typeByte === GEOJSON_BYTE ? GEOJSON : BYTES;
    this.bodyAt = bodyAt;
    this.bodySize = size;
    this.count = 0;
    return bodyAt + size;
  }

  /** @param typeAt where the ext's type byte is; its body of `size` bytes follows. */
  #ext(bytes: Uint8Array, size: number, typeAt: number, end: number): number {
    if (size > end - typeAt - 1) return -1;
    const first = size === 0 ? -1 : bytes[typeAt + 1]!;
    this.extType = bytes[typeAt]!;
    this.type = EXT;
    if (this.extType === SENTINEL && size > 0 && size <= SENTINEL_BODY_MAX) {
      if (first === SENTINEL_WILDCARD) this.type = WILDCARD;
      else if (first === SENTINEL_INF) this.type = INF;
    }
    this.bodyAt = typeAt + 1;
    this.bodySize = size;
    this.count = 0;
    return typeAt + 1 + size;
  }

  #container(type: number, count: number, childrenAt: number, end: number): number {
    if (count > end - childrenAt) return -1;
    this.type = type;
    this.bodyAt = childrenAt;
    this.bodySize = 0;
    this.count = count;
    return childrenAt;
  }
}

/** Bytes that must follow the first byte c0–df for the header (and fixed-size value) to be whole. */
const FIXED: readonly number[] = [
  0, 0, 0, 0, 1, 2, 4, 2, 3, 5, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, 1, 2, 4, 2, 4, 2, 4,
];

const walker = new Element();
/** Children still to walk on each level above the present one. */
const pending = new Float64Array(DEPTH_MAX);

/**
 * Size of the whole element at `at`, children included. Never looks at `end` or beyond.
 * @returns Bytes, or -1 when it is malformed, cut off or nested deeper than `DEPTH_MAX`.
 */
export function sizeOf(bytes: Uint8Array, at: number, end: number): number {
  let next = at;
  let depth = 0;
  let left = 1; // elements still to come on this level
  for (;;) {
    // Most elements are small, and their first byte says how small.
    while (left > 0 && next < end && depth < DEPTH_MAX) {
      const size = SIZE_BY_HEAD[bytes[next]!]!;
      if (size === 0) break;
      next += size;
      left--;
    }
    if (next > end) return -1;
    if (left === 0) {
      if (depth === 0) return next - at;
      left = pending[--depth]!;
      continue;
    }
    next = walker.read(bytes, next, end);
    if (next < 0) return -1;
    left--;
    if (walker.type !== LIST && walker.type !== MAP) continue;
    if (depth === DEPTH_MAX) return -1;
    pending[depth++] = left;
    left = walker.count;
  }
}

/** Containers inside containers in the well-formed element at `at`: 0 for a scalar. */
export function depthOf(bytes: Uint8Array, at: number, end: number): number {
  let next = at;
  let depth = 0;
  let deepest = 0;
  let left = 1;
  for (;;) {
    next = walker.read(bytes, next, end);
    if (next < 0) return deepest;
    left--;
    if (walker.type === LIST || walker.type === MAP) {
      if (depth === DEPTH_MAX) return depth + 1;
      if (depth >= deepest) deepest = depth + 1;
      if (walker.count > 0) {
        pending[depth++] = left;
        left = walker.count;
      }
    }
    while (left === 0) {
      if (depth === 0) return deepest;
      left = pending[--depth]!;
    }
  }
}

/** Bytes of the whole element by its first byte, where that alone tells; 0 elsewhere. */
export const SIZE_BY_HEAD = Uint8Array.from({ length: 256 }, (_, b) => {
  if (b < 0x80 || b >= 0xe0 || b === 0xc0 || b === 0xc2 || b === 0xc3 || b === 0x80 || b === 0x90) return 1;
  if (b >= 0xa0 && b < 0xc0) return 1 + (b & 0x1f);
  if (b === 0xca || b === 0xcb) return b === 0xca ? 5 : 9;
  if (b >= 0xcc && b <= 0xd3) return 1 + (1 << ((b - 0xcc) & 3));
  if (b >= 0xd4 && b <= 0xd8) return 2 + (1 << (b - 0xd4));
  return 0;
});

/**
 * Where the element after the one at `at` starts: `sizeOf` for walks over many small elements.
 * @returns A position up to `end`, or -1 as `sizeOf`.
 */
export function nextOf(bytes: Uint8Array, at: number, end: number): number {
  const left = end - at;
  if (left <= 0) return -1;
  const head = bytes[at]!;
  let size = SIZE_BY_HEAD[head]!;
  if (size === 0) {
    if ((head === STR8 || head === BIN8) && left > 1) size = 2 + bytes[at + 1]!;
    else if ((head === STR16 || head === BIN16) && left > 2) size = 3 + readU16(bytes, at + 1);
    else size = sizeOf(bytes, at, end);
  }
  return size >= 0 && size <= left ? at + size : -1;
}
