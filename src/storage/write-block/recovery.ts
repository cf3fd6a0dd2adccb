/**
 * Cold start of a shard: reads the first page of every block of its extent, then whole the blocks that are in
 * use, and rebuilds index and block table. Of each digest the record with the highest write sequence counts,
 * whatever its place. Tombstones and expired records take part in that and leave the index at the end; their
 * blocks remember that they hold markers.
 *
 * Blocks and records that are torn, foreign or damaged are skipped, counted and logged. A block whose first
 * page is damaged or unreadable is left alone: what it holds is unknown, so markers in newer blocks stay.
 */
import { partitionOf } from '../../base/digest.js';
import { StorageError, type StorageLog } from '../device/storage-error.js';
import * as ST from '../engine.js';
import { KEY_STORED, STORED_SIZE_MAX, TOMBSTONE } from '../index/entry.js';
import type { PrimaryIndex } from '../index/primary-index.js';
import { IO_ALIGN } from '../io/io-backend.js';
import type { IoQueue } from '../io/io-queue.js';
import {
  FLAG_TOMBSTONE,
  newRecordHeader,
  REC_DIGEST_AT,
  RECORD_ALIGN,
  RECORD_HEADER_SIZE,
  readRecordHeader,
} from '../record/flat-record.js';
import * as F from './block-format.js';
import { BlockScan } from './block-scan.js';
import * as B from './block-table.js';
import { ExtentReader } from './extent-reader.js';
import type { ExtentDescription } from './shard-extent.js';

const PAGE_READS = 32; // first pages in flight
const BLOCK_READS = 3; // whole blocks in flight
/** Numbers skipped at a start, in case newer ones lie where nothing can be read today. */
const SEQUENCE_MARGIN = 2 ** 24;
const WRITE_ID_MARGIN = 2 ** 16;
/** A last block with less room than this is not appended to any more. */
const RESUME_ROOM_MIN = 64 * 1024; // bytes

/** Who hears of the records that a cold start finds. */
export interface RecoveryListener {
  /**
   * A record is in the index now: generation, times, location and size are set, the listener sets the set id. The
   * set name lies in `memory` at `setNameAt`, `setNameSize` bytes (0: no set), until the call returns.
   */
  added(entry: number, memory: Uint8Array, setNameAt: number, setNameSize: number): void;
  /** The record that `added` told of is not there after all; its entry still says what it was. */
  dropped(entry: number): void;
}

export interface RecoveryOptions {
  extent: ExtentDescription;
  io: IoQueue;
  index: PrimaryIndex;
  /** Empty; filled from what the device holds. */
  table: B.BlockTable;
  /** [pid] 1 for the shard's partitions, 0 for others. */
  owned: Uint8Array;
  /** [pid] tree id: a record with another one belongs to a partition that was dropped since. */
  treeIds: Uint32Array;
  counters: Float64Array;
  /** Seconds since 2010: what has expired by then is not taken in. */
  nowSec: number;
  listener: RecoveryListener;
  log: StorageLog;
  /** Asked between blocks; the recovery gives up when it says so. */
  isStopping?: (() => boolean) | undefined;
}

/** The block to go on appending to: its copy in the I/O buffers, and where appending continues. */
export interface ResumePoint {
  block: number;
  bufferAt: number;
  appendAt: number; // bytes from the block's start, a multiple of 4096
}

export class Recovery {
  readonly #o: RecoveryOptions;
  readonly #reader: ExtentReader;
  readonly #scan: BlockScan;
  readonly #blockHeader = new F.BlockHeader();
  readonly #header = newRecordHeader();
  /** Entries that were tombstones, or had expired, when they were read; checked again at the end. */
  readonly #tombstones: number[] = [];
  readonly #expired: number[] = [];
  #sequenceMax = 0;
  #writeIdMax = 0;
  /** The block with the highest write id, the end of its last good record, and whether all of it was good. */
  #lastBlock = -1;
  #lastEnd = 0;
  #isLastWhole = false;
  #foreignBlocks = 0;
  #damagedBlocks = 0;
  #damagedRecords = 0;
  #foreignRecords = 0;
  /** Null unless there is a block to resume; set by a run that was not stopped. */
  resumePoint: ResumePoint | null = null;

  constructor(options: RecoveryOptions) {
    this.#o = options;
    this.#reader = new ExtentReader(options.extent, options.io);
    this.#scan = new BlockScan(options.io.buffers);
  }

  /**
   * Blocks until all is read.
   * @returns false when told to stop; then table and index are incomplete.
   * @throws StorageError when the records do not fit the index.
   */
  run(): boolean {
    const { counters, table, log, isStopping } = this.#o;
    const { extent } = this.#reader;
    const { blockSize, blockCount } = extent;
    counters[ST.ST_RECOVERY_TOTAL_BYTES] = blockCount * blockSize;
    counters[ST.ST_RECOVERED_BYTES] = 0;
    try {
      // After a kill the page cache holds writes that no flush covered: what is served from now on must be durable.
      if (!this.#reader.flush()) {
        counters[ST.ST_WRITE_ERRORS]!++;
        log.critical(`${extent.path}: the flush before recovery failed; the latest writes may be lost again`);
      }
      const visitPage = (block: number, at: number, bad: number) => this.#visitPage(block, at, bad);
      if (!this.#reader.readEach(blockCount, i => i, IO_ALIGN, PAGE_READS, visitPage, isStopping))
        return false;
      const used: number[] = [];
      for (let block = 0; block < blockCount; block++) {
        if (table.states[block] === B.FREE) table.pushFree(block);
        if (table.states[block] === B.STORED) used.push(block);
        else counters[ST.ST_RECOVERED_BYTES]! += blockSize;
      }
      const visitBlock = (block: number, at: number, bad: number) => this.#visitBlock(block, at, bad);
      const count = used.length;
      if (!this.#reader.readEach(count, i => used[i]!, blockSize, BLOCK_READS, visitBlock, isStopping)) {
        return false;
      }
      this.#dropDead();
      table.startAbove(this.#sequenceMax + SEQUENCE_MARGIN, this.#writeIdMax + WRITE_ID_MARGIN);
      this.#findResumePoint();
      this.#report();
      return true;
    } finally {
      this.#reader.close();
    }
  }

  #visitPage(block: number, at: number, badPages: number): void {
    const { io, table, log, counters } = this.#o;
    const { extent } = this.#reader;
    const where = `${extent.path}: the block at ${extent.offsetOf(block)}`;
    if (badPages > 0) {
      counters[ST.ST_READ_ERRORS]!++;
      table.states[block] = B.BAD;
      log.critical(`${where} cannot be read`);
      return;
    }
    const header = this.#blockHeader;
    const found = F.readBlockHeader(io.buffers, at, extent.owner, block, header);
    if (found === F.BLOCK_VALID && header.kind === F.BLOCK_KIND_RECORDS) {
      table.states[block] = B.STORED;
      table.stamps[block] = header.stamp;
      table.writeIds[block] = header.writeId;
      if (header.writeId <= this.#writeIdMax) return;
      this.#writeIdMax = header.writeId;
      this.#lastBlock = block;
    } else if (found === F.BLOCK_FOREIGN) {
      this.#foreignBlocks++; // not written for this place, so nothing of ours is in it
    } else if (found !== F.BLOCK_EMPTY) {
      this.#damagedBlocks++;
      counters[ST.ST_CHECKSUM_ERRORS]!++;
      table.states[block] = B.BAD;
      const what =
        found === F.BLOCK_DAMAGED ? 'has a damaged header' : 'is of a kind this version does not know';
      log.critical(`${where} ${what}; it is left as it is`);
    }
  }

  #visitBlock(block: number, at: number, badPages: number): void {
    const { table, counters, log } = this.#o;
    const { extent } = this.#reader;
    const scan = this.#scan;
    const isLast = block === this.#lastBlock;
    scan.start(at, extent.blockSize, table.stamps[block]!);
    while (scan.next()) {
      this.#take(block, scan.recordAt, scan.offset, scan.size);
      if (isLast) this.#lastEnd = scan.offset + scan.size;
    }
    if (isLast) this.#isLastWhole = badPages === 0;
    counters[ST.ST_RECOVERED_BYTES]! += extent.blockSize;
    if (scan.damaged === 0 && badPages === 0) return;
    this.#damagedRecords += scan.damaged;
    counters[ST.ST_CHECKSUM_ERRORS]! += scan.damaged;
    counters[ST.ST_READ_ERRORS]! += badPages;
    log.warning(
      `${extent.path}: in the block at ${extent.offsetOf(block)} ${scan.damaged} torn or damaged ranges and ` +
        `${badPages} unreadable pages are skipped`,
    );
  }

  /** Takes in the good record of `size` bytes at byte `at` of the buffers, which lies `offset` bytes into the block. */
  #take(block: number, at: number, offset: number, size: number): void {
    const { index, owned, treeIds, counters, listener, table, nowSec } = this.#o;
    const { u8, u32 } = this.#o.io.buffers;
    const header = this.#header;
    readRecordHeader(u32, at, header);
    if (header.sequence > this.#sequenceMax) this.#sequenceMax = header.sequence;
    const pid = partitionOf(u8, at + REC_DIGEST_AT);
    if (owned[pid] === 0 || treeIds[pid] !== header.treeId || size > STORED_SIZE_MAX) {
      this.#foreignRecords++;
      return;
    }
    let entry = index.find(u8, at + REC_DIGEST_AT);
    if (entry >= 0) {
      if (index.sequence(entry) >= header.sequence) return; // an older copy
      if (index.size(entry) > 0) this.#release(entry, true);
    } else {
      entry = index.insert(u8, at + REC_DIGEST_AT);
      if (entry < 0) {
        throw new StorageError(
          this.#o.extent.path,
          'its records do not fit the index; raise indexes-memory-budget',
        );
      }
    }
    const isTombstone = (header.flags & FLAG_TOMBSTONE) !== 0;
    index.setSequence(entry, header.sequence);
    index.setLocation(entry, (block * this.#reader.extent.blockSize + offset) / RECORD_ALIGN);
    index.setLut(entry, header.lutMs);
    index.setFlag(entry, TOMBSTONE, isTombstone);
    if (isTombstone) {
      this.#tombstones.push(entry);
      index.setSize(entry, 0);
      return;
    }
    index.setSize(entry, size);
    index.setGeneration(entry, header.generation);
    index.setVoidTime(entry, header.voidTimeSec);
    index.setFlag(entry, KEY_STORED, header.keySize > 0);
    if (header.voidTimeSec !== 0 && header.voidTimeSec <= nowSec) this.#expired.push(entry);
    const room = (size + RECORD_ALIGN - 1) & -RECORD_ALIGN;
    table.used[block]! += room;
    counters[ST.ST_USED_BYTES]! += room;
    counters[ST.ST_RECOVERED_RECORDS]!++;
    listener.added(entry, u8, at + RECORD_HEADER_SIZE, header.setNameSize);
  }

  /** The stored version of an entry no longer counts. @returns Its block. */
  #release(entry: number, isReplaced: boolean): number {
    const { index, table, counters, listener } = this.#o;
    const block = this.#blockOf(entry);
    const room = (index.size(entry) + RECORD_ALIGN - 1) & -RECORD_ALIGN;
    listener.dropped(entry);
    table.used[block]! -= room;
    counters[ST.ST_USED_BYTES]! -= room;
    if (isReplaced) counters[ST.ST_RECOVERED_RECORDS]!--;
    return block;
  }

  #blockOf(entry: number): number {
    return Math.floor((this.#o.index.location(entry) * RECORD_ALIGN) / this.#reader.extent.blockSize);
  }

  /** Tombstones and expired records leave the index; on the device they go on keeping older copies dead. */
  #dropDead(): void {
    const { index, table, nowSec, counters } = this.#o;
    for (const entry of this.#tombstones) {
      if (!index.hasFlag(entry, TOMBSTONE)) continue; // replaced since, or listed twice
      index.setFlag(entry, TOMBSTONE, false);
      table.markers[this.#blockOf(entry)]!++;
      index.remove(entry);
    }
    for (const entry of this.#expired) {
      const voidTime = index.voidTime(entry);
      if (index.size(entry) === 0 || voidTime === 0 || voidTime > nowSec) continue;
      table.markers[this.#release(entry, false)]!++;
      counters[ST.ST_RECOVERED_RECORDS]!--;
      index.setSize(entry, 0);
      index.remove(entry);
    }
  }

  /** Appending goes on behind everything that was found in the newest block, if all of that block could be read. */
  #findResumePoint(): void {
    const { io, table } = this.#o;
    const { blockSize } = this.#reader.extent;
    const block = this.#lastBlock;
    const end = Math.max(this.#lastEnd, F.BLOCK_HEADER_SIZE);
    const appendAt = (end + IO_ALIGN - 1) & -IO_ALIGN;
    if (block < 0 || !this.#isLastWhole || blockSize - appendAt < RESUME_ROOM_MIN) return;
    const bufferAt = io.pool.take(blockSize);
    if (bufferAt < 0) return;
    let isGood = false;
    const keep = (_: number, at: number, badPages: number): void => {
      isGood = badPages === 0;
      io.buffers.u8.copyWithin(bufferAt, at, at + blockSize);
    };
    this.#reader.readEach(1, () => block, blockSize, 1, keep);
    if (isGood) {
      table.bufferAt[block] = bufferAt;
      this.resumePoint = { block, bufferAt, appendAt };
    } else {
      io.pool.give(bufferAt);
    }
  }

  #report(): void {
    const { log, counters, extent } = this.#o;
    const problems = [
      [this.#foreignBlocks, 'foreign blocks'],
      [this.#damagedBlocks, 'damaged blocks'],
      [this.#damagedRecords, 'torn or damaged ranges'],
      [this.#foreignRecords, 'foreign or dropped records'],
    ] as const;
    const found = problems.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
    const line = `${extent.path} shard ${extent.owner.shard}: ${counters[ST.ST_RECOVERED_RECORDS]} records`;
    if (found.length > 0) log.warning(`${line}; skipped ${found.join(', ')}`);
    else log.info(line);
  }
}
