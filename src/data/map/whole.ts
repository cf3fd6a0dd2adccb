/** Operations on a map as a whole: SET_TYPE, CLEAR, SIZE. Source: protocol 12, sections 1, 2 and 4. */
import { OK, OP_NOT_APPLICABLE, PARAMETER } from '../../base/result.js';
import type { CdtCall } from '../cdt/call.js';
import { answerInteger } from '../cdt/result.js';
import { beginChange, empty, endChange, keep } from './change.js';
import { isMapType, keptFlags } from './flags.js';

/** type. The pairs stay as they are, since unordered maps are kept in key order as well. */
export function setType(call: CdtCall): number {
  const { target } = call;
  const type = call.int(0);
  if (!isMapType(type)) return OP_NOT_APPLICABLE;
  const flags = keptFlags(type, call.isTopLevel);
  if (call.exists && flags === target.flags) return OK;
  if (target.count > 0 && target.offsetOf(target.count - 1) < 0) return PARAMETER;
  beginChange(call, target.count, flags, target.contentSize, 0);
  keep(target, 0, target.count);
  return endChange(call);
}

/** Leaves nothing but the flags. */
export function clear(call: CdtCall): number {
  const { target } = call;
  if (target.count > 0) empty(call, target.flags);
  return OK;
}

export function size(call: CdtCall): number {
  answerInteger(call, call.target.count);
  return OK;
}
