/**
 * The bins of a record while a command changes them: an ordered list of op images (length, op, particle
 * type, flags, name, value), each lying wherever it came from: the stored record, the request, or the
 * scratch memory of new values. The value of a bin may also lie apart from its name, where an operation
 * has left it. Nothing is copied until the record is written.
 */
import type { Region } from '../../base/arena.js';
import { copyBytes, copyToRegion, equalBytes } from '../../base/copy.js';
import { hashName } from '../../base/hash.js';
import { hasPersistedIndex } from '../../data/cdt/persisted-index.js';
import type { ParticleSpan } from '../../data/particle-span.js';
import { LIST, MAP } from '../../data/type.js';
import { OP_HEADER_SIZE, readU32, writeU32 } from '../../wire/message.js';

const GONE = -1; // a hash slot whose bin was removed
const INDEX_FROM = 24; // bins; above this names are found by hash

export class Bins {
  count = 0;
  /** Where the image of each bin lies; of a bin whose value lies apart, any op image of the same name. */
  sources: Uint8Array[] = [];
  at = new Int32Array(64);
  /** Bytes of the whole image, wherever its value lies. */
  size = new Int32Array(64);
  /** 1: the value lies apart, and has this type. */
  #isApart = new Uint8Array(64);
  #types = new Uint8Array(64);
  #valueSources: Uint8Array[] = [];
  #valueAt = new Int32Array(64);
  #slots = new Int32Array(256);
  #indexed = false;
  /** Hash slots in use, those of removed bins included. */
  #entered = 0;
  /** Whether any of the bins that were written last is a list or map with an index of its own. */
  hasPersistedIndex = false;
  /** Whether any of them may hold a map whose pairs are in no order, as only expressions write them. */
  hasUnsortedMap = false;

  clear(): void {
    this.count = 0;
    this.hasUnsortedMap = false;
    this.#indexed = false;
  }

  /** Clears, and lets go of the memory that the bins lay in. */
  forget(): void {
    this.clear();
    this.sources.length = 0;
    this.#valueSources.length = 0;
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
    this.#isApart[index] = 0;
  }

  /** Makes `value` the value of bin `index`, or of a new bin when `index` is -1; the op image at `at` names it. */
  putValue(index: number, source: Uint8Array, at: number, value: ParticleSpan): void {
    this.put(index, source, at, OP_HEADER_SIZE + source[at + 7]! + value.size);
    const i = index < 0 ? this.count - 1 : index;
    this.#isApart[i] = 1;
    this.#types[i] = value.type;
    this.#valueSources[i] = value.bytes;
    this.#valueAt[i] = value.at;
  }

  /** Whether the bytes at `at[index]` are the bin's whole image. */
  isWhole(index: number): boolean {
    return this.#isApart[index] === 0;
  }

  /** The value of bin `index`. */
  value(index: number, out: ParticleSpan): void {
    const source = this.sources[index]!;
    const at = this.at[index]!;
    const headSize = OP_HEADER_SIZE + source[at + 7]!;
    const size = this.size[index]! - headSize;
    if (this.#isApart[index] === 0) out.set(source[at + 5]!, source, at + headSize, size);
    else out.set(this.#types[index]!, this.#valueSources[index]!, this.#valueAt[index]!, size);
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
    this.#isApart[index] = this.#isApart[last]!;
    if (this.#isApart[last] === 0) return;
    this.#types[index] = this.#types[last]!;
    this.#valueSources[index] = this.#valueSources[last]!;
    this.#valueAt[index] = this.#valueAt[last]!;
  }

  /** Bytes of all bins as stored. */
  totalSize(): number {
    let sum = 0;
    for (let i = 0; i < this.count; i++) sum += this.size[i]!;
    return sum;
  }

  /** Writes all bins in a row, as an answer carries them, and finds `hasPersistedIndex`. */
  writeAll(region: Region, at: number): number {
    const out = region.u8;
    let p = at;
    this.hasPersistedIndex = false;
    for (let i = 0; i < this.count; i++) {
      const size = this.size[i]!;
      const source = this.sources[i]!;
      if (this.#isApart[i] === 0) {
        copyToRegion(region, p, source, this.at[i]!, size);
        out[p + 4] = 1; // as a read op
        out[p + 6] = 0;
      } else {
        const nameAt = this.at[i]! + OP_HEADER_SIZE;
        const nameSize = source[nameAt - 1]!;
        const valueSize = size - OP_HEADER_SIZE - nameSize;
        const valueAt = writeImageHeader(out, p, this.#types[i]!, source, nameAt, nameSize, valueSize);
        copyBytes(out, valueAt, this.#valueSources[i]!, this.#valueAt[i]!, valueSize);
      }
      const type = out[p + 5]!;
      if (type === LIST || type === MAP) {
        const valueAt = p + OP_HEADER_SIZE + out[p + 7]!;
        if (hasPersistedIndex(type, out, valueAt, p + size - valueAt)) this.hasPersistedIndex = true;
      }
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
      const grownApart = new Uint8Array(i * 2);
      grownApart.set(this.#isApart);
      this.#isApart = grownApart;
      const grownTypes = new Uint8Array(i * 2);
      grownTypes.set(this.#types);
      this.#types = grownTypes;
      const grownValueAt = new Int32Array(i * 2);
      grownValueAt.set(this.#valueAt);
      this.#valueAt = grownValueAt;
    }
    this.sources[i] = source;
    this.at[i] = at;
    this.size[i] = size;
    this.#isApart[i] = 0;
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
