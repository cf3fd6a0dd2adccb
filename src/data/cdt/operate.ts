/**
 * The entry to list and map operations: decodes the call, checks it against its row in the tables, finds the
 * container it is meant for, runs it. Source: protocol 10, section 5, 11 to 13.
 */
import { INCOMPATIBLE_TYPE, OK, OP_NOT_APPLICABLE, PARAMETER } from '../../base/result.js';
import { LIST_OPS } from '../list/ops.js';
import { MAP_OPS } from '../map/ops.js';
import {
  DEPTH_MAX,
  depthOf,
  Element,
  INT,
  LIST as LIST_ELEMENT,
  MAP as MAP_ELEMENT,
  NEGATIVE_INT,
  nextOf,
} from '../msgpack/element.js';
import { LIST, MAP, NULL } from '../type.js';
import type { ValueOp } from '../value-op.js';
import {
  CdtCall,
  COUNT_ARG,
  INT_ARG,
  LIST_ARG,
  RETURN_ARG,
  STORED_ARG,
  STORED_LIST_ARG,
  STORED_MAP_ARG,
} from './call.js';
import { makeComparable } from './compared-args.js';
import { ContextPath } from './context-path.js';
import { checkCreation, splice } from './context-splice.js';
import { writeIndexed } from './index-writer.js';
import { indexedSize } from './persisted-index.js';
import type { CdtRow } from './row.js';

/** Op codes below this are lists', the others maps'. */
export const MAP_OP_FIRST = 64;
const OP_CODE_COUNT = 128;

/** Indexed by op code; a hole is an unknown operation. */
export const CDT_OPS: readonly (CdtRow | undefined)[] = (() => {
  const table: (CdtRow | undefined)[] = new Array(OP_CODE_COUNT).fill(undefined);
  for (const [code, row] of [...LIST_OPS, ...MAP_OPS]) table[code] = row;
  return table;
})();

/** In the place of an op code: a context comes first, then the operation. Source: protocol 13, section 1. */
const CONTEXT_OP = 0xff;
const CONTEXT_ARGS = 3; // elements, CONTEXT_OP among them

/** The first byte of a body of the old form, whose codes are all below 256; a list begins with another. Source: protocol 10, section 5. */
const OLD_FORM = 0;
const OLD_CODE_SIZE = 2; // bytes

const element = new Element();
const number = new Element();
const call = new CdtCall();
const path = new ContextPath();
/** Where the call's first argument starts. */
let argsAt = 0;

/** Runs one list or map operation. @returns OK or a result code; see `Operate`. */
export function operateCdt(op: ValueOp): number {
  op.begin();
  call.scratch = op.scratch;
  call.result.clear();
  call.isChanged = false;
  const code = op.bytes[op.at] === OLD_FORM ? operateOld(op) : operateListed(op);
  call.target.close();
  if (code !== OK) return code;
  op.result.copy(call.result);
  if (!call.isChanged) return OK;
  if (!keepIndex()) return PARAMETER;
  op.isChanged = true;
  op.changed.copy(call.changed);
  return OK;
}

/** A list of the code and the arguments, or of a context and such a list. */
function operateListed(op: ValueOp): number {
  const p = element.read(op.bytes, op.at, op.end);
  if (p < 0 || element.type !== LIST_ELEMENT) return PARAMETER;
  const { count } = element;
  const afterCode = number.read(op.bytes, p, op.end);
  if (count === 0 || afterCode < 0 || number.type !== INT || number.high !== 0) return PARAMETER;
  return number.low === CONTEXT_OP
    ? operateNested(op, count, afterCode)
    : operateTop(op, number.low, count - 1, afterCode);
}

/** The form of clients on the C client before its version 7: the code as two bytes, then a list of the arguments if there are any. */
function operateOld(op: ValueOp): number {
  const { bytes, at, end } = op;
  const codeEnd = at + OLD_CODE_SIZE;
  if (codeEnd > end) return PARAMETER;
  const opCode = bytes[at + 1]!;
  if (codeEnd === end) return operateTop(op, opCode, 0, codeEnd);
  const p = element.read(bytes, codeEnd, end);
  if (p < 0 || element.type !== LIST_ELEMENT) return PARAMETER;
  return operateTop(op, opCode, element.count, p);
}

/** An operation on the bin's own list or map. @param afterCode where its first argument starts. */
function operateTop(op: ValueOp, opCode: number, argCount: number, afterCode: number): number {
  if (!findRow(opCode, argCount, afterCode, op.isModify)) return PARAMETER;
  const { target } = op;
  const { row } = call;
  call.isTopLevel = true;
  call.depth = 0;
  if (target.type === NULL) return row.creates ? runOnNothing(op) : (row.missing ?? OK);
  const isList = call.opCode < MAP_OP_FIRST;
  if (target.type !== (isList ? LIST : MAP)) return INCOMPATIBLE_TYPE;
  return runOn(op, target.at, target.at + target.size);
}

/** An operation on a list or map inside the bin's. @param contextAt where the context starts. */
function operateNested(op: ValueOp, count: number, contextAt: number): number {
  const { bytes, end, target } = op;
  if (count !== CONTEXT_ARGS) return PARAMETER;
  const callAt = path.decode(bytes, contextAt, end);
  if (callAt < 0) return PARAMETER;
  const p = element.read(bytes, callAt, end);
  if (p < 0 || element.type !== LIST_ELEMENT || element.count === 0) return PARAMETER;
  const argCount = element.count - 1;
  const afterCode = number.read(bytes, p, end);
  if (afterCode < 0 || number.type !== INT || number.high !== 0) return PARAMETER;
  if (!findRow(number.low, argCount, afterCode, op.isModify)) return PARAMETER;
  const isNew = target.type === NULL;
  const targetEnd = target.at + target.size;
  let code = OK;
  if (isNew) {
    if (!op.isModify) return OK;
    path.depth = 0;
    path.createFrom = 0;
    if (!path.creates(0)) return OP_NOT_APPLICABLE;
  } else {
    if (target.type !== LIST && target.type !== MAP) return PARAMETER;
    code = path.resolve(target.bytes, target.at, targetEnd, op.isModify);
  }
  if (code === OK) code = runNested(op, isNew, targetEnd);
  path.close();
  return code;
}

function runNested(op: ValueOp, isNew: boolean, targetEnd: number): number {
  const inner = path.depth - 1;
  call.isTopLevel = isNew;
  let code: number;
  if (path.createFrom >= 0) {
    code = checkCreation(path, isNew);
    if (code !== OK) return code;
    if (!call.row.creates) return isNew ? (call.row.missing ?? OK) : OK;
    call.depth = path.depth + path.itemCount - path.createFrom - (isNew ? 0 : 1);
    code = runOnNothing(op);
  } else {
    call.depth = path.depth;
    code = runOn(op, path.childAt[inner]!, path.childEnd[inner]!);
  }
  if (code !== OK || !call.isChanged) return code;
  return splice(path, op.target.bytes, targetEnd, isNew, call.changed, op.scratch);
}

/** Runs a call that creates what it works on. */
function runOnNothing(op: ValueOp): number {
  call.exists = false;
  call.target.openEmpty(call.opCode < MAP_OP_FIRST ? LIST_ELEMENT : MAP_ELEMENT, 0);
  const code = checkArgs(op);
  return code === OK ? call.row.apply(call) : code;
}

/** Runs a call on the element at `at`, which ends at `end`. */
function runOn(op: ValueOp, at: number, end: number): number {
  call.exists = true;
  const isOpen = call.target.open(op.target.bytes, at, end);
  const type = call.opCode < MAP_OP_FIRST ? LIST_ELEMENT : MAP_ELEMENT;
  if (!isOpen || call.target.type !== type) return INCOMPATIBLE_TYPE;
  const code = checkArgs(op);
  return code === OK ? call.row.apply(call) : code;
}

/** Gives the changed container its index, where it keeps one. @returns false when it is malformed, made of one with a damaged index. */
function keepIndex(): boolean {
  const { changed, scratch } = call;
  const size = indexedSize(changed.bytes, changed.at, changed.size);
  if (size === changed.size) return true;
  const at = scratch.take(size);
  const out = scratch.bytes;
  if (writeIndexed(changed.bytes, changed.at, changed.size, out, at) < 0) return false;
  changed.set(changed.type, out, at, size);
  return true;
}

/** Takes the row of an op code. @returns false when there is none, or it is one for the other kind of op. */
function findRow(opCode: number, argCount: number, afterCode: number, isModify: boolean): boolean {
  const row = opCode < OP_CODE_COUNT ? CDT_OPS[opCode] : undefined;
  if (row === undefined || row.modifies !== isModify) return false;
  call.opCode = opCode;
  call.row = row;
  call.argCount = argCount;
  argsAt = afterCode;
  return true;
}

/** Finds the arguments and checks each; what follows them in the body is not looked at, as on the reference. @returns OK or PARAMETER. */
function checkArgs(op: ValueOp): number {
  const { row, argCount } = call;
  if (argCount < row.required || argCount > row.params.length) return PARAMETER;
  const { bytes, end } = op;
  call.bytes = bytes;
  let p = argsAt;
  for (let k = 0; k < argCount; k++) {
    call.argAt[k] = p;
    p = nextOf(bytes, p, end);
    if (p < 0) return PARAMETER;
  }
  call.argAt[argCount] = p;
  const code = checkKinds();
  if (code === OK) makeComparable(call);
  return code;
}

/** Whether each argument is of the kind that the row asks for; deltas are looked at by the operations. @returns OK or PARAMETER. */
function checkKinds(): number {
  const { params } = call.row;
  for (let k = 0; k < call.argCount; k++) {
    element.read(call.bytes, call.argAt[k]!, call.argAt[k + 1]!);
    const { type } = element;
    const isInt = type === INT || type === NEGATIVE_INT;
    switch (params[k]) {
      case INT_ARG:
      case COUNT_ARG:
        if (!isInt) return PARAMETER;
        break;
      case RETURN_ARG:
        if (type !== INT) return PARAMETER;
        break;
      case LIST_ARG:
        if (type !== LIST_ELEMENT) return PARAMETER;
        break;
      case STORED_LIST_ARG:
        if (type !== LIST_ELEMENT || isTooDeep(k, 0)) return PARAMETER;
        break;
      case STORED_MAP_ARG:
        if (type !== MAP_ELEMENT || isTooDeep(k, 0)) return PARAMETER;
        break;
      case STORED_ARG:
        if ((type === LIST_ELEMENT || type === MAP_ELEMENT) && isTooDeep(k, 1)) return PARAMETER;
        break;
      default:
    }
  }
  return OK;
}

/** Whether argument k would be nested too deeply where it is stored. @param more containers around it besides those around the target. */
function isTooDeep(k: number, more: number): boolean {
  return call.depth + more + depthOf(call.bytes, call.argAt[k]!, call.argAt[k + 1]!) > DEPTH_MAX;
}
