/** All operators of expressions, by their code. */
import { ARITHMETIC } from './arithmetic.js';
import { CALLS } from './call.js';
import { COMPARISONS } from './comparison.js';
import { INTEGER_BITS } from './integer-bits.js';
import { LOGIC } from './logic.js';
import type { Operator } from './operator.js';
import { RECORD_VALUES } from './record-values.js';
import { CONSTANT, STRUCTURE } from './structure.js';

/** Codes on the wire are below this; the rest are the compiler's own. */
export const OPERATOR_CODE_COUNT = 128;

/** Indexed by code; a hole is an unknown operator. */
export const OPERATORS: readonly (Operator | undefined)[] = (() => {
  const table: (Operator | undefined)[] = new Array(CONSTANT + 1).fill(undefined);
  const rows = [LOGIC, COMPARISONS, ARITHMETIC, INTEGER_BITS, RECORD_VALUES, STRUCTURE, CALLS].flat();
  for (const [code, operator] of rows) table[code] = operator;
  return table;
})();
