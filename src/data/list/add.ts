/** APPEND, INSERT and SET, of one value and of several. Source: protocol 11, section 5. */
import { ELEMENT_EXISTS, OK, OP_NOT_APPLICABLE, PARAMETER, RECORD_TOO_BIG } from '../../base/result.js';
import type { CdtCall } from '../cdt/call.js';
import { countScan } from '../cdt/compared.js';
import type { Container } from '../cdt/container.js';
import { rankOf, search } from '../cdt/rank.js';
import { answerInteger } from '../cdt/result.js';
import { mayHoldMap } from '../msgpack/comparable.js';
import { compare } from '../msgpack/compare.js';
import { nextOf } from '../msgpack/element.js';
import { normaliseElement } from '../msgpack/normalise.js';
import { beginChange, endChange, keep, out, pad } from './change.js';
import { ADD_UNIQUE, createdFlags, INSERT_BOUNDED, NO_FAIL } from './flags.js';
import { added, chooseItems, items, openItems } from './items.js';

const INDEX_MAX = 0x7fffffff;
/** Nils that are put in up to an index beyond the end; an index further off takes more than a record holds. */
export const PADDING_MAX = 1 << 20;

/** The value of a write as it is compared with elements: a list or map in the form in which it will be stored. */
const value = { bytes: new Uint8Array(0) as Uint8Array, at: 0, end: 0 };

/** value, order?, flags? */
export function append(call: CdtCall): number {
  const { target } = call;
  const listFlags = call.exists ? target.flags : createdFlags(call.flags(1), call.isTopLevel);
  target.flags = listFlags;
  const flags = call.flags(2);
  let place = target.count;
  if (target.isOrdered) {
    readValue(call, 0);
    place = rankOf(target, value.bytes, value.at, value.end, true);
    if (place < 0) return PARAMETER;
  }
  return addOne(call, 0, place, flags);
}

/** index, value, flags? */
export function insert(call: CdtCall): number {
  const { target } = call;
  const index = placeOf(call, 0);
  if (target.isOrdered || index < 0) return OP_NOT_APPLICABLE;
  return addOne(call, 1, index, call.flags(2));
}

/** index, value, flags? */
export function set(call: CdtCall): number {
  const { target } = call;
  const index = placeOf(call, 0);
  const flags = call.flags(2);
  if (target.isOrdered || index < 0) return OP_NOT_APPLICABLE;
  if (index >= target.count) {
    const code = addOne(call, 1, index, flags);
    call.result.clear();
    return code;
  }
  if ((flags & ADD_UNIQUE) !== 0) {
    readValue(call, 1);
    if (indexOfEqual(target, value.bytes, value.at, value.end, index) >= 0)
      return (flags & NO_FAIL) !== 0 ? OK : ELEMENT_EXISTS;
  }
  if (target.offsetOf(index) < 0 || target.offsetOf(index + 1) < 0) return PARAMETER;
  beginChange(call, target.count, target.flags, target.contentSize + call.argAt[2]! - call.argAt[1]!);
  keep(target, 0, index);
  if (!put(call, 1)) return PARAMETER;
  keep(target, index + 1, target.count);
  return endChange(call);
}

/** list of values, order?, flags? */
export function appendItems(call: CdtCall): number {
  const { target } = call;
  if (!call.exists) target.flags = createdFlags(call.flags(1), call.isTopLevel);
  if (openItems(call, 0) !== OK) return PARAMETER;
  return addItems(call, target.count, call.flags(2));
}

/** index, list of values, flags? */
export function insertItems(call: CdtCall): number {
  const { target } = call;
  if (target.isOrdered) return OP_NOT_APPLICABLE;
  if (openItems(call, 1) !== OK) return PARAMETER;
  // Without items the index does not matter.
  const index = items.count === 0 ? 0 : placeOf(call, 0);
  return index < 0 ? OP_NOT_APPLICABLE : addItems(call, index, call.flags(2));
}

/** The index that argument `k` means to write at, which may lie beyond the end; -1 when it can be none. */
export function placeOf(call: CdtCall, k: number): number {
  const index = call.int(k);
  if (index > INDEX_MAX) return -1;
  return index < 0 ? Math.max(-1, call.target.count + index) : index;
}

/** Adds argument `k` at `place` and answers the new size. */
function addOne(call: CdtCall, k: number, place: number, flags: number): number {
  const { target } = call;
  const at = call.argAt[k]!;
  const end = call.argAt[k + 1]!;
  let code = boundsOf(target, place, flags);
  if (code === OK && (flags & ADD_UNIQUE) !== 0) {
    readValue(call, k);
    if (indexOfEqual(target, value.bytes, value.at, value.end, -1) >= 0) code = ELEMENT_EXISTS;
  }
  if (code !== OK) return refuse(call, code, flags);
  const padding = Math.max(0, place - target.count);
  if (padding > PADDING_MAX) return RECORD_TOO_BIG;
  if (place < target.count && target.offsetOf(place) < 0) return PARAMETER;
  const count = target.count + padding + 1;
  beginChange(call, count, target.flags, target.contentSize + padding + end - at);
  keep(target, 0, Math.min(place, target.count));
  pad(padding);
  if (!put(call, k)) return PARAMETER;
  keep(target, place, target.count);
  if (endChange(call) !== OK) return PARAMETER;
  answerInteger(call, count);
  return OK;
}

/** Adds the items at `place`, or each in its place in an ordered list, and answers the new size. */
function addItems(call: CdtCall, place: number, flags: number): number {
  const { target } = call;
  let code = boundsOf(target, place, flags);
  if (code === OK) code = chooseItems(call, flags);
  if (code === PARAMETER) return code;
  if (code !== OK) return refuse(call, code, flags);
  const padding = added.count === 0 ? 0 : Math.max(0, place - target.count);
  if (padding > PADDING_MAX) return RECORD_TOO_BIG;
  if (target.count > 0 && target.offsetOf(target.count - 1) < 0) return PARAMETER;
  const count = target.count + padding + added.count;
  if (added.count > 0 || !call.exists) {
    beginChange(call, count, target.flags, target.contentSize + padding + items.contentSize);
    if (target.isOrdered) {
      if (!merge(target)) return PARAMETER;
    } else {
      keep(target, 0, Math.min(place, target.count));
      pad(padding);
      if (!added.isPicked) keep(items, 0, items.count);
      else for (let n = 0; n < added.count; n++) keep(items, added.at(n), added.at(n) + 1);
      keep(target, place, target.count);
    }
    if (endChange(call) !== OK) return PARAMETER;
  }
  answerInteger(call, count);
  return OK;
}

/** Puts the added items, which are in order, into the target, each behind the elements equal to it. @returns false when it is malformed. */
function merge(target: Container): boolean {
  let from = 0;
  for (let n = 0; n < added.count; n++) {
    const item = added.at(n);
    const place = search(target, items.bytes, items.offsetOf(item), items.end, true, from);
    if (place < 0) return false;
    keep(target, from, place);
    keep(items, item, item + 1);
    from = place;
  }
  keep(target, from, target.count);
  return true;
}

/** Whether a write may go to `place`, which may be beyond the end. @returns OK or OP_NOT_APPLICABLE. */
export function boundsOf(target: Container, place: number, flags: number): number {
  return place > target.count && (flags & INSERT_BOUNDED) !== 0 ? OP_NOT_APPLICABLE : OK;
}

/** The policy forbids it: that is the code, or with NO_FAIL a success that adds nothing, though to a bin that is made,
 * and answers the size. */
function refuse(call: CdtCall, code: number, flags: number): number {
  if ((flags & NO_FAIL) === 0) return code;
  if (!call.exists && call.depth === 0) {
    beginChange(call, 0, call.target.flags, 0);
    endChange(call);
  }
  answerInteger(call, call.target.count);
  return OK;
}

/** Writes argument `k` in its stored form. @returns false when it is none to be stored. */
function put(call: CdtCall, k: number): boolean {
  const size = normaliseElement(call.bytes, call.argAt[k]!, call.argAt[k + 1]!, out.bytes, out.at);
  if (size < 0) return false;
  out.at += size;
  return true;
}

/** Makes argument `k` the value that is compared; one that is none to be stored as it came. */
function readValue(call: CdtCall, k: number): void {
  value.bytes = call.bytes;
  value.at = call.argAt[k]!;
  value.end = call.argAt[k + 1]!;
  if (!mayHoldMap(value.bytes[value.at]!)) return;
  const at = call.scratch.take(value.end - value.at);
  const { bytes } = call.scratch;
  const size = normaliseElement(value.bytes, value.at, value.end, bytes, at);
  if (size < 0) return;
  value.bytes = bytes;
  value.at = at;
  value.end = at + size;
}

/** The first element other than `skipped` that equals a value, or -1. */
export function indexOfEqual(
  target: Container,
  bytes: Uint8Array,
  at: number,
  end: number,
  skipped: number,
): number {
  let p = target.contentAt;
  for (let index = 0; index < target.count; index++) {
    if (index !== skipped && compare(target.bytes, p, target.end, bytes, at, end) === 0) {
      countScan(p - target.contentAt, index);
      return index;
    }
    p = nextOf(target.bytes, p, target.end);
    if (p < 0) return -1;
  }
  countScan(target.contentSize, target.count);
  return -1;
}
