/**
 * The records of a block that is being emptied, one after the other, each with the entry that the index seems to have of
 * it. A look-up waits for memory several times, for the head of a list and for its entries, and of most records of
 * such a block nothing but the look-up is to be done; so a few records are scanned and looked for together, and the
 * processor waits for all of them at once.
 *
 * What the index has of a record may change before the record is taken: PrimaryIndex.findNear looks whether it has not.
 */
import type { Region } from '../../base/arena.js';
import { partitionOf } from '../../base/digest.js';
import { orderWord } from '../index/entry.js';
import type { PrimaryIndex } from '../index/primary-index.js';
import { AHEAD_STEPS } from '../index/sprig-lists.js';
import { FLAG_CLOCK, REC_DIGEST_AT, REC_FLAGS_SET_GEN } from '../record/flat-record.js';
import { BlockScan } from '../write-block/block-scan.js';

/** Records at a time. */
const AHEAD_MAX = 32;

export class ScanAhead {
  readonly #buffers: Region;
  readonly #index: PrimaryIndex;
  readonly #scan: BlockScan;
  #bufferAt = 0;
  readonly #offsets = new Int32Array(AHEAD_MAX);
  readonly #sizes = new Int32Array(AHEAD_MAX);
  readonly #orders = new Int32Array(AHEAD_MAX);
  /** As PrimaryIndex.entriesAhead leaves them. */
  readonly #entries = new Int32Array(AHEAD_MAX);
  #count = 0;
  #next = 0;
  /** The record that `next` found: byte offset in the I/O buffers, offset in the block, and size. */
  recordAt = 0;
  offset = 0;
  size = 0;
  /** Handle of what seems to be the entry of its digest; 0 or less: none was found. */
  near = 0;

  constructor(buffers: Region, index: PrimaryIndex) {
    this.#buffers = buffers;
    this.#index = index;
    this.#scan = new BlockScan(buffers);
  }

  /** Starts with the block of `size` bytes whose copy is at `bufferAt`, where it stays until its end. */
  start(bufferAt: number, size: number, stamp: number): void {
    this.#scan.start(bufferAt, size, stamp);
    this.#bufferAt = bufferAt;
    this.#count = 0;
    this.#next = 0;
    this.offset = 0;
    this.size = 0;
  }

  /** Damaged ranges of the block, once `next` has come to its end. */
  get damaged(): number {
    return this.#scan.damaged;
  }

  /** Moves to the next good record. @returns false at the end of the block. */
  next(): boolean {
    if (this.#next === this.#count) this.#lookAhead();
    if (this.#count === 0) return false;
    const i = this.#next++;
    this.offset = this.#offsets[i]!;
    this.recordAt = this.#bufferAt + this.offset;
    this.size = this.#sizes[i]!;
    this.near = ~this.#entries[i]!;
    return true;
  }

  #lookAhead(): void {
    const scan = this.#scan;
    const index = this.#index;
    const orders = this.#orders;
    const entries = this.#entries;
    const { u8, u32 } = this.#buffers;
    let count = 0;
    for (; count < AHEAD_MAX && scan.next(); count++) {
      this.#offsets[count] = scan.offset;
      this.#sizes[count] = scan.size;
      const at = scan.recordAt;
      const digestAt = at + REC_DIGEST_AT;
      const order = orderWord(u8, digestAt + 2);
      const isRecord = (u32[(at >>> 2) + REC_FLAGS_SET_GEN]! & FLAG_CLOCK) === 0; // a clock's digest is none
      orders[count] = order;
      entries[count] = isRecord ? index.headOf(partitionOf(u8, digestAt), order) : 0;
    }
    for (let step = 0; step < AHEAD_STEPS; step++) index.entriesAhead(orders, entries, 0, count);
    this.#count = count;
    this.#next = 0;
  }
}
