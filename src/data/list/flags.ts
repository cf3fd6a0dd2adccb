/** Flags of list operations. Source: protocol 11, section 2. */
import { ORDERED, PERSIST_INDEX } from '../msgpack/element.js';

/** Of writes: an element equal to another one is not added. */
export const ADD_UNIQUE = 1;
/** Of writes: an index beyond the end is not filled up to. */
export const INSERT_BOUNDED = 2;
/** Of writes: what may not be done is left, and that is a success. */
export const NO_FAIL = 4;
/** Of writes, with NO_FAIL: of several items those are added that may be. */
export const PARTIAL = 8;

/** Of SORT. */
export const DESCENDING = 1;
export const DROP_DUPLICATES = 2;

/** Flags of a list that an operation creates, or that SET_TYPE gives it: anything unknown is unordered. */
export function createdFlags(order: number, isTopLevel: boolean): number {
  const known = order < 0 || order > (ORDERED | PERSIST_INDEX) ? 0 : order & (ORDERED | PERSIST_INDEX);
  return isTopLevel ? known : known & ORDERED;
}
