/**
 * One HLL operation, decoded: its row in the table of operations, its arguments, and the sketch it works on. One
 * instance is reused; the functions in the table read from it and write their results to it. Source: protocol 15,
 * section 3.
 */
import { copyBytes } from '../../base/copy.js';
import type { Scratch } from '../../base/scratch.js';
import { INT, LIST, NEGATIVE_INT } from '../msgpack/element.js';
import { OpBody } from '../op-body.js';
import { isSetElement } from './element-hash.js';
import {
  INDEX_BITS_MAX,
  INDEX_BITS_MIN,
  isLegal,
  MINHASH_BITS_MAX,
  MINHASH_BITS_MIN,
  Sketch,
  sketchSize,
} from './sketch.js';
import { SketchSet } from './sketch-set.js';

/** What an argument is. */
export const ELEMENTS = 0; // a list of values to be hashed, at least one
export const SKETCHES = 1; // a list of sketches, at least one, or a sketch
export const INDEX_BITS = 2; // 4 to 16, or UNSET
export const MINHASH_BITS = 3; // 0, 4 to 51, or UNSET
export const NEW_INDEX_BITS = 4; // 4 to 16
export const FLAGS = 5;

/** A number of bits that is not given. */
export const UNSET = -1;

/** Write flags. */
export const CREATE_ONLY = 1;
export const UPDATE_ONLY = 2;
export const NO_FAIL = 4;
export const ALLOW_FOLD = 8;

/** One row of the table. */
export interface HllRow {
  readonly name: string;
  readonly modifies: boolean;
  /** Makes the sketch when there is none. */
  readonly creates: boolean;
  /** Kinds of arguments, in order. */
  readonly params: readonly number[];
  /** How many of them must be there. */
  readonly required: number;
  /** Write flags that are allowed. */
  readonly flags: number;
  /** Particle type of what it answers; NULL for nothing. */
  readonly answer: number;
  /** @returns OK or a result code. */
  readonly apply: (call: HllCall) => number;
}

export class HllCall {
  readonly body = new OpBody();
  scratch!: Scratch;

  /** Arguments. */
  p = UNSET;
  m = UNSET;
  flags = 0;
  /** ELEMENTS: how many, and where the first one starts in the body's bytes. */
  elementCount = 0;
  elementsAt = 0;
  readonly sketches = new SketchSet();

  /** The bin's sketch, if it `exists`. */
  readonly sketch = new Sketch();
  exists = false;

  /** Out: the sketch afterwards, or the one that is answered, in scratch memory. */
  readonly out = new Sketch();
  isChanged = false;
  /** Out: an integer answer in two halves, or a number to be answered as a double. */
  resultHigh = 0;
  resultLow = 0;
  resultDouble = 0;

  get isNoFail(): boolean {
    return (this.flags & NO_FAIL) !== 0;
  }

  /** Reads the arguments of `row` from the opened body. @returns false if one is not what it has to be. */
  readArgs(row: HllRow): boolean {
    const { argCount } = this.body;
    const { params } = row;
    this.p = UNSET;
    this.m = UNSET;
    this.flags = 0;
    this.isChanged = false;
    if (argCount < row.required || argCount > params.length) return false;
    for (let k = 0; k < argCount; k++) if (!this.#readArg(params[k]!, row)) return false;
    return this.p === UNSET || this.m === UNSET || isLegal(this.p, this.m);
  }

  #readArg(kind: number, row: HllRow): boolean {
    const { body } = this;
    switch (kind) {
      case ELEMENTS:
        return this.#readElements();
      case SKETCHES:
        return this.sketches.readArg(body);
      case INDEX_BITS:
        this.p = this.#bits();
        return this.p === UNSET || (this.p >= INDEX_BITS_MIN && this.p <= INDEX_BITS_MAX);
      case NEW_INDEX_BITS:
        this.p = this.#bits();
        return this.p >= INDEX_BITS_MIN && this.p <= INDEX_BITS_MAX;
      case MINHASH_BITS:
        this.m = this.#bits();
        return this.m <= 0 ? this.m >= UNSET : this.m >= MINHASH_BITS_MIN && this.m <= MINHASH_BITS_MAX;
      case FLAGS:
        this.flags = body.flags(row.flags);
        return this.flags >= 0 && (this.flags & (CREATE_ONLY | UPDATE_ONLY)) !== (CREATE_ONLY | UPDATE_ONLY);
      default:
        return false;
    }
  }

  /** Makes `out` an empty sketch. */
  makeOut(p: number, m: number): void {
    const at = this.scratch.take(sketchSize(p, m));
    this.out.clear(this.scratch.bytes, at, p, m);
    this.isChanged = true;
  }

  /** Makes `out` a copy of the bin's sketch, to be changed in place. */
  copySketch(): void {
    const { bytes, at, size } = this.sketch;
    const outAt = this.scratch.take(size);
    copyBytes(this.scratch.bytes, outAt, bytes, at, size);
    this.out.load(this.scratch.bytes, outAt);
    this.isChanged = true;
  }

  /** @param value a whole number, not negative; what 64 bits can't hold becomes the most that they can. */
  setCount(value: number): void {
    this.resultHigh = Math.min(Math.floor(value / 0x1_0000_0000), 0xffff_ffff);
    this.resultLow = value;
  }

  /** The next argument as a small integer; below UNSET when it is none. */
  #bits(): number {
    const { body } = this;
    if (!body.next()) return UNSET - 1;
    const { type, high, low } = body.element;
    if (type === INT) return high === 0 ? low : UNSET - 1;
    return type === NEGATIVE_INT && high === 0xffff_ffff ? low | 0 : UNSET - 1;
  }

  #readElements(): boolean {
    const { body } = this;
    if (!body.next() || body.element.type !== LIST) return false;
    this.elementCount = body.element.count;
    if (this.elementCount > 0 && body.skipFlags()) this.elementCount--;
    this.elementsAt = body.at;
    for (let k = 0; k < this.elementCount; k++) if (!body.next() || !isSetElement(body.element)) return false;
    return this.elementCount > 0;
  }
}
