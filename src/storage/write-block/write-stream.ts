/**
 * One open block that records are appended to, and its way to the device. A shard has two: the clients' and
 * defrag's, so that what defrag moves does not lie between what clients write.
 *
 * Every append of the shard has a number, one more than the append before it, whichever stream it went to. A
 * stream writes its block front to back and its writes become durable in that order, so what is durable of a stream
 * is everything before `firstUndurable`.
 *
 *   block   0 ──────────── submittedTo ──────── appendAt ────────── blockSize
 *             handed to the device     dirty               free
 */
import type { Region } from '../../base/arena.js';
import { ST_DEFRAG_PARTIAL_WRITES, ST_DEFRAG_WRITES, ST_PARTIAL_WRITES, ST_WRITES } from '../engine.js';
import { IO_ALIGN } from '../io/io-backend.js';
import { RECORD_ALIGN } from '../record/flat-record.js';
import { sealRecord } from './block-scan.js';
import { WRITE_LAST, WRITE_RECORDS, type WriteQueue } from './write-queue.js';

const NONE = -1;
const PAGE_MASK = -IO_ALIGN;
/** A time-driven flush starts this much before it must be durable, besides twice what the last ones took. */
const FLUSH_LEAD_MS = 30;
/** Writes of a queue that are left for ends of blocks and for flushes in time. */
const WRITES_KEPT = 8;

/** Where a stream's writes are counted: ST_… slots. */
interface WriteCounters {
  readonly full: number; // ends of blocks, and flush-size bytes that came together
  readonly partial: number; // what was due before
}
export const CLIENT_WRITES: WriteCounters = { full: ST_WRITES, partial: ST_PARTIAL_WRITES };
export const DEFRAG_WRITES: WriteCounters = { full: ST_DEFRAG_WRITES, partial: ST_DEFRAG_PARTIAL_WRITES };

export class WriteStream {
  /** The pieces of this stream's blocks that are not durable yet, and nothing else. */
  readonly writes: WriteQueue;
  readonly #buffers: Region;
  readonly #blockSize: number;
  readonly #counters: Float64Array;
  readonly #counted: WriteCounters;
  /** Full blocks that wait for the device. */
  closedCount = 0;
  /** The open block, or -1; positions below are bytes from its start. */
  block = NONE;
  #stamp = 0;
  #bufferAt = 0;
  #appendAt = 0;
  #submittedTo = 0;
  #reservedSize = 0;
  /** Number of the first append that no piece handed to the device holds whole, or -1. */
  #dirtyFirst = NONE;
  /** Of the last page that was begun: the first append that ends in it, and its time. */
  #pageFirst = NONE;
  #pageSinceMs = NONE;
  /** When the oldest append that was not handed to the device yet was made, or -1. */
  dirtySinceMs = NONE;
  /** Byte offset in the I/O buffers of the room reserved last. */
  reservedAt = 0;
  /** The clock; set by the owner. */
  nowMs = 0;
  #submittedAtMs = NONE;
  /** The slowest of the last pieces from submission to durability, decaying; at first a guess for a slow disk. */
  tookMs = 50;

  constructor(
    writes: WriteQueue,
    buffers: Region,
    blockSize: number,
    counters: Float64Array,
    counted: WriteCounters,
  ) {
    this.writes = writes;
    this.#buffers = buffers;
    this.#blockSize = blockSize;
    this.#counters = counters;
    this.#counted = counted;
  }

  get isDirty(): boolean {
    return this.#dirtyFirst !== NONE;
  }

  /** Bytes that were appended and not handed to the device. */
  get dirtySize(): number {
    return this.#dirtyFirst === NONE ? 0 : this.#appendAt - this.#submittedTo;
  }

  /** Where the next record goes, bytes from the open block's start. */
  get appendAt(): number {
    return this.#appendAt;
  }

  /** Bytes left in the open block. */
  get room(): number {
    return this.block === NONE ? 0 : this.#blockSize - this.#appendAt;
  }

  /** Number of the first append of this stream that is not durable; infinite when all are. */
  get firstUndurable(): number {
    const { headFirst } = this.writes;
    if (headFirst !== Number.POSITIVE_INFINITY) return headFirst;
    return this.#dirtyFirst === NONE ? Number.POSITIVE_INFINITY : this.#dirtyFirst;
  }

  /**
   * Goes on in another block.
   * @param bufferAt Its buffer, good up to `appendAt`; the bytes up to `submittedTo` are durable.
   */
  open(block: number, stamp: number, bufferAt: number, appendAt: number, submittedTo: number): void {
    this.block = block;
    this.#stamp = stamp;
    this.#bufferAt = bufferAt;
    this.#appendAt = appendAt;
    this.#submittedTo = submittedTo;
    this.#pageFirst = NONE;
    this.#reservedSize = 0;
  }

  /** Finds room for `size` bytes, with the place in `reservedAt`. @returns false when the open block has none. */
  reserve(size: number): boolean {
    if (this.block === NONE || this.#appendAt + size > this.#blockSize) return false;
    this.#reservedSize = size;
    this.reservedAt = this.#bufferAt + this.#appendAt;
    return true;
  }

  /**
   * Seals the record built in the reserved room and makes it append number `number`.
   * @returns Its location in the extent, in units of 16 bytes.
   */
  append(number: number): number {
    const size = this.#reservedSize;
    if (size === 0 || this.reservedAt !== this.#bufferAt + this.#appendAt) {
      throw new Error('write block: a record is stored that has no room reserved');
    }
    sealRecord(this.#buffers, this.reservedAt, size, this.#stamp);
    this.#reservedSize = 0;
    const location = (this.block * this.#blockSize + this.#appendAt) / RECORD_ALIGN;
    const end = this.#appendAt + ((size + RECORD_ALIGN - 1) & -RECORD_ALIGN);
    if (this.#pageFirst === NONE || (end & PAGE_MASK) !== (this.#appendAt & PAGE_MASK)) {
      this.#pageFirst = (end & ~PAGE_MASK) === 0 ? number + 1 : number;
      this.#pageSinceMs = this.nowMs;
    }
    this.#appendAt = end;
    if (this.#dirtyFirst === NONE) {
      this.#dirtyFirst = number;
      this.dirtySinceMs = this.nowMs;
    }
    return location;
  }

  /** Hands whole pages to the device once flush-size bytes have come together. */
  submitFull(flushSize: number): void {
    if (this.dirtySize < flushSize || this.writes.room <= WRITES_KEPT) return;
    this.#submitPages();
    this.#counters[this.#counted.full]!++;
  }

  /** Flushes what will have to be durable soon. @param flushMaxMs 0: nothing has to be. */
  flushOld(flushMaxMs: number): void {
    if (this.#dirtyFirst === NONE || flushMaxMs === 0) return;
    const lead = Math.min(flushMaxMs / 2, FLUSH_LEAD_MS + 2 * this.tookMs);
    if (this.nowMs - this.dirtySinceMs >= flushMaxMs - lead) this.flush();
  }

  /** Hands what is dirty to the device, padded to a page. */
  flush(): void {
    if (this.writes.room > 0) this.submit(IO_ALIGN);
  }

  /**
   * Hands what is dirty to the device, padded with zeros to a multiple of `unit`; the block stays open behind it.
   * @param unit A power of two, IO_ALIGN or more.
   */
  submit(unit: number): void {
    if (this.#dirtyFirst === NONE) return;
    const from = this.#submittedTo;
    const end = Math.min(this.#blockSize, from + ((this.#appendAt - from + unit - 1) & -unit));
    this.#pad(end);
    this.#push(WRITE_RECORDS, from, end);
    this.#appendAt = end;
    this.#clean();
    this.#counters[this.#counted.partial]!++;
  }

  /**
   * Ends the open block: what is dirty goes to the device as its last piece.
   * @returns The block if nothing of it is on its way any more, so that it is stored already; else -1.
   */
  close(): number {
    const { block } = this;
    this.block = NONE;
    this.closedCount++;
    this.#counters[this.#counted.full]!++;
    this.#reservedSize = 0;
    if (this.#dirtyFirst === NONE) return this.writes.markLast(block) ? NONE : block;
    const end = (this.#appendAt + IO_ALIGN - 1) & PAGE_MASK;
    this.#pad(end);
    this.#push(WRITE_LAST, this.#submittedTo, end, block);
    this.#clean();
    return NONE;
  }

  /** A piece has become durable. */
  noteDurable(): void {
    if (this.#submittedAtMs < 0) return;
    this.tookMs = Math.max(this.nowMs - this.#submittedAtMs, this.tookMs * 0.9);
    this.#submittedAtMs = NONE;
  }

  /** Hands the whole pages of what is dirty to the device; the page that was begun stays dirty. */
  #submitPages(): void {
    const end = this.#appendAt & PAGE_MASK;
    if (this.#dirtyFirst === NONE || end <= this.#submittedTo) return;
    this.#push(WRITE_RECORDS, this.#submittedTo, end);
    if (end === this.#appendAt) {
      this.#clean();
      return;
    }
    this.#dirtyFirst = this.#pageFirst;
    this.dirtySinceMs = this.#pageSinceMs;
  }

  /** The buffer was another block's before: what it left behind must not look like records. */
  #pad(end: number): void {
    this.#buffers.u8.fill(0, this.#bufferAt + this.#appendAt, this.#bufferAt + end);
  }

  #push(kind: number, from: number, end: number, block = this.block): void {
    this.writes.push(kind, block, from, end - from, this.#bufferAt + from, this.#dirtyFirst);
    this.#submittedTo = end;
    if (this.#submittedAtMs < 0) this.#submittedAtMs = this.nowMs;
  }

  #clean(): void {
    this.#dirtyFirst = NONE;
    this.#pageFirst = NONE;
    this.dirtySinceMs = NONE;
    this.#reservedSize = 0;
  }
}
