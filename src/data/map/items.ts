/** The writes of several pairs: ADD_ITEMS, PUT_ITEMS, REPLACE_ITEMS. Source: protocol 12, section 4. */
import { ELEMENT_EXISTS, ELEMENT_NOT_FOUND, OK, PARAMETER } from '../../base/result.js';
import type { CdtCall } from '../cdt/call.js';
import { Container } from '../cdt/container.js';
import { answerInteger } from '../cdt/result.js';
import { normaliseElement } from '../msgpack/normalise.js';
import { beginChange, empty, endChange, keep } from './change.js';
import { CREATE_ONLY, createdFlags, NO_FAIL, PARTIAL, UPDATE_ONLY } from './flags.js';
import { hasKey, lowerBound } from './key.js';

/** Memory for more items than this is given back after use. */
const KEPT_COUNT = 1 << 14;
/** UPDATE_ONLY, NO_FAIL and PARTIAL together: the reference adds all items to a map that is empty. */
const UPDATE_SOME = UPDATE_ONLY | NO_FAIL | PARTIAL;

/** The pairs sent, in their stored form, in key order. */
const items = new Container();
/** Where item k goes: twice the number of the pair that it comes before or replaces, plus 1 if it replaces; or LEFT. */
let places = new Uint32Array(64);
const LEFT = 0xffffffff;

/** Sums over the items that are written. */
let addedCount = 0;
let writtenCount = 0;
let contentSize = 0;

/** pairs, type? */
export function addItems(call: CdtCall): number {
  return putPairs(call, CREATE_ONLY);
}

/** pairs, type?, flags? */
export function putItems(call: CdtCall): number {
  return putPairs(call, call.flags(2));
}

/** pairs. It creates nothing, but says so itself: nothing of what was sent matters then. */
export function replaceItems(call: CdtCall): number {
  return call.exists ? putPairs(call, UPDATE_ONLY) : ELEMENT_NOT_FOUND;
}

function putPairs(call: CdtCall, flags: number): number {
  const { target, bytes, argAt, scratch } = call;
  if (!call.exists) target.flags = createdFlags(call.flags(1), call.isTopLevel);
  const sentAt = argAt[0]!;
  const sentSize = argAt[1]! - sentAt;
  const at = scratch.take(sentSize);
  const stored = scratch.bytes;
  const size = normaliseElement(bytes, sentAt, sentAt + sentSize, stored, at);
  if (size < 0 || !items.open(stored, at, at + size)) return PARAMETER;
  scratch.trim(at + size);
  const isFree = target.count === 0 && (flags & UPDATE_SOME) === UPDATE_SOME;
  let code = place(target, isFree ? flags & ~UPDATE_ONLY : flags);
  if (code === OK && writtenCount > 0) code = write(call);
  else if (code === OK && !call.exists && (call.depth === 0 || items.count === 0)) empty(call, target.flags);
  if (code === OK) answerInteger(call, target.count + addedCount);
  items.close();
  if (places.length > KEPT_COUNT) places = new Uint32Array(64);
  return code;
}

/** Finds the place of each item, or leaves it out, as the flags say. @returns OK or a result code. */
function place(target: Container, flags: number): number {
  if (places.length < items.count) places = new Uint32Array(Math.max(items.count, places.length * 2));
  addedCount = 0;
  writtenCount = 0;
  contentSize = target.contentSize;
  let index = 0;
  for (let k = 0; k < items.count; k++) {
    const at = items.offsetOf(k);
    const valueAt = items.valueOf(k);
    const next = items.offsetOf(k + 1);
    index = lowerBound(target, index, items.bytes, at, valueAt);
    if (index < 0 || at < 0 || valueAt < 0 || next < 0) return PARAMETER;
    const isThere = hasKey(target, index, items.bytes, at, valueAt);
    places[k] = LEFT;
    if ((flags & (isThere ? CREATE_ONLY : UPDATE_ONLY)) !== 0) {
      if ((flags & NO_FAIL) === 0) return isThere ? ELEMENT_EXISTS : ELEMENT_NOT_FOUND;
      if ((flags & PARTIAL) !== 0) continue;
      addedCount = 0;
      writtenCount = 0;
      return OK;
    }
    places[k] = index * 2 + (isThere ? 1 : 0);
    writtenCount++;
    contentSize += next - at;
    if (isThere) {
      const from = target.offsetOf(index);
      const to = target.offsetOf(index + 1);
      if (from < 0 || to < from) return PARAMETER;
      contentSize -= to - from;
    } else addedCount++;
  }
  return OK;
}

/** Writes the map with the items in their places. */
function write(call: CdtCall): number {
  const { target } = call;
  if (target.count > 0 && target.offsetOf(target.count - 1) < 0) return PARAMETER;
  beginChange(call, target.count + addedCount, target.flags, contentSize, 0);
  let from = 0;
  for (let k = 0; k < items.count; k++) {
    const placed = places[k]!;
    if (placed === LEFT) continue;
    const index = placed >>> 1;
    keep(target, from, index);
    keep(items, k, k + 1);
    from = index + (placed & 1);
  }
  keep(target, from, target.count);
  return endChange(call);
}
