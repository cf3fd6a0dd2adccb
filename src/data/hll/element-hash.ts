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
import { RHO_COUNT } from './sketch.js';

const INTEGER_SIZE_MAX = 9; // bytes, header included
const HEADER_SIZE_MAX = 5; // bytes, of a string or blob

const element = new Element();
const writer = new Writer();
const integer = new Uint8Array(INTEGER_SIZE_MAX);
const hash = new Hash128();

export class ElementHash {
  #high = 0;
  #low = 0;
  rho = 0;

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
    this.rho = (trailingZeros(hash.high2, hash.low2) + 1) % RHO_COUNT;
    return next;
  }

  /** The register of a sketch with `p` index bits. */
  register(p: number): number {
    return this.#low & (2 ** p - 1);
  }

  /** The `m` bits of the hash above the index. */
  minhash(p: number, m: number): number {
    const low = ((this.#low >>> p) | (this.#high << (32 - p))) >>> 0;
    if (m <= 32) return m === 32 ? low : low % 2 ** m;
    return ((this.#high >>> p) % 2 ** (m - 32)) * 0x1_0000_0000 + low;
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
