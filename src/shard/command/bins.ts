/**
 * The bins of a record while a command changes them: an ordered list of op images (length, op, particle
 * type, flags, name, value), each lying wherever it came from: the stored record, the request, or the
 * scratch memory of new values. Nothing is copied until the record is written.
 */
import { copyBytes, equalBytes } from '../../base/copy.js';
import { hashName } from '../../base/hash.js';
import { readU32, writeU32 } from '../../wire/message.js';

const GONE = -1; // a hash slot whose bin was removed
const INDEX_FROM = 24; // bins; above this names are found by hash

export class Bins {
  count = 0;
  sources: Uint8Array[] = [];
  at = new Int32Array(64);
  size = new Int32Array(64);
  #slots = new Int32Array(256);
  #indexed = false;
  /** Hash slots in use, those of removed bins included. */
  #entered = 0;

  clear(): void {
    this.count = 0;
    this.#indexed = false;
  }

  /** Lists `count` op images that lie in a row at `at`. */
  load(source: Uint8Array, at: number, count: number): void {
    this.clear();
    let p = at;
    for (let i = 0; i < count; i++) {
      const size = 4 + readU32(source, p);
      this.#push(source, p, size);
      p += size;
    }
  }

  /** Index of the bin with this name, or -1. */
  find(names: Uint8Array, nameAt: number, nameSize: number): number {
    if (this.count > INDEX_FROM) return this.#findIndexed(names, nameAt, nameSize);
    for (let i = 0; i < this.count; i++) {
      const source = this.sources[i]!;
      const at = this.at[i]!;
      if (source[at + 7] === nameSize && equalBytes(source, at + 8, names, nameAt, nameSize)) return i;
    }
    return -1;
  }

  /** Makes the op image at `at` the value of bin `index`, or adds a bin when `index` is -1. */
  put(index: number, source: Uint8Array, at: number, size: number): void {
    if (index < 0) {
      this.#push(source, at, size);
      if (this.#indexed) this.#enter(this.count - 1);
      return;
    }
    this.sources[index] = source;
    this.at[index] = at;
    this.size[index] = size;
  }

  /** Takes bin `index` out; the last one takes its place, as on the reference. */
  remove(index: number): void {
    const last = --this.count;
    if (this.#indexed) {
      this.#slots[this.#slotOf(index)] = GONE;
      if (index !== last) this.#slots[this.#slotOf(last)] = index + 1;
    }
    this.sources[index] = this.sources[last]!;
    this.at[index] = this.at[last]!;
    this.size[index] = this.size[last]!;
  }

  /** Bytes of all bins as stored. */
  totalSize(): number {
    let sum = 0;
    for (let i = 0; i < this.count; i++) sum += this.size[i]!;
    return sum;
  }

  /** Writes all bins in a row, as an answer carries them. */
  writeAll(out: Uint8Array, at: number): number {
    let p = at;
    for (let i = 0; i < this.count; i++) {
      const size = this.size[i]!;
      copyBytes(out, p, this.sources[i]!, this.at[i]!, size);
      out[p + 4] = 1; // as a read op
      out[p + 6] = 0;
      p += size;
    }
    return p;
  }

  #push(source: Uint8Array, at: number, size: number): void {
    const i = this.count++;
    if (i === this.at.length) {
      const grownAt = new Int32Array(i * 2);
      grownAt.set(this.at);
      this.at = grownAt;
      const grownSize = new Int32Array(i * 2);
      grownSize.set(this.size);
      this.size = grownSize;
    }
    this.sources[i] = source;
    this.at[i] = at;
    this.size[i] = size;
  }

  #findIndexed(names: Uint8Array, nameAt: number, nameSize: number): number {
    if (!this.#indexed) {
      let slots = this.#slots.length;
      while (slots < this.count * 3) slots *= 2;
      if (slots > this.#slots.length) this.#slots = new Int32Array(slots);
      else this.#slots.fill(0);
      this.#indexed = true;
      this.#entered = 0;
      for (let i = 0; i < this.count; i++) this.#enter(i);
    }
    const mask = this.#slots.length - 1;
    for (let s = hashName(names, nameAt, nameSize) & mask; ; s = (s + 1) & mask) {
      const value = this.#slots[s]!;
      if (value === 0) return -1;
      if (value === GONE) continue;
      const i = value - 1;
      const source = this.sources[i]!;
      const at = this.at[i]!;
      if (source[at + 7] === nameSize && equalBytes(source, at + 8, names, nameAt, nameSize)) return i;
    }
  }

  /** The hash slot of bin `index`, which is entered. */
  #slotOf(index: number): number {
    const mask = this.#slots.length - 1;
    const at = this.at[index]!;
    const source = this.sources[index]!;
    let s = hashName(source, at + 8, source[at + 7]!) & mask;
    while (this.#slots[s] !== index + 1) s = (s + 1) & mask;
    return s;
  }

  #enter(index: number): void {
    if (++this.#entered * 2 > this.#slots.length) {
      this.#indexed = false; // rebuilt, larger, by the next find
      return;
    }
    const mask = this.#slots.length - 1;
    const at = this.at[index]!;
    const source = this.sources[index]!;
    let s = hashName(source, at + 8, source[at + 7]!) & mask;
    while (this.#slots[s] !== 0) s = (s + 1) & mask;
    this.#slots[s] = index + 1;
  }
}

/** Writes the header and name of an op image for a value of `valueSize` bytes. @returns Where the value goes. */
export function writeImageHeader(
  out: Uint8Array,
  at: number,
  particleType: number,
  names: Uint8Array,
  nameAt: number,
  nameSize: number,
  valueSize: number,
): number {
  writeU32(out, at, 4 + nameSize + valueSize);
  out[at + 4] = 1;
  out[at + 5] = particleType;
  out[at + 6] = 0;
  out[at + 7] = nameSize;
  copyBytes(out, at + 8, names, nameAt, nameSize);
  return at + 8 + nameSize;
}
