/** Rows of the tables of list and map operations. */
import type { CdtCall } from './call.js';

/** Carries an operation out. @returns OK or a result code. */
export type Apply = (call: CdtCall) => number;

/** One operation on lists or on maps. */
export interface CdtRow {
  readonly name: string;
  readonly modifies: boolean;
  /** Makes the container when there is none. */
  readonly creates: boolean;
  /** Kinds of arguments, in order. */
  readonly params: readonly number[];
  /** How many of them must be there. */
  readonly required: number;
  /** What an operation that creates nothing answers when there is no bin at all; OK unless given. */
  readonly missing?: number;
  readonly apply: Apply;
}

/** An operation that makes the container when there is none. */
export function creating(name: string, params: readonly number[], required: number, apply: Apply): CdtRow {
  return { name, modifies: true, creates: true, params, required, apply };
}

/** One that changes what is there. */
export function changing(name: string, params: readonly number[], required: number, apply: Apply): CdtRow {
  return { name, modifies: true, creates: false, params, required, apply };
}

export function reading(name: string, params: readonly number[], required: number, apply: Apply): CdtRow {
  return { name, modifies: false, creates: false, params, required, apply };
}
