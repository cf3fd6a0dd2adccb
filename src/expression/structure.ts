/** Constants, variables, conditions, and the operators on maps. Source: protocol 16, section 3. */
import { Element, MAP as MAP_ELEMENT, sizeOf } from '../data/msgpack/element.js';
import { Writer } from '../data/msgpack/writer.js';
import { type Machine, REMOVE, TRUE, UNKNOWN } from './machine.js';
import { NAMED_TYPE, type Operator, type OperatorRow, SAME_TYPE, VARIABLE_OPERAND } from './operator.js';
import { NODE_COUNT, NODE_OPERANDS, NODE_TYPE } from './program.js';
import type { Value } from './value.js';
import { ANY, BOOL, FLOAT, GEO, INT, LIST, MAP, NIL, REMOVE_TYPE, UNKNOWN_TYPE } from './value-type.js';

export const QUOTE = 126;
/** Operator code of constants, which have none on the wire. */
export const CONSTANT = 128;
export const LOOP_KEY = 0;
export const LOOP_VALUE = 1;
export const LOOP_INDEX = 2;

export const STRUCTURE: readonly OperatorRow[] = [
  [100, { name: 'result_remove', params: [], result: REMOVE_TYPE, run: () => REMOVE }],
  [101, mapParts('map_keys', true)],
  [102, mapParts('map_values', false)],
  [122, { name: 'loopvar', params: [], form: 'loopvar', result: NAMED_TYPE, run: loopVariable }],
  [123, { name: 'cond', params: [], form: 'cond', result: SAME_TYPE, run: condition }],
  [124, { name: 'var', params: [VARIABLE_OPERAND], result: NAMED_TYPE, run: variable }],
  [125, { name: 'let', params: [], form: 'let', result: SAME_TYPE, run: letVariables }],
  [QUOTE, { name: 'quote', params: [], form: 'quote', result: LIST, run: constant }],
  [CONSTANT, { name: 'constant', params: [], result: NAMED_TYPE, run: constant }],
];

const element = new Element();
const writer = new Writer();

/**
 * Operands by static type. BOOL: 0 or 1. INT, FLOAT: both halves. STR, BLOB, HLL, LIST, MAP: where it lies in the
 * program's bytes, its size. GEO: those, and its number among the shapes.
 */
function constant(m: Machine, node: number, out: Value): number {
  const { code } = m;
  const type = code[node + NODE_TYPE]!;
  const first = code[node + NODE_OPERANDS]!;
  switch (type) {
    case NIL:
      out.type = NIL;
      return TRUE;
    case BOOL:
      return first;
    case INT:
      out.type = INT;
      out.high = first;
      out.low = code[node + NODE_OPERANDS + 1]!;
      return TRUE;
    case FLOAT:
      out.setFloatBits(first, code[node + NODE_OPERANDS + 1]!);
      return TRUE;
    default:
      out.setBytes(type, m.program.bytes, first, code[node + NODE_OPERANDS + 1]!);
      if (type === GEO) out.shape = m.program.shapes[code[node + NODE_OPERANDS + 2]!];
      return TRUE;
  }
}

/** Operands: condition, value, condition, value …, default. */
function condition(m: Machine, node: number, out: Value): number {
  const last = m.code[node + NODE_COUNT]! - 1;
  for (let k = 0; k < last; k += 2) {
    const known = m.run(m.code[node + NODE_OPERANDS + k]!, out);
    if (known < 0) return UNKNOWN;
    if (known === TRUE) return m.run(m.code[node + NODE_OPERANDS + k + 1]!, out);
  }
  return m.run(m.code[node + NODE_OPERANDS + last]!, out);
}

/** Operands: variable, definition, variable, definition …, body. */
function letVariables(m: Machine, node: number, out: Value): number {
  const last = m.code[node + NODE_COUNT]! - 1;
  for (let k = 0; k < last; k += 2) {
    const slot = m.values[m.base + m.code[node + NODE_OPERANDS + k]!]!;
    // Computed aside: the definition may have variables of its own, and those may share this place.
    if (m.value(m.code[node + NODE_OPERANDS + k + 1]!, out) === TRUE) slot.copy(out);
    else slot.type = UNKNOWN_TYPE;
  }
  return m.run(m.code[node + NODE_OPERANDS + last]!, out);
}

/** Operand: the variable. */
function variable(m: Machine, node: number, out: Value): number {
  const slot = m.values[m.base + m.code[node + NODE_OPERANDS]!]!;
  if (slot.type === UNKNOWN_TYPE) return UNKNOWN;
  if (slot.type === BOOL) return slot.low;
  out.copy(slot);
  return TRUE;
}

/** Operand: which variable. */
function loopVariable(m: Machine, node: number, out: Value): number {
  const { loop } = m;
  const type = m.code[node + NODE_TYPE]!;
  if (loop === undefined) return UNKNOWN;
  switch (m.code[node + NODE_OPERANDS]) {
    case LOOP_KEY:
      if (loop.keyAt < 0 || !out.setElement(loop.bytes, loop.keyAt, loop.keyEnd, type)) return UNKNOWN;
      break;
    case LOOP_VALUE:
      if (!out.setElement(loop.bytes, loop.valueAt, loop.valueEnd, type)) return UNKNOWN;
      break;
    default:
      if (loop.index < 0) return UNKNOWN;
      out.setInt(loop.index);
  }
  return type === BOOL ? out.low : TRUE;
}

/** A list of a map's keys or of its values, in stored order. The operand's type is not checked before it has a value. */
function mapParts(name: string, areKeys: boolean): Operator {
  return {
    name,
    params: [ANY],
    result: LIST,
    run: (m, node, out) => {
      if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
      if (out.type !== MAP || !m.spend(out.size * 2)) return UNKNOWN;
      return putParts(m, out, areKeys) ? TRUE : UNKNOWN;
    },
  };
}

function putParts(m: Machine, out: Value, areKeys: boolean): boolean {
  const { bytes } = out;
  const end = out.at + out.size;
  let at = element.read(bytes, out.at, end);
  if (at < 0 || element.type !== MAP_ELEMENT) return false;
  let length = element.count / 2;
  if (length > 0) {
    const next = element.read(bytes, at, end);
    if (element.isFlags) {
      const size = sizeOf(bytes, next, end); // of the flags' own value
      if (next < 0 || size < 0) return false;
      at = next + size;
      length--;
    }
  }
  // A list's header is no larger than a map's of as many pairs, the list's content smaller than the map's.
  const start = m.scratch.take(out.size);
  writer.start(m.scratch.bytes, start);
  writer.listHeader(length, 0);
  for (let k = 0; k < length; k++) {
    const keySize = sizeOf(bytes, at, end);
    if (keySize < 0) return false;
    const valueSize = sizeOf(bytes, at + keySize, end);
    if (valueSize < 0) return false;
    if (areKeys) writer.copy(bytes, at, keySize);
    else writer.copy(bytes, at + keySize, valueSize);
    at += keySize + valueSize;
  }
  m.scratch.trim(writer.at);
  out.setBytes(LIST, writer.bytes, start, writer.at - start);
  return true;
}
