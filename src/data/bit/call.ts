/**
 * One bit operation, decoded: its row in the table of operations, its arguments, and the blob it works on. One
 * instance is reused; the functions in the table read from it. Source: protocol 14, sections 1 to 3.
 */
import { copyBytes } from '../../base/copy.js';
import { OK, PARAMETER } from '../../base/result.js';
import type { Scratch } from '../../base/scratch.js';
import { BYTES, FALSE, GEOJSON, INT, NEGATIVE_INT, STRING, TRUE } from '../msgpack/element.js';
import { OpBody } from '../op-body.js';
import { SATURATE, SIGNED, WRAP } from './field.js';

/** What an argument is. Sizes and offsets are in bytes or in bits, as the operation uses. */
export const BYTE_OFFSET = 0;
export const BIT_OFFSET = 1;
export const NEW_SIZE = 2; // bytes, 0 allowed
export const BYTE_SIZE = 3;
export const BIT_SIZE = 4;
export const INT_SIZE = 5; // bits, 1 to 64
export const OPERAND = 6; // typed bytes that are not empty
export const BIT_OPERAND = 7; // the same, with at least `size` bits
export const VALUE = 8; // an integer of 64 bits
export const SHIFT = 9; // bits
export const BIT = 10; // true or false
export const WRITE_FLAGS = 11;
export const RESIZE_FLAGS = 12;
export const ARITHMETIC_FLAGS = 13;
export const READ_INT_FLAGS = 14;

/** Write flags. */
export const CREATE_ONLY = 1;
export const UPDATE_ONLY = 2;
export const NO_FAIL = 4;
export const PARTIAL = 8;

/** Flags of RESIZE. */
export const FROM_FRONT = 1;
export const GROW_ONLY = 2;
export const SHRINK_ONLY = 4;

/** Blobs stay below this; offsets and sizes may be this much. */
export const BLOB_SIZE_LIMIT = 128 * 1024 * 1024; // bytes
const BIT_LIMIT = BLOB_SIZE_LIMIT * 8;
const INT_BITS_MAX = 64;
/** Integers beyond this are all the same: above every limit. */
const FAR = 0x1_0000_0000_0000;

/** What `locate` and `apply` may return besides codes: there is nothing to change, and that is no failure. */
export const NOTHING = -1;

/** One row of the table. */
export interface BitRow {
  readonly name: string;
  /** Makes the blob when there is none. */
  readonly creates: boolean;
  /** Kinds of arguments, in order. */
  readonly params: readonly number[];
  /** How many of them must be there. */
  readonly required: number;
  /** Write flags that are allowed. */
  readonly writeFlags: number;
  /** Particle type of what it answers; NULL for an operation that modifies. */
  readonly answer: number;
  /** @returns OK, NOTHING or a result code. */
  readonly apply: (call: BitCall) => number;
}

export class BitCall {
  readonly body = new OpBody();
  scratch!: Scratch;

  /** Arguments; 0 when absent. `offset` is made one from the front before `apply` runs. */
  offset = 0;
  size = 0;
  shift = 0;
  /** 0 or 1. */
  bit = 0;
  valueHigh = 0;
  valueLow = 0;
  /** The content of OPERAND, without its type byte, in the body's bytes. */
  operandAt = 0;
  operandSize = 0;
  writeFlags = 0;
  /** RESIZE_FLAGS, ARITHMETIC_FLAGS or READ_INT_FLAGS: an operation has only one of them. */
  flags = 0;

  /** The blob as it is, `blobSize` bytes from `blobAt`; without `exists` an empty one that lies nowhere. */
  exists = false;
  blob: Uint8Array = new Uint8Array(0);
  blobAt = 0;
  blobSize = 0;

  /** Out: the blob afterwards, or the one that is answered, in scratch memory. */
  out: Uint8Array = new Uint8Array(0);
  outAt = 0;
  outSize = 0;
  /** Out: an integer answer, as two halves. A blob that is answered is in `out`. */
  resultHigh = 0;
  resultLow = 0;

  get isNoFail(): boolean {
    return (this.writeFlags & NO_FAIL) !== 0;
  }

  /** Reads the arguments of `row` from the opened body. @returns false if one is not what it has to be. */
  readArgs(row: BitRow): boolean {
    const { argCount } = this.body;
    const { params } = row;
    this.offset = 0;
    this.size = 0;
    this.writeFlags = 0;
    this.flags = 0;
    if (argCount < row.required || argCount > params.length) return false;
    for (let k = 0; k < argCount; k++) if (!this.#readArg(params[k]!, row)) return false;
    return true;
  }

  #readArg(kind: number, row: BitRow): boolean {
    const { body } = this;
    switch (kind) {
      case BYTE_OFFSET:
        this.offset = this.#int();
        return Math.abs(this.offset) <= BLOB_SIZE_LIMIT;
      case BIT_OFFSET:
        this.offset = this.#int();
        return Math.abs(this.offset) <= BIT_LIMIT;
      case NEW_SIZE:
        return this.#size(0, BLOB_SIZE_LIMIT);
      case BYTE_SIZE:
        return this.#size(1, BLOB_SIZE_LIMIT);
      case BIT_SIZE:
        return this.#size(1, BIT_LIMIT);
      case INT_SIZE:
        return this.#size(1, INT_BITS_MAX);
      case OPERAND:
        return this.#operand();
      case BIT_OPERAND:
        return this.#operand() && this.operandSize * 8 >= this.size;
      case VALUE:
        if (!body.next()) return false;
        this.valueHigh = body.element.high;
        this.valueLow = body.element.low;
        return body.element.type === INT || body.element.type === NEGATIVE_INT;
      case SHIFT:
        this.shift = this.#int();
        return this.shift >= 0 && this.shift <= BIT_LIMIT;
      case BIT:
        if (!body.next()) return false;
        this.bit = body.element.type === TRUE ? 1 : 0;
        return body.element.type === TRUE || body.element.type === FALSE;
      case WRITE_FLAGS:
        this.writeFlags = body.flags(row.writeFlags);
        return this.writeFlags >= 0 && !hasBoth(this.writeFlags, CREATE_ONLY, UPDATE_ONLY);
      case RESIZE_FLAGS:
        this.flags = body.flags(FROM_FRONT | GROW_ONLY | SHRINK_ONLY);
        return this.flags >= 0 && !hasBoth(this.flags, GROW_ONLY, SHRINK_ONLY);
      case ARITHMETIC_FLAGS:
        this.flags = body.flags(SIGNED | SATURATE | WRAP);
        return this.flags >= 0 && !hasBoth(this.flags, SATURATE, WRAP);
      case READ_INT_FLAGS:
        this.flags = body.flags(SIGNED);
        return this.flags >= 0;
      default:
        return false;
    }
  }

  /**
   * Makes a negative offset one from the front.
   * @param limit bytes or bits of the blob, as the operation counts.
   * @returns false when it lies before the blob.
   */
  resolveOffset(limit: number): boolean {
    if (this.offset < 0) this.offset += limit;
    return this.offset >= 0;
  }

  /**
   * Finds the range of `size` at `offset` in a blob of `limit` bytes or bits; with PARTIAL its size is cut to what
   * is there.
   * @param beyond the code for a range that goes beyond the blob.
   * @returns OK, NOTHING or a code.
   */
  locate(limit: number, beyond: number): number {
    if (!this.resolveOffset(limit)) return PARAMETER;
    const room = limit - this.offset;
    if (this.size <= room) return OK;
    if (room <= 0 || (this.writeFlags & PARTIAL) === 0) return this.isNoFail ? NOTHING : beyond;
    this.size = room;
    return OK;
  }

  /** Takes memory for `out`; its content is undefined. */
  makeOut(size: number): void {
    this.outAt = this.scratch.take(size);
    this.out = this.scratch.bytes;
    this.outSize = size;
  }

  /** Makes `out` a copy of the blob, to be changed in place. */
  copyBlob(): void {
    this.makeOut(this.blobSize);
    copyBytes(this.out, this.outAt, this.blob, this.blobAt, this.blobSize);
  }

  /** @param value from -1 to 2^32 - 1. */
  setResult(value: number): void {
    this.resultHigh = value < 0 ? 0xffff_ffff : 0;
    this.resultLow = value;
  }

  /** The next argument as an integer that fits a double; FAR when it does not, or is none. */
  #int(): number {
    const { body } = this;
    if (!body.next()) return FAR;
    const { type, high, low } = body.element;
    if (type === INT) return high > 0xffff ? FAR : high * 0x1_0000_0000 + low;
    if (type !== NEGATIVE_INT) return FAR;
    return (high | 0) < -0x1_0000 ? FAR : (high | 0) * 0x1_0000_0000 + low;
  }

  #size(min: number, max: number): boolean {
    this.size = this.#int();
    return this.size >= min && this.size <= max;
  }

  #operand(): boolean {
    const { body } = this;
    if (!body.next()) return false;
    const { type, bodyAt, bodySize } = body.element;
    this.operandAt = bodyAt + 1;
    this.operandSize = bodySize - 1;
    return (type === BYTES || type === STRING || type === GEOJSON) && bodySize > 1;
  }
}

function hasBoth(flags: number, a: number, b: number): boolean {
  return (flags & a) !== 0 && (flags & b) !== 0;
}
