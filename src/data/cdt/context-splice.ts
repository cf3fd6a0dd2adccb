/**
 * Puts the container that an operation has changed back into the containers around it: everything before it, the new
 * element, everything after it, in one pass. Containers that were missing on the way are written with it, and
 * the lists on the way that are in order are put in order again. Source: protocol 13, section 3.
 *
 *   stored    82 | k1 ( 92 | 05 (old) ) | k2 v2           path: key k1, element 1
 *   changed   82 | k1 ( 92 | 05 (new) ) | k2 v2           only a container that gets a new element has another header
 */

import { copyBytes } from '../../base/copy.js';
import { OK, OP_NOT_APPLICABLE, PARAMETER, RECORD_TOO_BIG } from '../../base/result.js';
import type { Scratch } from '../../base/scratch.js';
import { compare } from '../msgpack/compare.js';
import { DEPTH_MAX, LIST, MAP, nextOf, ORDERED, PERSIST_INDEX, VALUE_ORDERED } from '../msgpack/element.js';
import { normaliseElement, REJECTED } from '../msgpack/normalise.js';
import { Writer } from '../msgpack/writer.js';
import type { ParticleSpan } from '../particle-span.js';
import { LIST as LIST_PARTICLE, MAP as MAP_PARTICLE } from '../type.js';
import {
  type ContextPath,
  CREATE_MASK,
  CREATE_ORDERED,
  CREATE_PADDED,
  CREATE_PERSISTED,
  createdType,
} from './context-path.js';

/** Nils that fill lists up to an index: more would take too long, and next to no record has room for them. */
const PADDING_MAX = 1 << 20;
const HEADER_SIZE_MAX = 16; // bytes of a container's header and flags, with some to spare
const NIL = 0xc0;

const writer = new Writer();

/** Where things came to lie in the output: how far the containers on the way were shifted, the last one's content, its new child. */
let shift = 0;
let innerAt = 0;
let childAt = 0;
let childEnd = 0;

/**
 * Whether the missing part of the way can be made, from item `createFrom` on.
 * @param isNew there is no container at all yet.
 * @returns OK; OP_NOT_APPLICABLE for an item that cannot create what it addresses; PARAMETER, RECORD_TOO_BIG.
 */
export function checkCreation(path: ContextPath, isNew: boolean): number {
  let padding = 0;
  const from = path.createFrom;
  if (path.depth + path.itemCount - from >= DEPTH_MAX) return PARAMETER;
  for (let k = from; k < path.itemCount; k++) {
    const type = path.types[k]!;
    const made = type < 0 || (k > 0 && type >= CREATE_PERSISTED) ? 0 : createdType(type);
    if (made === 0) return OP_NOT_APPLICABLE;
    if (made === MAP) continue; // its key is looked at when it is written
    const isThere = k === from && !isNew;
    const pads = isThere
      ? paddingOf(path, k, path.last.count, path.last.isOrdered)
      : paddingOf(path, k, 0, isOrdered(type));
    if (pads < 0) return -pads;
    padding += pads;
  }
  return padding > PADDING_MAX ? RECORD_TOO_BIG : OK;
}

/**
 * How many nils come before the element that item k makes in a list of `count` elements; a code, negated, when
 * it can make none there.
 */
function paddingOf(path: ContextPath, k: number, count: number, isSorted: boolean): number {
  const index = path.index(k);
  if (Number.isNaN(index)) return -PARAMETER;
  if (isSorted && (index >= -1 || count > 0)) return 0; // wherever it is said to go
  if (index === count || (index === -1 && count === 0)) return 0;
  const isPadded = (path.types[k]! & CREATE_MASK) === CREATE_PADDED;
  return isPadded && index > count ? index - count : -OP_NOT_APPLICABLE;
}

function isOrdered(type: number): boolean {
  return (type & CREATE_MASK) === CREATE_ORDERED;
}

/** Flags of the container that an item of this type makes. */
function createdFlags(type: number, k: number): number {
  const persist = k === 0 && (type & CREATE_PERSISTED) !== 0 ? PERSIST_INDEX : 0;
  switch (type & CREATE_MASK) {
    case CREATE_ORDERED:
      return persist | (createdType(type) === LIST ? ORDERED : ORDERED | VALUE_ORDERED);
    case CREATE_PADDED:
      return persist | (createdType(type) === LIST ? 0 : ORDERED);
    default:
      return persist;
  }
}

/**
 * Writes the outermost container with `changed` in its place, and makes that the new `changed`.
 * @param path   resolved; with `createFrom` >= 0 and a `checkCreation` that was OK the missing part is written as well.
 * @param bytes  the stored container that the path was resolved in, up to `end`.
 * @param isNew  there is no stored container: the first item makes it.
 * @returns OK, or OP_NOT_APPLICABLE when a key cannot be stored.
 */
export function splice(
  path: ContextPath,
  bytes: Uint8Array,
  end: number,
  isNew: boolean,
  changed: ParticleSpan,
  scratch: Scratch,
): number {
  const isCreating = path.createFrom >= 0;
  let room = HEADER_SIZE_MAX + changed.size + (isNew ? 0 : end - path.contentAt[0]!);
  if (isCreating) room += creationRoom(path, isNew);
  const at = scratch.take(room);
  const out = scratch.bytes;
  writer.start(out, at);
  let type = path.topType;
  let isWhole = true;
  if (isNew) {
    type = createdType(path.types[0]!);
    isWhole = writeMissing(path, 0, changed);
  } else {
    if (isCreating) isWhole = addNew(path, bytes, end, changed);
    else replace(path, bytes, end, changed);
    if (isWhole) sortAgain(path, out, writer.at, end, scratch);
  }
  scratch.trim(writer.at);
  if (!isWhole) return OP_NOT_APPLICABLE;
  changed.set(type === LIST ? LIST_PARTICLE : MAP_PARTICLE, out, at, writer.at - at);
  return OK;
}

/** Writes everything with the last container's child replaced. */
function replace(path: ContextPath, bytes: Uint8Array, end: number, changed: ParticleSpan): void {
  const inner = path.depth - 1;
  writeHead(path.topType, path.topFlags, path.topCount);
  shift = writer.at - path.contentAt[0]!;
  innerAt = path.contentAt[inner]! + shift;
  copyUpTo(bytes, path.contentAt[0]!, path.childAt[inner]!);
  childAt = writer.at;
  writer.copy(changed.bytes, changed.at, changed.size);
  childEnd = writer.at;
  copyUpTo(bytes, path.childEnd[inner]!, end);
}

/** Writes everything with a new element in the last container. @returns false when its key cannot be stored. */
function addNew(path: ContextPath, bytes: Uint8Array, end: number, changed: ParticleSpan): boolean {
  const { last } = path;
  const k = path.createFrom;
  const isList = last.type === LIST;
  const padding = isList ? paddingOf(path, k, last.count, last.isOrdered) : 0;
  const insertAt = isList ? last.end : placeOfKey(path, k);
  if (insertAt < 0) return false;
  const countAfter = last.count + padding + 1;
  shift = 0;
  if (path.depth > 1) {
    writeHead(path.topType, path.topFlags, path.topCount);
    shift = writer.at - path.contentAt[0]!;
    copyUpTo(bytes, path.contentAt[0]!, last.at);
  }
  writeHead(last.type, last.flags, countAfter);
  innerAt = writer.at;
  copyUpTo(bytes, last.contentAt, insertAt);
  if (!writePlace(path, k, padding)) return false;
  childAt = writer.at;
  if (!writeMissing(path, k + 1, changed)) return false;
  childEnd = writer.at;
  copyUpTo(bytes, insertAt, end);
  return true;
}

/** Writes the containers that items from `from` on make, one in the other, and `changed` in the innermost. */
function writeMissing(path: ContextPath, from: number, changed: ParticleSpan): boolean {
  for (let k = from; k < path.itemCount; k++) {
    const type = path.types[k]!;
    const made = createdType(type);
    const padding = made === LIST ? paddingOf(path, k, 0, isOrdered(type)) : 0;
    writeHead(made, createdFlags(type, k), padding + 1);
    if (!writePlace(path, k, padding)) return false;
  }
  writer.copy(changed.bytes, changed.at, changed.size);
  return true;
}

/** What comes before the element that item k makes: nils in a list, its key in a map. */
function writePlace(path: ContextPath, k: number, padding: number): boolean {
  if (createdType(path.types[k]!) === LIST) {
    writer.bytes.fill(NIL, writer.at, writer.at + padding);
    writer.at += padding;
    return true;
  }
  const size = normaliseElement(path.body, path.valueAt[k]!, path.valueEnd[k]!, writer.bytes, writer.at);
  if (size === REJECTED) return false;
  writer.at += size;
  return true;
}

/** Where the key of item k comes to stand among the keys of the last container, which has no such key; -1 when malformed. */
function placeOfKey(path: ContextPath, k: number): number {
  const { last } = path;
  let p = last.contentAt;
  for (let n = 0; n < last.count; n++) {
    if (compare(last.bytes, p, last.end, path.body, path.valueAt[k]!, path.valueEnd[k]!) > 0) return p;
    p = nextOf(last.bytes, p, last.end);
    if (p >= 0) p = nextOf(last.bytes, p, last.end);
    if (p < 0) return -1;
  }
  return last.end;
}

function writeHead(type: number, flags: number, count: number): void {
  const counted = flags === 0 ? count : count + 1;
  if (type === LIST) writer.listHeader(counted, flags);
  else writer.mapHeader(counted, flags);
}

function copyUpTo(bytes: Uint8Array, from: number, to: number): void {
  writer.copy(bytes, from, to - from);
}

/** Bytes that the containers to be made may need. */
function creationRoom(path: ContextPath, isNew: boolean): number {
  let room = 0;
  for (let k = path.createFrom; k < path.itemCount; k++) {
    const type = path.types[k]!;
    room += HEADER_SIZE_MAX + path.valueEnd[k]! - path.valueAt[k]!;
    if (createdType(type) === MAP) continue;
    const isThere = k === path.createFrom && !isNew;
    room += isThere
      ? paddingOf(path, k, path.last.count, path.last.isOrdered)
      : paddingOf(path, k, 0, isOrdered(type));
  }
  return room;
}

/**
 * Puts the changed element of each ordered list on the way where it belongs, from the innermost list to the outermost.
 * @param outEnd end of the outermost container as it was written.
 * @param end    its end as it was stored.
 */
function sortAgain(path: ContextPath, out: Uint8Array, outEnd: number, end: number, scratch: Scratch): void {
  const growth = outEnd - end;
  let contentAt = innerAt;
  for (let level = path.depth - 1; level >= 0; level--) {
    if (path.isOrderedList[level] === 1) {
      moveToPlace(out, contentAt, path.end[level]! + growth, childAt, childEnd, scratch);
    }
    if (level === 0) return;
    childAt = path.childAt[level - 1]! + shift;
    childEnd = path.childEnd[level - 1]! + growth;
    contentAt = path.contentAt[level - 1]! + shift;
  }
}

/** Moves the element from `at` to `next` to its place in the list with the content `contentAt` to `end`, which is in order but for it. */
function moveToPlace(
  out: Uint8Array,
  contentAt: number,
  end: number,
  at: number,
  next: number,
  scratch: Scratch,
): void {
  let p = contentAt;
  while (p < at && compare(out, p, at, out, at, next) <= 0) {
    p = nextOf(out, p, at);
    if (p < 0) return;
  }
  let q = next;
  if (p === at) {
    while (q < end && compare(out, q, end, out, at, next) < 0) {
      q = nextOf(out, q, end);
      if (q < 0) return;
    }
    if (q === next) return;
  }
  const size = next - at;
  const keptAt = scratch.take(size);
  const kept = scratch.bytes;
  copyBytes(kept, keptAt, out, at, size);
  if (p < at) {
    out.copyWithin(p + size, p, at);
    copyBytes(out, p, kept, keptAt, size);
  } else {
    out.copyWithin(at, next, q);
    copyBytes(out, at + q - next, kept, keptAt, size);
  }
  scratch.trim(keptAt);
}
