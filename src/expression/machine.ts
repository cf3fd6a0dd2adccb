/**
 * What evaluates programs: a stack of values, the record and the program at hand. One machine a thread; it is
 * re-entered when a call in an expression selects by a path and the path has expressions of its own. Every
 * function here and every operator leaves the stack as high as it found it.
 */
import { Scratch } from '../base/scratch.js';
import { compared } from '../data/cdt/compared.js';
import { ParticleSpan } from '../data/particle-span.js';
import { ValueOp } from '../data/value-op.js';
import { NODE_OPERATOR, NODE_TYPE, Program } from './program.js';
import type { RecordView } from './record-view.js';
import { Value } from './value.js';
import { BOOL } from './value-type.js';

/** What operators return: a boolean, or TRUE for any other value, which is in `out` then. */
export const UNKNOWN = -1;
export const FALSE = 0;
export const TRUE = 1;
/** Not a value at all: the entry of a path that is being modified is to be removed. */
export const REMOVE = 2;

/** Evaluates the node at `node`; for a boolean node the returned number is all, `out` is not set. */
export type Run = (machine: Machine, node: number, out: Value) => number;

/** Compiles expressions; see `ProgramCache`. */
export interface ProgramSource {
  get(bytes: Uint8Array, at: number, size: number): Program | undefined;
}

/**
 * Work is what an evaluation looks at, in bytes, and a charge for each node. What it may come to grows with the
 * expression and with the largest value, so that only what goes over the same things again and again is stopped.
 */
const WORK_BASE = 4 * 1024 * 1024;
const WORK_MAX = 512 * 1024 * 1024;
const NODE_WORK = 8;
/** Bytes that an evaluation may go over in comparing, about 0.4 s; the operation that reaches it is still carried out. */
const COMPARED_MAX = 256 * 1024 * 1024;
/** What a byte that was gone over in comparing counts for in the work that was done. */
const COMPARED_WORK = 1;
const WORK_A_PROGRAM_BYTE = 64;
const WORK_A_VALUE_BYTE = 256;

/** Loop variables: the entry of a list or map at which a path stands. Key and index are unknown where they make no sense. */
export class LoopEntry {
  /** Holds key and value, as msgpack elements. */
  bytes: Uint8Array = new Uint8Array(0);
  keyAt = -1;
  keyEnd = -1;
  valueAt = 0;
  valueEnd = 0;
  index = -1;
}

export class Machine {
  program = Program.EMPTY;
  code = this.program.code;
  /** undefined where there is no record: BIN, KEY and all metadata are unknown. */
  record: RecordView | undefined = undefined;
  loop: LoopEntry | undefined = undefined;
  scratch = new Scratch();
  readonly particle = new ParticleSpan();
  /** Variable k of the program is `values[base + k]`. */
  base = 0;
  top = 0;
  readonly values: Value[] = [];
  /** What may be done in all, and what may still be done. */
  #workAllowed = 0;
  #workLeft = 0;
  #largestSize = 0;
  /** What `compared` showed when the evaluation began. */
  #comparedBefore = 0;
  #depth = 0;
  readonly #ops: ValueOp[] = [];
  #opCount = 0;
  readonly #table: readonly (Run | undefined)[];

  /** Compiles the expressions that paths carry. */
  readonly programs: ProgramSource;

  /** @param table the operators, by code. */
  constructor(table: readonly (Run | undefined)[], programs: ProgramSource) {
    this.#table = table;
    this.programs = programs;
  }

  /**
   * Evaluates a program from its root.
   * @param out Receives the value, booleans too. @returns TRUE, UNKNOWN or REMOVE.
   */
  evaluate(
    program: Program,
    record: RecordView | undefined,
    loop: LoopEntry | undefined,
    scratch: Scratch,
    out: Value,
  ): number {
    const outerProgram = this.program;
    const outerRecord = this.record;
    const outerLoop = this.loop;
    const outerBase = this.base;
    const outerTop = this.top;
    const outerScratch = this.scratch;
    this.enter();
    if (this.#depth === 1) this.#allow(program.bytes.length * WORK_A_PROGRAM_BYTE);
    this.program = program;
    this.code = program.code;
    this.record = record;
    this.loop = loop;
    this.scratch = scratch;
    this.base = outerTop;
    for (let k = 0; k < program.variableCount; k++) this.take();
    const known = this.value(program.root, out);
    this.leave();
    this.program = outerProgram;
    this.code = outerProgram.code;
    this.record = outerRecord;
    this.loop = outerLoop;
    this.base = outerBase;
    this.top = outerTop;
    this.scratch = outerScratch;
    return known;
  }

  /** Evaluates a node. @returns As `Run`. */
  run(node: number, out: Value): number {
    this.#workLeft -= NODE_WORK;
    if (this.#workLeft < 0) return UNKNOWN;
    return this.#table[this.code[node + NODE_OPERATOR]!]!(this, node, out);
  }

  /** Evaluates a node and sets `out` also for a boolean. @returns TRUE, UNKNOWN or REMOVE. */
  value(node: number, out: Value): number {
    const known = this.run(node, out);
    if (known < 0 || known === REMOVE || this.code[node + NODE_TYPE] !== BOOL) return known;
    out.setBool(known);
    return TRUE;
  }

  /** A fresh value on the stack; setting `top` back frees it. */
  take(): Value {
    const index = this.top++;
    const value = this.values[index];
    if (value !== undefined) return value;
    const added = new Value();
    this.values.push(added);
    return added;
  }

  /** Begins an evaluation, or one inside it; the outermost has all its work before it. Ends with `leave`. */
  enter(): void {
    if (this.#depth++ > 0) return;
    this.#workAllowed = WORK_BASE;
    this.#workLeft = WORK_BASE;
    this.#largestSize = 0;
    this.#comparedBefore = compared.size;
  }

  leave(): void {
    this.#depth--;
  }

  /** Notes the size of a value that is worked on. */
  noteSize(size: number): void {
    if (size <= this.#largestSize) return;
    this.#allow((size - this.#largestSize) * WORK_A_VALUE_BYTE);
    this.#largestSize = size;
  }

  /** Charges `size` bytes that are about to be looked at or copied. @returns false when there has been too much: give up as unknown. */
  spend(size: number): boolean {
    this.#workLeft -= size;
    return this.#workLeft >= 0;
  }

  /** Whether no further operation may begin that might compare much. */
  get hasComparedEnough(): boolean {
    return compared.size - this.#comparedBefore > COMPARED_MAX;
  }

  /** What the evaluation in hand, or the last one, has done so far. */
  get workDone(): number {
    return this.#workAllowed - this.#workLeft + COMPARED_WORK * (compared.size - this.#comparedBefore);
  }

  #allow(work: number): void {
    const before = this.#workLeft;
    this.#workLeft = Math.min(WORK_MAX, before + work);
    this.#workAllowed += this.#workLeft - before;
  }

  /** An operation to run; calls nest, so each level has its own. Goes back with `returnOp`. */
  takeOp(): ValueOp {
    const index = this.#opCount++;
    const op = this.#ops[index];
    if (op !== undefined) return op;
    const added = new ValueOp();
    this.#ops.push(added);
    return added;
  }

  returnOp(op: ValueOp): void {
    this.#opCount--;
    op.target.clear();
    op.result.clear();
    op.changed.clear();
  }
}
