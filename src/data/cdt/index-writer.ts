/**
 * Makes the stored form of a container that persists its index: the container with its table in it.
 * The format is described in persisted-index.ts.
 */
import { MAP, nextOf } from '../msgpack/element.js';
import { Writer } from '../msgpack/writer.js';
import { Container } from './container.js';
import { Order } from './order.js';
import { offsetWidth, tableSize, writeHead, writeOffset } from './persisted-index.js';

const container = new Container();
const writer = new Writer();
const order = new Order();

/**
 * Writes the stored form of a list or map element without a table.
 * @param bytes the element, `size` bytes from `at`, well formed.
 * @param out   room for `indexedSize` bytes from `outAt`; does not overlap the element.
 * @returns Bytes written, or -1 when the element is malformed.
 */
export function writeIndexed(
  bytes: Uint8Array,
  at: number,
  size: number,
  out: Uint8Array,
  outAt: number,
): number {
  const end = at + size;
  writer.start(out, outAt);
  if (!container.open(bytes, at, end)) {
    writer.copy(bytes, at, size);
    return size;
  }
  const { type, flags, count, contentAt, contentSize } = container;
  const table = tableSize(type, flags, count, contentSize);
  const tableAt = writeHead(writer, type, count, flags, table);
  writer.copy(bytes, contentAt, contentSize);
  if (table > 0) {
    const width = offsetWidth(contentSize);
    if (!isWhole()) return -1;
    let p = tableAt;
    for (let k = 1; k < count; k++, p += width) writeOffset(out, p, width, container.offsetOf(k) - contentAt);
    if (p < tableAt + table) writeOrder(out, p, count);
  }
  container.close();
  return writer.at - outAt;
}

/** Whether the elements are well formed and the last one ends where the container does. */
function isWhole(): boolean {
  const { bytes, end, count, type } = container;
  let p = container.offsetOf(count - 1);
  if (p >= 0 && type === MAP) p = nextOf(bytes, p, end);
  return p >= 0 && nextOf(bytes, p, end) === end;
}

/** Writes the pairs' numbers in value order. */
function writeOrder(out: Uint8Array, at: number, count: number): void {
  const width = offsetWidth(count);
  order.sortByValue(container);
  for (let rank = 0; rank < count; rank++) writeOffset(out, at + rank * width, width, order.indexAt(rank));
  order.clear();
  order.release();
}
