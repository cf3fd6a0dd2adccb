/** Operations on a whole list: its type, its order, its size. Source: protocol 11, section 5. */
import { OK, OP_NOT_APPLICABLE, PARAMETER } from '../../base/result.js';
import type { CdtCall } from '../cdt/call.js';
import type { Container } from '../cdt/container.js';
import { answerInteger, beginSelection, order, selection } from '../cdt/result.js';
import { compare } from '../msgpack/compare.js';
import { LIST_FLAGS, ORDERED } from '../msgpack/element.js';
import { beginChange, endChange, keep } from './change.js';
import { createdFlags, DESCENDING, DROP_DUPLICATES } from './flags.js';
import { removeSelected } from './remove.js';
import { byIndexRange } from './select.js';

/** type */
export function setType(call: CdtCall): number {
  const { target } = call;
  const type = call.int(0);
  if (type < 0 || (type & ~LIST_FLAGS) !== 0 || type > LIST_FLAGS) return OP_NOT_APPLICABLE;
  const flags = createdFlags(type, call.isTopLevel);
  if (call.exists && flags === target.flags) return OK;
  const isSorting = (flags & ORDERED) !== 0 && !target.isOrdered;
  return isSorting ? rewriteSorted(call, flags, 0) : rewrite(call, flags);
}

/** flags? */
export function sort(call: CdtCall): number {
  const { target } = call;
  const flags = call.flags(0);
  if (target.count <= 1) return OK;
  if (!target.isOrdered && (flags & DESCENDING) !== 0 && (flags & DROP_DUPLICATES) !== 0) return PARAMETER;
  return rewriteSorted(call, target.flags, flags);
}

export function clear(call: CdtCall): number {
  const { target } = call;
  const flags = target.flags & ORDERED;
  beginChange(call, 0, flags, 0);
  return endChange(call);
}

/** index, count */
export function trim(call: CdtCall): number {
  beginSelection(call);
  byIndexRange(call, 0);
  selection.invert();
  answerInteger(call, selection.count);
  return removeSelected(call);
}

export function size(call: CdtCall): number {
  answerInteger(call, call.target.count);
  return OK;
}

/** Writes the list under other flags. */
function rewrite(call: CdtCall, flags: number): number {
  const { target } = call;
  if (target.count > 0 && target.offsetOf(target.count - 1) < 0) return PARAMETER;
  beginChange(call, target.count, flags, target.contentSize);
  keep(target, 0, target.count);
  return endChange(call);
}

/** Writes the list in order. @param sorting flags of SORT. */
function rewriteSorted(call: CdtCall, flags: number, sorting: number): number {
  const { target } = call;
  if (!order.sortByValue(target)) return PARAMETER;
  const count = (sorting & DROP_DUPLICATES) !== 0 ? dropDuplicates(target) : target.count;
  beginChange(call, count, flags, target.contentSize);
  const isDescending = (sorting & DESCENDING) !== 0 && !target.isOrdered;
  for (let k = 0; k < count; k++) {
    const index = order.sorted[isDescending ? count - 1 - k : k]!;
    keep(target, index, index + 1);
  }
  order.release();
  return endChange(call);
}

/** Leaves the first of each run of equal elements in the order. @returns How many those are. */
function dropDuplicates(target: Container): number {
  const { sorted } = order;
  let count = 0;
  for (let k = 0; k < target.count; k++) {
    const index = sorted[k]!;
    const isEqual =
      count > 0 &&
      compare(
        target.bytes,
        target.offsetOf(sorted[count - 1]!),
        target.end,
        target.bytes,
        target.offsetOf(index),
        target.end,
      ) === 0;
    if (!isEqual) sorted[count++] = index;
  }
  return count;
}
