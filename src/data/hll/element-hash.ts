/**
 * Where an element of a set falls in a sketch: a hash of its msgpack bytes, in their smallest form, gives a
 * register, a rho and a minhash. Source: protocol 15, section 2.
 */
import type { Scratch } from '../../base/scratch.js';
import {
  BYTES,
  DOUBLE,
  Element,
  FALSE,
  GEOJSON,
  INT,
  NEGATIVE_INT,
  NIL,
  STRING,
  TRUE,
} from '../msgpack/element.js';
import { Writer } from '../msgpack/writer.js';
import { Hash128 } from './murmur.js';
import { RHO_BITS, RHO_COUNT } from './sketch.js';

const INTEGER_SIZE_MAX = 9; // bytes, header included
const HEADER_SIZE_MAX = 5; // bytes, of a string or blob

const element = new Element();
const writer = new Writer();
const integer = new Uint8Array(INTEGER_SIZE_MAX);
const hash = new Hash128();

export class ElementHash {
  #high = 0;
  #low = 0;
  #rho = 0;
  /** The value that `place` made for a register, in the form that `Sketch` has them. */
  high = 0;
  low = 0;

  /**
   * Hashes the element at `at`, which `isSetElement` has accepted and which lies before `end`.
   * @param scratch takes the smallest form of an element that did not come in it; given back before returning.
   * @returns Where the next element starts.
   */
  read(bytes: Uint8Array, at: number, end: number, scratch: Scratch): number {
    const next = element.read(bytes, at, end);
    const { type, bodyAt, bodySize } = element;
    if (type === INT || type === NEGATIVE_INT) {
      writer.start(integer, 0);
      writer.integer(type, element.high, element.low);
      hash.hash(integer, 0, writer.at);
    } else if (isPayload(type) && bodyAt - at > smallestHeader(bodySize)) {
      const copyAt = scratch.take(HEADER_SIZE_MAX + bodySize);
      writer.start(scratch.bytes, copyAt);
      writer.payload(bytes, at, bodyAt, bodySize);
      hash.hash(writer.bytes, copyAt, writer.at - copyAt);
      scratch.trim(copyAt);
    } else hash.hash(bytes, at, next - at);
    this.#high = hash.high1;
    this.#low = hash.low1;
    this.#rho = (trailingZeros(hash.high2, hash.low2) + 1) % RHO_COUNT;
    return next;
  }

  /**
   * Makes the value of the element just read for a sketch with `p` index bits and `m` minhash bits.
   * @returns The index of its register.
   */
  place(p: number, m: number): number {
    let high = 0;
    let low = 0;
    if (m > 0) {
      // The m bits above the index: the index falls out below, what is above them at the top.
      const bits = 64 - m;
      high = this.#high >>> p;
      low = (this.#low >>> p) | (this.#high << (32 - p));
      high = bits < 32 ? (high << bits) | (low >>> (32 - bits)) : low << (bits - 32);
      low = bits < 32 ? low << bits : 0;
    }
    this.high = (high >>> RHO_BITS) | (this.#rho << (32 - RHO_BITS));
    this.low = (low >>> RHO_BITS) | (high << (32 - RHO_BITS));
    return this.#low & (2 ** p - 1);
  }
}

/** Whether an element that was read can be in a set: containers and exts can't. */
export function isSetElement({ type }: Element): boolean {
  return (
    isPayload(type) ||
    type === INT ||
    type === NEGATIVE_INT ||
    type === NIL ||
    type === FALSE ||
    type === TRUE ||
    type === DOUBLE
  );
}

function isPayload(type: number): boolean {
  return type === STRING || type === BYTES || type === GEOJSON;
}

/** Bytes of the smallest header of a string or blob of `size` bytes. */
function smallestHeader(size: number): number {
  if (size < 32) return 1;
  return size <= 0xff ? 2 : size <= 0xffff ? 3 : HEADER_SIZE_MAX;
}

/** @returns 0 to 64. */
function trailingZeros(high: number, low: number): number {
  if (low !== 0) return 31 - Math.clz32(low & -low);
  return high === 0 ? 64 : 63 - Math.clz32(high & -high);
}
