/**
 * Collects the nodes of a program that is being compiled. One instance is reused, since compiling is not
 * re-entered; `finish` copies out what was collected.
 */
import type { GeoShape } from '../data/geo/containment.js';
import { NODE_COUNT, NODE_OPERANDS, NODE_OPERATOR, NODE_TYPE, Program } from './program.js';
import type { Regex } from './regex/regex.js';

/** Words that are kept for the next program; a larger array is given back. */
const WORDS_KEPT = 1 << 16;
const NONE: readonly never[] = [];

export class CodeWriter {
  #code = new Int32Array(1024);
  #size = 0;
  #regexes: Regex[] | undefined = undefined;
  #shapes: GeoShape[] | undefined = undefined;
  #sorted: Map<number, number> | undefined = undefined;
  #bytes = new Uint8Array(256);
  #bytesSize = 0;

  start(): void {
    this.#size = 0;
    this.#bytesSize = 0;
    this.#regexes = undefined;
    this.#shapes = undefined;
    this.#sorted = undefined;
  }

  /** A new node with room for `count` operands. @returns Where it is. */
  node(operator: number, type: number, count: number): number {
    const at = this.#size;
    const end = at + NODE_OPERANDS + count;
    if (end > this.#code.length) {
      const larger = new Int32Array(Math.max(end, this.#code.length * 2));
      larger.set(this.#code);
      this.#code = larger;
    }
    this.#size = end;
    this.#code[at + NODE_OPERATOR] = operator;
    this.#code[at + NODE_TYPE] = type;
    this.#code[at + NODE_COUNT] = count;
    return at;
  }

  setOperand(node: number, k: number, value: number): void {
    this.#code[node + NODE_OPERANDS + k] = value;
  }

  setType(node: number, type: number): void {
    this.#code[node + NODE_TYPE] = type;
  }

  typeOf(node: number): number {
    return this.#code[node + NODE_TYPE]!;
  }

  operatorOf(node: number): number {
    return this.#code[node + NODE_OPERATOR]!;
  }

  /** @returns The number under which the program knows it. */
  addRegex(regex: Regex): number {
    this.#regexes ??= [];
    return this.#regexes.push(regex) - 1;
  }

  addShape(shape: GeoShape): number {
    this.#shapes ??= [];
    return this.#shapes.push(shape) - 1;
  }

  /** Notes where the form of a list or map constant lies whose maps are in key order; it is of the same size. */
  addSorted(node: number, sortedAt: number): void {
    this.#sorted ??= new Map();
    this.#sorted.set(this.#code[node + NODE_OPERANDS]!, sortedAt);
  }

  /**
   * Adds bytes to those of the expression: the first `size` of `bytes`.
   * @param expressionSize bytes of the expression itself.
   * @returns Where they lie in the program's bytes.
   */
  addBytes(bytes: Uint8Array, size: number, expressionSize: number): number {
    const at = this.#bytesSize;
    if (at + size > this.#bytes.length) {
      const larger = new Uint8Array((at + size) * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes.subarray(0, size), at);
    this.#bytesSize = at + size;
    return expressionSize + at;
  }

  /** @param bytes hold the expression, `size` bytes from `at`; copied. */
  finish(
    bytes: Uint8Array,
    at: number,
    size: number,
    root: number,
    variableCount: number,
    asksOnlyBins: boolean,
  ): Program {
    const code = this.#code.slice(0, this.#size);
    const own = new Uint8Array(size + this.#bytesSize);
    own.set(bytes.subarray(at, at + size)); // a copy in memory of its own, whatever kind of buffer it comes from
    own.set(this.#bytes.subarray(0, this.#bytesSize), size);
    if (this.#bytes.length > WORDS_KEPT) this.#bytes = new Uint8Array(256);
    if (this.#code.length > WORDS_KEPT) this.#code = new Int32Array(1024);
    return new Program(
      code,
      own,
      size,
      root,
      variableCount,
      asksOnlyBins,
      this.#regexes ?? NONE,
      this.#shapes ?? NONE,
      this.#sorted,
    );
  }
}
