/**
 * Sizes of the equal blocks that a page is cut into. Records of up to CLASS_SIZE_MAX bytes lie in the
 * smallest block that holds them; larger ones get a run of units of their own.
 *
 *   16 .. 128      steps of 16             pages of 64 KiB
 *   .. 4 KiB       8 a doubling            64 KiB
 *   .. 8 KiB       64 KiB / 15 .. 64 / 8   64 KiB
 *   .. 16 KiB      128 KiB / 15 .. / 8     128 KiB
 *   .. 32 KiB      256 KiB / 15 .. / 8     256 KiB
 *
 * From 128 bytes on, a block is at most an eighth larger than the one before it, so at most 12.5 % of it is
 * empty; the largest classes are parts of a page, so that no remainder is left at its end (below, up to 3.5 %).
 */
import { RECORD_ALIGN } from '../record/flat-record.js';

/** Memory is handed out in runs of units, and the namespace's budget counts them. */
export const UNIT_SIZE = 4096; // bytes
export const UNIT_BLOCKS = UNIT_SIZE / RECORD_ALIGN; // record blocks, the step of a location
export const CLASS_SIZE_MAX = 32_768; // bytes

const PAGE_UNITS = 16;
const STEPS = 8; // classes a doubling
const STEPPED_MAX = 4096; // bytes; above, classes are parts of a page

/** Indexed by class, ascending. */
export const CLASS_SIZES: readonly number[] = classSizes();
export const CLASS_COUNT = CLASS_SIZES.length;

/** Bytes of a block, units of a page, blocks of a page; indexed by class. */
export const blockSizeOf = Int32Array.from(CLASS_SIZES);
export const pageUnitsOf = Int32Array.from(CLASS_SIZES, size =>
  size <= STEPPED_MAX ? PAGE_UNITS : PAGE_UNITS * 2 ** Math.max(0, Math.ceil(Math.log2(size / 8192))),
);
export const blockCountOf = Int32Array.from(CLASS_SIZES, (size, c) =>
  Math.floor((pageUnitsOf[c]! * UNIT_SIZE) / size),
);

/** Class by size in steps of RECORD_ALIGN, rounded up. */
const classBySteps = new Uint8Array(CLASS_SIZE_MAX / RECORD_ALIGN + 1);
for (let steps = 0, c = 0; steps < classBySteps.length; steps++) {
  if (steps * RECORD_ALIGN > CLASS_SIZES[c]!) c++;
  classBySteps[steps] = c;
}

/** Class of a record of `size` bytes, at most CLASS_SIZE_MAX. */
export function classOf(size: number): number {
  return classBySteps[(size + RECORD_ALIGN - 1) >>> 4]!;
}

function classSizes(): number[] {
  const sizes: number[] = [];
  for (let size = RECORD_ALIGN; size <= STEPS * RECORD_ALIGN; size += RECORD_ALIGN) sizes.push(size);
  for (let base = STEPS * RECORD_ALIGN; base < STEPPED_MAX; base *= 2) {
    for (let step = 1; step <= STEPS; step++) sizes.push(base + (base / STEPS) * step);
  }
  for (let page = PAGE_UNITS * UNIT_SIZE; page / STEPS <= CLASS_SIZE_MAX; page *= 2) {
    for (let count = 2 * STEPS - 1; count >= STEPS; count--) {
      sizes.push(Math.floor(page / count / RECORD_ALIGN) * RECORD_ALIGN);
    }
  }
  return sizes;
}
