/**
 * Compaction: records of sparse pages move to fuller pages of their class until the sparse page is empty and
 * goes back to the pool. Without it, memory that held a million records of one size, half of them deleted,
 * would be of no use to records of another size. Runs between commands, when nobody holds a place in memory.
 */
import { RecordSpan } from '../engine.js';
import type { PrimaryIndex } from '../index/primary-index.js';
import { REC_DIGEST_AT, REC_MAGIC, RECORD_ALIGN, RECORD_MAGIC } from '../record/flat-record.js';
import type { PageHeap } from './page-heap.js';
import { blockCountOf, blockSizeOf, CLASS_COUNT, UNIT_BLOCKS } from './size-class.js';
import type { UnitPool } from './unit-pool.js';

/** Pages emptied by one call: at most 1 MiB is copied, under a millisecond. */
const PAGES_PER_CALL = 4;
/** A class may keep one page and this part of its blocks free; what is more is gathered. */
const FREE_SHARE = 1 / 8;

const span = new RecordSpan();

/** @returns Pages given back to the pool. */
export function compact(pages: PageHeap, pool: UnitPool, index: PrimaryIndex): number {
  if (!pages.hasChanged) return 0; // nothing was freed since the last look, so there is nothing to gather
  let emptied = 0;
  for (let c = 0; c < CLASS_COUNT; c++) {
    const blockCount = blockCountOf[c]!;
    while (pages.freeBlocks(c) > blockCount * (1 + pages.pageCount(c) * FREE_SHARE)) {
      if (emptied === PAGES_PER_CALL) return emptied;
      // More blocks are free than a page has, so the others have room for all records of this one.
      emptyPage(pages, pool, index, c, pages.emptiestPage(c));
      emptied++;
    }
  }
  pages.hasChanged = false;
  return emptied;
}

function emptyPage(
  pages: PageHeap,
  pool: UnitPool,
  index: PrimaryIndex,
  sizeClass: number,
  page: number,
): void {
  const size = blockSizeOf[sizeClass]!;
  const first = page * UNIT_BLOCKS;
  const end = pages.usedBlocks(page);
  pages.hide(page);
  for (let i = 0; i < end; i++) {
    const location = first + (i * size) / RECORD_ALIGN;
    pool.span(location, span);
    const { region, at } = span;
    if (region.i32[at / 4 + REC_MAGIC] !== RECORD_MAGIC) continue; // a free block begins with a zero
    const entry = index.find(region.u8, at + REC_DIGEST_AT);
    if (entry < 0 || index.location(entry) !== location) {
      throw new Error(`memory engine: the record at ${location} is not the index's`);
    }
    const target = pages.take(sizeClass);
    pool.span(target, span);
    span.region.u8.set(region.u8.subarray(at, at + index.size(entry)), span.at);
    index.setLocation(entry, target);
  }
  pages.drop(page);
}
