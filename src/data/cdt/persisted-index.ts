/**
 * The index that a top-level list or map carries when its client asked for one (PERSIST_INDEX). It lies in the body
 * of the flag element, is private to the server, and is made anew whenever the container changes.
 *
 *   offsets   elements 1 … count-1, from the first element's start, each `offsetWidth` bytes, little-endian
 *   order     value-ordered maps only: the pairs' numbers in value order, count times `offsetWidth(count)` bytes
 *
 * Both widths follow from the size of the content and the count, so that nothing else has to be stored. A body of
 * any other size is no index of ours and is ignored. Source: protocol 10, section 2, leaves its form to the server.
 *
 *   stored    93 | c7 01 11 01 | 05 06          the table holds one offset, 1
 *   wire      93 | c7 00 01    | 05 06          what clients see: neither the bit nor the body
 */
import { Element, LIST, MAP, nextOf, PERSIST_INDEX, VALUE_ORDERED } from '../msgpack/element.js';
import { Writer } from '../msgpack/writer.js';
import { LIST as LIST_PARTICLE, MAP as MAP_PARTICLE } from '../type.js';

const header = new Element();
const flagElement = new Element();
const writer = new Writer();

/** Bytes of an offset into `contentSize` bytes. */
export function offsetWidth(contentSize: number): number {
  return contentSize < 0x100 ? 1 : contentSize < 0x1_0000 ? 2 : contentSize < 0x100_0000 ? 3 : 4;
}

/** Bytes of the index of a container; 0 when its flags ask for none or it has nothing to index. */
export function tableSize(type: number, flags: number, count: number, contentSize: number): number {
  if ((flags & PERSIST_INDEX) === 0 || count < 2) return 0;
  const offsets = (count - 1) * offsetWidth(contentSize);
  const order = type !== LIST && (flags & VALUE_ORDERED) !== 0 ? count * offsetWidth(count) : 0;
  return offsets + order;
}

/** The little-endian number of `width` bytes at `at`. */
export function readOffset(bytes: Uint8Array, at: number, width: number): number {
  let value = bytes[at]!;
  if (width > 1) value |= bytes[at + 1]! << 8;
  if (width > 2) value |= bytes[at + 2]! << 16;
  if (width > 3) value += bytes[at + 3]! * 0x100_0000;
  return value;
}

export function writeOffset(out: Uint8Array, at: number, width: number, value: number): void {
  out[at] = value;
  if (width > 1) out[at + 1] = value >>> 8;
  if (width > 2) out[at + 2] = value >>> 16;
  if (width > 3) out[at + 3] = value >>> 24;
}

/**
 * Whether a stored particle carries the flag, and with it perhaps a table: then clients see another form of it.
 * @param type particle type; any is allowed, and only lists and maps carry the flag.
 * @param bytes the particle, `size` bytes from `at`.
 */
export function hasPersistedIndex(type: number, bytes: Uint8Array, at: number, size: number): boolean {
  if (type !== LIST_PARTICLE && type !== MAP_PARTICLE) return false;
  return findFlags(bytes, at, at + size) >= 0 && (flagElement.extType & PERSIST_INDEX) !== 0;
}

/** Bytes of the form that clients see of a stored particle, which may be of any type. */
export function wireSize(type: number, bytes: Uint8Array, at: number, size: number): number {
  if (!hasPersistedIndex(type, bytes, at, size)) return size;
  const end = at + size;
  const flags = flagElement.extType & ~PERSIST_INDEX;
  const contentAt = contentOf(bytes, end);
  if (contentAt < 0) return size;
  return headSize(header.type, childCount() - 1, flags, 0) + end - contentAt;
}

/**
 * Writes the form that clients see of a stored particle: without the flag and the table, and without the flag
 * element where no other flag is left.
 * @param out room for `wireSize` bytes from `outAt`.
 * @returns Bytes written.
 */
export function writeWire(
  type: number,
  bytes: Uint8Array,
  at: number,
  size: number,
  out: Uint8Array,
  outAt: number,
): number {
  const end = at + size;
  let contentAt = at;
  writer.start(out, outAt);
  if (hasPersistedIndex(type, bytes, at, size)) {
    const flags = flagElement.extType & ~PERSIST_INDEX;
    contentAt = contentOf(bytes, end);
    if (contentAt < 0) contentAt = at;
    else writeHead(writer, header.type, childCount() - 1, flags, 0);
  }
  writer.copy(bytes, contentAt, end - contentAt);
  return writer.at - outAt;
}

/**
 * Bytes of the stored form of a list or map element: with its table if its flags ask for one. That is `size` when
 * nothing has to be added: no flag, nothing to index, or the table is there already.
 */
export function indexedSize(bytes: Uint8Array, at: number, size: number): number {
  const end = at + size;
  if (findFlags(bytes, at, end) < 0 || (flagElement.extType & PERSIST_INDEX) === 0) return size;
  const flags = flagElement.extType;
  const bodySize = flagElement.bodySize;
  const contentAt = contentOf(bytes, end);
  if (contentAt < 0) return size;
  const count = childCount() - 1;
  const table = tableSize(header.type, flags, count, end - contentAt);
  return bodySize === table ? size : headSize(header.type, count, flags, table) + end - contentAt;
}

/** Bytes from a container's first byte to its first element. @param count without the flag element. */
export function headSize(type: number, count: number, flags: number, table: number): number {
  const counted = count + (flags === 0 ? 0 : 1);
  const size = counted <= 15 ? 1 : counted <= 0xffff ? 3 : 5;
  return flags === 0 ? size : size + extHeadSize(table) + table + (type === MAP ? 1 : 0);
}

/**
 * Writes everything before a container's first element, and leaves room for its table.
 * @param count without the flag element.
 * @returns Where the table goes.
 */
export function writeHead(out: Writer, type: number, count: number, flags: number, table: number): number {
  const counted = count + (flags === 0 ? 0 : 1);
  if (type === LIST) out.listHeader(counted, 0);
  else out.mapHeader(counted, 0);
  if (flags === 0) return out.at;
  out.extHeader(flags, table);
  const tableAt = out.at;
  out.at += table;
  if (type === MAP) out.byte(0xc0);
  return tableAt;
}

/** Bytes of the ext header c7, c8 or c9 for a body of `size` bytes. */
function extHeadSize(size: number): number {
  return size <= 0xff ? 3 : size <= 0xffff ? 4 : 6;
}

/** Reads the container's header and its flag element. @returns Where the latter ends, or -1 without one. */
function findFlags(bytes: Uint8Array, at: number, end: number): number {
  const first = header.read(bytes, at, end);
  if (first < 0 || (header.type !== LIST && header.type !== MAP) || header.count === 0) return -1;
  const next = flagElement.read(bytes, first, end);
  return next >= 0 && flagElement.isFlags ? next : -1;
}

/** Where the first element starts, after `findFlags` has found flags. -1 when there is nothing there. */
function contentOf(bytes: Uint8Array, end: number): number {
  const next = flagElement.bodyAt + flagElement.bodySize;
  return header.type === LIST ? next : nextOf(bytes, next, end);
}

/** Elements or pairs of the container, as its header counts them: with the flag element. */
function childCount(): number {
  return header.type === LIST ? header.count : header.count / 2;
}
