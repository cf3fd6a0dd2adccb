/**
 * The entry for ops of commands on lists and maps: an operation on one value, or one that selects or modifies by a
 * path through it.
 */
import type { ValueOp } from '../data/value-op.js';
import { machine } from './evaluate.js';
import { operateCollectionOn } from './path.js';

/** Runs one operation. @returns OK or a result code; see `Operate`. */
export function operateCollection(op: ValueOp): number {
  return operateCollectionOn(machine, op);
}
