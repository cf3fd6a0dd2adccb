/**
 * What a start knows of its records while it reads blocks: takes each good record into the index. Of each digest
 * the record with the highest write sequence counts, whatever its place and whichever block is read first; of two
 * with the same one, copies of each other, the one in the block that was opened later. Tombstones and expired
 * records take part in that and leave the index at the end; their blocks remember that they hold markers.
 *
 * Records are taken in by batches, since most of the time would go into waiting for the memory of the index.
 */
import type { Region } from '../../base/arena.js';
import { partitionOf } from '../../base/digest.js';
import { StorageError } from '../device/storage-error.js';
import * as ST from '../engine.js';
import { KEY_STORED, lastOrderWord, orderWord, STORED_SIZE_MAX, TOMBSTONE } from '../index/entry.js';
import type { PrimaryIndex } from '../index/primary-index.js';
import * as R from '../record/flat-record.js';
import { SET_COUNT_MAX, type SetTable } from '../record/set-table.js';
import type { BlockScan } from './block-scan.js';
import type { BlockTable } from './block-table.js';

/** Records taken in at a time: what they touch of the index fits the processor's nearer caches. */
const BATCH = 256;
const ORDER_WORDS = 5;
const TWO_32 = 0x1_0000_0000;

export interface RecordIntakeOptions {
  /** The file's name, for messages. */
  path: string;
  blockSize: number; // bytes
  /** Where the blocks that are read lie. */
  buffers: Region;
  index: PrimaryIndex;
  table: BlockTable;
  /** [pid] 1 for the shard's partitions, 0 for others. */
  owned: Uint8Array;
  /** [pid] tree id: a record with another one belongs to a partition that was dropped since. */
  treeIds: Uint32Array;
  /** The namespace's sets: names of records get their numbers here. */
  sets: SetTable;
  counters: Float64Array;
  /** Seconds since 2010: what has expired by then is not taken in. */
  nowSec: number;
}

export class RecordIntake {
  readonly #o: RecordIntakeOptions;
  // The batch: where its records lie in the buffers and in the block, and their order words.
  readonly #at = new Float64Array(BATCH);
  readonly #offset = new Int32Array(BATCH);
  readonly #orders = new Int32Array(BATCH * ORDER_WORDS);
  /** Entries that were markers, or had expired, when they were read; checked again at the end. */
  readonly #tombstones: number[] = [];
  /** [as #tombstones] The highest write id of blocks that may hold older copies. */
  readonly #origins: number[] = [];
  readonly #expired: number[] = [];
  /** By set number: records in the index, and their bytes, each rounded up to 16. */
  readonly setRecords = new Float64Array(SET_COUNT_MAX + 1);
  readonly setBytes = new Float64Array(SET_COUNT_MAX + 1);
  /** By set number: tombstones in the index, those that durable deletes left. */
  readonly setTombstones = new Float64Array(SET_COUNT_MAX + 1);
  /** [block] Entries that lie before this many bytes from its start came from a checkpoint. */
  keptTo: Uint32Array | undefined;
  sequenceMax = 0;
  /** The latest LUT of all good records, and the block that holds it, or -1. */
  clockMs = 0;
  clockBlock = -1;
  /** The latest LUT that a block is known to hold. */
  #latestLut = 0;
  /**
   * Seconds by the record clock as far as it is known. When the wall clock has stepped back, records may be taken in
   * that turn out to have expired: they are invisible, and removed as any other.
   */
  #nowSec: number;
  /** Records of other partitions, and of partitions that were dropped. */
  foreignRecords = 0;

  constructor(options: RecordIntakeOptions) {
    this.#o = options;
    this.#nowSec = options.nowSec;
  }

  /**
   * Takes in the records that the scan, just started, finds in block `block`.
   * @returns Where the last good one ends, bytes from the block's start; 0 when there is none.
   */
  takeBlock(block: number, scan: BlockScan): number {
    let count = 0;
    let end = 0;
    let total = 0;
    const latest = this.#latestLut;
    while (scan.next()) {
      end = scan.offset + scan.size;
      total++;
      if (this.#prepare(count, scan.recordAt, scan.offset)) count++;
      if (count < BATCH) continue;
      this.#takeBatch(block, count);
      count = 0;
    }
    this.#takeBatch(block, count);
    if (this.#latestLut > latest) this.clockBlock = block;
    this.#o.counters[ST.ST_REPLAYED_RECORDS]! += total;
    return end;
  }

  /** What a checkpoint knows of the clock: the latest LUT, and the block that holds it, -1 when that was given up since. */
  noteStoredClock(lutMs: number, block: number): void {
    this.noteClock(lutMs);
    this.clockBlock = block;
    this.#latestLut = block < 0 ? 0 : lutMs;
  }

  /** Whether a record with this void-time has expired, as far as the clock is known. */
  hasExpired(voidTimeSec: number): boolean {
    return voidTimeSec !== 0 && voidTimeSec <= this.#nowSec;
  }

  /** The record clock was at `lutMs` once. */
  noteClock(lutMs: number): void {
    if (lutMs <= this.clockMs) return;
    this.clockMs = lutMs;
    this.#nowSec = Math.max(this.#nowSec, Math.floor(lutMs / 1000));
  }

  /** A record that came into the index by another way counts, in its block and in its set. */
  count(setId: number, block: number, size: number, isTombstone = false): void {
    const room = (size + R.RECORD_ALIGN - 1) & -R.RECORD_ALIGN;
    this.#o.table.used[block]! += room;
    this.#o.counters[ST.ST_USED_BYTES]! += room;
    if (isTombstone) {
      this.setTombstones[setId]!++;
      return;
    }
    this.#o.counters[ST.ST_RECOVERED_RECORDS]!++;
    this.setRecords[setId]!++;
    this.setBytes[setId]! += room;
  }

  /** An entry that came into the index by another way has expired: it is dropped with the others. */
  noteExpired(entry: number): void {
    this.#expired.push(entry);
  }

  /** Tombstones and expired records leave the index; on the device they go on keeping older copies dead. */
  dropDead(): void {
    const { index, table, counters } = this.#o;
    // From the last on: of an entry that is listed twice, the later marker has taken the place of the other.
    for (let i = this.#tombstones.length - 1; i >= 0; i--) {
      const entry = this.#tombstones[i]!;
      if (!this.#isMarker(entry)) continue; // a record has taken its place, or it is listed twice
      index.setFlag(entry, TOMBSTONE, false);
      table.addMarker(this.#blockOf(entry), this.#origins[i]!);
      index.remove(entry);
    }
    for (const entry of this.#expired) {
      const voidTime = index.voidTime(entry);
      if (index.size(entry) === 0 || voidTime === 0 || voidTime > this.#nowSec) continue;
      counters[ST.ST_EXPIRED_THROUGH] = Math.max(counters[ST.ST_EXPIRED_THROUGH]!, voidTime * 1000);
      // It may have been moved, and does not say when it was first written.
      table.addMarker(this.#uncount(entry), table.lastWriteId);
      index.setSize(entry, 0);
      index.remove(entry);
    }
  }

  /** Notes a record as number `count` of the batch. @returns false when it is none of this shard's. */
  #prepare(count: number, at: number, offset: number): boolean {
    const { owned, treeIds } = this.#o;
    const { u8, u32 } = this.#o.buffers;
    const w = at >>> 2;
    const high = u32[w + R.REC_LUT_SEQ_HIGH]!;
    const sequence = (high >>> 16) * TWO_32 + u32[w + R.REC_SEQ_LOW]!;
    if (sequence > this.sequenceMax) this.sequenceMax = sequence;
    const lutMs = (high & 0xffff) * TWO_32 + u32[w + R.REC_LUT_LOW]!;
    if (lutMs > this.#latestLut) this.#latestLut = lutMs;
    this.noteClock(lutMs);
    if ((u32[w + R.REC_FLAGS_SET_GEN]! & R.FLAG_CLOCK) !== 0) return false;
    const digestAt = at + R.REC_DIGEST_AT;
    const pid = partitionOf(u8, digestAt);
    if (
      owned[pid] === 0 ||
      treeIds[pid] !== u32[w + R.REC_TREE_ID] ||
      u32[w + R.REC_SIZE]! > STORED_SIZE_MAX
    ) {
      this.foreignRecords++;
      return false;
    }
    this.#at[count] = at;
    this.#offset[count] = offset;
    const orders = this.#orders;
    const o = count * ORDER_WORDS;
    orders[o] = orderWord(u8, digestAt + 2);
    orders[o + 1] = orderWord(u8, digestAt + 6);
    orders[o + 2] = orderWord(u8, digestAt + 10);
    orders[o + 3] = orderWord(u8, digestAt + 14);
    orders[o + 4] = lastOrderWord(u8, digestAt);
    return true;
  }

  #takeBatch(block: number, count: number): void {
    this.#o.index.touch(this.#orders, count);
    for (let i = 0; i < count; i++) this.#take(block, i);
  }

  #take(block: number, i: number): void {
    const { index, table, sets } = this.#o;
    const { u8, i32, u32 } = this.#o.buffers;
    const at = this.#at[i]!;
    const w = at >>> 2;
    const orders = this.#orders;
    const o = i * ORDER_WORDS;
    const high = i32[w + R.REC_LUT_SEQ_HIGH]!;
    let entry = index.findOrder(orders, o);
    if (entry >= 0) {
      const sequence = (high >>> 16) * TWO_32 + u32[w + R.REC_SEQ_LOW]!;
      const stored = index.sequence(entry);
      if (stored > sequence) return; // an older copy
      if (stored === sequence && !this.#isBetter(entry, block, i32[w + R.REC_FLAGS_SET_GEN]!)) return;
      if (index.size(entry) > 0) this.#uncount(entry);
    } else {
      entry = index.insertOrder(orders, o);
      if (entry < 0) {
        throw new StorageError(this.#o.path, 'its records do not fit the index; raise indexes-memory-budget');
      }
    }
    const word = i32[w + R.REC_FLAGS_SET_GEN]!;
    const isTombstone = (word & R.FLAG_TOMBSTONE) !== 0;
    const isMarker = isTombstone && (word & R.FLAG_DURABLE) === 0;
    const setNameSize = (word >>> 8) & 0xff;
    const setId =
      isMarker || setNameSize === 0
        ? 0
        : Math.max(0, sets.findOrAdd(u8, at + R.RECORD_HEADER_SIZE, setNameSize));
    const voidTime = isTombstone ? 0 : u32[w + R.REC_VOID_TIME]!;
    const size = isMarker ? 0 : i32[w + R.REC_SIZE]!;
    index.setStored(
      entry,
      (word >>> 16) | (setId << 16),
      voidTime,
      i32[w + R.REC_LUT_LOW]!,
      i32[w + R.REC_SEQ_LOW]!,
      high,
      (block * this.#o.blockSize + this.#offset[i]!) / R.RECORD_ALIGN,
      size,
      isTombstone ? TOMBSTONE : i32[w + R.REC_KEY_SIZE] === 0 ? 0 : KEY_STORED,
    );
    if (isMarker) {
      this.#tombstones.push(entry);
      this.#origins.push(R.readOrigin(u32, at) || table.writeIds[block]!);
      return;
    }
    if (voidTime !== 0 && voidTime <= this.#nowSec) this.#expired.push(entry);
    this.count(setId, block, size, isTombstone);
  }

  /** Whether an entry stands for a delete marker, which leaves the index at the end. */
  #isMarker(entry: number): boolean {
    const { index } = this.#o;
    return index.hasFlag(entry, TOMBSTONE) && index.size(entry) === 0;
  }

  /**
   * Of two copies of one version, left by a defrag that was cut short, the one in the newer block counts: the older
   * block was being emptied. A marker that was written in the place of an expired record counts before that record.
   */
  #isBetter(entry: number, block: number, flagsWord: number): boolean {
    const { table } = this.#o;
    const isMarker = (flagsWord & (R.FLAG_TOMBSTONE | R.FLAG_DURABLE)) === R.FLAG_TOMBSTONE;
    if (isMarker !== this.#isMarker(entry)) return isMarker;
    if (this.#isByCheckpoint(entry)) return true;
    return table.writeIds[block]! > table.writeIds[this.#blockOf(entry)]!;
  }

  /** Nobody has looked at its record yet: if it was moved since, its block may have been in the middle of being erased. */
  #isByCheckpoint(entry: number): boolean {
    if (this.keptTo === undefined) return false;
    const { index, blockSize } = this.#o;
    const block = this.#blockOf(entry);
    return index.location(entry) * R.RECORD_ALIGN - block * blockSize < this.keptTo[block]!;
  }

  /** The stored version of an entry no longer counts. @returns Its block. */
  #uncount(entry: number): number {
    const { index, table, counters } = this.#o;
    const block = this.#blockOf(entry);
    const room = (index.size(entry) + R.RECORD_ALIGN - 1) & -R.RECORD_ALIGN;
    const setId = index.setId(entry);
    table.used[block]! -= room;
    counters[ST.ST_USED_BYTES]! -= room;
    if (index.hasFlag(entry, TOMBSTONE)) {
      this.setTombstones[setId]!--;
      return block;
    }
    counters[ST.ST_RECOVERED_RECORDS]!--;
    this.setRecords[setId]!--;
    this.setBytes[setId]! -= room;
    return block;
  }

  #blockOf(entry: number): number {
    return Math.floor((this.#o.index.location(entry) * R.RECORD_ALIGN) / this.#o.blockSize);
  }
}
