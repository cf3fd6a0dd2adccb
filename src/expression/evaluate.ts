/** Evaluation of compiled expressions on a record. */
import type { Scratch } from '../base/scratch.js';
import type { ParticleSpan } from '../data/particle-span.js';
import type { Program } from './program.js';
import type { RecordView } from './record-view.js';

/** What evaluations return beside OK. */
export const UNKNOWN_VALUE = -1;
/** The value is "remove this entry"; means something in a path modification only, an error (26) elsewhere. */
export const RESULT_REMOVE = -2;

/**
 * Evaluates a filter.
 * @param program one whose `isFilter` is true.
 * @param scratch takes intermediate values; the caller resets it.
 * @returns 1 true, 0 false, -1 unknown: with only metadata at hand ask again with bins, else it counts as false.
 */
export function evaluateFilter(_program: Program, _record: RecordView, _scratch: Scratch): 1 | 0 | -1 {
  return -1;
}

/**
 * Evaluates an expression to a value.
 * @param out Receives the value as a particle in the form that replies carry, type NULL for NIL. Its bytes lie in the
 * record, in the program or in the scratch memory, and stay valid as long as all of these do.
 * @returns OK, UNKNOWN_VALUE or RESULT_REMOVE.
 */
export function evaluateValue(
  _program: Program,
  _record: RecordView,
  _scratch: Scratch,
  _out: ParticleSpan,
): number {
  return UNKNOWN_VALUE;
}
