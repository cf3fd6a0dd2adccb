/** The entry to bit operations on blobs: what holds for all of them. Source: protocol 14, sections 1 and 2. */
import { BIN_EXISTS, BIN_NOT_FOUND, INCOMPATIBLE_TYPE, OK, PARAMETER } from '../../base/result.js';
import { writeU32 } from '../../wire/message.js';
import { NUMBER_SIZE } from '../number.js';
import { BLOB, INTEGER, NULL } from '../type.js';
import type { ValueOp } from '../value-op.js';
import { BitCall, type BitRow, CREATE_ONLY, NOTHING, UPDATE_ONLY } from './call.js';
import { BIT_OPS } from './ops.js';

/** Indexed by op code. */
const ROWS: ReadonlyArray<BitRow | undefined> = (() => {
  const rows: (BitRow | undefined)[] = new Array(256).fill(undefined);
  for (const [code, row] of BIT_OPS) rows[code] = row;
  return rows;
})();

const NO_BLOB = new Uint8Array(0);
const call = new BitCall();

/** Runs one operation. @returns OK or a result code; see `Operate`. */
export function operateBits(op: ValueOp): number {
  op.begin();
  if (op.bodyType !== BLOB) return INCOMPATIBLE_TYPE;
  if (!call.body.open(op)) return PARAMETER;
  const row = ROWS[call.body.opCode];
  if (row === undefined || (row.answer === NULL) !== op.isModify) return PARAMETER;
  return op.isModify ? modify(op, row) : read(op, row);
}

function modify(op: ValueOp, row: BitRow): number {
  const { target } = op;
  if (!call.readArgs(row)) return PARAMETER;
  if (target.type === NULL) {
    if (!row.creates || (call.writeFlags & UPDATE_ONLY) !== 0) return call.isNoFail ? OK : BIN_NOT_FOUND;
  } else {
    if ((call.writeFlags & CREATE_ONLY) !== 0) return call.isNoFail ? OK : BIN_EXISTS;
    if (target.type !== BLOB) return INCOMPATIBLE_TYPE;
  }
  const code = apply(op, row);
  if (code === NOTHING) return OK;
  if (code !== OK) return code;
  op.changed.set(BLOB, call.out, call.outAt, call.outSize);
  op.isChanged = true;
  return OK;
}

function read(op: ValueOp, row: BitRow): number {
  const { target } = op;
  if (target.type === NULL) return OK;
  if (!call.readArgs(row)) return PARAMETER;
  if (target.type !== BLOB) return INCOMPATIBLE_TYPE;
  const code = apply(op, row);
  if (code !== OK) return code;
  if (row.answer === INTEGER) {
    call.makeOut(NUMBER_SIZE);
    writeU32(call.out, call.outAt, call.resultHigh);
    writeU32(call.out, call.outAt + 4, call.resultLow);
  }
  op.result.set(row.answer, call.out, call.outAt, call.outSize);
  return OK;
}

/** Hands the operation its blob, an empty one if there is none. */
function apply(op: ValueOp, row: BitRow): number {
  const { target } = op;
  call.exists = target.type !== NULL;
  call.blob = call.exists ? target.bytes : NO_BLOB;
  call.blobAt = call.exists ? target.at : 0;
  call.blobSize = call.exists ? target.size : 0;
  call.scratch = op.scratch;
  return row.apply(call);
}
