/**
 * The index that a top-level list or map carries when its client asked for one (PERSIST_INDEX). It lies in the body
 * of the flag element, is private to the server, and is made anew whenever the container changes.
 *
 *   offsets   elements 1 … count-1, from the first element's start, each `offsetWidth` bytes, little-endian
 *   order     value-ordered maps only: the pairs' numbers in value order, count times `numberWidth` bytes
 *
 * Both widths follow from the size of the content and the count, so that nothing else has to be stored. A body of
 * any other size is no index of ours and is ignored. Source: protocol 10, section 2, leaves its form to the server.
 */
import { LIST, PERSIST_INDEX, VALUE_ORDERED } from '../msgpack/element.js';

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
