/**
 * The ops of a command that operate on one value: lists, maps, bits and HyperLogLogs. The operation sees the bin's
 * value and its own body; what it answers and what it leaves behind come back as spans and are not copied.
 * Source: protocol 18, section 6.
 */
import { OK } from '../../base/result.js';
import { operateBits } from '../../data/bit/operate.js';
import { compared } from '../../data/cdt/compared.js';
import { operateHll } from '../../data/hll/operate.js';
import { NULL } from '../../data/type.js';
import type { Operate } from '../../data/value-op.js';
import { operateCollection } from '../../expression/collection.js';
import { sortMaps } from '../../expression/literal.js';
import {
  OP_BITS_MODIFY,
  OP_BITS_READ,
  OP_CDT_MODIFY,
  OP_CDT_READ,
  OP_HLL_MODIFY,
  OP_HLL_READ,
} from '../../wire/message.js';
import type { Executor } from './executor.js';
import { opEnd, opValueAt } from './request.js';

/** Indexed by op code; a hole is an op of another kind. */
export const VALUE_OPS: ReadonlyArray<Operate | undefined> = (() => {
  const table: (Operate | undefined)[] = new Array(256).fill(undefined);
  table[OP_CDT_READ] = operateCollection;
  table[OP_CDT_MODIFY] = operateCollection;
  table[OP_BITS_READ] = operateBits;
  table[OP_BITS_MODIFY] = operateBits;
  table[OP_HLL_READ] = operateHll;
  table[OP_HLL_MODIFY] = operateHll;
  return table;
})();

/**
 * What looking at a byte of a value counts for, in bytes copied, and what going over one in comparing elements does. So a
 * command with thousands of operations on one large bin ends with code 13, and does not hold its worker for minutes.
 */
const LOOK_COST = 0.5;
const COMPARED_COST = 0.25;

/**
 * Runs the op at `p` on bin `bin`, or on no bin when that is -1, and leaves what it says in the executor's `valueOp`.
 * The bins are not touched.
 * @returns OK or the operation's code.
 */
export function runValueOp(
  ex: Executor,
  operate: Operate,
  bytes: Uint8Array,
  p: number,
  bin: number,
  isModify: boolean,
): number {
  const op = ex.valueOp;
  if (bin < 0) op.target.clear();
  else {
    ex.bins.value(bin, op.target);
    if (ex.bins.hasUnsortedMap) sortMaps(op.target, ex.scratch);
  }
  ex.scratch.charge(op.target.size * LOOK_COST);
  op.bytes = bytes;
  op.at = opValueAt(bytes, p);
  op.end = opEnd(bytes, p);
  op.isModify = isModify;
  op.bodyType = bytes[p + 5]!;
  const before = compared.size;
  const code = operate(op);
  ex.scratch.charge((compared.size - before) * COMPARED_COST);
  return code;
}

/** Runs an op that may change its bin. @returns OK, with the bin changed and the result in `valueOp`, or a code. */
export function modifyValue(
  ex: Executor,
  operate: Operate,
  bytes: Uint8Array,
  p: number,
  bin: number,
): number {
  const code = runValueOp(ex, operate, bytes, p, bin, true);
  if (code !== OK) return code;
  const op = ex.valueOp;
  if (!op.isChanged) return OK;
  if (op.changed.type !== NULL) ex.bins.putValue(bin, bytes, p, op.changed);
  else if (bin >= 0) ex.bins.remove(bin);
  return OK;
}
