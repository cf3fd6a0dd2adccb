/** INCREMENT of an element. Source: protocol 11, section 5. */
import { ELEMENT_EXISTS, OK, OP_NOT_APPLICABLE, PARAMETER, RECORD_TOO_BIG } from '../../base/result.js';
import type { CdtCall } from '../cdt/call.js';
import { particleOf } from '../cdt/element-particle.js';
import { rankOf } from '../cdt/rank.js';
import { SUM_SIZE_MAX, writeSum } from '../cdt/sum.js';
import { boundsOf, indexOfEqual, PADDING_MAX, placeOf } from './add.js';
import { beginChange, endChange, keep, out, pad } from './change.js';
import { ADD_UNIQUE, createdFlags, NO_FAIL } from './flags.js';

/** index, delta?, order?, flags? */
export function increment(call: CdtCall): number {
  const { target, scratch } = call;
  if (!call.exists) target.flags = createdFlags(call.flags(2), call.isTopLevel);
  const flags = call.flags(3);
  const index = placeOf(call, 0);
  if (index < 0) return OP_NOT_APPLICABLE;
  const padding = Math.max(0, index - target.count);
  const isThere = index < target.count;
  const at = isThere ? target.offsetOf(index) : -1;
  const next = isThere ? target.offsetOf(index + 1) : -1;
  if (isThere && (at < 0 || next < 0)) return PARAMETER;
  const hasDelta = call.hasArg(1);
  const sumAt = scratch.take(SUM_SIZE_MAX);
  const sum = scratch.bytes;
  const size = writeSum(
    target.bytes,
    at,
    next,
    call.bytes,
    hasDelta ? call.argAt[1]! : -1,
    hasDelta ? call.argAt[2]! : -1,
    false,
    sum,
    sumAt,
  );
  if (size < 0) return PARAMETER;
  if (target.isOrdered && index > target.count) return OP_NOT_APPLICABLE;
  particleOf(sum, sumAt, sumAt + size, scratch, call.result);
  // What is not done because of a policy still answers what it would have made.
  if (boundsOf(target, index, flags) !== OK) return (flags & NO_FAIL) !== 0 ? OK : OP_NOT_APPLICABLE;
  if (padding > PADDING_MAX) return RECORD_TOO_BIG;
  if ((flags & ADD_UNIQUE) !== 0 && indexOfEqual(target, sum, sumAt, sumAt + size, index) >= 0) {
    return (flags & NO_FAIL) !== 0 ? OK : ELEMENT_EXISTS;
  }
  const count = Math.max(target.count, index + 1);
  beginChange(call, count, target.flags, target.contentSize + padding + SUM_SIZE_MAX);
  const place = target.isOrdered ? rankOf(target, sum, sumAt, sumAt + size, true) : index;
  if (place < 0) return PARAMETER;
  keep(target, 0, Math.min(place, index));
  if (place > index) keep(target, index + 1, place);
  pad(padding);
  out.copy(sum, sumAt, size);
  if (place < index) keep(target, place, index);
  keep(target, Math.max(place, index + 1), target.count);
  return endChange(call);
}
