/**
 * The entry to list and map operations: decodes the call, checks it against its row in the tables, finds the
 * container it is meant for, runs it. Source: protocol 10, section 5, 11 to 13.
 */
import { INCOMPATIBLE_TYPE, OK, PARAMETER } from '../../base/result.js';
import { LIST_OPS } from '../list/ops.js';
import { MAP_OPS } from '../map/ops.js';
import {
  DOUBLE,
  Element,
  INT,
  LIST as LIST_ELEMENT,
  MAP as MAP_ELEMENT,
  NEGATIVE_INT,
  NIL,
  sizeOf,
} from '../msgpack/element.js';
import { LIST, MAP, NULL } from '../type.js';
import type { ValueOp } from '../value-op.js';
import {
  CdtCall,
  type CdtRow,
  COUNT_ARG,
  DELTA_ARG,
  INT_ARG,
  LIST_ARG,
  RETURN_ARG,
  STORED_LIST_ARG,
  STORED_MAP_ARG,
} from './call.js';

/** Op codes below this are lists', the others maps'. */
export const MAP_OP_FIRST = 64;
const OP_CODE_COUNT = 128;

/** Indexed by op code; a hole is an unknown operation. */
export const CDT_OPS: readonly (CdtRow | undefined)[] = (() => {
  const table: (CdtRow | undefined)[] = new Array(OP_CODE_COUNT).fill(undefined);
  for (const [code, row] of [...LIST_OPS, ...MAP_OPS]) table[code] = row;
  return table;
})();

const element = new Element();
const number = new Element();
const call = new CdtCall();

/** Runs one list or map operation. @returns OK or a result code; see `Operate`. */
export function operateCdt(op: ValueOp): number {
  op.begin();
  const code = decodeCall(op, op.at, op.end);
  if (code !== OK) return code;
  const { target } = op;
  const { row } = call;
  const isList = call.opCode < MAP_OP_FIRST;
  if (target.type === NULL) {
    call.exists = false;
    if (!row.creates) return OK;
    call.target.openEmpty(isList ? LIST_ELEMENT : MAP_ELEMENT, 0);
  } else {
    if (target.type !== (isList ? LIST : MAP)) return INCOMPATIBLE_TYPE;
    call.exists = true;
    if (!call.target.open(target.bytes, target.at, target.at + target.size)) return INCOMPATIBLE_TYPE;
  }
  const checked = checkArgs();
  if (checked !== OK) return checked;
  call.isTopLevel = true;
  call.scratch = op.scratch;
  call.result.clear();
  call.isChanged = false;
  const applied = row.apply(call);
  call.target.close();
  if (applied !== OK) return applied;
  op.result.copy(call.result);
  op.isChanged = call.isChanged;
  if (call.isChanged) op.changed.copy(call.changed);
  return OK;
}

/** Finds row and arguments of the call `[opcode, argument…]` at `at`. @returns OK or PARAMETER. */
function decodeCall(op: ValueOp, at: number, end: number): number {
  const { bytes } = op;
  let p = element.read(bytes, at, end);
  if (p < 0 || element.type !== LIST_ELEMENT || element.count === 0) return PARAMETER;
  const argCount = element.count - 1;
  p = number.read(bytes, p, end);
  if (p < 0 || number.type !== INT || number.high !== 0 || number.low >= OP_CODE_COUNT) return PARAMETER;
  const row = CDT_OPS[number.low];
  if (row === undefined || row.modifies !== op.isModify) return PARAMETER;
  if (argCount < row.required || argCount > row.params.length) return PARAMETER;
  call.opCode = number.low;
  call.row = row;
  call.bytes = bytes;
  call.argCount = argCount;
  for (let k = 0; k < argCount; k++) {
    call.argAt[k] = p;
    const size = sizeOf(bytes, p, end);
    if (size < 0) return PARAMETER;
    p += size;
  }
  call.argAt[argCount] = p;
  return p === end ? OK : PARAMETER;
}

/** Whether each argument is of the kind that the row asks for. @returns OK or PARAMETER. */
function checkArgs(): number {
  const { params } = call.row;
  for (let k = 0; k < call.argCount; k++) {
    element.read(call.bytes, call.argAt[k]!, call.argAt[k + 1]!);
    const { type } = element;
    const isInt = type === INT || type === NEGATIVE_INT;
    switch (params[k]) {
      case INT_ARG:
        if (!isInt) return PARAMETER;
        break;
      case COUNT_ARG:
      case RETURN_ARG:
        if (type !== INT) return PARAMETER;
        break;
      case LIST_ARG:
      case STORED_LIST_ARG:
        if (type !== LIST_ELEMENT) return PARAMETER;
        break;
      case STORED_MAP_ARG:
        if (type !== MAP_ELEMENT) return PARAMETER;
        break;
      case DELTA_ARG:
        if (!isInt && type !== DOUBLE && type !== NIL) return PARAMETER;
        break;
      default:
    }
  }
  return OK;
}
