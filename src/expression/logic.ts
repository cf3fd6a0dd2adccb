/** Operators on booleans, in three-valued logic. Source: protocol 16, sections 3 and 5. */
import { FALSE, type Machine, TRUE, UNKNOWN } from './machine.js';
import type { OperatorRow } from './operator.js';
import { NODE_COUNT, NODE_OPERANDS } from './program.js';
import type { Value } from './value.js';
import { BOOL, typeSet } from './value-type.js';

const BOOLS = [typeSet(BOOL), typeSet(BOOL)];

export const LOGIC: readonly OperatorRow[] = [
  [0, { name: 'unknown', params: [], result: BOOL, run: () => UNKNOWN }],
  [16, { name: 'and', params: BOOLS, repeats: true, result: BOOL, run: and }],
  [17, { name: 'or', params: BOOLS, repeats: true, result: BOOL, run: or }],
  [18, { name: 'not', params: [typeSet(BOOL)], result: BOOL, run: not }],
  [19, { name: 'exclusive', params: BOOLS, repeats: true, result: BOOL, run: exclusive }],
];

function and(m: Machine, node: number, out: Value): number {
  const count = m.code[node + NODE_COUNT]!;
  let result = TRUE;
  for (let k = 0; k < count; k++) {
    const known = m.run(m.code[node + NODE_OPERANDS + k]!, out);
    if (known === FALSE) return FALSE;
    if (known !== TRUE) result = UNKNOWN;
  }
  return result;
}

function or(m: Machine, node: number, out: Value): number {
  const count = m.code[node + NODE_COUNT]!;
  let result = FALSE;
  for (let k = 0; k < count; k++) {
    const known = m.run(m.code[node + NODE_OPERANDS + k]!, out);
    if (known === TRUE) return TRUE;
    if (known !== FALSE) result = UNKNOWN;
  }
  return result;
}

function not(m: Machine, node: number, out: Value): number {
  const known = m.run(m.code[node + NODE_OPERANDS]!, out);
  return known === TRUE ? FALSE : known === FALSE ? TRUE : UNKNOWN;
}

/** True when exactly one operand is; a second true one settles it, an unknown one before that does too. */
function exclusive(m: Machine, node: number, out: Value): number {
  const count = m.code[node + NODE_COUNT]!;
  let trues = 0;
  for (let k = 0; k < count; k++) {
    const known = m.run(m.code[node + NODE_OPERANDS + k]!, out);
    if (known !== TRUE && known !== FALSE) return UNKNOWN;
    if (known === TRUE && ++trues === 2) return FALSE;
  }
  return trues;
}
