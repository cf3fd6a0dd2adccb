/** The writes of one pair: ADD, PUT, REPLACE, INCREMENT, DECREMENT. Source: protocol 12, section 4. */
import { ELEMENT_EXISTS, ELEMENT_NOT_FOUND, OK, PARAMETER } from '../../base/result.js';
import type { CdtCall } from '../cdt/call.js';
import { particleOf } from '../cdt/element-particle.js';
import { answerInteger } from '../cdt/result.js';
import { SUM_SIZE_MAX, writeSum } from '../cdt/sum.js';
import { normaliseElement } from '../msgpack/normalise.js';
import { empty, splice } from './change.js';
import { CREATE_ONLY, createdFlags, NO_FAIL, UPDATE_ONLY } from './flags.js';
import { hasKey, isKey, lowerBound } from './key.js';

/** key, value, type? */
export function add(call: CdtCall): number {
  return putPair(call, CREATE_ONLY);
}

/** key, value, type?, flags? */
export function put(call: CdtCall): number {
  return putPair(call, call.flags(3));
}

/** key, value */
export function replace(call: CdtCall): number {
  return putPair(call, UPDATE_ONLY);
}

function putPair(call: CdtCall, flags: number): number {
  const { target, bytes, argAt, scratch } = call;
  if (!call.exists) target.flags = createdFlags(call.flags(2), call.isTopLevel);
  const keyAt = argAt[0]!;
  const sentAt = argAt[1]!;
  const sentEnd = argAt[2]!;
  if (!isKey(bytes, keyAt, sentAt)) return PARAMETER;
  const at = scratch.take(sentEnd - keyAt);
  const pair = scratch.bytes;
  const valueAt = at + normaliseElement(bytes, keyAt, sentAt, pair, at);
  const valueSize = normaliseElement(bytes, sentAt, sentEnd, pair, valueAt);
  if (valueSize < 0) return PARAMETER;
  const end = valueAt + valueSize;
  scratch.trim(end);
  const index = lowerBound(target, 0, pair, at, valueAt);
  if (index < 0) return PARAMETER;
  const isThere = hasKey(target, index, pair, at, valueAt);
  let count = target.count;
  if ((flags & (isThere ? CREATE_ONLY : UPDATE_ONLY)) !== 0) {
    if ((flags & NO_FAIL) === 0) return isThere ? ELEMENT_EXISTS : ELEMENT_NOT_FOUND;
    if (!call.exists && call.depth === 0) empty(call, target.flags);
  } else {
    if (!isThere) count++;
    const code = splice(call, index, isThere ? 1 : 0, 1, pair, at, valueAt, end - at);
    if (code !== OK) return code;
  }
  answerInteger(call, count);
  return OK;
}

/** key, delta?, type? */
export function increment(call: CdtCall): number {
  return addNumber(call, false);
}

/** key, delta?, type? */
export function decrement(call: CdtCall): number {
  return addNumber(call, true);
}

function addNumber(call: CdtCall, isDifference: boolean): number {
  const { target, bytes, argAt, scratch } = call;
  if (!call.exists) target.flags = createdFlags(call.flags(2), call.isTopLevel);
  const keyAt = argAt[0]!;
  const keyEnd = argAt[1]!;
  if (!isKey(bytes, keyAt, keyEnd)) return PARAMETER;
  const index = lowerBound(target, 0, bytes, keyAt, keyEnd);
  if (index < 0) return PARAMETER;
  const isThere = hasKey(target, index, bytes, keyAt, keyEnd);
  const at = scratch.take(keyEnd - keyAt + SUM_SIZE_MAX);
  const pair = scratch.bytes;
  const valueAt = at + normaliseElement(bytes, keyAt, keyEnd, pair, at);
  const size = writeSum(
    target.bytes,
    isThere ? target.valueOf(index) : -1,
    target.end,
    bytes,
    call.hasArg(1) ? keyEnd : -1,
    call.hasArg(1) ? argAt[2]! : -1,
    isDifference,
    pair,
    valueAt,
  );
  if (size < 0) return PARAMETER;
  const end = valueAt + size;
  scratch.trim(end);
  const code = splice(call, index, isThere ? 1 : 0, 1, pair, at, valueAt, end - at);
  if (code !== OK) return code;
  return particleOf(pair, valueAt, end, scratch, call.result) ? OK : PARAMETER;
}
