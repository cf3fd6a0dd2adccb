/**
 * The values that APPEND_ITEMS and INSERT_ITEMS bring, in the form in which they are stored, and which of them are
 * added where elements have to be unique.
 */
import { ELEMENT_EXISTS, OK, OP_NOT_APPLICABLE, PARAMETER } from '../../base/result.js';
import type { CdtCall } from '../cdt/call.js';
import { Container } from '../cdt/container.js';
import { Order } from '../cdt/order.js';
import { order } from '../cdt/result.js';
import { Selection } from '../cdt/selection.js';
import { compare } from '../msgpack/compare.js';
import { normaliseElement } from '../msgpack/normalise.js';
import { ADD_UNIQUE, NO_FAIL, PARTIAL } from './flags.js';

/** The items, in their own list in scratch memory. */
export const items = new Container();
/** Their order by value, when `sortItems` was called. */
export const itemOrder = new Order();
/** Those that are added: in the order of values to an ordered list, otherwise in the order in which they came. */
export const added = new Selection();

/** Reads argument `k`. @returns OK or PARAMETER. */
export function openItems(call: CdtCall, k: number): number {
  const at = call.argAt[k]!;
  const end = call.argAt[k + 1]!;
  const stored = call.scratch.take(end - at);
  const { bytes } = call.scratch;
  const size = normaliseElement(call.bytes, at, end, bytes, stored);
  if (size < 0 || !items.open(bytes, stored, stored + size)) return PARAMETER;
  itemOrder.clear();
  added.begin(items.count);
  added.selectRun(0, items.count);
  return OK;
}

/** How many elements of the target are smaller than the item looked at. */
let rank = 0;

/**
 * Leaves those items in `added` that the list takes.
 * @returns OK, or OP_NOT_APPLICABLE for an item that equals an earlier one, ELEMENT_EXISTS for one that is in the
 * list: whichever item comes first, but in an ordered list any that are equal.
 */
export function chooseItems(call: CdtCall, flags: number): number {
  const { target } = call;
  if ((flags & ADD_UNIQUE) === 0) return target.isOrdered ? pickInOrder() : OK;
  const isPartial = (flags & NO_FAIL) !== 0 && (flags & PARTIAL) !== 0;
  if (!itemOrder.sortByValue(items) || !order.sortByValue(target)) return PARAMETER;
  added.begin(items.count);
  let repeated = items.count; // the first item that equals an earlier one
  let known = items.count; // the first that is in the list
  let last = -1;
  rank = 0;
  for (let k = 0; k < items.count; k++) {
    const item = itemOrder.sorted[k]!;
    const at = items.offsetOf(item);
    if (
      last >= 0 &&
      compare(items.bytes, itemOrder.valueAt(last), items.end, items.bytes, at, items.end) === 0
    ) {
      repeated = Math.min(repeated, item);
    } else if (isKnown(target, at)) known = Math.min(known, item);
    else added.pick(item);
    last = item;
  }
  if (!target.isOrdered) added.ascend();
  if (isPartial || (repeated === items.count && known === items.count)) return OK;
  return repeated < known || (target.isOrdered && repeated < items.count)
    ? OP_NOT_APPLICABLE
    : ELEMENT_EXISTS;
}

/** Whether the target, sorted before, has an element equal to the item at `at`, which is larger than those asked before. */
function isKnown(target: Container, at: number): boolean {
  rank = order.rankOf(target, items.bytes, at, items.end, false, rank);
  if (rank === target.count) return false;
  const own = order.valueAt(order.sorted[rank]!);
  return compare(target.bytes, own, target.end, items.bytes, at, items.end) === 0;
}

function pickInOrder(): number {
  if (!itemOrder.sortByValue(items)) return PARAMETER;
  added.begin(items.count);
  for (let k = 0; k < items.count; k++) added.pick(itemOrder.sorted[k]!);
  return OK;
}
