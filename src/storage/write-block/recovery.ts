/**
 * The start of a shard: reads the first page of every block of its extent, loads a checkpoint if there is one that can
 * be trusted, and reads whole the blocks written since; a cold start reads all blocks in use. That rebuilds index and block table; record-intake.ts says which records count.
 *
 * Blocks and records that are torn, foreign or damaged are skipped, counted and logged. A block whose first
 * page is damaged or unreadable is left alone: what it holds is unknown, so markers in newer blocks stay.
 */
import type { CheckpointFile } from '../checkpoint/checkpoint-file.js';
import { CheckpointReader, type LoadedCheckpoint } from '../checkpoint/checkpoint-reader.js';
import type { StreamCipher } from '../cipher/stream-cipher.js';
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
import { ShadowStep } from './shadow-step.js';
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
  /** The shard's checkpoint files; none: every start is cold. */
  checkpoints: readonly CheckpointFile[];
  /** What they are encrypted with. */
  cipher: StreamCipher | null;
  /** What is on the device is to be forgotten: nothing is read, and the checkpoints are made invalid. */
  startsEmpty: boolean;
  /** There may be checkpoints that this start cannot see: it must not append where they think that all is read. */
  mayHaveOthers: boolean;
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
  #intake: RecordIntake;
  /** [block] start count in its header. */
  readonly #startCounts: Uint32Array;
  #loaded: LoadedCheckpoint | undefined;
  /** Blocks read whole. */
  readBlocks = 0;
  #writeIdMax = 0;
  /** The block with the highest write id, the end of its last good record, and whether all of it was good. */
  #lastBlock = -1;
  #lastEnd = 0;
  #isLastWhole = false;
  /** A guess, from the first records of each block. */
  #recordsExpected = 0;
  /** Blocks whose first page is erased in part. */
  readonly #givenUp: number[] = [];
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
    this.#startCounts = new Uint32Array(options.table.blockCount);
    this.#intake = this.#newIntake();
  }

  /** The file whose checkpoint was loaded. */
  get loadedFrom(): CheckpointFile | undefined {
    return this.#loaded?.file;
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
      // As they lie there: erased sectors do not look like what is encrypted.
      if (!this.#reader.readEach(blockCount, i => i, IO_ALIGN, PAGE_READS, false, visitPage, isStopping))
        return false;
      this.#eraseGivenUp();
      for (let block = 0; block < blockCount; block++)
        if (table.states[block] === B.FREE) table.pushFree(block);
      const mayResume = this.#loadCheckpoint();
      if (isStopping?.()) return false;
      const tail: number[] = [];
      for (let block = 0; block < blockCount; block++) {
        if (table.states[block] === B.STORED && this.#readsFrom(block) < blockSize) tail.push(block);
        else counters[ST.ST_RECOVERED_BYTES]! += blockSize;
      }
      tail.sort((a, b) => table.writeIds[b]! - table.writeIds[a]!); // newest first: the rest finds little to do
      const visitBlock = (block: number, at: number, bad: number) => this.#visitBlock(block, at, bad);
      this.readBlocks = tail.length;
      if (!this.#loaded && tail.length > 0) index.presize(this.#recordsExpected);
      if (
        !this.#reader.readEach(
          tail.length,
          i => tail[i]!,
          blockSize,
          BLOCK_READS,
          true,
          visitBlock,
          isStopping,
        )
      ) {
        return false;
      }
      if (extentNeedsStep(this.#o.extent)) {
        if (!new ShadowStep(this.#o.extent, this.#o.io, table, log).run(tail, isStopping)) return false;
      }
      table.listUsed();
      const { sequence = 0, lastWriteId = 0 } = this.#loaded?.header ?? {};
      table.startAbove(
        Math.max(this.#intake.sequenceMax, sequence) + SEQUENCE_MARGIN,
        Math.max(this.#writeIdMax, lastWriteId) + WRITE_ID_MARGIN,
      );
      this.#intake.dropDead();
      index.settle();
      if (mayResume) this.#findResumePoint();
      this.#tellSets();
      this.#report();
      return true;
    } finally {
      this.#reader.close();
    }
  }

  #newIntake(): RecordIntake {
    const { path, owner } = this.#o.extent;
    return new RecordIntake({
      ...this.#o,
      path,
      blockSize: owner.writeBlockSize,
      buffers: this.#o.io.buffers,
    });
  }

  /** @returns Whether appending may go on in the newest block, if it is one that is read. */
  #loadCheckpoint(): boolean {
    const { checkpoints, extent, counters, mayHaveOthers, startsEmpty, resident } = this.#o;
    counters[ST.ST_START_KIND] = ST.START_COLD;
    if (startsEmpty) counters[ST.ST_START_KIND] = ST.START_EMPTY;
    if (checkpoints.length === 0) return !mayHaveOthers;
    const reader = new CheckpointReader({
      ...this.#o,
      files: checkpoints,
      owner: extent.owner,
      startCounts: this.#startCounts,
    });
    // Where all blocks have to be read, or none counts, a checkpoint is no use, and later starts must not take it.
    const isUsed = !startsEmpty && !resident;
    const { loaded, intake } = reader.load(() => this.#newIntake(), isUsed);
    this.#intake = intake;
    this.#loaded = loaded;
    if (loaded) {
      counters[ST.ST_START_KIND] = ST.START_CHECKPOINT;
      counters[ST.ST_CHECKPOINT_AT_MS] = loaded.header.begunMs;
    }
    return reader.isExclusive && !mayHaveOthers;
  }

  /** Where reading a block begins: with its first record, where a checkpoint ends, or nowhere (its end). */
  #readsFrom(block: number): number {
    const { table, extent, startsEmpty } = this.#o;
    if (startsEmpty) return extent.owner.writeBlockSize;
    if (!this.#loaded) return F.BLOCK_HEADER_SIZE;
    const { lastWriteId, openBlocks } = this.#loaded.header;
    const writeId = table.writeIds[block]!;
    if (writeId > lastWriteId) return F.BLOCK_HEADER_SIZE;
    const open = openBlocks.find(one => one.block === block && one.writeId === writeId);
    return open?.appendAt ?? extent.owner.writeBlockSize;
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
      this.#startCounts[block] = header.startCount;
      extent.cipher?.decryptBlock(io.buffers, at, IO_ALIGN);
      this.#recordsExpected += expectedRecords(io.buffers.u32, at, header.stamp, extent.blockSize);
      if (header.writeId <= this.#writeIdMax) return;
      this.#writeIdMax = header.writeId;
      this.#lastBlock = block;
    } else if (found === F.BLOCK_GIVEN_UP) {
      this.#givenUp.push(block);
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

  /** What a power cut has left of blocks that were given up must not come back when one of them is used again. */
  #eraseGivenUp(): void {
    const { table, log, counters } = this.#o;
    const { extent } = this.#reader;
    if (this.#givenUp.length === 0) return;
    const failures = this.#givenUp.map(block => this.#reader.erase(block));
    const isFlushed = this.#reader.flush();
    for (const [i, block] of this.#givenUp.entries()) {
      const why = failures[i] || (isFlushed ? '' : 'the flush failed');
      if (why === '') continue;
      counters[ST.ST_WRITE_ERRORS]!++;
      table.states[block] = B.BAD;
      log.critical(
        `${extent.path}: the block at ${extent.offsetOf(block)} was given up and cannot be erased (${why}); it is not used`,
      );
    }
  }

  #visitBlock(block: number, at: number, badPages: number): void {
    const { io, table, counters, resident, log } = this.#o;
    const { extent } = this.#reader;
    const scan = this.#scan;
    const isLast = block === this.#lastBlock;
    const from = this.#readsFrom(block);
    scan.start(at, extent.blockSize, table.stamps[block]!, from);
    const end = this.#intake.takeBlock(block, scan);
    resident?.open(block);
    resident?.put(block, 0, io.buffers.u8, at, end);
    if (isLast) {
      this.#lastEnd = Math.max(from, end);
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
    this.#reader.readEach(1, () => block, blockSize, 1, true, keep);
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
    const from = this.#loaded ? `by the checkpoint in ${this.#loaded.file.path}, ` : '';
    const line =
      `${extent.path} shard ${extent.owner.shard}: ${counters[ST.ST_RECOVERED_RECORDS]} records, ` +
      `${from}${this.readBlocks} blocks read`;
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

function extentNeedsStep({ shadow }: ExtentDescription): boolean {
  return shadow !== undefined && shadow !== null && !shadow.isInStep;
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
