/** Selection and modification by a path. Source: protocol 13, section 4. */
import { UNSUPPORTED_FEATURE } from '../base/result.js';
import { operateCdt } from '../data/cdt/operate.js';
import type { ValueOp } from '../data/value-op.js';
import type { Machine } from './machine.js';

/** Runs one operation. @returns OK or a result code; see `Operate`. */
export function operateCollectionOn(_machine: Machine, op: ValueOp): number {
  if (op.bytes[op.at + 1] === 0xcc && op.bytes[op.at + 2] === 0xfe) return UNSUPPORTED_FEATURE;
  return operateCdt(op);
}
