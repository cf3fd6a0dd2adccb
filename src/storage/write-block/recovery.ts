/**
 * Cold start of a shard: reads the first page of every block of its extent, then whole the blocks that are in
 * use, and rebuilds index and block table; record-intake.ts says which records count.
 *
 * Blocks and records that are torn, foreign or damaged are skipped, counted and logged. A block whose first
 * page is damaged or unreadable is left alone: what it holds is unknown, so markers in newer blocks stay.
 */
import type { StorageLog } from '../device/storage-error.js';
import * as ST from '../engine.js';
import type { PrimaryIndex } from '../index/primary-index.js';
import { IO_ALIGN } from '../io/io-backend.js';
import type { IoQueue } from '../io/io-queue.js';
import {
  REC_SIZE,
  REC_STAMP,
  RECORD_ALIGN,
  RECORD_HEADER_SIZE,
  RECORD_MAGIC,
} from '../record/flat-record.js';
import type { SetTable } from '../record/set-table.js';
import * as F from './block-format.js';
import { BlockScan } from './block-scan.js';
import * as B from './block-table.js';
import { ExtentReader } from './extent-reader.js';
import { RecordIntake } from './record-intake.js';
import type { ResidentBlocks } from './resident-blocks.js';
import type { ExtentDescription } from './shard-extent.js';

const PAGE_READS = 32; // first pages in flight
const BLOCK_READS = 3; // whole blocks in flight
/** Numbers skipped at a start, in case newer ones lie where nothing can be read today. */
const SEQUENCE_MARGIN = 2 ** 24;
const WRITE_ID_MARGIN = 2 ** 16;
/** A last block with less room than this is not appended to any more. */
const RESUME_ROOM_MIN = 64 * 1024; // bytes

/** Hears what a start has found of a set: records, their bytes, each rounded up to 16, and tombstones. Set 0: of no set. */
export type SetListener = (setId: number, records: number, bytes: number, tombstones: number) => void;

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
  /** Seconds since 2010: what has expired by then, or by the latest LUT that is stored, is not taken in. */
  nowSec: number;
  /** The namespace's sets: names of records get their numbers here. */
  sets: SetTable;
  onSet: SetListener;
  /** Filled with all blocks that hold something. */
  resident?: ResidentBlocks | null;
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
  readonly #intake: RecordIntake;
  #writeIdMax = 0;
  /** The block with the highest write id, the end of its last good record, and whether all of it was good. */
  #lastBlock = -1;
  #lastEnd = 0;
  #isLastWhole = false;
  /** A guess, from the first records of each block. */
  #recordsExpected = 0;
  #foreignBlocks = 0;
  #damagedBlocks = 0;
  #damagedRecords = 0;
  #tornEnds = 0;
  /** Null unless there is a block to resume; set by a run that was not stopped. */
  resumePoint: ResumePoint | null = null;

  /** The latest LUT of all good records: what the shard's record clock begins with. */
  get clockMs(): number {
    return this.#intake.clockMs;
  }

  /** The block that says so, or -1. */
  get clockBlock(): number {
    return this.#intake.clockBlock;
  }

  constructor(options: RecoveryOptions) {
    this.#o = options;
    this.#reader = new ExtentReader(options.extent, options.io);
    this.#scan = new BlockScan(options.io.buffers);
    const { path, owner } = options.extent;
    this.#intake = new RecordIntake({
      ...options,
      path,
      blockSize: owner.writeBlockSize,
      buffers: options.io.buffers,
    });
  }

  /**
   * Blocks until all is read.
   * @returns false when told to stop; then table and index are incomplete.
   * @throws StorageError when the records do not fit the index.
   */
  run(): boolean {
    const { counters, index, table, log, isStopping } = this.#o;
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
      used.sort((a, b) => table.writeIds[b]! - table.writeIds[a]!); // newest first: the rest finds little to do
      const visitBlock = (block: number, at: number, bad: number) => this.#visitBlock(block, at, bad);
      const count = used.length;
      index.presize(this.#recordsExpected);
      if (!this.#reader.readEach(count, i => used[i]!, blockSize, BLOCK_READS, visitBlock, isStopping)) {
        return false;
      }
      table.listUsed();
      table.startAbove(this.#intake.sequenceMax + SEQUENCE_MARGIN, this.#writeIdMax + WRITE_ID_MARGIN);
      this.#intake.dropDead();
      index.settle();
      this.#findResumePoint();
      this.#tellSets();
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
      log.critical(`${where} cannot be read (${this.#reader.failure})`);
      return;
    }
    const header = this.#blockHeader;
    const found = F.readBlockHeader(io.buffers, at, extent.owner, block, header);
    if (found === F.BLOCK_VALID && header.kind === F.BLOCK_KIND_RECORDS) {
      table.states[block] = B.STORED;
      table.stamps[block] = header.stamp;
      table.nonces[block * 2] = header.nonce0;
      table.nonces[block * 2 + 1] = header.nonce1;
      table.writeIds[block] = header.writeId;
      this.#recordsExpected += expectedRecords(io.buffers.u32, at, header.stamp, extent.blockSize);
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
    const { io, table, counters, resident, log } = this.#o;
    const { extent } = this.#reader;
    const scan = this.#scan;
    const isLast = block === this.#lastBlock;
    scan.start(at, extent.blockSize, table.stamps[block]!);
    const end = this.#intake.takeBlock(block, scan);
    resident?.open(block);
    resident?.put(block, 0, io.buffers.u8, at, end);
    if (isLast) {
      this.#lastEnd = end;
      // A torn end stays the end: with records behind it, it would be damage at every start from now on.
      this.#isLastWhole = badPages === 0 && !scan.isTornAtEnd;
    }
    counters[ST.ST_RECOVERED_BYTES]! += extent.blockSize;
    if (scan.isTornAtEnd) this.#tornEnds++;
    if (scan.damaged === 0 && badPages === 0) return;
    this.#damagedRecords += scan.damaged;
    counters[ST.ST_CHECKSUM_ERRORS]! += scan.damaged;
    counters[ST.ST_READ_ERRORS]! += badPages;
    const why = badPages === 0 ? '' : ` (${this.#reader.failure})`;
    log.warning(
      `${extent.path}: in the block at ${extent.offsetOf(block)} ${scan.damaged} torn or damaged ranges and ` +
        `${badPages} unreadable pages${why} are skipped`,
    );
  }

  /** Appending goes on behind everything that was found in the newest block, if all of that block could be read. */
  #findResumePoint(): void {
    const { io, table } = this.#o;
    const { blockSize } = this.#reader.extent;
    const block = this.#lastBlock;
    const end = Math.max(this.#lastEnd, F.BLOCK_HEADER_SIZE);
    const appendAt = (end + IO_ALIGN - 1) & -IO_ALIGN;
    // Of an encrypted block, what lay behind its end may have been lost, but was written: its key bytes are used up.
    if (this.#reader.extent.cipher !== null) return;
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

  #tellSets(): void {
    const { setRecords, setBytes, setTombstones } = this.#intake;
    for (let setId = 0; setId < setRecords.length; setId++) {
      const records = setRecords[setId]!;
      const tombstones = setTombstones[setId]!;
      if (records + tombstones > 0) this.#o.onSet(setId, records, setBytes[setId]!, tombstones);
    }
  }

  #report(): void {
    const { log, counters, extent } = this.#o;
    const problems = [
      [this.#foreignBlocks, 'foreign blocks'],
      [this.#damagedBlocks, 'damaged blocks'],
      [this.#damagedRecords, 'torn or damaged ranges'],
      [this.#intake.foreignRecords, 'foreign or dropped records'],
    ] as const;
    const found = problems.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
    const line = `${extent.path} shard ${extent.owner.shard}: ${counters[ST.ST_RECOVERED_RECORDS]} records`;
    if (found.length > 0) log.warning(`${line}; skipped ${found.join(', ')}`);
    else log.info(line);
    if (this.#tornEnds > 0) {
      log.info(
        `${extent.path} shard ${extent.owner.shard}: ${this.#tornEnds} blocks end in a write that was cut off, as a ` +
          'kill or a power cut leaves it',
      );
    }
  }
}

/** How many records a block seems to have, by the sizes of those that begin in its first page, at byte `at`. */
function expectedRecords(u32: Uint32Array, at: number, stamp: number, blockSize: number): number {
  let count = 0;
  let offset = F.BLOCK_HEADER_SIZE;
  while (offset + RECORD_HEADER_SIZE <= IO_ALIGN) {
    const w = (at + offset) >>> 2;
    const size = u32[w + REC_SIZE]!;
    if (u32[w] !== RECORD_MAGIC || u32[w + REC_STAMP] !== stamp || size < RECORD_HEADER_SIZE) break;
    count++;
    offset += (size + RECORD_ALIGN - 1) & -RECORD_ALIGN;
  }
  return count === 0 ? 0 : (count * blockSize) / offset;
}
