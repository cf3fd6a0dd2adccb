/** The bit operations, by op code. Source: protocol 14, sections 1, 3 and 4. */
import { copyBytes } from '../../base/copy.js';
import { OK, OP_NOT_APPLICABLE, PARAMETER, RECORD_TOO_BIG } from '../../base/result.js';
import { BLOB, INTEGER, NULL } from '../type.js';
import {
  ARITHMETIC_FLAGS,
  BIT,
  BIT_OFFSET,
  BIT_OPERAND,
  BIT_SIZE,
  type BitCall,
  type BitRow,
  BLOB_SIZE_LIMIT,
  BYTE_OFFSET,
  BYTE_SIZE,
  CREATE_ONLY,
  FROM_FRONT,
  GROW_ONLY,
  INT_SIZE,
  NEW_SIZE,
  NO_FAIL,
  NOTHING,
  OPERAND,
  PARTIAL,
  READ_INT_FLAGS,
  RESIZE_FLAGS,
  SHIFT,
  SHRINK_ONLY,
  UPDATE_ONLY,
  VALUE,
  WRITE_FLAGS,
} from './call.js';
import { Field, SIGNED } from './field.js';
import {
  AND,
  type Blend,
  blendBits,
  clearBits,
  copyBits,
  countBits,
  findFirst,
  findLast,
  invertBits,
  OR,
  SET,
  XOR,
} from './run.js';

/**
 * Twice the largest record. A blob beyond it can't be stored, so it is not made either; the reference would let
 * a later op of the same command shrink it again.
 */
const NEW_SIZE_MAX = 16 * 1024 * 1024; // bytes

const MAKE = CREATE_ONLY | UPDATE_ONLY | NO_FAIL;
const CHANGE = UPDATE_ONLY | NO_FAIL | PARTIAL;
const CHANGE_WHOLE = UPDATE_ONLY | NO_FAIL;

const BLEND = [BIT_OFFSET, BIT_SIZE, BIT_OPERAND, WRITE_FLAGS];
const MOVE = [BIT_OFFSET, BIT_SIZE, SHIFT, WRITE_FLAGS];
const ARITHMETIC = [BIT_OFFSET, INT_SIZE, VALUE, WRITE_FLAGS, ARITHMETIC_FLAGS];
const RANGE = [BIT_OFFSET, BIT_SIZE];
const SCAN = [BIT_OFFSET, BIT_SIZE, BIT];

type Apply = (call: BitCall) => number;

/** An operation that makes a blob where there is none. */
function making(name: string, params: readonly number[], required: number, apply: Apply): BitRow {
  return { name, creates: true, params, required, writeFlags: MAKE, answer: NULL, apply };
}

/** An operation on a blob that is there. */
function changing(
  name: string,
  params: readonly number[],
  required: number,
  writeFlags: number,
  apply: Apply,
): BitRow {
  return { name, creates: false, params, required, writeFlags, answer: NULL, apply };
}

function reading(
  name: string,
  params: readonly number[],
  required: number,
  answer: number,
  apply: Apply,
): BitRow {
  return { name, creates: false, params, required, writeFlags: 0, answer, apply };
}

/** Pairs of op code and row. */
export const BIT_OPS: readonly (readonly [number, BitRow])[] = [
  [0, making('resize', [NEW_SIZE, WRITE_FLAGS, RESIZE_FLAGS], 1, resize)],
  [1, making('insert', [BYTE_OFFSET, OPERAND, WRITE_FLAGS], 2, insert)],
  [2, changing('remove', [BYTE_OFFSET, BYTE_SIZE, WRITE_FLAGS], 2, CHANGE, remove)],
  [3, changing('set', BLEND, 3, CHANGE, call => blend(call, SET))],
  [4, changing('or', BLEND, 3, CHANGE, call => blend(call, OR))],
  [5, changing('xor', BLEND, 3, CHANGE, call => blend(call, XOR))],
  [6, changing('and', BLEND, 3, CHANGE, call => blend(call, AND))],
  [7, changing('not', [BIT_OFFSET, BIT_SIZE, WRITE_FLAGS], 2, CHANGE, not)],
  [8, changing('lshift', MOVE, 3, CHANGE, lshift)],
  [9, changing('rshift', MOVE, 3, CHANGE, rshift)],
  [10, changing('add', ARITHMETIC, 3, CHANGE_WHOLE, call => arithmetic(call, false))],
  [11, changing('subtract', ARITHMETIC, 3, CHANGE_WHOLE, call => arithmetic(call, true))],
  [12, changing('set_int', [BIT_OFFSET, INT_SIZE, VALUE, WRITE_FLAGS], 3, CHANGE_WHOLE, setInt)],
  [50, reading('get', RANGE, 2, BLOB, get)],
  [51, reading('count', RANGE, 2, INTEGER, count)],
  [52, reading('lscan', SCAN, 3, INTEGER, lscan)],
  [53, reading('rscan', SCAN, 3, INTEGER, rscan)],
  [54, reading('get_int', [BIT_OFFSET, INT_SIZE, READ_INT_FLAGS], 2, INTEGER, getInt)],
];

const field = new Field();
const operand = new Field();

function resize(call: BitCall): number {
  const { size, blob, blobAt, blobSize, flags } = call;
  if (size >= BLOB_SIZE_LIMIT) return PARAMETER;
  if (size === blobSize) return NOTHING; // also an empty blob where there is none
  if (size > blobSize ? (flags & SHRINK_ONLY) !== 0 : (flags & GROW_ONLY) !== 0)
    return call.isNoFail ? NOTHING : PARAMETER;
  if (size > NEW_SIZE_MAX) return RECORD_TOO_BIG;
  call.makeOut(size);
  const { out, outAt } = call;
  const kept = Math.min(size, blobSize);
  const added = size - kept;
  if ((flags & FROM_FRONT) !== 0) {
    out.fill(0, outAt, outAt + added);
    copyBytes(out, outAt + added, blob, blobAt + blobSize - kept, kept);
  } else {
    copyBytes(out, outAt, blob, blobAt, kept);
    out.fill(0, outAt + kept, outAt + size);
  }
  return OK;
}

/** Inserted beyond the end, zeros fill the gap. */
function insert(call: BitCall): number {
  const { blob, blobAt, blobSize, operandSize } = call;
  if (!call.resolveOffset(blobSize)) return PARAMETER;
  const { offset } = call;
  const size = Math.max(offset, blobSize) + operandSize;
  if (size >= BLOB_SIZE_LIMIT) return PARAMETER;
  if (size > NEW_SIZE_MAX) return RECORD_TOO_BIG;
  call.makeOut(size);
  const { out, outAt } = call;
  const before = Math.min(offset, blobSize);
  copyBytes(out, outAt, blob, blobAt, before);
  out.fill(0, outAt + before, outAt + offset);
  copyBytes(out, outAt + offset, call.body.bytes, call.operandAt, operandSize);
  copyBytes(out, outAt + offset + operandSize, blob, blobAt + before, blobSize - before);
  return OK;
}

function remove(call: BitCall): number {
  const { blob, blobAt, blobSize } = call;
  const code = call.locate(blobSize, PARAMETER);
  if (code !== OK) return code;
  const { offset, size } = call;
  call.makeOut(blobSize - size);
  copyBytes(call.out, call.outAt, blob, blobAt, offset);
  copyBytes(call.out, call.outAt + offset, blob, blobAt + offset + size, blobSize - offset - size);
  return OK;
}

/** Finds the range of bits in the blob. @returns OK, NOTHING or a code. */
function locateBits(call: BitCall): number {
  return call.locate(call.blobSize * 8, OP_NOT_APPLICABLE);
}

/** Finds the range of bits, and copies the blob into `out` if there is something to change. */
function beginChange(call: BitCall): number {
  const code = locateBits(call);
  if (code === OK) call.copyBlob();
  return code;
}

function blend(call: BitCall, how: Blend): number {
  const code = beginChange(call);
  if (code !== OK) return code;
  blendBits(how, call.out, call.outAt, call.offset, call.body.bytes, call.operandAt, 0, call.size);
  return OK;
}

function not(call: BitCall): number {
  const code = beginChange(call);
  if (code === OK) invertBits(call.out, call.outAt, call.offset, call.size);
  return code;
}

function lshift(call: BitCall): number {
  const asked = call.size;
  const code = beginChange(call);
  if (code !== OK) return code;
  const { out, outAt, offset, size, shift } = call;
  const gone = Math.min(shift, size);
  const kept = size - gone;
  copyBits(out, outAt, offset, call.blob, call.blobAt, offset + gone, kept);
  clearBits(out, outAt, offset + kept, gone);
  if (shift >= size && shift < asked) keepLastByte(call);
  return OK;
}

/**
 * What the reference does when PARTIAL leaves so little of a range that a shift shorter than that range is longer than
 * all bytes that are left: shifted by what is beyond whole bytes, the last byte comes to stand in the first one. That
 * is recorded where both are one whole byte of the range; where it is a part of a byte, or two bytes are left, it is inferred.
 */
function keepLastByte({ out, outAt, offset, size, shift, blob, blobAt }: BitCall): void {
  const first = offset >>> 3;
  const last = (offset + size - 1) >>> 3;
  if ((shift & 7) === 0 || shift >>> 3 <= last - first) return;
  out[outAt + first]! |= (blob[blobAt + last]! << (shift & 7)) & (0xff >>> (offset & 7));
}

function rshift(call: BitCall): number {
  const code = beginChange(call);
  if (code !== OK) return code;
  const { out, outAt, offset, size } = call;
  const gone = Math.min(call.shift, size);
  copyBits(out, outAt, offset + gone, call.blob, call.blobAt, offset, size - gone);
  clearBits(out, outAt, offset, gone);
  return OK;
}

function arithmetic(call: BitCall, isSubtract: boolean): number {
  const code = locateBits(call);
  if (code !== OK) return code;
  const { offset, size } = call;
  field.read(call.blob, call.blobAt, offset, size);
  operand.set(call.valueHigh, call.valueLow, size);
  if (!field.combine(operand, isSubtract, call.flags)) return call.isNoFail ? NOTHING : OP_NOT_APPLICABLE;
  call.copyBlob();
  field.write(call.out, call.outAt, offset);
  return OK;
}

function setInt(call: BitCall): number {
  const code = beginChange(call);
  if (code !== OK) return code;
  field.set(call.valueHigh, call.valueLow, call.size);
  field.write(call.out, call.outAt, call.offset);
  return OK;
}

function get(call: BitCall): number {
  const code = locateBits(call);
  if (code !== OK) return code;
  const { size } = call;
  const bytes = (size + 7) >>> 3;
  call.makeOut(bytes);
  call.out[call.outAt + bytes - 1] = 0; // bits behind the last one
  copyBits(call.out, call.outAt, 0, call.blob, call.blobAt, call.offset, size);
  return OK;
}

function count(call: BitCall): number {
  const code = locateBits(call);
  if (code === OK) call.setResult(countBits(call.blob, call.blobAt, call.offset, call.size));
  return code;
}

function lscan(call: BitCall): number {
  const code = locateBits(call);
  if (code === OK) call.setResult(findFirst(call.blob, call.blobAt, call.offset, call.size, call.bit));
  return code;
}

function rscan(call: BitCall): number {
  const code = locateBits(call);
  if (code === OK) call.setResult(findLast(call.blob, call.blobAt, call.offset, call.size, call.bit));
  return code;
}

function getInt(call: BitCall): number {
  const code = locateBits(call);
  if (code !== OK) return code;
  field.read(call.blob, call.blobAt, call.offset, call.size);
  if ((call.flags & SIGNED) !== 0) field.extendSign();
  call.resultHigh = field.high;
  call.resultLow = field.low;
  return OK;
}
