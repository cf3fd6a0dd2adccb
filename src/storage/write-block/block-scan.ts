/**
 * Finds the records in a block's bytes, whatever has happened to them: goes from one record to the next, and
 * where that fails, on in steps of 16 bytes until a record with the right stamp and a good checksum begins.
 * A range that should have held a record and does not is counted as damage, once.
 *
 * One kind is no damage: a write that a kill or a power cut stopped half-way leaves whole sectors of the new bytes
 * and behind them what was there before. So a record that breaks across a sector's boundary, with nothing good
 * after it in the block, is told apart as a torn end. Nobody had been promised what it held.
 */
import type { Region } from '../../base/arena.js';
import { checksum32 } from '../../base/checksum.js';
import { IO_ALIGN } from '../io/io-backend.js';
import {
  binsOffset,
  FLAG_TOMBSTONE,
  REC_BINS_AT,
  REC_CHECKSUM,
  REC_FLAGS_SET_GEN,
  REC_KEY_SIZE,
  REC_MAGIC,
  REC_SIZE,
  REC_STAMP,
  RECORD_ALIGN,
  RECORD_HEADER_SIZE,
  RECORD_MAGIC,
} from '../record/flat-record.js';
import { BLOCK_HEADER_SIZE } from './block-format.js';
import { CHECKED_AT } from './record-seal.js';

/** What a device writes whole or not at all, at the least. */
const SECTOR_SIZE = 512; // bytes

export class BlockScan {
  readonly #region: Region;
  #at = 0; // byte offset of the block in the region
  #size = 0;
  #stamp = 0;
  #next = 0; // where to look next, from the block's start
  /** The last step ended a record or began a block: what follows is a record, padding or the end. */
  #isInStep = false;
  /** Damage was counted since the last good record, or what was skipped is explained otherwise. */
  #isCounted = false;
  /** The range counted last could be where a write was cut off, if nothing good follows. */
  #mayBeTorn = false;
  /** The record that `next` found: byte offset in the region, offset in the block, and size. */
  recordAt = 0;
  offset = 0;
  size = 0;
  /** Damaged ranges seen in this block so far. */
  damaged = 0;
  /** After the last `next`: the block ends in a write that was cut off. That is no damage. */
  isTornAtEnd = false;

  constructor(region: Region) {
    this.#region = region;
  }

  /**
   * Starts with the block of `size` bytes at byte `at` of the region, whose records carry `stamp`.
   * @param from What lies before is passed over: bytes from the block's start, the end of a record.
   */
  start(at: number, size: number, stamp: number, from = BLOCK_HEADER_SIZE): void {
    this.#at = at;
    this.#size = size;
    this.#stamp = stamp;
    this.#next = from;
    this.#isInStep = true;
    this.#isCounted = false;
    this.#mayBeTorn = false;
    this.damaged = 0;
    this.isTornAtEnd = false;
  }

  /** Moves to the next good record. @returns false at the end of the block. */
  next(): boolean {
    const u32 = this.#region.u32;
    const base = this.#at >>> 2;
    for (let at = this.#next; at + RECORD_HEADER_SIZE <= this.#size; at += RECORD_ALIGN) {
      const w = base + (at >>> 2);
      const first = u32[w + REC_MAGIC]!;
      if (first === RECORD_MAGIC && u32[w + REC_STAMP] === this.#stamp) {
        if (isIntactRecord(this.#region, this.#at + at, this.#size - at)) {
          // Records follow one another, but for padding to the end of a page: anything else was lost before this one.
          if (!this.#isInStep && !this.#isCounted) this.damaged++;
          this.recordAt = this.#at + at;
          this.offset = at;
          this.size = u32[w + REC_SIZE]!;
          this.#next = at + ((this.size + RECORD_ALIGN - 1) & -RECORD_ALIGN);
          this.#isInStep = true;
          this.#isCounted = false;
          this.#mayBeTorn = false;
          return true;
        }
        if (!this.#isCounted) this.#count(this.#isAcrossSectors(at));
        this.#isInStep = false;
      } else if (this.#isInStep) {
        const atPage = at % IO_ALIGN === 0;
        if (atPage) {
          this.#isInStep = false; // the end of what was written, or a lost page: the next good record tells
        } else if (first !== 0) {
          this.#isInStep = false;
          this.#count(at % SECTOR_SIZE === 0);
        }
      }
    }
    this.#next = this.#size;
    if (this.#mayBeTorn) {
      this.#mayBeTorn = false;
      this.isTornAtEnd = true;
      this.damaged--;
    }
    return false;
  }

  #count(mayBeTorn: boolean): void {
    this.damaged++;
    this.#isCounted = true;
    this.#mayBeTorn = mayBeTorn;
  }

  /** Whether the record at `at`, if its size is one, lies in more than one sector. */
  #isAcrossSectors(at: number): boolean {
    const size = this.#region.u32[((this.#at + at) >>> 2) + REC_SIZE]!;
    if (size < RECORD_HEADER_SIZE || size > this.#size - at) return false;
    return Math.floor(at / SECTOR_SIZE) !== Math.floor((at + size - 1) / SECTOR_SIZE);
  }
}

/**
 * Whether a record of at most `room` bytes starts at byte `at`: sane sizes and a good checksum. Magic and stamp
 * are the caller's to compare.
 */
export function isIntactRecord(region: Region, at: number, room: number): boolean {
  const { u32, i32 } = region;
  const w = at >>> 2;
  const size = u32[w + REC_SIZE]!;
  if (size < RECORD_HEADER_SIZE || size > room) return false;
  if (u32[w + REC_CHECKSUM] !== checksum32(i32, at + CHECKED_AT, size - CHECKED_AT)) return false;
  const word = u32[w + REC_FLAGS_SET_GEN]!;
  const binsAt = binsOffset((word >>> 8) & 0xff, u32[w + REC_KEY_SIZE]!);
  return ((word & FLAG_TOMBSTONE) !== 0 || u32[w + REC_BINS_AT] === binsAt) && binsAt <= ((size + 7) & ~7);
}
