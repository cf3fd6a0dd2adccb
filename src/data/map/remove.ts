/** Reading and removing what a selector means. Source: protocol 12, sections 1 and 3. */
import { OK, OP_NOT_APPLICABLE, PARAMETER } from '../../base/result.js';
import type { CdtCall } from '../cdt/call.js';
import {
  answerBool,
  answerContainer,
  answerElement,
  answerElements,
  answerSelection,
  beginSelection,
  INVERTED,
  KEY_PART,
  order,
  RETURN_EXISTS,
  RETURN_INDEX_RANGE,
  RETURN_KEY,
  RETURN_KEY_VALUE,
  RETURN_ORDERED_MAP,
  RETURN_REVERSE_RANK_RANGE,
  RETURN_TYPE_MASK,
  RETURN_UNORDERED_MAP,
  selection,
  VALUE_PART,
  WHOLE_PART,
} from '../cdt/result.js';
import { ORDERED, PRESERVE_ORDER } from '../msgpack/element.js';
import { MAP } from '../type.js';
import { beginChange, endChange, keep, splice } from './change.js';
import { byKeyInterval, type Selector } from './select.js';

/**
 * Answers what is selected.
 * @param type      return type, perhaps with INVERTED.
 * @param k         the selector's first argument.
 * @param isSingle  of one pair at most.
 * @param isRemoved the selected pairs are removed.
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
  const isRange = returnType >= RETURN_INDEX_RANGE && returnType <= RETURN_REVERSE_RANK_RANGE;
  if (isInverted && isRange) return OP_NOT_APPLICABLE;
  beginSelection(call);
  let code = selector(call, k, returnType, isInverted);
  if (code === OK) code = answer(call, returnType, isSingle);
  if (code === OK && isInverted && selector === byKeyInterval) answerLost(call, returnType);
  if (code === OK && isRemoved) code = removeSelected(call);
  order.release();
  selection.release();
  return code;
}

/** Of an unordered map everything but an interval of keys exists when no key was in the interval, even if there is none. */
function answerLost(call: CdtCall, returnType: number): void {
  if (returnType !== RETURN_EXISTS || call.target.isOrdered) return;
  answerBool(call, selection.count === selection.size);
}

function answer(call: CdtCall, returnType: number, isSingle: boolean): number {
  switch (returnType) {
    case RETURN_KEY:
      return isSingle ? answerElement(call, KEY_PART) : answerElements(call, KEY_PART);
    case RETURN_KEY_VALUE:
      return answerContainer(call, MAP, PRESERVE_ORDER, WHOLE_PART);
    case RETURN_UNORDERED_MAP:
      return answerContainer(call, MAP, 0, WHOLE_PART);
    case RETURN_ORDERED_MAP:
      selection.ascend();
      return answerContainer(call, MAP, ORDERED, WHOLE_PART);
    default:
      return answerSelection(call, returnType, isSingle, VALUE_PART);
  }
}

/** The map without what is selected. */
function removeSelected(call: CdtCall): number {
  const { target } = call;
  selection.toIndexes(order);
  selection.ascend();
  const { count } = selection;
  if (count === 0) return OK;
  const first = selection.at(0);
  if (selection.at(count - 1) - first === count - 1) {
    return splice(call, first, count, 0, target.bytes, 0, 0, 0);
  }
  let contentSize = target.contentSize;
  if (target.offsetOf(target.count - 1) < 0) return PARAMETER;
  for (let k = 0; k < count; k++) {
    const index = selection.at(k);
    contentSize -= target.offsetOf(index + 1) - target.offsetOf(index);
  }
  beginChange(call, target.count - count, target.flags, contentSize, 0);
  let from = 0;
  for (let k = 0; k < count; k++) {
    const index = selection.at(k);
    keep(target, from, index);
    from = index + 1;
  }
  keep(target, from, target.count);
  return endChange(call);
}
