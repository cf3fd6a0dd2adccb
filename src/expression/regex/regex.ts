/** A compiled pattern; compile.ts makes it. */
import { alphabetOf } from './alphabet.js';
import { Automaton, MATCHES } from './automaton.js';
import { backtrack } from './backtracker.js';
import type { Program } from './program.js';

export class Regex {
  readonly #automaton: Automaton;
  /** Only of a pattern with back-references. */
  readonly #program: Program | undefined;
  /** Size of the automaton: what it takes of memory, and what compiling it took of time. */
  readonly nodeCount: number;

  constructor(program: Program) {
    this.nodeCount = program.op.length;
    this.#automaton = new Automaton(program, alphabetOf(program));
    this.#program = program.hasBackrefs ? program : undefined;
  }

  /**
   * Whether the expression matches anywhere in the `size` bytes at `at`, or those before the first NUL in them.
   * @returns 1 or 0; -1 when the search would take too long, the answer is unknown.
   */
  matches(bytes: Uint8Array, at: number, size: number): number {
    const answer = this.#automaton.search(bytes, at, at + size);
    if (this.#program === undefined || answer !== MATCHES) return answer;
    return backtrack(this.#program, bytes, at, endOfString(bytes, at, at + size));
  }
}

/** Where a string ends for the C library. */
export function endOfString(bytes: Uint8Array, at: number, end: number): number {
  let to = at;
  while (to < end && bytes[to] !== 0) to++;
  return to;
}
