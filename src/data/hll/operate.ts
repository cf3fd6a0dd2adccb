/** The entry to HyperLogLog operations: what holds for all of them. Source: protocol 15, section 3. */
import { BIN_EXISTS, BIN_NOT_FOUND, INCOMPATIBLE_TYPE, OK, PARAMETER, UNKNOWN } from '../../base/result.js';
import { writeU32 } from '../../wire/message.js';
import { INT } from '../msgpack/element.js';
import { Writer } from '../msgpack/writer.js';
import { NUMBER_SIZE, writeDouble } from '../number.js';
import { FLOAT, HLL, LIST, NULL } from '../type.js';
import type { ValueOp } from '../value-op.js';
import { CREATE_ONLY, HllCall, type HllRow, UPDATE_ONLY } from './call.js';
import { HLL_OPS } from './ops.js';
import { checkHll } from './sketch.js';

/** Indexed by op code. */
const ROWS: ReadonlyArray<HllRow | undefined> = (() => {
  const rows: (HllRow | undefined)[] = new Array(256).fill(undefined);
  for (const [code, row] of HLL_OPS) rows[code] = row;
  return rows;
})();

const DESCRIPTION_SIZE = 3; // bytes: the header of a list, two small integers

const call = new HllCall();
const writer = new Writer();

/** Runs one operation. @returns OK or a result code; see `Operate`. */
export function operateHll(op: ValueOp): number {
  op.begin();
  const { target } = op;
  if (!call.body.open(op)) return PARAMETER;
  const row = ROWS[call.body.opCode];
  if (row === undefined || row.modifies !== op.isModify) return PARAMETER;
  call.scratch = op.scratch;
  call.exists = target.type !== NULL;
  if (!call.exists && !row.modifies) return OK;
  if (call.exists && target.type !== HLL) return INCOMPATIBLE_TYPE;
  if (!call.readArgs(row)) return PARAMETER;
  if (call.exists) {
    if ((call.flags & CREATE_ONLY) !== 0) return call.isNoFail ? OK : BIN_EXISTS;
    if (checkHll(target.bytes, target.at, target.size) < 0) return UNKNOWN;
    call.sketch.load(target.bytes, target.at);
  } else if (!row.creates || (call.flags & UPDATE_ONLY) !== 0) return call.isNoFail ? OK : BIN_NOT_FOUND;
  const code = row.apply(call);
  if (code !== OK) return code;
  const { out } = call;
  if (call.isChanged) {
    op.changed.set(HLL, out.bytes, out.at, out.size);
    op.isChanged = true;
  }
  if (row.answer !== NULL) answer(op, row.answer);
  return OK;
}

/** Puts what the operation answers into the result, as a particle of this type. */
function answer(op: ValueOp, type: number): void {
  if (type === HLL) {
    op.result.set(HLL, call.out.bytes, call.out.at, call.out.size);
    return;
  }
  const size = type === LIST ? DESCRIPTION_SIZE : NUMBER_SIZE;
  const at = op.scratch.take(size);
  const { bytes } = op.scratch;
  if (type === LIST) {
    writer.start(bytes, at);
    writer.listHeader(2, 0);
    writer.integer(INT, 0, call.sketch.p);
    writer.integer(INT, 0, call.sketch.m);
  } else if (type === FLOAT) writeDouble(call.resultDouble, bytes, at);
  else {
    writeU32(bytes, at, call.resultHigh);
    writeU32(bytes, at + 4, call.resultLow);
  }
  op.result.set(type, bytes, at, size);
}
