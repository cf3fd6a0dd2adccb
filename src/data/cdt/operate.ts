/** The entry to list and map operations (protocol 11 to 13). */
import { UNSUPPORTED_FEATURE } from '../../base/result.js';
import type { ValueOp } from '../value-op.js';

/** Runs one operation. @returns OK or a result code; see `Operate`. */
export function operateCdt(op: ValueOp): number {
  op.begin();
  return UNSUPPORTED_FEATURE;
}
