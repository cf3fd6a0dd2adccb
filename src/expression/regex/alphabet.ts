/**
 * The bytes that a program cannot tell apart form one class, and an automaton has one column for each class
 * and a last one for the end of the subject. A NUL byte counts as the end: a subject is a C string.
 */
import { add, type ByteSet, emptySet, has, NEWLINE_BYTE, WORD_SET } from './byte-set.js';
import { upperCase } from './pattern.js';
import { EDGE, neighbourOf } from './place.js';
import { ARGUMENT_SHIFT, CHAR, KIND_MASK, type Program } from './program.js';

export interface Alphabet {
  /** 256 entries: the class of a byte of the subject, with case ignored if the program does so. */
  readonly classOf: Uint8Array;
  /** A byte of each class, as the program spells it. */
  readonly byteOf: Uint8Array;
  /** What an assertion sees in a byte of each class, and in the end. */
  readonly neighbourOf: Uint8Array;
  /** The class that is the end, the last one. */
  readonly end: number;
}

export function alphabetOf(program: Program): Alphabet {
  const split = new Splitter();
  const single = emptySet();
  for (const op of program.op) if ((op & KIND_MASK) === CHAR) add(single, op >>> ARGUMENT_SHIFT);
  for (let byte = 1; byte < 256; byte++) if (has(single, byte)) split.single(byte);
  for (const set of program.sets) split.set(set);
  if (program.hasAssertions) {
    split.set(WORD_SET);
    split.single(NEWLINE_BYTE);
  }
  split.single(0);
  const end = split.classOf[0]!;
  const last = split.count - 1;
  const classOf = new Uint8Array(256);
  const byteOf = new Uint8Array(split.count);
  const neighbour = new Uint8Array(split.count);
  for (let byte = 0; byte < 256; byte++) {
    // The class of NUL changes places with the last one.
    const cls = swapped(split.classOf[byte]!, end, last);
    byteOf[cls] = byte;
    neighbour[cls] = byte === 0 ? EDGE : neighbourOf(byte);
  }
  for (let byte = 0; byte < 256; byte++) {
    classOf[byte] = swapped(split.classOf[program.ignoreCase ? upperCase(byte) : byte]!, end, last);
  }
  return { classOf, byteOf, neighbourOf: neighbour, end: last };
}

function swapped(cls: number, one: number, other: number): number {
  if (cls === one) return other;
  return cls === other ? one : cls;
}

/** Splits the bytes, one class at first, into finer and finer classes. */
class Splitter {
  readonly classOf = new Uint8Array(256);
  count = 1;
  readonly #size = new Int32Array(256);
  readonly #hits = new Int32Array(256);
  readonly #moved = new Int32Array(256);

  constructor() {
    this.#size[0] = 256;
  }

  /** Gives a byte a class of its own. */
  single(byte: number): void {
    const cls = this.classOf[byte]!;
    if (this.#size[cls] === 1) return;
    this.#size[cls]!--;
    this.#size[this.count] = 1;
    this.classOf[byte] = this.count++;
  }

  /** Separates the bytes in `set` from those outside. */
  set(set: ByteSet): void {
    if (this.count === 256) return;
    const { classOf } = this;
    this.#hits.fill(0);
    for (let byte = 0; byte < 256; byte++) if (has(set, byte)) this.#hits[classOf[byte]!]!++;
    this.#moved.fill(-1);
    for (let byte = 0; byte < 256; byte++) {
      const cls = classOf[byte]!;
      if (!has(set, byte) || this.#hits[cls] === this.#size[cls]) continue;
      if (this.#moved[cls]! < 0) this.#moved[cls] = this.count++;
      const to = this.#moved[cls]!;
      classOf[byte] = to;
      this.#size[to]!++;
    }
    for (let cls = 0; cls < 256; cls++) if (this.#moved[cls]! >= 0) this.#size[cls]! -= this.#hits[cls]!;
  }
}
