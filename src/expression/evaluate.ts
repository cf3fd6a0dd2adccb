/** Evaluation of compiled expressions on a record. */

import { OK } from '../base/result.js';
import type { Scratch } from '../base/scratch.js';
import type { ParticleSpan } from '../data/particle-span.js';
import { Machine, REMOVE, TRUE, UNKNOWN } from './machine.js';
import { OPERATORS } from './operators.js';
import type { Program } from './program.js';
import { ProgramCache } from './program-cache.js';
import type { RecordView } from './record-view.js';
import { BOOL } from './value-type.js';

/** What evaluations return beside OK. */
export const UNKNOWN_VALUE = -1;
/** The value is "remove this entry"; means something in a path modification only, an error (26) elsewhere. */
export const RESULT_REMOVE = -2;

/** Work of a machine that counts as one byte copied. */
const WORK_A_COPIED_BYTE = 4;

/** The machine of this thread. */
export const machine = new Machine(
  OPERATORS.map(operator => operator?.run),
  new ProgramCache(),
);

/**
 * Evaluates a filter.
 * @param program one whose `isFilter` is true.
 * @param scratch takes intermediate values; the caller resets it.
 * @returns 1 true, 0 false, -1 unknown: with only metadata at hand ask again with bins, else it counts as false.
 */
export function evaluateFilter(program: Program, record: RecordView, scratch: Scratch): 1 | 0 | -1 {
  const { top } = machine;
  const value = machine.take();
  const known = machine.evaluate(program, record, undefined, scratch, value);
  machine.top = top;
  if (known !== TRUE || value.type !== BOOL) return UNKNOWN;
  return value.low === 0 ? 0 : 1;
}

/**
 * Evaluates an expression to a value.
 * @param scratch Takes what the evaluation makes, and is charged for the work done, so that its owner can stop a command
 * that evaluates again and again.
 * @param out Receives the value as a particle in the form that replies carry, type NULL for NIL. Its bytes lie in the
 * record, in the program or in the scratch memory, and stay valid as long as all of these do.
 * @returns OK, UNKNOWN_VALUE or RESULT_REMOVE.
 */
export function evaluateValue(
  program: Program,
  record: RecordView,
  scratch: Scratch,
  out: ParticleSpan,
): number {
  const { top } = machine;
  const value = machine.take();
  const known = machine.evaluate(program, record, undefined, scratch, value);
  machine.top = top;
  scratch.charge(machine.workDone / WORK_A_COPIED_BYTE);
  if (known === REMOVE) return RESULT_REMOVE;
  if (known !== TRUE) return UNKNOWN_VALUE;
  value.toParticle(scratch, out);
  return OK;
}
