/** Reading and removing what a selector means. Source: protocol 11, sections 1 and 3. */
import { OK, OP_NOT_APPLICABLE, PARAMETER } from '../../base/result.js';
import type { CdtCall } from '../cdt/call.js';
import {
  answerSelection,
  beginSelection,
  INVERTED,
  order,
  RETURN_TYPE_MASK,
  selection,
  VALUE_PART,
} from '../cdt/result.js';
import { ORDERED } from '../msgpack/element.js';
import { beginChange, endChange, keep } from './change.js';
import type { Selector } from './select.js';

/**
 * Answers what is selected.
 * @param type      return type, perhaps with INVERTED.
 * @param k         the selector's first argument.
 * @param isSingle  of one element at most.
 * @param isRemoved the selected elements are removed.
 * @returns OK or a result code.
 */
export function runSelection(
  call: CdtCall,
  selector: Selector,
  type: number,
  k: number,
  isSingle: boolean,
  isRemoved: boolean,
): number {
  const returnType = type & RETURN_TYPE_MASK;
  const isInverted = (type & INVERTED) !== 0;
  if (isInverted && isSingle) return OP_NOT_APPLICABLE;
  beginSelection(call);
  let code = selector(call, k, returnType);
  if (code === OK && isInverted) selection.invert();
  if (code === OK) code = answerSelection(call, returnType, isSingle, VALUE_PART);
  if (code === OK && isRemoved) code = removeSelected(call);
  order.release();
  selection.release();
  return code;
}

/** The list without what is selected. A list that becomes empty does not keep an index. */
export function removeSelected(call: CdtCall): number {
  const { target } = call;
  selection.toIndexes(order);
  selection.ascend();
  const { count } = selection;
  if (count === 0) return OK;
  const left = target.count - count;
  if (left > 0 && target.offsetOf(target.count - 1) < 0) return PARAMETER;
  beginChange(call, left, left === 0 ? target.flags & ORDERED : target.flags, target.contentSize);
  let from = 0;
  for (let k = 0; k < count; k++) {
    const index = selection.at(k);
    keep(target, from, index);
    from = index + 1;
  }
  keep(target, from, target.count);
  return endChange(call);
}
