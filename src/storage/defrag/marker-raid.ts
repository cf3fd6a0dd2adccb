/**
 * The tomb raider's part on a device: finds delete markers that keep nothing dead any more, and lets go of them.
 *
 * block-table.ts drops a marker when all blocks that could hold older copies are free. Where old blocks stay full of
 * records that nobody touches, that does not come about; defrag would have to rewrite them. The raid reads them instead.
 *
 *   IDLE ─▶ LOOK: reads every block that could hold older copies, and notes the digest of each record that is not live
 *       ─▶ WAIT: until everything that was appended when it began is durable
 *       ─▶ DROP: reads every block with markers; those of digests that were not noted keep nothing dead
 *
 * Older copies of what a marker deleted were appended before it. So a raid that has looked into all blocks that were in
 * use when it began, open ones as far as they are filled, knows of every marker with a lower write sequence than the
 * last one of then. What it has found stays true: no older copy is written later, and what was live when its block was
 * looked into gets a marker of its own, with a higher sequence, when it is deleted. A block that is being given up may
 * come back by a power cut, so it is waited for. What cannot be read, or is damaged, may hold copies: then the raid
 * learns nothing.
 *
 * A version that has expired serves as a marker too, but is no copy that could come back: what keeps it dead is the
 * record clock. So it is not noted if the clock that was stored when the raid began has passed its void-time; one
 * that expires later was live when its block was looked into, or is noted. Either way a version whose digest is not
 * noted has no older copy behind it.
 *
 * Digests are noted by a bit each, in a table of bounded size: when two share one, a marker stays that could go.
 */
import { Region } from '../../base/arena.js';
import { monotonicMs } from '../../base/clock.js';
import type { StorageLog } from '../device/storage-error.js';
import * as ST from '../engine.js';
import type { PrimaryIndex } from '../index/primary-index.js';
import {
  FLAG_CLOCK,
  FLAG_TOMBSTONE,
  REC_DIGEST_AT,
  REC_FLAGS_SET_GEN,
  REC_LUT_SEQ_HIGH,
  REC_SEQ_LOW,
  REC_VOID_TIME,
  RECORD_ALIGN,
  readOrigin,
} from '../record/flat-record.js';
import { BlockScan } from '../write-block/block-scan.js';
import { BAD, type BlockTable, FREE, STORED } from '../write-block/block-table.js';
import type { BlockWriter } from '../write-block/block-writer.js';
import type { ShardExtent } from '../write-block/shard-extent.js';

/** What `ShardExtent.read` is given for the reads of a raid. */
export const RAID_READ = -2;

const NONE = -1;
const IDLE = 0;
const LOOK = 1;
const WAIT = 2;
const DROP = 3;
/** Records looked at between two looks at the clock. */
const STEP_RECORDS = 64;
/** A bit for each of so many bytes of the extent, within these bounds. */
const BYTES_PER_BIT = 128;
const BITS_MIN = 2 ** 16;
const BITS_MAX = 2 ** 25;

export interface MarkerRaidOptions {
  extent: ShardExtent;
  table: BlockTable;
  writer: BlockWriter;
  index: PrimaryIndex;
  counters: Float64Array;
  log: StorageLog;
}

export class MarkerRaid {
  readonly #o: MarkerRaidOptions;
  readonly #scan: BlockScan;
  readonly #bitMask: number;
  /** By bits of a digest, whether a record with it lies in a block although it is not live; made by the first raid. */
  #bits: Int32Array | undefined;
  #state = IDLE;
  /** What is known holds for markers with write sequences up to this; 0: nothing is. */
  #knownTo = 0;
  // As of the raid's begin: the last write sequence and append, and the record clock as far as it was stored.
  #lookTo = 0;
  #appendedNumber = 0;
  #clockMs = 0;
  /** Blocks to be read in this state, and their write ids. */
  #blocks: number[] = [];
  #writeIds: number[] = [];
  /** The block being read or scanned, and its copy in the I/O buffers. */
  #block = NONE;
  #writeId = 0;
  #bufferAt = NONE;
  #isReading = false;
  #isScanning = false;
  /** Of the block whose markers are looked at: records that stay needed. */
  #kept = 0;
  #nextAtMs = 0;
  /** Monotonic: when the last one was begun. */
  begunMs = monotonicMs();

  constructor(options: MarkerRaidOptions) {
    this.#o = options;
    this.#scan = new BlockScan(options.extent.io.buffers);
    const { blockCount, blockSize } = options.extent;
    const wanted = 2 ** Math.ceil(Math.log2((blockCount * blockSize) / BYTES_PER_BIT));
    this.#bitMask = Math.min(BITS_MAX, Math.max(BITS_MIN, wanted)) - 1;
  }

  get isActive(): boolean {
    return this.#state !== IDLE;
  }

  get isReading(): boolean {
    return this.#isReading;
  }

  /** Begins a raid. @returns false when there is nothing that it could let go of. */
  start(nowMs: number): boolean {
    const { table, writer, counters } = this.#o;
    if (this.#state !== IDLE) return false;
    this.begunMs = nowMs;
    if (!this.#hasMarkers()) return false;
    // Nobody knows what a bad block holds.
    for (let block = 0; block < table.blockCount; block++) if (table.states[block] === BAD) return false;
    this.#lookTo = table.sequence;
    this.#appendedNumber = writer.appendedNumber;
    this.#clockMs = counters[ST.ST_STORED_CLOCK]!;
    this.#list(block => table.states[block] !== FREE);
    this.#knownTo = 0;
    this.#bits ??= new Region((this.#bitMask + 1) / 8).i32;
    this.#bits.fill(0);
    this.#state = LOOK;
    return true;
  }

  /** Goes on for about `budgetMs`, or begins to read the next block, `sleepMs` after the one before at the soonest. */
  step(nowMs: number, budgetMs: number, sleepMs: number): void {
    if (this.#state === IDLE || this.#isReading) return;
    if (this.#isScanning) {
      this.#scanOn(monotonicMs() + budgetMs);
      return;
    }
    if (nowMs < this.#nextAtMs) return;
    this.#nextAtMs = nowMs + sleepMs;
    if (this.#blocks.length === 0) this.#endOfList();
    else this.#readNext();
  }

  /** The block has been read. */
  onRead(result: number): void {
    const { table, extent, counters } = this.#o;
    this.#isReading = false;
    if (this.#isSame(STORED)) {
      if (result !== extent.blockSize) {
        counters[ST.ST_READ_ERRORS]!++;
        this.#giveUp('cannot be read');
        return;
      }
      extent.cipher?.decryptBlock(extent.io.buffers, this.#bufferAt, extent.blockSize);
      this.#startScan();
      return;
    }
    // It was given up while it was read.
    if (this.#state === LOOK && table.states[this.#block] !== FREE) this.#putOff(this.#block, this.#writeId);
    this.#release();
  }

  /** Whether a record that is not live keeps nothing dead. @param at Its byte offset in the I/O buffers. */
  isUnneeded(at: number): boolean {
    if (this.#sequenceOf(at) > this.#knownTo) return false;
    const bit = this.#bitOf(at);
    return (this.#bits![bit >>> 5]! & (1 << (bit & 31))) === 0;
  }

  /** Frees what it holds; for a shard that closes. Nothing may be being read. */
  stop(): void {
    this.#end();
  }

  #list(isWanted: (block: number) => boolean): void {
    const { table } = this.#o;
    this.#blocks = [];
    for (let block = 0; block < table.blockCount; block++) if (isWanted(block)) this.#blocks.push(block);
    this.#writeIds = this.#blocks.map(block => table.writeIds[block]!);
  }

  /** Whether some block holds a marker that could be known of. */
  #hasMarkers(): boolean {
    const { table } = this.#o;
    if (table.markerCount === 0) return false;
    for (let block = 0; block < table.blockCount; block++) {
      if (table.markers[block] !== 0 && table.states[block] === STORED) return true;
    }
    return false;
  }

  /** Whether the block at hand is still in the use that it was in, and in this state. */
  #isSame(state: number): boolean {
    const { table } = this.#o;
    return table.states[this.#block] === state && table.writeIds[this.#block] === this.#writeId;
  }

  #readNext(): void {
    const { table, writer, extent } = this.#o;
    const block = this.#blocks.pop()!;
    const writeId = this.#writeIds.pop()!;
    if (table.states[block] === FREE || table.writeIds[block] !== writeId) return;
    const isLooking = this.#state === LOOK;
    const appendAt = isLooking ? writer.openBlocks().find(open => open.block === block)?.appendAt : undefined;
    if (appendAt === undefined && table.states[block] !== STORED) {
      // It is on its way to the device, or is being given up, which settles it where markers are dropped.
      if (isLooking) this.#putOff(block, writeId);
      return;
    }
    if (!isLooking && writer.cache.held === block) return; // defrag asks here what it need not move
    const bufferAt = writer.cache.take();
    if (bufferAt < 0) {
      this.#putOff(block, writeId);
      return;
    }
    this.#block = block;
    this.#writeId = writeId;
    this.#bufferAt = bufferAt;
    const cachedAt = table.bufferAt[block]!;
    const { u8 } = extent.io.buffers;
    if (appendAt !== undefined) {
      writer.sealOpen();
      u8.copyWithin(bufferAt, cachedAt, cachedAt + appendAt);
      u8.fill(0, bufferAt + appendAt, bufferAt + extent.blockSize);
      this.#startScan();
    } else if (cachedAt >= 0) {
      u8.copyWithin(bufferAt, cachedAt, cachedAt + extent.blockSize);
      this.#startScan();
    } else if (extent.read(RAID_READ, block, 0, extent.blockSize, bufferAt)) {
      // Records that are kept in memory are read from the device too: pages that a start could not read are not there.
      this.#isReading = true;
    } else {
      this.#putOff(block, writeId);
      this.#release();
    }
  }

  /** The block's turn comes after all others. */
  #putOff(block: number, writeId: number): void {
    this.#blocks.unshift(block);
    this.#writeIds.unshift(writeId);
  }

  #startScan(): void {
    const { table, extent } = this.#o;
    this.#scan.start(this.#bufferAt, extent.blockSize, table.stamps[this.#block]!);
    this.#kept = 0;
    table.watched = this.#block;
    this.#isScanning = true;
  }

  #scanOn(untilMs: number): void {
    const scan = this.#scan;
    for (;;) {
      for (let i = 0; i < STEP_RECORDS; i++) {
        if (!scan.next()) {
          this.#endOfBlock();
          return;
        }
        if (this.#state === LOOK) this.#look();
        else if (this.#isKept()) this.#kept++;
      }
      if (monotonicMs() >= untilMs) return;
    }
  }

  /** Notes the digest of a record that is not live. */
  #look(): void {
    const { index, extent } = this.#o;
    const { recordAt: at, offset, size } = this.#scan;
    const { u8, u32 } = extent.io.buffers;
    const w = at >>> 2;
    if ((u32[w + REC_FLAGS_SET_GEN]! & FLAG_TOMBSTONE) !== 0) return; // markers need no marker
    const voidTime = u32[w + REC_VOID_TIME]!;
    if (voidTime !== 0 && voidTime * 1000 <= this.#clockMs) return;
    const entry = index.find(u8, at + REC_DIGEST_AT);
    if (entry >= 0) {
      const location = (this.#block * extent.blockSize + offset) / RECORD_ALIGN;
      const isLive =
        index.location(entry) === location &&
        index.size(entry) === size &&
        index.sequence(entry) === this.#sequenceOf(at);
      if (isLive) return;
    }
    const bit = this.#bitOf(at);
    this.#bits![bit >>> 5]! |= 1 << (bit & 31);
  }

  /** Whether the record is a marker that stays needed, or an expired version that serves as one. */
  #isKept(): boolean {
    const { index, table, extent } = this.#o;
    const at = this.#scan.recordAt;
    const { u8, u32 } = extent.io.buffers;
    const w = at >>> 2;
    const flags = u32[w + REC_FLAGS_SET_GEN]!;
    if ((flags & FLAG_CLOCK) !== 0 || index.find(u8, at + REC_DIGEST_AT) >= 0) return false;
    if ((flags & FLAG_TOMBSTONE) === 0) return u32[w + REC_VOID_TIME] !== 0 && !this.isUnneeded(at);
    const origin = readOrigin(u32, at) || this.#writeId;
    return origin >= table.lowestWithout(this.#block) && !this.isUnneeded(at);
  }

  #endOfBlock(): void {
    const { table, writer, counters } = this.#o;
    const block = this.#block;
    this.#isScanning = false;
    if (this.#state === LOOK) {
      if (this.#scan.damaged > 0) this.#giveUp('is damaged');
      else this.#release();
      return;
    }
    // Whatever has changed the markers meanwhile may be about records that were looked at before.
    const isAsBefore = table.watched === block && this.#isSame(STORED) && writer.cache.held !== block;
    this.#release();
    const before = table.markers[block]!;
    if (!isAsBefore || this.#scan.damaged > 0 || this.#kept >= before) return;
    table.restoreMarkers(block, this.#kept, table.origins[block]!);
    counters[ST.ST_RAIDED_MARKERS]! += before - this.#kept;
    writer.occupancy.update(block);
    if (this.#kept === 0 && table.used[block] === 0) writer.emptied(block);
  }

  #endOfList(): void {
    const { table, writer, counters } = this.#o;
    if (this.#state === LOOK) this.#state = WAIT;
    if (this.#state === WAIT) {
      if (writer.durableNumber < this.#appendedNumber) return;
      this.#knownTo = this.#lookTo;
      this.#list(block => table.states[block] === STORED && table.markers[block] !== 0);
      this.#state = DROP;
      return;
    }
    counters[ST.ST_RAIDS]!++;
    this.#end();
  }

  #sequenceOf(at: number): number {
    const { u32 } = this.#o.extent.io.buffers;
    const w = at >>> 2;
    return (u32[w + REC_LUT_SEQ_HIGH]! >>> 16) * 2 ** 32 + u32[w + REC_SEQ_LOW]!;
  }

  #bitOf(at: number): number {
    return this.#o.extent.io.buffers.u32[(at + REC_DIGEST_AT + 8) >>> 2]! & this.#bitMask;
  }

  /** Ends a raid that has learnt nothing, since of this block anything may come back. */
  #giveUp(problem: string): void {
    const { extent, log } = this.#o;
    const at = extent.offsetOf(this.#block);
    log.info(`${extent.path}: the block at ${at} ${problem}: the tomb raider cannot tell what it keeps dead`);
    this.#end();
  }

  #release(): void {
    this.#o.table.watched = NONE;
    this.#o.extent.io.pool.give(this.#bufferAt);
    this.#bufferAt = NONE;
    this.#block = NONE;
  }

  #end(): void {
    if (this.#bufferAt !== NONE) this.#release();
    this.#isScanning = false;
    this.#state = IDLE;
    this.#blocks = [];
    this.#writeIds = [];
  }
}
