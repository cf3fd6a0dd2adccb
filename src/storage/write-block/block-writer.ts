/**
 * The write side of a shard's extent: the open block that records are appended to, its way to the device, and
 * the way of emptied blocks back to the free ones.
 *
 * Two rules keep what was acknowledged. A block whose records are all dead is given up only once whatever
 * replaced them is durable; and its first page is overwritten with zeros, durably, before it counts as free.
 *
 * A third keeps deleted records dead. The record of a digest with the highest write sequence on the device is
 * its live version or a marker, always. Blocks are written in the order of their write ids and records never
 * move, so the copies that a marker keeps dead lie in its own block or in older ones: a block that holds
 * markers is given up only when no older block holds anything any more. Whoever moves records (defrag) has
 * to uphold this in another way, by copying markers along or by proving that no older copy is left.
 */
import { DEVICE_OVERLOAD, OK, OUT_OF_SPACE } from '../../base/result.js';
import type { StorageLog } from '../device/storage-error.js';
import { ST_PARTIAL_WRITES, ST_WRITES } from '../engine.js';
import { IO_ALIGN } from '../io/io-backend.js';
import { RECORD_ALIGN } from '../record/flat-record.js';
import { BLOCK_HEADER_SIZE, writeBlockHeader } from './block-format.js';
import { sealRecord } from './block-scan.js';
import * as B from './block-table.js';
import type { ShardExtent } from './shard-extent.js';
import { WRITE_ERASE, WRITE_LAST, WRITE_RECORDS, WriteQueue } from './write-queue.js';

const NONE = -1;
/** A time-driven flush starts this much before it must be durable, besides twice what the last ones took. */
const FLUSH_LEAD_MS = 30;

export interface BlockWriterLimits {
  /** What was appended is durable after this many milliseconds; 0: when its block is full. */
  flushMaxMs: number;
  /** Bytes of full blocks that may wait for the device. */
  writeCacheMax: number;
  /** Bytes of stored blocks kept in memory for reading. */
  postWriteCacheMax: number;
}

export class BlockWriter {
  readonly limits: BlockWriterLimits;
  readonly #extent: ShardExtent;
  readonly #table: B.BlockTable;
  readonly #counters: Float64Array;
  readonly #writes: WriteQueue;
  /** Free blocks that only markers may use, so that a full shard still deletes. */
  readonly #spareCount: number;

  // The open block; positions are bytes from its start.
  #block = NONE;
  #bufferAt = 0;
  #appendAt = 0;
  #submittedTo = 0;
  #reservedSize = 0;
  /** When the oldest record that was not handed to the device yet was appended, or -1. */
  #dirtySinceMs = -1;
  #nowMs = 0;
  #flushStartedMs = -1;
  /** The slowest of the last flushes, decaying; at first a guess for a slow disk. */
  #flushTookMs = 50;

  #closedCount = 0;
  /** Blocks in state DEAD, oldest first. */
  readonly #dead: number[] = [];
  #heldCount = 0;
  #isHeldDue = false;
  /** Stored blocks still in memory, oldest first. */
  readonly #cached: number[] = [];
  /** A block whose bytes somebody may be looking at: not evicted. */
  pinned = NONE;

  constructor(
    extent: ShardExtent,
    table: B.BlockTable,
    counters: Float64Array,
    limits: BlockWriterLimits,
    log: StorageLog,
  ) {
    this.#extent = extent;
    this.#table = table;
    this.#counters = counters;
    this.limits = limits;
    this.#writes = new WriteQueue(extent, counters, log);
    this.#spareCount = Math.min(2, extent.blockCount >> 2);
  }

  /** Full blocks that wait for the device. */
  get closedCount(): number {
    return this.#closedCount;
  }

  /** Bytes that records could take now. */
  get availableBytes(): number {
    const free = Math.max(0, this.#table.freeCount - this.#spareCount);
    const room = this.#block === NONE ? 0 : this.#extent.blockSize - this.#appendAt;
    return free * (this.#extent.blockSize - BLOCK_HEADER_SIZE) + room;
  }

  /** Everything appended and every erasure is durable. */
  get isIdle(): boolean {
    return this.#dirtySinceMs < 0 && this.#writes.isEmpty;
  }

  /**
   * Finds room for `size` bytes at the end of the open block, or opens the next one.
   * @param isMarker May use the spare blocks.
   * @returns OK with the place in `reservedAt`; OUT_OF_SPACE; DEVICE_OVERLOAD. After the latter two nothing has changed.
   */
  reserve(size: number, isMarker: boolean): number {
    if (this.#block === NONE || this.#appendAt + size > this.#extent.blockSize) {
      const result = this.#openNext(isMarker);
      if (result !== OK) return result;
    }
    this.#reservedSize = size;
    this.reservedAt = this.#bufferAt + this.#appendAt;
    return OK;
  }
  /** Byte offset in the I/O buffers of the room reserved last. */
  reservedAt = 0;

  /**
   * Seals the record built in the reserved room and makes it part of the block.
   * @returns Its location in the extent, in units of 16 bytes.
   */
  append(): number {
    const size = this.#reservedSize;
    if (size === 0 || this.reservedAt !== this.#bufferAt + this.#appendAt) {
      throw new Error('write block: a record is stored that has no room reserved');
    }
    sealRecord(this.#extent.io.buffers, this.reservedAt, size, this.#table.stamps[this.#block]!);
    this.#reservedSize = 0;
    const location = (this.#block * this.#extent.blockSize + this.#appendAt) / RECORD_ALIGN;
    this.#appendAt += (size + RECORD_ALIGN - 1) & -RECORD_ALIGN;
    if (this.#dirtySinceMs < 0) this.#dirtySinceMs = this.#nowMs;
    return location;
  }

  /** A block has no live record left. */
  emptied(block: number): void {
    if (this.#table.states[block] !== B.STORED) return; // its turn comes when it is stored
    this.#table.states[block] = B.DEAD;
    const isDirty = this.#dirtySinceMs >= 0;
    this.#table.barriers[block] = this.#writes.recordWrites + (isDirty ? 1 : 0);
    this.#dead.push(block);
  }

  /** Time-driven work; see StorageEngine.tick. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#writes.retry(nowMs);
    this.#collect();
    const { flushMaxMs } = this.limits;
    if (this.#dirtySinceMs < 0 || flushMaxMs === 0 || this.#writes.room === 0) return;
    const lead = Math.min(flushMaxMs / 2, FLUSH_LEAD_MS + 2 * this.#flushTookMs);
    if (nowMs - this.#dirtySinceMs >= flushMaxMs - lead) this.flushOpen();
  }

  /** Hands what the open block holds to the device, padded to a page; the block stays open behind it. */
  flushOpen(): void {
    if (this.#dirtySinceMs < 0) return;
    this.#submit(WRITE_RECORDS);
    this.#counters[ST_PARTIAL_WRITES]!++;
  }

  onWrite(number: number, result: number): void {
    this.#writes.onWrite(number, result);
  }

  onFlush(epoch: number, isOk: boolean): void {
    this.#writes.onFlush(epoch, isOk);
    this.#collect();
  }

  /**
   * Goes on appending to a block found by recovery, whose bytes up to `appendAt` (a multiple of 4096) are
   * durable and lie in the buffer.
   */
  resume(block: number, bufferAt: number, appendAt: number): void {
    this.#block = block;
    this.#bufferAt = bufferAt;
    this.#appendAt = appendAt;
    this.#submittedTo = appendAt;
    this.#table.states[block] = B.OPEN;
    this.#table.bufferAt[block] = bufferAt;
  }

  #openNext(isMarker: boolean): number {
    const { blockSize } = this.#extent;
    if (this.#table.freeCount <= (isMarker ? 0 : this.#spareCount)) return OUT_OF_SPACE;
    if (this.#writes.room < 2) return DEVICE_OVERLOAD;
    if (this.#block !== NONE && this.#closedCount > 0) {
      if ((this.#closedCount + 1) * blockSize > this.limits.writeCacheMax) return DEVICE_OVERLOAD;
    }
    const bufferAt = this.#takeBuffer();
    if (bufferAt < 0) return DEVICE_OVERLOAD;
    if (this.#block !== NONE) this.#close();
    const block = this.#table.takeFree();
    const writeId = this.#table.nextWriteId();
    const stamp = writeBlockHeader(this.#extent.io.buffers, bufferAt, this.#extent.owner, block, writeId);
    this.#table.states[block] = B.OPEN;
    this.#table.writeIds[block] = writeId;
    this.#table.stamps[block] = stamp;
    this.#table.bufferAt[block] = bufferAt;
    this.#block = block;
    this.#bufferAt = bufferAt;
    this.#appendAt = BLOCK_HEADER_SIZE;
    this.#submittedTo = 0;
    return OK;
  }

  #takeBuffer(): number {
    const { pool } = this.#extent.io;
    let at = pool.take(this.#extent.blockSize);
    while (at < 0 && this.#evict()) at = pool.take(this.#extent.blockSize);
    return at;
  }

  #close(): void {
    const block = this.#block;
    this.#table.states[block] = B.CLOSED;
    this.#closedCount++;
    this.#counters[ST_WRITES]!++;
    if (this.#dirtySinceMs >= 0) this.#submit(WRITE_LAST);
    else if (!this.#writes.markLast(block)) this.#stored(block);
    this.#block = NONE;
  }

  #submit(kind: number): void {
    const { buffers } = this.#extent.io;
    const end = (this.#appendAt + IO_ALIGN - 1) & -IO_ALIGN;
    // The buffer was another block's before: what it left behind must not look like records.
    buffers.u8.fill(0, this.#bufferAt + this.#appendAt, this.#bufferAt + end);
    const from = this.#submittedTo;
    this.#writes.push(kind, this.#block, from, end - from, this.#bufferAt + from);
    this.#appendAt = end;
    this.#submittedTo = end;
    this.#reservedSize = 0;
    this.#dirtySinceMs = -1;
    if (this.#flushStartedMs < 0) this.#flushStartedMs = this.#nowMs;
  }

  /** Takes in what became durable, and gives up blocks that may go. */
  #collect(): void {
    for (let kind = this.#writes.shift(); kind >= 0; kind = this.#writes.shift()) {
      const block = this.#writes.taken;
      if (kind === WRITE_LAST) this.#stored(block);
      if (kind === WRITE_ERASE) {
        this.#table.pushFree(block);
        this.#isHeldDue = true;
      } else if (this.#flushStartedMs >= 0) {
        this.#flushTookMs = Math.max(this.#nowMs - this.#flushStartedMs, this.#flushTookMs * 0.9);
        this.#flushStartedMs = -1;
      }
    }
    while (this.#dead.length > 0 && this.#writes.room > 2) {
      const block = this.#dead[0]!;
      if (this.#table.barriers[block]! > this.#writes.durableRecordWrites) break;
      this.#dead.shift();
      if (this.#table.markers[block] === 0) {
        this.#erase(block);
      } else {
        this.#table.states[block] = B.HELD;
        this.#heldCount++;
        this.#isHeldDue = true;
      }
    }
    if (!this.#isHeldDue || this.#heldCount === 0 || this.#writes.room <= 2) return;
    this.#isHeldDue = false;
    const oldest = this.#table.oldest();
    if (oldest < 0 || this.#table.states[oldest] !== B.HELD) return;
    this.#heldCount--;
    this.#erase(oldest);
  }

  #stored(block: number): void {
    this.#closedCount--;
    this.#table.states[block] = B.STORED;
    this.#cached.push(block);
    const keep = Math.floor(this.limits.postWriteCacheMax / this.#extent.blockSize);
    while (this.#cached.length > keep && this.#evict());
    if (this.#table.used[block] === 0) this.emptied(block);
  }

  #evict(): boolean {
    for (let i = 0; i < this.#cached.length; i++) {
      const block = this.#cached[i]!;
      if (block === this.pinned) continue;
      this.#cached.splice(i, 1);
      this.#releaseBuffer(block);
      return true;
    }
    return false;
  }

  #releaseBuffer(block: number): void {
    this.#extent.io.pool.give(this.#table.bufferAt[block]!);
    this.#table.bufferAt[block] = NONE;
  }

  #erase(block: number): void {
    const at = this.#cached.indexOf(block);
    if (at >= 0) {
      this.#cached.splice(at, 1);
      this.#releaseBuffer(block);
    }
    this.#table.states[block] = B.ERASING;
    this.#writes.push(WRITE_ERASE, block, 0, IO_ALIGN, this.#extent.io.zeroPageAt);
  }
}
