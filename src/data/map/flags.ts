/** Flags of map operations. Source: protocol 12, section 2. */
import { MAP_FLAGS, ORDERED, PERSIST_INDEX, VALUE_ORDERED } from '../msgpack/element.js';

/** Of writes: a key that is there is not written. */
export const CREATE_ONLY = 1;
/** Of writes: a key that is not there is not added. */
export const UPDATE_ONLY = 2;
/** Of writes: what may not be done is left, and that is a success. */
export const NO_FAIL = 4;
/** Of writes, with NO_FAIL: of several items those are written that may be. */
export const PARTIAL = 8;

/** @returns Whether these are flags that a map can have. */
export function isMapType(type: number): boolean {
  if (type < 0 || type > MAP_FLAGS) return false;
  const order = type & ~PERSIST_INDEX;
  return order === 0 || order === ORDERED || order === (ORDERED | VALUE_ORDERED);
}

/** Flags of a map that is given a known type. */
export function keptFlags(type: number, isTopLevel: boolean): number {
  return isTopLevel ? type : type & ~PERSIST_INDEX;
}

/** Flags of a map that a write creates: anything unknown is unordered. */
export function createdFlags(type: number, isTopLevel: boolean): number {
  return isMapType(type) ? keptFlags(type, isTopLevel) : 0;
}
