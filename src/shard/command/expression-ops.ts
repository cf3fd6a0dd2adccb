/**
 * The ops of a command that read or write by an expression on the record as it is within the command. Source: protocol
 * 16, section 7.
 */
import { BIN_EXISTS, BIN_NOT_FOUND, OK, OP_NOT_APPLICABLE } from '../../base/result.js';
import { checkWrite, writeStored } from '../../data/particle.js';
import type { ParticleSpan } from '../../data/particle-span.js';
import { GEOJSON, NULL } from '../../data/type.js';
import { evaluateValue } from '../../expression/evaluate.js';
import { mayBeUnsorted, sortMaps } from '../../expression/literal.js';
import {
  EXP_ALLOW_DELETE,
  EXP_CREATE_ONLY,
  EXP_EVAL_NO_FAIL,
  EXP_POLICY_NO_FAIL,
  EXP_UPDATE_ONLY,
  type ExpressionOperation,
} from '../../expression/operation.js';
import type { Executor } from './executor.js';
import { opEnd, opValueAt } from './request.js';

/** Evaluates the read op at `p`. The executor's view shows the record. @returns OK with `out` set, type NULL: nothing; or a code. */
export function readByExpression(ex: Executor, bytes: Uint8Array, p: number, out: ParticleSpan): number {
  const op = ex.expression;
  const valueAt = opValueAt(bytes, p);
  const code = op.parse(ex.programs, bytes, valueAt, opEnd(bytes, p) - valueAt, false);
  if (code !== OK) return code;
  const ending = evaluateValue(op.program!, ex.view, ex.scratch, out);
  if (ending === OK) return OK;
  out.clear();
  return isEvaluationSilent(op) ? OK : OP_NOT_APPLICABLE;
}

/** Makes what the op at `p` evaluates to the value of bin `bin`, which is -1 where there is none. @returns OK or a code. */
export function writeByExpression(ex: Executor, bytes: Uint8Array, p: number, bin: number): number {
  const { expression: op, value, bins } = ex;
  const valueAt = opValueAt(bytes, p);
  const code = op.parse(ex.programs, bytes, valueAt, opEnd(bytes, p) - valueAt, true);
  if (code !== OK) return code;
  const isPolicySilent = (op.flags & EXP_POLICY_NO_FAIL) !== 0;
  if ((op.flags & EXP_CREATE_ONLY) !== 0 && bin >= 0) return isPolicySilent ? OK : BIN_EXISTS;
  if ((op.flags & EXP_UPDATE_ONLY) !== 0 && bin < 0) return isPolicySilent ? OK : BIN_NOT_FOUND;
  const ending = evaluateValue(op.program!, ex.view, ex.scratch, value);
  if (ending !== OK) return isEvaluationSilent(op) ? OK : OP_NOT_APPLICABLE;
  if (value.type === NULL) {
    if (bin < 0) return OK;
    if ((op.flags & EXP_ALLOW_DELETE) !== 0) bins.remove(bin);
    // As observed on the reference: any flag at all makes this a silent no-op.
    else if (op.flags === 0) return OP_NOT_APPLICABLE;
    return OK;
  }
  if (value.type === GEOJSON) {
    const size = checkWrite(GEOJSON, value.bytes, value.at, value.size); // the stored form has cells
    if (size < 0) return -size;
    const at = ex.scratch.take(size);
    const out = ex.scratch.bytes;
    writeStored(GEOJSON, value.bytes, value.at, value.size, out, at);
    value.set(GEOJSON, out, at, size);
  }
  if (mayBeUnsorted(value, op.program!)) {
    const sorted = ex.valueOp.target;
    sorted.copy(value);
    if (sortMaps(sorted, ex.scratch)) bins.hasUnsortedMap = true;
  }
  bins.putValue(bin, bytes, p, value);
  return OK;
}

/** Whether a result that is unknown, or none that a bin can have, is nothing to fail for. Source: the clients' EVAL_NO_FAIL. */
function isEvaluationSilent(op: ExpressionOperation): boolean {
  return (op.flags & EXP_EVAL_NO_FAIL) !== 0;
}
