/**
 * How many elements are in sketches, and how many of them are in all of them. Counts are whole numbers in doubles.
 * Source: protocol 15, section 5.
 */
import type { Scratch } from '../../base/scratch.js';
import { RHO_COUNT, Sketch, sketchSize } from './sketch.js';
import type { SketchSet } from './sketch-set.js';

const HASH_BITS = 64; // of the hash whose trailing zeros rho counts
/** Registers by rho. 64 can't occur: a register has 6 bits for it. */
const histogram = new Int32Array(RHO_COUNT);

/** The estimated number of elements: the cached one, or Ertl's (2017, algorithm 6), a whole number. */
export function countOf(sketch: Sketch): number {
  const cached = sketch.cacheHigh * 0x1_0000_0000 + sketch.cacheLow;
  return cached > 0 ? cached : estimate(sketch);
}

function estimate(sketch: Sketch): number {
  const { count } = sketch;
  histogram.fill(0);
  for (let k = 0; k < count; k++) histogram[sketch.rho(k)]!++;
  let z = 0; // Ertl's tau(c[64] / N), which is 0 since c[64] is
  for (let k = RHO_COUNT - 1; k >= 1; k--) z = (z + histogram[k]!) / 2;
  z += count * sigma(histogram[0]! / count);
  return Math.round((alpha(sketch.p) * count * count) / z);
}

function alpha(p: number): number {
  if (p === 4) return 0.673;
  if (p === 5) return 0.697;
  if (p === 6) return 0.709;
  return 0.7213 / (1 + 1.079 / 2 ** p);
}

/** x from 0 to 1; infinite for 1. */
function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY;
  let power = x;
  let y = 1;
  let z = x;
  for (let last = -1; z !== last; ) {
    last = z;
    power *= power;
    z += power * y;
    y += y;
  }
  return z;
}

const union = new Sketch();
const common = new Sketch();
/** The sketches of a set without minhash bits, of which there are two or three. */
const members: readonly Sketch[] = [new Sketch(), new Sketch(), new Sketch()];

/**
 * Merges all sketches of a set into a new one, of the fewest index bits, and with minhash bits if all have the same.
 * @param out receives it; it lies in `scratch`.
 */
export function unionOf(set: SketchSet, scratch: Scratch, out: Sketch): void {
  const at = scratch.take(sketchSize(set.p, set.m));
  out.clear(scratch.bytes, at, set.p, set.m);
  set.rewind();
  while (set.next()) out.merge(set.current);
}

export function unionCountOf(set: SketchSet, scratch: Scratch): number {
  unionOf(set, scratch, union);
  const count = countOf(union);
  scratch.trim(union.at);
  return count;
}

/** The estimated number of elements that are in every sketch of a set. */
export function intersectCountOf(set: SketchSet, scratch: Scratch): number {
  if (set.m === 0) return inclusionExclusion(set, scratch);
  const similarity = minhashSimilarity(set, scratch);
  return Number.isNaN(similarity) ? 0 : Math.round(similarity * unionCountOf(set, scratch));
}

/** Estimated elements in every sketch of a set, over those in any; NaN when there are none at all. */
export function similarityOf(set: SketchSet, scratch: Scratch): number {
  if (set.m > 0) return minhashSimilarity(set, scratch);
  return inclusionExclusion(set, scratch) / unionCountOf(set, scratch);
}

function inclusionExclusion(set: SketchSet, scratch: Scratch): number {
  let count = 0;
  set.rewind();
  while (set.next()) members[count++]!.load(set.current.bytes, set.current.at);
  if (count === 2) return intersectPair(members[0]!, members[1]!, scratch);
  let singles = 0;
  let pairs = 0;
  for (let k = 0; k < count; k++) {
    singles += countOf(members[k]!);
    for (let i = 0; i < k; i++) pairs += intersectPair(members[i]!, members[k]!, scratch);
  }
  return Math.max(0, unionCountOf(set, scratch) - (singles - pairs));
}

function intersectPair(a: Sketch, b: Sketch, scratch: Scratch): number {
  const p = Math.min(a.p, b.p);
  const at = scratch.take(sketchSize(p, 0));
  union.clear(scratch.bytes, at, p, 0);
  union.merge(a);
  union.merge(b);
  const count = countOf(union);
  scratch.trim(at);
  return Math.max(0, countOf(a) + countOf(b) - count);
}

/** The share of registers that are the same in all sketches, less those that are so by chance (for two sketches). */
function minhashSimilarity(set: SketchSet, scratch: Scratch): number {
  let emptyCount = 0;
  let count = 0;
  let expected = 0;
  let firstCount = 0;
  set.rewind();
  for (; set.next(); count++) if (set.current.isEmpty) emptyCount++;
  if (emptyCount > 0) return emptyCount === count ? Number.NaN : 0;

  const at = scratch.take(sketchSize(set.p, set.m));
  common.clear(scratch.bytes, at, set.p, set.m);
  set.rewind();
  for (let k = 0; set.next(); k++) {
    if (k === 0) common.merge(set.current);
    else common.keepEqual(set.current);
    if (count !== 2) continue;
    if (k === 0) firstCount = countOf(set.current);
    else expected = expectedCollisions(set.p, set.m, firstCount, countOf(set.current));
  }
  const same = common.usedCount();
  scratch.trim(at);
  unionOf(set, scratch, union);
  const used = union.usedCount();
  scratch.trim(union.at);
  return Math.max(0, (same - expected) / used);
}

/** Registers of two sketches of unrelated sets, with these counts, that are equal by chance. */
function expectedCollisions(p: number, m: number, countA: number, countB: number): number {
  const registers = 2 ** p;
  let sum = 0;
  for (let rho = 1; rho <= HASH_BITS; rho++) {
    const narrow = rho === HASH_BITS ? 0 : 2 ** -rho / registers;
    const wide = 2 ** (1 - rho) / registers;
    sum += ((1 - narrow) ** countA - (1 - wide) ** countA) * ((1 - narrow) ** countB - (1 - wide) ** countB);
  }
  return (registers / 2 ** m) * sum;
}
