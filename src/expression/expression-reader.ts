/**
 * Reads the elements that an expression is written in, one after another. The bytes are well-formed msgpack, checked
 * as a whole before: nothing that is read here is cut off. One instance is reused.
 */
import * as msgpack from '../data/msgpack/element.js';
import { BIN_NAME_SIZE_MAX } from '../wire/message.js';
import { TYPE_COUNT } from './value-type.js';

/** What reading or compiling returns that has failed. */
export const INVALID = -1;

export class ExpressionReader {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the expression starts in `bytes`, where the next element does, and where the expression ends. */
  start = 0;
  from = 0;
  end = 0;
  /** The one that was read last; of a list or map only its header. */
  readonly element = new msgpack.Element();

  /** @param bytes hold the expression, `size` bytes from `at`; not copied. */
  open(bytes: Uint8Array, at: number, size: number): void {
    this.bytes = bytes;
    this.start = at;
    this.from = at;
    this.end = at + size;
  }

  /** Reads the header at `from` into `element`. @returns Its type. */
  next(): number {
    this.from = this.element.read(this.bytes, this.from, this.end);
    return this.element.type;
  }

  /** @returns Where the element at `at` ends, with all that is in it. */
  endOf(at: number): number {
    return at + msgpack.sizeOf(this.bytes, at, this.end);
  }

  readInt(): boolean {
    const type = this.next();
    return type === msgpack.INT || type === msgpack.NEGATIVE_INT;
  }

  /** Reads a type code. @returns The type, or INVALID when it is none of the set. */
  readType(set: number): number {
    const { element } = this;
    if (!this.readInt() || element.high !== 0 || element.low >= TYPE_COUNT) return INVALID;
    return ((1 << element.low) & set) === 0 ? INVALID : element.low;
  }

  /** Reads a string without a type byte; `element` says where it lies. */
  readRaw(): boolean {
    const type = this.next();
    return type === msgpack.STRING || type === msgpack.BYTES || type === msgpack.GEOJSON;
  }

  /** Reads a raw string that may name a bin: at most BIN_NAME_SIZE_MAX bytes, none of them zero. */
  readBinName(): boolean {
    if (!this.readRaw()) return false;
    const { bodyAt, bodySize } = this.element;
    if (bodySize > BIN_NAME_SIZE_MAX) return false;
    for (let k = 0; k < bodySize; k++) if (this.bytes[bodyAt + k] === 0) return false;
    return true;
  }

  /** Reads a raw string that may name a variable: a letter or underscore, then those and digits. */
  readVariableName(): boolean {
    if (!this.readRaw()) return false;
    const { bodyAt, bodySize } = this.element;
    if (bodySize === 0) return false;
    for (let k = 0; k < bodySize; k++) {
      const c = this.bytes[bodyAt + k]!;
      const isLetter = (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x5f;
      const isDigit = c >= 0x30 && c <= 0x39;
      if (!isLetter && !(isDigit && k > 0)) return false;
    }
    return true;
  }
}
