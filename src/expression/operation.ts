/**
 * The value of the ops that read or write by an expression: `[expression, flags?]`. Source: protocol 16, section 7.
 */
import { PARAMETER } from '../base/result.js';
import type { Program } from './program.js';
import type { ProgramCache } from './program-cache.js';

export const EXP_CREATE_ONLY = 0x01;
export const EXP_UPDATE_ONLY = 0x02;
export const EXP_ALLOW_DELETE = 0x04;
export const EXP_POLICY_NO_FAIL = 0x08;
export const EXP_EVAL_NO_FAIL = 0x10;

/** One such value, decoded; an instance is reused. */
export class ExpressionOperation {
  program: Program | undefined = undefined;
  flags = 0;

  /** @returns OK with `program` and `flags` set, or PARAMETER. The bytes are not kept. */
  parse(_cache: ProgramCache, _bytes: Uint8Array, _at: number, _size: number, _isWrite: boolean): number {
    return PARAMETER;
  }
}
