/** What a row of the operators' table says. */
import type { Run } from './machine.js';

/** Operands that are no expressions; a positive parameter is the set of types that an expression there may have. */
export const TYPE_OPERAND = -1; // a type code; the node's static type
export const KEY_TYPE_OPERAND = -2; // one of those that a user key may have
export const NAME_OPERAND = -3; // a raw bin name: two operands in the node, where it lies in the bytes and its size
export const INT_OPERAND = -4; // two operands in the node: both halves
export const PATTERN_OPERAND = -5; // a raw regular expression; the integer operand before it has its flags
export const VARIABLE_OPERAND = -6; // a raw name in scope; the node's operand is its number

/** Results that depend on the operands. */
export const SAME_TYPE = -1; // the one type that all expressions have
export const NAMED_TYPE = -2; // what the type operand says, or the variable's definition

export interface Operator {
  readonly name: string;
  readonly params: readonly number[];
  /** The last parameter may be repeated. */
  readonly repeats?: boolean;
  /** All expressions among the operands have the same type. */
  readonly same?: boolean;
  /** An expression type, SAME_TYPE or NAMED_TYPE. */
  readonly result: number;
  /** What it wants to know of the record, if anything. */
  readonly asks?: 'metadata' | 'bins';
  /** Operators with a grammar of their own; the compiler knows how to read them. */
  readonly form?: 'cond' | 'let' | 'quote' | 'call' | 'loopvar' | 'modulo';
  readonly run: Run;
}

export type OperatorRow = readonly [code: number, operator: Operator];
