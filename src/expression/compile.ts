/**
 * The compiler: an expression's bytes to a program, everything checked that can be checked without a record. What
 * each operator takes stands in the table of operators; here is how it is read. Source: protocol 16, section 2.
 */
import * as msgpack from '../data/msgpack/element.js';
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
import { countLists, enterBody } from './call-body.js';
import { CodeWriter } from './code-writer.js';
import { compileConstant, compileLiteral, constant } from './constant.js';
import { ExpressionReader, INVALID } from './expression-reader.js';
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
import { compileRegex } from './regex/compile.js';
import { Scope, UNDEFINED } from './scope.js';
import { LOOP_INDEX, QUOTE } from './structure.js';
import { ANY, BLOB, BOOL, INT, LIST, NIL, REMOVE_TYPE, STR, typeSet } from './value-type.js';

/** Bytes of an expression. */
const SIZE_MAX = 1 << 20;
const VARIABLE_COUNT_MAX = 256;
/** What all regular expressions of one expression may amount to together, in nodes. */
const REGEX_NODES_MAX = 20_000;
/** What a regular expression counts beside its nodes. */
const REGEX_NODES_LEAST = 128;
const KEY_TYPES = typeSet(INT, STR, BLOB);

const reader = new ExpressionReader();
const { element } = reader;
const writer = new CodeWriter();
const scope = new Scope();

let regexNodes = 0;
let asksMetadata = false;
let asksBins = false;

/**
 * Compiles one expression.
 * @param bytes hold it, `size` bytes from `at`; not kept.
 * @returns undefined when it is invalid: code PARAMETER.
 */
export function compile(bytes: Uint8Array, at: number, size: number): Program | undefined {
  // Well-formed and not nested too deep: from here on nothing that is read can be cut off.
  if (size > SIZE_MAX || msgpack.sizeOf(bytes, at, at + size) !== size) return undefined;
  reader.open(bytes, at, size);
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
  const at = reader.from;
  if (reader.next() !== msgpack.LIST) return compileConstant(reader, writer, at);
  const count = element.count - 1;
  if (count < 0) return INVALID;
  if (reader.next() !== msgpack.INT || element.high !== 0 || element.low >= OPERATOR_CODE_COUNT)
    return INVALID;
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
        named = reader.readType(param === TYPE_OPERAND ? ANY : KEY_TYPES);
        if (named < 0) return INVALID;
        break;
      case NAME_OPERAND:
        if (!reader.readBinName()) return INVALID;
        writer.setOperand(node, operand++, element.bodyAt - reader.start);
        writer.setOperand(node, operand++, element.bodySize);
        break;
      case INT_OPERAND:
        if (!reader.readInt()) return INVALID;
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
        const found = reader.readRaw() ? scope.find(element.bodyAt, element.bodySize) : -1;
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
    if (!reader.readVariableName()) return INVALID;
    const { bodyAt, bodySize } = element;
    if (scope.find(bodyAt, bodySize) >= 0) return INVALID;
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
  const at = reader.from;
  if (reader.next() !== msgpack.LIST) return INVALID;
  if (!isArgument) return compileLiteral(reader, writer, LIST, at);
  reader.from = reader.endOf(at);
  return constant(writer, LIST, at - reader.start, reader.from - at);
}

function compileLoopVariable(code: number): number {
  const type = reader.readType(ANY);
  if (type < 0 || !reader.readInt() || element.high !== 0 || element.low > LOOP_INDEX) return INVALID;
  if (element.low === LOOP_INDEX && type !== INT) return INVALID;
  const node = writer.node(code, type, 1);
  writer.setOperand(node, 0, element.low);
  return node;
}

function compileModulo(code: number): number {
  if (!reader.readInt() || (element.high === 0 && element.low === 0)) return INVALID;
  const node = writer.node(code, INT, 2);
  writer.setOperand(node, 0, element.high | 0);
  writer.setOperand(node, 1, element.low | 0);
  return node;
}

/** result type, system, [op code, argument …], target. Arguments that are lists are expressions. */
function compileCall(code: number): number {
  const type = reader.readType(ANY);
  if (type < 0 || !reader.readInt() || element.high !== 0) return INVALID;
  const systemCode = element.low;
  const system = SYSTEMS[systemCode & ~CALL_MODIFIES];
  if (system === undefined) return INVALID;
  const bodyAt = reader.from;
  const bodyEnd = reader.endOf(bodyAt);
  const argCount = enterBody(reader);
  if (argCount < 0) return INVALID;
  const computed = countLists(reader, argCount);
  if (computed > CALL_ARG_COUNT_MAX) return INVALID;
  const node = writer.node(code, type, CALL_ARGS + computed * 3);
  let operand = CALL_ARGS;
  for (let k = 0; k < argCount; k++) {
    const at = reader.from;
    const argEnd = reader.endOf(at);
    element.read(reader.bytes, at, reader.end);
    if (element.type === msgpack.LIST) {
      const child = compileArgument();
      if (child < 0 || writer.typeOf(child) === REMOVE_TYPE) return INVALID;
      writer.setOperand(node, operand++, at - reader.start);
      writer.setOperand(node, operand++, argEnd - reader.start);
      writer.setOperand(node, operand++, child);
    }
    reader.from = argEnd;
  }
  if (reader.from !== bodyEnd) return INVALID;
  const target = compileNode();
  if (target < 0 || ((1 << writer.typeOf(target)) & system.targets) === 0) return INVALID;
  if (writer.typeOf(target) === NIL) writer.setType(node, NIL);
  writer.setOperand(node, CALL_TYPE, type);
  writer.setOperand(node, CALL_SYSTEM, systemCode);
  writer.setOperand(node, CALL_TARGET, target);
  writer.setOperand(node, CALL_BODY, bodyAt - reader.start);
  writer.setOperand(node, CALL_BODY_END, bodyEnd - reader.start);
  return node;
}

/** An argument that is a list: most often a quoted one. */
function compileArgument(): number {
  const at = reader.from;
  const { count } = element;
  if (
    count === 2 &&
    reader.next() === msgpack.LIST &&
    reader.next() === msgpack.INT &&
    element.low === QUOTE
  ) {
    return element.high === 0 ? compileQuote(true) : INVALID;
  }
  reader.from = at;
  return compileNode();
}

/** @returns The number of the regular expression, or INVALID. */
function readRegex(flags: number): number {
  if (!reader.readRaw()) return INVALID;
  const regex = compileRegex(reader.bytes, element.bodyAt, element.bodySize, flags);
  if (regex === undefined) return INVALID;
  regexNodes += REGEX_NODES_LEAST + regex.nodeCount;
  return regexNodes > REGEX_NODES_MAX ? INVALID : writer.addRegex(regex);
}
