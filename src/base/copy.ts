/**
 * Copies `size` bytes between byte arrays that may be different memories and must not overlap. Which way is the
 * fastest depends on the size. Short runs are copied in a loop: making the two views that TypedArray.set needs costs
 * about 70 ns, a byte about 1. Long runs go through Buffer's fill, which ends in one memcpy: where one side is
 * a SharedArrayBuffer, V8's set copies byte by byte (3 ns a byte) unless both sides are aligned alike.
 */
import type { Region } from './arena.js';

const LOOP_SIZE_MAX = 48; // bytes; measured break-even on Node 20
const SET_SIZE_MAX = 320; // bytes; likewise
const WORDS_SIZE_MAX = 512; // bytes; likewise

const fill = Buffer.prototype.fill;

export function copyBytes(
  target: Uint8Array,
  targetAt: number,
  source: Uint8Array,
  sourceAt: number,
  size: number,
): void {
  if (size > SET_SIZE_MAX) {
    fill.call(target, source.subarray(sourceAt, sourceAt + size), targetAt, targetAt + size);
    return;
  }
  if (size > LOOP_SIZE_MAX) {
    target.set(source.subarray(sourceAt, sourceAt + size), targetAt);
    return;
  }
  for (let i = 0; i < size; i++) target[targetAt + i] = source[sourceAt + i]!;
}

/**
 * As copyBytes, between regions: word by word, whatever way the two lie to each other. Records and the answers made of
 * them are of a hundred bytes or so: no typed array has to be made for them, and a DataView, whose accesses V8 compiles to
 * plain loads and stores, need not care where a word begins (32 ns for 109 bytes; 63 with Int32Arrays and shifts).
 */
export function copyRegion(
  target: Region,
  targetAt: number,
  source: Region,
  sourceAt: number,
  size: number,
): void {
  if (size > WORDS_SIZE_MAX || size < 4) copyBytes(target.u8, targetAt, source.u8, sourceAt, size);
  else copyWords(target.view, targetAt, source.view, sourceAt, size);
}

/**
 * The bytes that were copied from last, and a DataView of them: requests lie in one array, one after another, and to make
 * a view costs as much as to copy a hundred bytes.
 */
let lastSource: Uint8Array = new Uint8Array(0);
let lastView: DataView = new DataView(lastSource.buffer);

/** As copyRegion, from an array of bytes that is likely to be the same as in the call before. */
export function copyToRegion(
  target: Region,
  targetAt: number,
  source: Uint8Array,
  sourceAt: number,
  size: number,
): void {
  if (size > WORDS_SIZE_MAX || size < 4) {
    copyBytes(target.u8, targetAt, source, sourceAt, size);
    return;
  }
  if (source !== lastSource) {
    lastSource = source;
    lastView = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }
  copyWords(target.view, targetAt, lastView, sourceAt, size);
}

/** At least 4 bytes. */
function copyWords(to: DataView, targetAt: number, from: DataView, sourceAt: number, size: number): void {
  const distance = targetAt - sourceAt;
  const last = sourceAt + size - 4;
  for (let at = sourceAt; at < last; at += 4) to.setInt32(at + distance, from.getInt32(at, true), true);
  to.setInt32(last + distance, from.getInt32(last, true), true); // may cover what is copied already
}

/** Whether two runs of `size` bytes are equal. */
export function equalBytes(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, size: number): boolean {
  for (let i = 0; i < size; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}
