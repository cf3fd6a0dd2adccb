/**
 * The bytes that a program cannot tell apart form one class, and an automaton has one column for each class.
 * Class 0 is that of the NUL byte alone, and of the end of the subject: a subject is a C string.
 */
import { add, type ByteSet, emptySet, has, NEWLINE_BYTE, WORD_SET } from './byte-set.js';
import { upperCase } from './pattern.js';
import { EDGE, neighbourOf } from './place.js';
import { ARGUMENT_SHIFT, CHAR, KIND_MASK, type Program } from './program.js';

export const END_CLASS = 0;

export interface Alphabet {
  /** Number of classes. */
  readonly count: number;
  /** 256 entries: the class of a byte of the subject, with case ignored if the program does so. */
  readonly classOf: Uint8Array;
  /** A byte of each class, as the program spells it. */
  readonly byteOf: Uint8Array;
  /** What an assertion sees in a byte of each class, and in the end. */
  readonly neighbourOf: Uint8Array;
}

/** Shared by all compilations: for each class how many bytes it has, how many of them are in a set, and their new class. */
const sizes = new Int32Array(256);
const hits = new Int32Array(256);
const moved = new Int32Array(256);
const singles = emptySet();

export function alphabetOf(program: Program): Alphabet {
  const classOf = new Uint8Array(256).fill(1);
  classOf[0] = END_CLASS;
  sizes[1] = 255;
  let count = 2;
  singles.fill(0);
  for (let i = 0; i < program.op.length; i++) {
    const op = program.op[i]!;
    if ((op & KIND_MASK) === CHAR) add(singles, op >>> ARGUMENT_SHIFT);
  }
  if (program.hasAssertions) add(singles, NEWLINE_BYTE);
  for (let byte = 1; byte < 256 && sizes[1]! > 1; byte++) {
    if (!has(singles, byte)) continue;
    classOf[byte] = count;
    sizes[1]!--;
    sizes[count++] = 1;
  }
  for (let i = 0; i < program.sets.length && count < 256; i++)
    count = split(classOf, count, program.sets[i]!);
  if (program.hasAssertions) count = split(classOf, count, WORD_SET);
  const byteOf = new Uint8Array(count);
  const neighbours = new Uint8Array(count);
  for (let byte = 0; byte < 256; byte++) byteOf[classOf[byte]!] = byte;
  for (let cls = 0; cls < count; cls++)
    neighbours[cls] = cls === END_CLASS ? EDGE : neighbourOf(byteOf[cls]!);
  if (program.ignoreCase) for (let byte = 0; byte < 256; byte++) classOf[byte] = classOf[upperCase(byte)]!;
  return { count, classOf, byteOf, neighbourOf: neighbours };
}

/** Separates the bytes in `set` from those outside, in the classes that have both. @returns The new class count. */
function split(classOf: Uint8Array, count: number, set: ByteSet): number {
  hits.fill(0, 0, count);
  moved.fill(0, 0, count);
  for (let byte = 1; byte < 256; byte++) hits[classOf[byte]!]! += has(set, byte) ? 1 : 0;
  let newCount = count;
  for (let cls = 1; cls < count; cls++) {
    if (hits[cls] === 0 || hits[cls] === sizes[cls]) continue;
    moved[cls] = newCount;
    sizes[newCount++] = hits[cls]!;
    sizes[cls]! -= hits[cls]!;
  }
  if (newCount === count) return count;
  for (let byte = 1; byte < 256; byte++) {
    const to = moved[classOf[byte]!]!;
    if (to > 0 && has(set, byte)) classOf[byte] = to;
  }
  return newCount;
}
