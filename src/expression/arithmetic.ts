/** Operators on integers and floats. Source: protocol 16, section 3. */

import { naturalLogarithm, power } from './double-double.js';
import {
  addTo,
  compareInts,
  divideBy,
  isZero,
  multiplyTo,
  negateInt,
  remainderOf,
  setFromDouble,
  subtractFrom,
  toDouble,
} from './int64.js';
import { type Machine, TRUE, UNKNOWN } from './machine.js';
import { type Operator, type OperatorRow, SAME_TYPE } from './operator.js';
import { NODE_COUNT, NODE_OPERANDS } from './program.js';
import type { Value } from './value.js';
import { FLOAT, INT, typeSet } from './value-type.js';

const NUMBER = typeSet(INT, FLOAT);
/** Bit of the high half of a float. */
const SIGN = 0x8000_0000;

/** How one operator takes in a further operand; the result goes to `a`. */
type Fold = (a: Value, b: Value) => void;

const fold = (name: string, ints: Fold, floats: (a: number, b: number) => number): Operator => ({
  name,
  params: [NUMBER],
  repeats: true,
  same: true,
  result: SAME_TYPE,
  run: (m, node, out) => foldOperands(m, node, 0, out, ints, floats),
});

const rounding = (name: string, of: (x: number) => number): Operator => ({
  name,
  params: [typeSet(FLOAT)],
  result: FLOAT,
  run: (m, node, out) => {
    if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
    out.setFloatResult(of(out.number));
    return TRUE;
  },
});

/** A function of two floats; the result goes to the first. */
const ofTwoFloats = (name: string, apply: Fold): Operator => ({
  name,
  params: [typeSet(FLOAT), typeSet(FLOAT)],
  result: FLOAT,
  run: (m, node, out) => {
    if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
    const { top } = m;
    const operand = m.take();
    const known = m.value(m.code[node + NODE_OPERANDS + 1]!, operand);
    m.top = top;
    if (known !== TRUE) return UNKNOWN;
    apply(out, operand);
    return TRUE;
  },
});

export const ARITHMETIC: readonly OperatorRow[] = [
  [20, fold('add', addTo, (a, b) => a + b)],
  [21, { ...fold('sub', subtractFrom, (a, b) => a - b), run: subtract }],
  [22, fold('mul', multiplyTo, (a, b) => a * b)],
  [23, { ...fold('div', divideBy, (a, b) => a / b), run: divide }],
  [24, ofTwoFloats('pow', raise)],
  [25, ofTwoFloats('log', logarithm)],
  [26, { name: 'mod', params: [typeSet(INT), typeSet(INT)], result: INT, run: modulo }],
  [27, { name: 'abs', params: [NUMBER], same: true, result: SAME_TYPE, run: absolute }],
  [28, rounding('floor', Math.floor)],
  [29, rounding('ceil', Math.ceil)],
  [30, { name: 'to_int', params: [typeSet(FLOAT)], result: INT, run: toInt }],
  [31, { name: 'to_float', params: [typeSet(INT)], result: FLOAT, run: toFloat }],
  [50, fold('min', minimum, lesser)],
  [51, fold('max', maximum, greater)],
];

/** Folds operand `first` and those after it into `out`. */
function foldOperands(
  m: Machine,
  node: number,
  first: number,
  out: Value,
  ints: Fold,
  floats: (a: number, b: number) => number,
): number {
  const count = m.code[node + NODE_COUNT]!;
  if (m.value(m.code[node + NODE_OPERANDS + first]!, out) !== TRUE) return UNKNOWN;
  const { top } = m;
  const operand = m.take();
  let result = TRUE;
  for (let k = first + 1; k < count && result === TRUE; k++) {
    result = m.value(m.code[node + NODE_OPERANDS + k]!, operand);
    if (result !== TRUE) break;
    if (out.type === INT) ints(out, operand);
    else out.setFloatResult(floats(out.number, operand.number), operand);
  }
  m.top = top;
  return result;
}

/** One operand is negated; of more, the others are taken from the first. */
function subtract(m: Machine, node: number, out: Value): number {
  if (m.code[node + NODE_COUNT] !== 1) {
    return foldOperands(m, node, 0, out, subtractFrom, (a, b) => a - b);
  }
  if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
  if (out.type === INT) negateInt(out);
  else {
    out.number = -out.number;
    out.high ^= SIGN; // of a NaN
  }
  return TRUE;
}

/** One operand divides 1; of more, the product of the others divides the first. */
function divide(m: Machine, node: number, out: Value): number {
  const isSingle = m.code[node + NODE_COUNT] === 1;
  if (!isSingle && m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
  const { top } = m;
  const divisor = m.take();
  const known = foldOperands(m, node, isSingle ? 0 : 1, divisor, multiplyTo, (a, b) => a * b);
  m.top = top;
  if (known !== TRUE) return UNKNOWN;
  if (isSingle) {
    if (divisor.type === INT) out.setInt(1);
    else out.setFloat(1);
  }
  if (divisor.type === FLOAT) {
    out.setFloatResult(out.number / divisor.number, divisor);
    return TRUE;
  }
  if (isZero(divisor)) return UNKNOWN;
  divideBy(out, divisor);
  return TRUE;
}

/** As the C library has it, an odd power takes a NaN's sign away. */
function raise(a: Value, b: Value): void {
  const isUnsigned = Number.isNaN(a.number) && Math.abs(b.number) % 2 === 1;
  a.setFloatResult(power(a.number, b.number), b);
  if (isUnsigned) a.high &= ~SIGN;
}

function logarithm(a: Value, b: Value): void {
  a.setFloatResult(naturalLogarithm(a.number));
  b.setFloatResult(naturalLogarithm(b.number));
  a.setFloatResult(a.number / b.number, b);
}

function modulo(m: Machine, node: number, out: Value): number {
  if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
  const { top } = m;
  const divisor = m.take();
  const known = m.value(m.code[node + NODE_OPERANDS + 1]!, divisor);
  m.top = top;
  if (known !== TRUE || isZero(divisor)) return UNKNOWN;
  remainderOf(out, divisor);
  return TRUE;
}

function absolute(m: Machine, node: number, out: Value): number {
  if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
  if (out.type === FLOAT) {
    out.number = Math.abs(out.number);
    out.high &= ~SIGN; // of a NaN
  } else if (out.high < 0) negateInt(out);
  return TRUE;
}

function toInt(m: Machine, node: number, out: Value): number {
  if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
  const { number } = out;
  out.setInt(0);
  setFromDouble(out, number);
  return TRUE;
}

function toFloat(m: Machine, node: number, out: Value): number {
  if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
  out.setFloat(toDouble(out));
  return TRUE;
}

function minimum(a: Value, b: Value): void {
  if (compareInts(b, a) < 0) a.copy(b);
}

function maximum(a: Value, b: Value): void {
  if (compareInts(b, a) > 0) a.copy(b);
}

/** A NaN compares with nothing: the first operand stays. */
function lesser(a: number, b: number): number {
  if (b < a) return b;
  return a;
}

function greater(a: number, b: number): number {
  if (b > a) return b;
  return a;
}
