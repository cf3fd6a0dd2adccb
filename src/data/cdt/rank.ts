/**
 * Ranks found without sorting: by looking at each element, by binary search in a list in order, or in an order of values
 * that is persisted. What an order by value is, and how it is made, is told in order.ts.
 */
import { compare, compareTotal } from '../msgpack/compare.js';
import { LIST, nextOf } from '../msgpack/element.js';
import { countScan } from './compared.js';
import type { Container } from './container.js';

/**
 * How many elements of the container have a smaller value than the one at `at`, or not a larger one when `isAfter`,
 * without sorting: by binary search in an ordered list, otherwise by looking at each. -1 when malformed.
 */
export function rankOf(
  container: Container,
  bytes: Uint8Array,
  at: number,
  end: number,
  isAfter: boolean,
): number {
  const isList = container.type === LIST;
  if (isList && container.isOrdered) return search(container, bytes, at, end, isAfter);
  if (container.orderAt >= 0)
    return persistedRankOf(container, bytes, at, end, isAfter ? container.count : 0);
  countScan(container.contentSize, container.count);
  const limit = isAfter ? 1 : 0;
  let rank = 0;
  let p = container.contentAt;
  for (let k = 0; k < container.count; k++) {
    if (!isList) p = nextOf(container.bytes, p, container.end);
    if (p < 0) return -1;
    const order = isList
      ? compare(container.bytes, p, container.end, bytes, at, end)
      : compareTotal(container.bytes, p, container.end, bytes, at, end);
    if (order < limit) rank++;
    p = nextOf(container.bytes, p, container.end);
    if (p < 0) return -1;
  }
  return rank;
}

/** Rank of pair `index` where the value order is persisted. */
export function persistedRank(container: Container, index: number): number {
  const at = container.valueOf(index);
  return at < 0 ? 0 : persistedRankOf(container, container.bytes, at, container.end, index);
}

/** How many pairs come before one with the value at `at` and number `index`, in a persisted order. */
export function persistedRankOf(
  container: Container,
  bytes: Uint8Array,
  at: number,
  end: number,
  index: number,
): number {
  let low = 0;
  let high = container.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const own = container.indexAtRank(middle);
    const ownAt = container.valueOf(own);
    if (ownAt < 0) return 0;
    const comparison = compareTotal(container.bytes, ownAt, container.end, bytes, at, end);
    if (comparison < 0 || (comparison === 0 && own < index)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Rank of element `index`: how many are smaller; of a pair, and how many before it have an equal value. */
export function rankOfElement(container: Container, index: number): number {
  const isList = container.type === LIST;
  const { bytes, end, count } = container;
  countScan(container.contentSize, container.count);
  const at = container.valueOf(index);
  let rank = 0;
  let p = container.contentAt;
  for (let k = 0; k < count && at >= 0; k++) {
    if (!isList) p = nextOf(bytes, p, end);
    if (p < 0) return 0;
    if (isList ? compare(bytes, p, end, bytes, at, end) < 0 : isBefore(bytes, p, end, at, k < index)) rank++;
    p = nextOf(bytes, p, end);
    if (p < 0) return 0;
  }
  return rank;
}

/** Whether the value of a pair at `p` comes before another's: one that is equal does when its pair `isEarlier`. */
function isBefore(bytes: Uint8Array, p: number, end: number, at: number, isEarlier: boolean): boolean {
  return compareTotal(bytes, p, end, bytes, at, end) < (isEarlier ? 1 : 0);
}

/** Whether ranks are indexes. */
export function isInOrder(container: Container): boolean {
  return container.type === LIST && container.isOrdered;
}

/**
 * `rankOf` in a list in order, or among the keys of a map in key order.
 * @param from as many are known to be smaller (or not larger); the nearer the answer, the sooner it is found.
 */
export function search(
  container: Container,
  bytes: Uint8Array,
  at: number,
  end: number,
  isAfter: boolean,
  from = 0,
): number {
  const limit = isAfter ? 1 : 0;
  let low = from;
  let high = container.count;
  let step = from > 0 ? 1 : high;
  while (low < high) {
    const probe = step < high - low ? low + step - 1 : (low + high) >>> 1;
    const own = container.offsetOf(probe);
    if (own < 0) return -1;
    if (compare(container.bytes, own, container.end, bytes, at, end) < limit) {
      low = probe + 1;
      step *= 2;
    } else {
      high = probe;
      step = high;
    }
  }
  return low;
}
