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
 * them are of a hundred bytes or so: no view has to be made for them (25 to 40 ns for 109 bytes instead of 80 to 110).
 * Numbers are taken as little-endian, as everywhere in shared memory.
 */
export function copyRegion(
  target: Region,
  targetAt: number,
  source: Region,
  sourceAt: number,
  size: number,
): void {
  if (size > WORDS_SIZE_MAX) {
    copyBytes(target.u8, targetAt, source.u8, sourceAt, size);
    return;
  }
  const end = sourceAt + size;
  for (; (targetAt & 3) !== 0 && sourceAt < end; targetAt++, sourceAt++) {
    target.u8[targetAt] = source.u8[sourceAt]!;
  }
  const to = target.i32;
  const from = source.i32;
  const wordsEnd = (targetAt + end - sourceAt) >>> 2;
  let t = targetAt >>> 2;
  let s = sourceAt >>> 2;
  const shift = (sourceAt & 3) << 3;
  const done = (wordsEnd - t) << 2;
  if (shift === 0) {
    while (t < wordsEnd) to[t++] = from[s++]!;
  } else {
    for (let low = from[s]!; t < wordsEnd; ) {
      const high = from[++s]!;
      to[t++] = (low >>> shift) | (high << (32 - shift));
      low = high;
    }
  }
  targetAt += done;
  for (sourceAt += done; sourceAt < end; ) target.u8[targetAt++] = source.u8[sourceAt++]!;
}

/** Whether two runs of `size` bytes are equal. */
export function equalBytes(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, size: number): boolean {
  for (let i = 0; i < size; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}
