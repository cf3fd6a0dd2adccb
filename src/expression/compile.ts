/**
 * The compiler: an expression's bytes to a program, everything checked that can be checked without a record. What
 * each operator takes stands in the table of operators; here is how it is read. Source: protocol 16, section 2.
 */
import { shapeOf } from '../data/geo/containment.js';
import * as msgpack from '../data/msgpack/element.js';
import { readDouble, readSingle } from '../data/number.js';
import { BIN_NAME_SIZE_MAX } from '../wire/message.js';
import {
  CALL_ARG_COUNT_MAX,
  CALL_ARGS,
  CALL_BODY,
  CALL_BODY_END,
  CALL_MODIFIES,
  CALL_SYSTEM,
  CALL_TARGET,
  CALL_TYPE,
  SYSTEMS,
} from './call.js';
import { CodeWriter } from './code-writer.js';
import { writeLiteral } from './literal.js';
import {
  INT_OPERAND,
  KEY_TYPE_OPERAND,
  NAME_OPERAND,
  NAMED_TYPE,
  type Operator,
  PATTERN_OPERAND,
  SAME_TYPE,
  TYPE_OPERAND,
  VARIABLE_OPERAND,
} from './operator.js';
import { OPERATOR_CODE_COUNT, OPERATORS } from './operators.js';
import type { Program } from './program.js';
import { compileRegex } from './regex/regex.js';
import { Scope, UNDEFINED } from './scope.js';
import { CONSTANT, LOOP_INDEX, QUOTE } from './structure.js';
import { floatHigh, floatLow } from './value.js';
import {
  ANY,
  BLOB,
  BOOL,
  FLOAT,
  GEO,
  HLL,
  INT,
  LIST,
  MAP,
  NIL,
  PARTICLE_TYPE,
  REMOVE_TYPE,
  STR,
  TYPE_COUNT,
  typeSet,
} from './value-type.js';

/** Bytes of an expression. */
const SIZE_MAX = 1 << 20;
const VARIABLE_COUNT_MAX = 256;
/** What all regular expressions of one expression may amount to together, in nodes. */
const REGEX_NODES_MAX = 20_000;
/** What a regular expression counts beside its nodes. */
const REGEX_NODES_LEAST = 128;
/** What a failed function returns instead of a node. */
const INVALID = -1;
const KEY_TYPES = typeSet(INT, STR, BLOB);
/** Types of constants in typed bytes, by the particle type that is their type byte. */
const BYTES_TYPES: readonly number[] = [STR, BLOB, GEO, HLL];
const CONTEXT_CALL = 0xff;
const PATH_CALL = 0xfe;

const element = new msgpack.Element();
const writer = new CodeWriter();
const scope = new Scope();

let source: Uint8Array = new Uint8Array(0);
let start = 0;
let from = 0; // next byte to read
let end = 0;
let regexNodes = 0;
let asksMetadata = false;
let asksBins = false;
/** Where literals are written first. */
let literal = new Uint8Array(1024);
const LITERAL_KEPT = 1 << 16; // bytes

/**
 * Compiles one expression.
 * @param bytes hold it, `size` bytes from `at`; not kept.
 * @returns undefined when it is invalid: code PARAMETER.
 */
export function compile(bytes: Uint8Array, at: number, size: number): Program | undefined {
  // Well-formed and not nested too deep: from here on nothing that is read can be cut off.
  if (size > SIZE_MAX || msgpack.sizeOf(bytes, at, at + size) !== size) return undefined;
  source = bytes;
  start = at;
  from = at;
  end = at + size;
  regexNodes = 0;
  asksMetadata = false;
  asksBins = false;
  writer.start();
  scope.start(bytes);
  const root = compileNode();
  return root < 0
    ? undefined
    : writer.finish(bytes, at, size, root, scope.countMax, asksBins && !asksMetadata);
}

/** Compiles the expression at `from` and moves on behind it. @returns Its node, or INVALID. */
function compileNode(): number {
  const at = from;
  if (next() !== msgpack.LIST) return compileConstant(at);
  const count = element.count - 1;
  if (count < 0) return INVALID;
  if (next() !== msgpack.INT || element.high !== 0 || element.low >= OPERATOR_CODE_COUNT) return INVALID;
  const code = element.low;
  const operator = OPERATORS[code];
  if (operator === undefined) return INVALID;
  if (operator.asks === 'metadata') asksMetadata = true;
  else if (operator.asks === 'bins') asksBins = true;
  switch (operator.form) {
    case undefined:
      return compileOperator(code, operator, count);
    case 'cond':
      return compileCond(code, count);
    case 'let':
      return compileLet(code, count);
    case 'quote':
      return count === 1 ? compileQuote(false) : INVALID;
    case 'call':
      return count === 4 ? compileCall(code) : INVALID;
    case 'loopvar':
      return count === 2 ? compileLoopVariable(code) : INVALID;
    case 'modulo':
      return count === 1 ? compileModulo(code) : INVALID;
  }
}

/** @param at where the element that was just read starts. */
function compileConstant(at: number): number {
  switch (element.type) {
    case msgpack.NIL:
      return writer.node(CONSTANT, NIL, 0);
    case msgpack.FALSE:
    case msgpack.TRUE:
      return constant(BOOL, element.type === msgpack.TRUE ? 1 : 0, 0);
    case msgpack.INT:
    case msgpack.NEGATIVE_INT:
      return constant(INT, element.high | 0, element.low | 0);
    case msgpack.DOUBLE: {
      const value = source[at] === 0xcb ? readDouble(source, at + 1) : readSingle(source, at + 1);
      return constant(FLOAT, floatHigh(value), floatLow(value));
    }
    case msgpack.STRING:
    case msgpack.BYTES:
    case msgpack.GEOJSON:
      return compileBytes();
    case msgpack.MAP:
      return compileLiteral(MAP, at);
    default:
      return INVALID;
  }
}

/** Typed bytes: what they are is their first byte. */
function compileBytes(): number {
  const { bodyAt, bodySize } = element;
  if (bodySize === 0) return INVALID;
  const type = BYTES_TYPES.find(candidate => PARTICLE_TYPE[candidate] === source[bodyAt]);
  if (type === undefined) return INVALID;
  if (type !== GEO) return constant(type, bodyAt + 1 - start, bodySize - 1);
  const shape = shapeOf(source, bodyAt + 1, bodySize - 1);
  if (shape === undefined) return INVALID;
  const node = writer.node(CONSTANT, GEO, 3);
  writer.setOperand(node, 0, bodyAt + 1 - start);
  writer.setOperand(node, 1, bodySize - 1);
  writer.setOperand(node, 2, writer.addShape(shape));
  return node;
}

function constant(type: number, first: number, second: number): number {
  const node = writer.node(CONSTANT, type, 2);
  writer.setOperand(node, 0, first);
  writer.setOperand(node, 1, second);
  return node;
}

/** An operator whose row in the table says all about its operands. */
function compileOperator(code: number, operator: Operator, count: number): number {
  const { params } = operator;
  if (operator.repeats === true ? count < params.length : count !== params.length) return INVALID;
  let operandCount = count - params.length;
  for (const param of params) operandCount += operandsOf(param);
  const node = writer.node(code, operator.result, operandCount);
  let operand = 0;
  let shared = -1; // type of the expressions so far
  let named = -1; // type that an operand names
  let flags = 0; // low half of the last integer operand
  for (let k = 0; k < count; k++) {
    const param = params[Math.min(k, params.length - 1)]!;
    switch (param) {
      case TYPE_OPERAND:
      case KEY_TYPE_OPERAND:
        named = readType(param === TYPE_OPERAND ? ANY : KEY_TYPES);
        if (named < 0) return INVALID;
        break;
      case NAME_OPERAND:
        if (!readRaw() || !isBinName(element.bodyAt, element.bodySize)) return INVALID;
        writer.setOperand(node, operand++, element.bodyAt - start);
        writer.setOperand(node, operand++, element.bodySize);
        break;
      case INT_OPERAND:
        if (!readInt()) return INVALID;
        flags = element.low | 0;
        writer.setOperand(node, operand++, element.high | 0);
        writer.setOperand(node, operand++, flags);
        break;
      case PATTERN_OPERAND: {
        const regex = readRegex(flags);
        if (regex < 0) return INVALID;
        writer.setOperand(node, operand++, regex);
        break;
      }
      case VARIABLE_OPERAND: {
        const found = readRaw() ? scope.find(element.bodyAt, element.bodySize) : -1;
        if (found < 0) return INVALID;
        named = scope.typeOf(found);
        if (named === UNDEFINED) return INVALID;
        writer.setOperand(node, operand++, found);
        break;
      }
      default: {
        const child = compileNode();
        if (child < 0) return INVALID;
        const type = writer.typeOf(child);
        if (((1 << type) & param) === 0 || (operator.same === true && shared >= 0 && type !== shared))
          return INVALID;
        shared = type;
        writer.setOperand(node, operand++, child);
      }
    }
  }
  if (operator.result === SAME_TYPE) writer.setType(node, shared);
  else if (operator.result === NAMED_TYPE) writer.setType(node, named);
  return node;
}

/** How many words of a node an operand takes. */
function operandsOf(param: number): number {
  return param === TYPE_OPERAND || param === KEY_TYPE_OPERAND
    ? 0
    : param === NAME_OPERAND || param === INT_OPERAND
      ? 2
      : 1;
}

/** condition, value, …, default: the values of one type, but for those that have none. */
function compileCond(code: number, count: number): number {
  if (count < 3 || count % 2 === 0) return INVALID;
  const node = writer.node(code, BOOL, count);
  let type = -1;
  let isRemove = false;
  for (let k = 0; k < count; k++) {
    const child = compileNode();
    if (child < 0) return INVALID;
    writer.setOperand(node, k, child);
    const childType = writer.typeOf(child);
    if (k % 2 === 0 && k < count - 1) {
      if (childType !== BOOL) return INVALID;
    } else if (childType === REMOVE_TYPE) isRemove = true;
    else if (writer.operatorOf(child) !== 0) {
      if (type >= 0 && childType !== type) return INVALID;
      type = childType;
    }
  }
  if (type >= 0) writer.setType(node, type);
  else if (isRemove) writer.setType(node, REMOVE_TYPE);
  return node;
}

/** name, definition, …, body. */
function compileLet(code: number, count: number): number {
  if (count < 3 || count % 2 === 0) return INVALID;
  const node = writer.node(code, BOOL, count);
  const outer = scope.count;
  for (let k = 0; k < count - 1; k += 2) {
    if (!readRaw()) return INVALID;
    const { bodyAt, bodySize } = element;
    if (!isVariableName(bodyAt, bodySize) || scope.find(bodyAt, bodySize) >= 0) return INVALID;
    if (scope.count >= VARIABLE_COUNT_MAX) return INVALID;
    const variable = scope.add(bodyAt, bodySize);
    const child = compileNode();
    if (child < 0 || writer.typeOf(child) === REMOVE_TYPE) return INVALID;
    writer.setOperand(node, k, variable);
    writer.setOperand(node, k + 1, child);
    scope.define(variable, writer.typeOf(child));
  }
  const body = compileNode();
  if (body < 0) return INVALID;
  writer.setOperand(node, count - 1, body);
  writer.setType(node, writer.typeOf(body));
  scope.leave(outer);
  return node;
}

/** @param isArgument of a call: what may stand in such a list is for the operation to say. */
function compileQuote(isArgument: boolean): number {
  const at = from;
  if (next() !== msgpack.LIST) return INVALID;
  if (!isArgument) return compileLiteral(LIST, at);
  from = at + msgpack.sizeOf(source, at, end);
  return constant(LIST, at - start, from - at);
}

/** A list or map that stands for itself, from `at` on. */
function compileLiteral(type: number, at: number): number {
  from = at + msgpack.sizeOf(source, at, end);
  const size = from - at;
  if (literal.length < size) literal = new Uint8Array(size * 2);
  const written = writeLiteral(source, at, from, literal);
  if (written < 0) return INVALID;
  const node = isSame(literal, written, at, size)
    ? constant(type, at - start, size)
    : constant(type, writer.addBytes(literal, written, end - start), written);
  if (literal.length > LITERAL_KEPT) literal = new Uint8Array(1024);
  return node;
}

function isSame(bytes: Uint8Array, size: number, at: number, otherSize: number): boolean {
  if (size !== otherSize) return false;
  for (let k = 0; k < size; k++) if (bytes[k] !== source[at + k]) return false;
  return true;
}

function compileLoopVariable(code: number): number {
  const type = readType(ANY);
  if (type < 0 || !readInt() || element.high !== 0 || element.low > LOOP_INDEX) return INVALID;
  if (element.low === LOOP_INDEX && type !== INT) return INVALID;
  const node = writer.node(code, type, 1);
  writer.setOperand(node, 0, element.low);
  return node;
}

function compileModulo(code: number): number {
  if (!readInt() || (element.high === 0 && element.low === 0)) return INVALID;
  const node = writer.node(code, INT, 2);
  writer.setOperand(node, 0, element.high | 0);
  writer.setOperand(node, 1, element.low | 0);
  return node;
}

/** result type, system, [op code, argument …], target. Arguments that are lists are expressions. */
function compileCall(code: number): number {
  const type = readType(ANY);
  if (type < 0 || !readInt() || element.high !== 0) return INVALID;
  const systemCode = element.low;
  const system = SYSTEMS[systemCode & ~CALL_MODIFIES];
  if (system === undefined) return INVALID;
  const bodyAt = from;
  const bodyEnd = bodyAt + msgpack.sizeOf(source, bodyAt, end);
  const argCount = enterBody();
  if (argCount < 0) return INVALID;
  const computed = countLists(argCount);
  if (computed > CALL_ARG_COUNT_MAX) return INVALID;
  const node = writer.node(code, type, CALL_ARGS + computed * 3);
  let operand = CALL_ARGS;
  for (let k = 0; k < argCount; k++) {
    const at = from;
    const argEnd = at + msgpack.sizeOf(source, at, end);
    element.read(source, at, end);
    if (element.type === msgpack.LIST) {
      const child = compileArgument();
      if (child < 0 || writer.typeOf(child) === REMOVE_TYPE) return INVALID;
      writer.setOperand(node, operand++, at - start);
      writer.setOperand(node, operand++, argEnd - start);
      writer.setOperand(node, operand++, child);
    }
    from = argEnd;
  }
  if (from !== bodyEnd) return INVALID;
  const target = compileNode();
  if (target < 0 || ((1 << writer.typeOf(target)) & system.targets) === 0) return INVALID;
  if (writer.typeOf(target) === NIL) writer.setType(node, NIL);
  writer.setOperand(node, CALL_TYPE, type);
  writer.setOperand(node, CALL_SYSTEM, systemCode);
  writer.setOperand(node, CALL_TARGET, target);
  writer.setOperand(node, CALL_BODY, bodyAt - start);
  writer.setOperand(node, CALL_BODY_END, bodyEnd - start);
  return node;
}

/** An argument that is a list: most often a quoted one. */
function compileArgument(): number {
  const at = from;
  const { count } = element;
  if (count === 2 && next() === msgpack.LIST && next() === msgpack.INT && element.low === QUOTE) {
    return element.high === 0 ? compileQuote(true) : INVALID;
  }
  from = at;
  return compileNode();
}

/**
 * Steps into the body of a call, behind its op code, through the context that may be around it. A path is stepped
 * over: nothing of it is computed here.
 * @returns How many arguments follow, or INVALID.
 */
function enterBody(): number {
  const at = from;
  if (next() !== msgpack.LIST || element.count === 0) return INVALID;
  const { count } = element;
  if (next() !== msgpack.INT || element.high !== 0) return INVALID;
  if (element.low === PATH_CALL) {
    from = at + msgpack.sizeOf(source, at, end);
    return 0;
  }
  if (element.low !== CONTEXT_CALL) return count - 1;
  if (count !== 3) return INVALID;
  from += msgpack.sizeOf(source, from, end);
  if (next() !== msgpack.LIST || element.count === 0) return INVALID;
  const inner = element.count;
  from += msgpack.sizeOf(source, from, end);
  return inner - 1;
}

/** How many of the next `count` elements are lists. */
function countLists(count: number): number {
  let lists = 0;
  let at = from;
  for (let k = 0; k < count; k++) {
    element.read(source, at, end);
    if (element.type === msgpack.LIST) lists++;
    at += msgpack.sizeOf(source, at, end);
  }
  return lists;
}

/** Reads the header at `from` into `element`. @returns Its type. */
function next(): number {
  from = element.read(source, from, end);
  return element.type;
}

function readInt(): boolean {
  const type = next();
  return type === msgpack.INT || type === msgpack.NEGATIVE_INT;
}

/** Reads a type code. @returns The type, or INVALID when it is none of the set. */
function readType(set: number): number {
  if (!readInt() || element.high !== 0 || element.low >= TYPE_COUNT) return INVALID;
  return ((1 << element.low) & set) === 0 ? INVALID : element.low;
}

/** Reads a string without a type byte; `element` says where it lies. */
function readRaw(): boolean {
  const type = next();
  return type === msgpack.STRING || type === msgpack.BYTES || type === msgpack.GEOJSON;
}

/** @returns The number of the regular expression, or INVALID. */
function readRegex(flags: number): number {
  if (!readRaw()) return INVALID;
  const regex = compileRegex(source, element.bodyAt, element.bodySize, flags);
  if (regex === undefined) return INVALID;
  regexNodes += REGEX_NODES_LEAST + regex.nodeCount;
  return regexNodes > REGEX_NODES_MAX ? INVALID : writer.addRegex(regex);
}

function isBinName(at: number, size: number): boolean {
  if (size > BIN_NAME_SIZE_MAX) return false;
  for (let k = 0; k < size; k++) if (source[at + k] === 0) return false;
  return true;
}

/** A letter or underscore, then those and digits. */
function isVariableName(at: number, size: number): boolean {
  if (size === 0) return false;
  for (let k = 0; k < size; k++) {
    const c = source[at + k]!;
    const isLetter = (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x5f;
    const isDigit = c >= 0x30 && c <= 0x39;
    if (!isLetter && !(isDigit && k > 0)) return false;
  }
  return true;
}
