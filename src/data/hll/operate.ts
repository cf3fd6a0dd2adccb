/** The entry to HyperLogLog operations (protocol 15). */
import { UNSUPPORTED_FEATURE } from '../../base/result.js';
import type { ValueOp } from '../value-op.js';

/** Runs one operation. @returns OK or a result code; see `Operate`. */
export function operateHll(op: ValueOp): number {
  op.begin();
  return UNSUPPORTED_FEATURE;
}
