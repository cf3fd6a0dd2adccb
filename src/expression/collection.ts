/**
 * The entry to everything that an op on a list or map may be: an operation on one value, or one that selects or
 * modifies by a path through it.
 */
import { operateCdt } from '../data/cdt/operate.js';
import type { ValueOp } from '../data/value-op.js';

/** Runs one operation. @returns OK or a result code; see `Operate`. */
export function operateCollection(op: ValueOp): number {
  return operateCdt(op);
}
