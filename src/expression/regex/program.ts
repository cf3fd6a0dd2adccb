/**
 * The compiled form of a regular expression: a nondeterministic automaton as two arrays. A node is one int
 * (its kind and an argument) and the index of the node after it. `ProgramBuilder` writes nodes into memory
 * that all compilations share; a finished `Program` owns arrays of the exact size.
 *
 * A part of an expression is a *fragment*: the nodes from some index up to the newest one, of which one is
 * the entry and one the exit, the only node whose `next` is still open. Because a fragment is contiguous and
 * its links stay inside, it can be repeated by copying the nodes with all links moved.
 */
import type { ByteSet } from './byte-set.js';

/** Kinds of node, the low 4 bits of its int; the argument lies above. */
export const CHAR = 0; // one byte, the argument (upper case when case is ignored)
export const SET = 1; // one byte out of set number `argument`
export const ASSERT = 2; // nothing, if the place is one of those in the argument: see place.ts
export const MATCH = 3;
export const SPLIT = 4; // nothing; goes on at `argument` or at `next`
export const LOOP = 5; // the same; `argument` is the body of a repetition
export const NOP = 6;
export const OPEN = 7; // nothing; group `argument` (1 to 9) begins or ends here
export const CLOSE = 8;
export const BACKREF = 9; // what group `argument` matched
export const KIND_MASK = 15;
export const ARGUMENT_SHIFT = 4;

/** A larger automaton is refused, as the C library refuses one that does not fit in memory. */
export const NODES_MAX = 65_536;
/** Nodes written while compiling, also those dropped again as in `(a{9999}){0}`; bounds the time. */
const WRITES_MAX = 4 * NODES_MAX;
/** Bracket expressions in one pattern; bounds the time to find the byte classes. */
export const SETS_MAX = 1024;
const NODES_MIN = 256;

export interface Program {
  readonly op: Int32Array;
  readonly next: Int32Array;
  readonly entry: number;
  readonly sets: ReadonlyArray<ByteSet>;
  /** Letters in the program are upper case, those in a subject are to be made so. */
  readonly ignoreCase: boolean;
  /** A newline is a place where a line begins and ends. */
  readonly newline: boolean;
  readonly hasAssertions: boolean;
  readonly hasBackrefs: boolean;
}

/** One instance serves all compilations. After `isFull` nothing more is written and indexes mean nothing. */
export class ProgramBuilder {
  op = new Int32Array(NODES_MIN);
  next = new Int32Array(NODES_MIN);
  count = 0;
  sets: ByteSet[] = [];
  hasAssertions = false;
  isFull = false;
  #written = 0;
  readonly #setIndexes = new Map<ByteSet, number>();

  reset(): void {
    this.count = 0;
    this.sets = [];
    this.#setIndexes.clear();
    this.hasAssertions = false;
    this.isFull = false;
    this.#written = 0;
  }

  /** @returns Index of a new node whose `next` is open, unless `next` is given. */
  node(kind: number, argument = 0, next = 0): number {
    if (!this.#reserve(1)) return 0;
    const at = this.count++;
    this.op[at] = kind | (argument << ARGUMENT_SHIFT);
    this.next[at] = next;
    if (kind === ASSERT) this.hasAssertions = true;
    return at;
  }

  /** @returns Index of a new node for one byte of `set`, which is kept. */
  setNode(set: ByteSet): number {
    let index = this.#setIndexes.get(set);
    if (index === undefined) {
      index = this.sets.push(set) - 1;
      this.#setIndexes.set(set, index);
      if (index === SETS_MAX) this.isFull = true;
    }
    return this.node(SET, index);
  }

  /** Copies the fragment [from, to). @returns What to add to an index in it to get the one in the copy. */
  copy(from: number, to: number): number {
    const size = to - from;
    if (!this.#reserve(size)) return 0;
    const delta = this.count - from;
    for (let at = from; at < to; at++) {
      const op = this.op[at]!;
      const kind = op & KIND_MASK;
      this.op[at + delta] = kind === SPLIT || kind === LOOP ? op + (delta << ARGUMENT_SHIFT) : op;
      this.next[at + delta] = this.next[at]! + delta;
    }
    this.count += size;
    return delta;
  }

  finish(entry: number, ignoreCase: boolean, newline: boolean, hasBackrefs: boolean): Program {
    return {
      op: this.op.slice(0, this.count),
      next: this.next.slice(0, this.count),
      entry,
      sets: this.sets,
      ignoreCase,
      newline,
      hasAssertions: this.hasAssertions,
      hasBackrefs,
    };
  }

  #reserve(count: number): boolean {
    const size = this.count + count;
    this.#written += count;
    if (size > NODES_MAX || this.#written > WRITES_MAX) this.isFull = true;
    if (this.isFull) return false;
    if (size > this.op.length) {
      const length = Math.min(NODES_MAX, Math.max(size, this.op.length * 2));
      this.op = grown(this.op, length);
      this.next = grown(this.next, length);
    }
    return true;
  }
}

/** A copy of `array` with room for `length` ints. */
export function grown(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(array);
  return larger;
}
