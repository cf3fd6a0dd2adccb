/**
 * The value of the ops that read or write by an expression: `[expression, flags?]`. Source: protocol 16, section 7.
 */
import { OK, PARAMETER } from '../base/result.js';
import { Element, INT, LIST, sizeOf } from '../data/msgpack/element.js';
import type { Program } from './program.js';
import type { ProgramCache } from './program-cache.js';

export const EXP_CREATE_ONLY = 0x01;
export const EXP_UPDATE_ONLY = 0x02;
export const EXP_ALLOW_DELETE = 0x04;
export const EXP_POLICY_NO_FAIL = 0x08;
export const EXP_EVAL_NO_FAIL = 0x10;

const READ_FLAGS = EXP_EVAL_NO_FAIL;
const WRITE_FLAGS =
  EXP_CREATE_ONLY | EXP_UPDATE_ONLY | EXP_ALLOW_DELETE | EXP_POLICY_NO_FAIL | EXP_EVAL_NO_FAIL;

const element = new Element();
const flagElement = new Element();

/** One such value, decoded; an instance is reused. */
export class ExpressionOperation {
  program: Program | undefined = undefined;
  flags = 0;

  /**
   * @param bytes hold the op's value, `size` bytes from `at`; not kept.
   * @returns OK with `program` and `flags` set, or PARAMETER.
   */
  parse(cache: ProgramCache, bytes: Uint8Array, at: number, size: number, isWrite: boolean): number {
    this.program = undefined;
    this.flags = 0;
    const end = at + size;
    const expressionAt = element.read(bytes, at, end);
    if (expressionAt < 0 || element.type !== LIST) return PARAMETER;
    const { count } = element;
    if (count !== 1 && count !== 2) return PARAMETER;
    const expressionSize = sizeOf(bytes, expressionAt, end);
    if (expressionSize < 0) return PARAMETER;
    let next = expressionAt + expressionSize;
    if (count === 2) {
      next = flagElement.read(bytes, next, end);
      // Flags that are cut off count as none, as on the reference.
      if (next < 0) next = end;
      else if (flagElement.type !== INT || flagElement.high !== 0) return PARAMETER;
      else this.flags = flagElement.low;
      if ((this.flags & ~(isWrite ? WRITE_FLAGS : READ_FLAGS)) !== 0) return PARAMETER;
    }
    if (next !== end) return PARAMETER;
    this.program = cache.get(bytes, expressionAt, expressionSize);
    return this.program === undefined ? PARAMETER : OK;
  }
}
