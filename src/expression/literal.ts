/**
 * Lists and maps that stand in an expression. They get smallest headers and lose what is private to stored values,
 * but, other than values that are written, keep the order in which maps without one were sent, any kind of key, and
 * equal keys: the recorded answers have them so. What says that it is in order has to be.
 *
 * Operations take every map to be in key order, as all that are stored by other means are. They get another form of a
 * literal, in which its maps are, and of what bins hold of it.
 */
import type { Scratch } from '../base/scratch.js';
import { hasPersistedIndex } from '../data/cdt/persisted-index.js';
import { compare } from '../data/msgpack/compare.js';
import {
  BYTES,
  Element,
  EXT,
  GEOJSON,
  INF,
  INT,
  LIST,
  LIST_FLAGS,
  MAP,
  MAP_FLAGS,
  NEGATIVE_INT,
  ORDERED,
  PERSIST_INDEX,
  STRING,
  sizeOf,
  WILDCARD,
} from '../data/msgpack/element.js';
import { Writer } from '../data/msgpack/writer.js';
import type { ParticleSpan } from '../data/particle-span.js';
import { LIST as LIST_PARTICLE, MAP as MAP_PARTICLE } from '../data/type.js';
import type { Program } from './program.js';

const element = new Element();
const writer = new Writer();

/** What `writeLiteral` found; overwritten by each call. */
export const literalFound = { hasUnsortedMap: false };

let isSorting = false;
let source: Uint8Array = new Uint8Array(0);
let from = 0;
let end = 0;

/**
 * Writes a list or map as an expression has it.
 * @param bytes hold it from `at` up to `until`, well formed (`sizeOf`).
 * @param out   room for as many bytes.
 * @param sorts Whether maps without an order are put in key order.
 * @returns Bytes written, or -1 for one that must not be: with a sentinel, an ext, or out of the order that it claims.
 */
export function writeLiteral(
  bytes: Uint8Array,
  at: number,
  until: number,
  out: Uint8Array,
  sorts: boolean,
): number {
  isSorting = sorts;
  literalFound.hasUnsortedMap = false;
  source = bytes;
  from = at;
  end = until;
  writer.start(out, 0);
  return put() ? writer.at : -1;
}

/**
 * Whether a list or map that an expression has come to may be, or hold, a map in no order of keys: a literal may, and
 * so may what an operation has picked by rank.
 */
export function mayBeUnsorted({ type, bytes, at, size }: ParticleSpan, program: Program): boolean {
  if (program.hasUnsortedMap) return true;
  if (type !== MAP_PARTICLE) return false;
  const end = at + size;
  const next = element.read(bytes, at, end);
  if (element.count === 0) return false;
  element.read(bytes, next, end);
  return !element.isFlags || (element.extType & ORDERED) === 0;
}

/**
 * Makes of a list or map that may come from an expression one whose maps are in key order and have no flags but those
 * that are stored; any other value stays.
 * @param value Receives it, in `scratch`.
 * @returns Whether there was a map that was not in order.
 */
export function sortMaps(value: ParticleSpan, scratch: Scratch): boolean {
  const { type: particleType, bytes: stored, at, size } = value;
  if (particleType !== LIST_PARTICLE && particleType !== MAP_PARTICLE) return false;
  if (hasPersistedIndex(particleType, stored, at, size)) return false; // an operation has made it
  if (sizeOf(stored, at, at + size) !== size) return false;
  const outAt = scratch.take(size);
  const written = writeLiteral(stored, at, at + size, scratch.bytes.subarray(outAt, outAt + size), true);
  const { hasUnsortedMap } = literalFound;
  if (written >= 0 && (hasUnsortedMap || written !== size))
    value.set(particleType, scratch.bytes, outAt, written);
  scratch.trim(value.bytes === scratch.bytes && value.at === outAt ? outAt + written : outAt);
  return hasUnsortedMap;
}

/** Copies one element. The depth was limited before. */
function put(): boolean {
  const at = from;
  from = element.read(source, from, end);
  switch (element.type) {
    case INT:
    case NEGATIVE_INT:
      writer.integer(element.type, element.high, element.low);
      return true;
    case STRING:
    case BYTES:
    case GEOJSON:
      writer.payload(source, at, element.bodyAt, element.bodySize);
      return true;
    case LIST:
      return putContainer(LIST, element.count, 1);
    case MAP:
      return putContainer(MAP, element.count / 2, 2);
    case EXT:
    case WILDCARD:
    case INF:
      return false;
    default: // nil, false, true, doubles
      writer.copy(source, at, from - at);
      return true;
  }
}

/** @param count elements or pairs, flags among them. @param width elements of an entry. */
function putContainer(type: number, count: number, width: number): boolean {
  let length = count;
  let flags = 0;
  if (count > 0) {
    const next = element.read(source, from, end);
    if (element.isFlags) {
      flags = element.extType & (type === LIST ? LIST_FLAGS : MAP_FLAGS) & ~PERSIST_INDEX;
      if ((flags & ORDERED) === 0) flags = 0;
      from = width === 1 ? next : element.read(source, next, end);
      // The flags' value in a map is nil; anything with children would leave those behind.
      if (width === 2 && element.count > 0) return false;
      length--;
    }
  }
  const counted = flags === 0 ? length : length + 1;
  if (type === LIST) writer.listHeader(counted, flags);
  else writer.mapHeader(counted, flags);
  const startAt: number[] = [];
  let isSorted = true;
  for (let k = 0; k < length; k++) {
    const { at } = writer;
    if (!put()) return false;
    if (flags !== 0 || width === 2) {
      if (k > 0 && !isInOrder(type, startAt[k - 1]!, at)) isSorted = false;
      startAt.push(at);
    }
    if (width === 2 && !put()) return false;
  }
  if (isSorted) return true;
  if (flags !== 0) return false;
  literalFound.hasUnsortedMap = true;
  if (isSorting) sortPairs(startAt);
  return true;
}

/** Puts the pairs that were written last in key order; those of equal keys stay in theirs. */
function sortPairs(startAt: readonly number[]): void {
  const { bytes, at: end } = writer;
  const from = startAt[0]!;
  const unsorted = bytes.slice(from, end);
  const order = [...startAt.keys()].sort((a, b) => compare(bytes, startAt[a]!, end, bytes, startAt[b]!, end));
  let to = from;
  for (const k of order) {
    const pair = unsorted.subarray(startAt[k]! - from, (startAt[k + 1] ?? end) - from);
    bytes.set(pair, to);
    to += pair.length;
  }
}

/** Whether the entry at `at`, the last one written, may follow the one at `previous`. Keys of a map all differ. */
function isInOrder(type: number, previous: number, at: number): boolean {
  const order = compare(writer.bytes, previous, writer.at, writer.bytes, at, writer.at);
  return type === LIST ? order <= 0 : order < 0;
}
