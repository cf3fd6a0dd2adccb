/**
 * An expression, compiled. Immutable: who holds one may keep it as long as needed.
 *
 * Nodes lie in `code`, int32s: operator, static type, operand count, operands. What an operand is depends on the
 * operator: most often where a child node starts, else a plain number or an offset into `bytes`.
 */
import type { GeoShape } from '../data/geo/containment.js';
import type { Regex } from './regex/regex.js';
import { BOOL, NIL } from './value-type.js';

export const NODE_OPERATOR = 0;
export const NODE_TYPE = 1;
export const NODE_COUNT = 2;
export const NODE_OPERANDS = 3;

export class Program {
  readonly code: Int32Array;
  /** The expression as it came, its first `size` bytes, then constants that had to be written another way. */
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly root: number;
  /** Most variables alive at a time. */
  readonly variableCount: number;
  /** Of the record it asks for bins or the key alone: to evaluate it without them would be for nothing. */
  readonly asksOnlyBins: boolean;
  readonly regexes: readonly Regex[];
  /** Constants of type GEO. */
  readonly shapes: readonly GeoShape[];
  /** Of list and map constants that hold maps in no order: where they lie in `bytes`, and where they do with those in key order. */
  readonly #sorted: ReadonlyMap<number, number> | undefined;

  static readonly EMPTY = new Program(Int32Array.of(0, NIL, 0), new Uint8Array(0), 0, 0, 0, false, [], []);

  constructor(
    code: Int32Array,
    bytes: Uint8Array,
    size: number,
    root: number,
    variableCount: number,
    asksOnlyBins: boolean,
    regexes: readonly Regex[],
    shapes: readonly GeoShape[],
    sorted?: ReadonlyMap<number, number>,
  ) {
    this.code = code;
    this.bytes = bytes;
    this.size = size;
    this.root = root;
    this.variableCount = variableCount;
    this.asksOnlyBins = asksOnlyBins;
    this.regexes = regexes;
    this.shapes = shapes;
    this.#sorted = sorted;
  }

  /** Whether its value may be, or hold, a map in no order. */
  get hasUnsortedMap(): boolean {
    return this.#sorted !== undefined;
  }

  /** Where the list or map constant at `at` lies as operations need it: with its maps in key order. */
  sortedAt(at: number): number {
    return this.#sorted?.get(at) ?? at;
  }

  /** Static type of its value. */
  get type(): number {
    return this.code[this.root + NODE_TYPE]!;
  }

  /** Whether its value is a boolean, so that it may serve as a filter. */
  get isFilter(): boolean {
    return this.type === BOOL;
  }
}
