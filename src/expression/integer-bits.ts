/** Operators on the bits of integers. Source: protocol 16, section 3. */
import {
  countBits,
  scanFromHighest,
  scanFromLowest,
  setInt,
  shiftLeft,
  shiftRight,
  shiftRightSigned,
} from './int64.js';
import { TRUE, UNKNOWN } from './machine.js';
import type { Operator, OperatorRow } from './operator.js';
import { NODE_COUNT, NODE_OPERANDS } from './program.js';
import type { Value } from './value.js';
import { BOOL, INT, typeSet } from './value-type.js';

const SHIFT_MASK = 63;

const bitwise = (name: string, of: (a: number, b: number) => number): Operator => ({
  name,
  params: [typeSet(INT)],
  repeats: true,
  result: INT,
  run: (m, node, out) => {
    const count = m.code[node + NODE_COUNT]!;
    if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
    let { high, low } = out;
    for (let k = 1; k < count; k++) {
      if (m.value(m.code[node + NODE_OPERANDS + k]!, out) !== TRUE) return UNKNOWN;
      high = of(high, out.high);
      low = of(low, out.low);
    }
    setInt(out, high, low);
    return TRUE;
  },
});

const ofOne = (name: string, apply: (a: Value) => void): Operator => ({
  name,
  params: [typeSet(INT)],
  result: INT,
  run: (m, node, out) => {
    if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
    apply(out);
    return TRUE;
  },
});

/** A shift; of the count only the low six bits are looked at, as the reference's hardware does. */
const shift = (name: string, apply: (a: Value, count: number) => void): Operator => ({
  name,
  params: [typeSet(INT), typeSet(INT)],
  result: INT,
  run: (m, node, out) => {
    if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
    const { high, low } = out;
    if (m.value(m.code[node + NODE_OPERANDS + 1]!, out) !== TRUE) return UNKNOWN;
    const count = out.low & SHIFT_MASK;
    setInt(out, high, low);
    apply(out, count);
    return TRUE;
  },
});

/** The place of a bit that is set, or one that is not. */
const scan = (name: string, of: (high: number, low: number) => number): Operator => ({
  name,
  params: [typeSet(INT), typeSet(BOOL)],
  result: INT,
  run: (m, node, out) => {
    if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
    const { high, low } = out;
    const wanted = m.run(m.code[node + NODE_OPERANDS + 1]!, out);
    if (wanted < 0) return UNKNOWN;
    out.setInt(wanted === TRUE ? of(high, low) : of(~high, ~low));
    return TRUE;
  },
});

export const INTEGER_BITS: readonly OperatorRow[] = [
  [32, bitwise('int_and', (a, b) => a & b)],
  [33, bitwise('int_or', (a, b) => a | b)],
  [34, bitwise('int_xor', (a, b) => a ^ b)],
  [35, ofOne('int_not', a => setInt(a, ~a.high, ~a.low))],
  [36, shift('int_lshift', shiftLeft)],
  [37, shift('int_rshift', shiftRight)],
  [38, shift('int_arshift', shiftRightSigned)],
  [39, ofOne('int_count', a => a.setInt(countBits(a)))],
  [40, scan('int_lscan', scanFromHighest)],
  [41, scan('int_rscan', scanFromLowest)],
];
