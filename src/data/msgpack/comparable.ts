/**
 * The form in which a value is compared with elements. Clients write a map as their language holds it: those of Java and Go
 * send the keys of a HashMap or map in any order, another one every time. Elements lie as they are stored, their keys in
 * order, and pairs are compared as they stand; so what an element is compared with has to have that form, too. The sentinels
 * stay what they are. A value that could not be stored for another reason is compared as it came.
 */
import { Element, MAP } from './element.js';
import { normaliseCompared } from './normalise.js';

/** Children of a map of two pairs; one pair is in order. */
const CHILDREN_MIN = 4;

/** Buffers up to this size are kept. */
const SIZE_KEPT = 64 * 1024; // bytes

const NOTHING = new Uint8Array(0);

const element = new Element();

/** Whether there is a map in a value that has pairs to be put in order. */
export function holdsPairs(bytes: Uint8Array, at: number, end: number): boolean {
  if (at >= end || !mayHoldMap(bytes[at]!)) return false;
  // Headers and scalars one after the other, however they are nested.
  for (let p = at; p >= 0 && p < end; ) {
    p = element.read(bytes, p, end);
    if (p >= 0 && element.type === MAP && element.count >= CHILDREN_MIN) return true;
  }
  return false;
}

/** Whether an element that begins with `byte` is a list or a map. */
export function mayHoldMap(byte: number): boolean {
  return (byte & 0xe0) === 0x80 || (byte >= 0xdc && byte <= 0xdf);
}

/** A value in the form in which it is compared, in memory of its own. */
export class Comparable {
  bytes: Uint8Array = NOTHING;
  at = 0;
  end = 0;
  #buffer: Uint8Array = NOTHING;

  /** Takes the value from `at` up to `end`; its bytes are referred to where they have the form. */
  read(bytes: Uint8Array, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    if (!holdsPairs(bytes, at, end)) return;
    if (this.#buffer.length < end - at) this.#buffer = new Uint8Array(end - at);
    const size = normaliseCompared(bytes, at, end, this.#buffer, 0);
    if (size < 0) return;
    this.bytes = this.#buffer;
    this.at = 0;
    this.end = size;
  }

  /** Lets go of the bytes. */
  release(): void {
    if (this.#buffer.length > SIZE_KEPT) this.#buffer = NOTHING;
    this.bytes = NOTHING;
  }
}
