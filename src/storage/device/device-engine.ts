/**
 * The storage engine of a shard on a device: records are appended to the open write block, which goes to the
 * device when it is full or old enough; reads come from blocks still in memory or from the device. The parts:
 * record-writer.ts puts records, markers and tombstones into blocks, which write-block/block-writer.ts opens, writes
 * and gives up; record-reader.ts reads; write-block/recovery.ts starts; write-block/block-table.ts is the state they share.
 *
 * The order of calls: construct, `recover` once, then the StorageEngine interface, then `close`. The worker calls
 * `io.drain()` every turn; without it nothing moves. Where other threads use the shard too, the caller holds the
 * shard's word (`owner`) in all of them but `release`, `poll` and `hasWork`, and never in `drain`, whose answers take it
 * themselves; `close` is called with the word held for good. A span that `load` gave stays readable over one `reserve`, until
 * `store`, `remove`, `tick`, the worker's next `drain`, or (one read from the device) the token's `release`.
 */
import { monotonicMs } from '../../base/clock.js';
import type { OwnerWord } from '../../base/flags.js';
import { OK, PARKED, UNKNOWN } from '../../base/result.js';
import type { CheckpointWriter } from '../checkpoint/checkpoint-writer.js';
import { ShardCheckpoints } from '../checkpoint/shard-checkpoints.js';
import type { RecordCompression } from '../codec/record-compression.js';
import { DEFRAG_READ, Defrag } from '../defrag/defrag.js';
import { MarkerRaid, RAID_READ } from '../defrag/marker-raid.js';
import type { RecordSpan, StorageEngine } from '../engine.js';
import * as ST from '../engine.js';
import { STORED_SIZE_MAX } from '../index/entry.js';
import type { PrimaryIndex } from '../index/primary-index.js';
import type { IoClient, IoQueue, IoTimes } from '../io/io-queue.js';
import { FLAG_COMPRESSED, REC_FLAGS_SET_GEN, RECORD_ALIGN } from '../record/flat-record.js';
import type { SetTable } from '../record/set-table.js';
import { BLOCK_HEADER_SIZE } from '../write-block/block-format.js';
import { BlockTable, STORED } from '../write-block/block-table.js';
import { BlockWriter } from '../write-block/block-writer.js';
import { Recovery, type SetListener } from '../write-block/recovery.js';
import { ResidentBlocks } from '../write-block/resident-blocks.js';
import { type ExtentDescription, ShardExtent } from '../write-block/shard-extent.js';
import type { BlockWriterLimits } from '../write-block/writer-limits.js';
import type { DeviceEngineMemory } from './device-view.js';
import { RecordReader } from './record-reader.js';
import { RecordWriter } from './record-writer.js';
import { StorageError, type StorageLog } from './storage-error.js';

/** How long `close` waits for a device that does not take writes. */
const CLOSE_TIMEOUT_MS = 20_000;
const CLOSE_STEP_MS = 50;
const START_STEP_MS = 5;

export interface DeviceEngineOptions {
  extent: ExtentDescription;
  /** [pid] → shard number of the namespace. */
  shardOf: Uint16Array;
  io: IoQueue;
  index: PrimaryIndex;
  /** ST_… slots of the shard. */
  counters: Float64Array;
  /** Tokens of `load` are 0 to tokenCount - 1; others are answered PARKED without a read. */
  tokenCount: number;
  /** The largest flat record to take, bytes; no more than a write block holds. */
  recordSizeMax: number;
  /** Kept and read by the engine: change a field to change the setting. */
  limits: BlockWriterLimits;
  /** Without one, records are stored as they are and packed ones cannot be read. */
  compression?: RecordCompression | undefined;
  /** All records are kept in memory too, and read from there. */
  isResident?: boolean;
  /** [pid] tree id; all zero when left out. */
  treeIds?: Uint32Array;
  /** The namespace's sets. */
  sets: SetTable;
  /** cold-start-empty: what is on the device is forgotten. */
  startsEmpty?: boolean;
  times?: IoTimes;
  /** Says who uses the shard, where more than one thread does. */
  owner?: OwnerWord | null;
  log: StorageLog;
}

export class DeviceEngine implements StorageEngine, IoClient {
  readonly recordSizeMax: number;
  readonly limits: BlockWriterLimits;
  readonly #o: DeviceEngineOptions;
  readonly #io: IoQueue;
  readonly #owner: OwnerWord | null;
  readonly #index: PrimaryIndex;
  readonly #counters: Float64Array;
  readonly #extent: ShardExtent;
  readonly #compression: RecordCompression | null;
  readonly #treeIds: Uint32Array;
  readonly #table: BlockTable;
  readonly #writer: BlockWriter;
  readonly #resident: ResidentBlocks | null;
  readonly #reader: RecordReader;
  readonly #records: RecordWriter;
  readonly #checkpoints: ShardCheckpoints;
  readonly #defrag: Defrag;
  /** Looks for markers that keep nothing dead, a little at each call of its `step`. */
  readonly raid: MarkerRaid;
  #nowMs = 0;
  #isUnpackFailing = false;
  #isClosed = false;

  constructor(options: DeviceEngineOptions) {
    const { extent, io, counters, log } = options;
    this.#o = options;
    this.#io = io;
    this.#owner = options.owner ?? null;
    this.#index = options.index;
    this.#counters = counters;
    this.limits = options.limits;
    this.#compression = options.compression ?? null;
    this.#treeIds = options.treeIds ?? new Uint32Array(options.shardOf.length);
    const roomInBlock = extent.owner.writeBlockSize - BLOCK_HEADER_SIZE;
    this.recordSizeMax = Math.min(options.recordSizeMax, roomInBlock, STORED_SIZE_MAX);
    this.#extent = new ShardExtent(extent, io, this, options.times);
    this.#table = new BlockTable(this.#extent.blockCount);
    const { blockCount, blockSize } = this.#extent;
    this.#resident = options.isResident === true ? new ResidentBlocks(blockCount, blockSize) : null;
    this.#writer = new BlockWriter(this.#extent, this.#table, counters, this.limits, log, this.#resident);
    this.#reader = new RecordReader(this.#extent, this.#table, counters, options.tokenCount, log);
    this.#records = new RecordWriter({
      buffers: io.buffers,
      blockSize,
      table: this.#table,
      writer: this.#writer,
      index: options.index,
      counters,
      treeIds: this.#treeIds,
      sets: options.sets,
      compression: this.#compression,
      recordSizeMax: this.recordSizeMax,
    });
    this.raid = new MarkerRaid({
      extent: this.#extent,
      table: this.#table,
      writer: this.#writer,
      index: options.index,
      counters,
      log,
    });
    this.#defrag = new Defrag({
      extent: this.#extent,
      table: this.#table,
      writer: this.#writer,
      index: options.index,
      counters,
      limits: this.limits,
      resident: this.#resident,
      raid: this.raid,
      log,
    });
    this.#writer.supply.outrunsDefrag = () => this.#defrag.isOutrun;
    this.#writer.supply.canMakeRoom = () => this.#defrag.canMakeRoom;
    const source = {
      owner: extent.owner,
      index: options.index,
      table: this.#table,
      sets: options.sets,
      treeIds: this.#treeIds,
      counters,
      writer: this.#writer,
    };
    this.#checkpoints = new ShardCheckpoints(extent, io, source, this.#resident === null, log);
  }

  /** What a DeviceView on another thread is made of; undefined where records lie in memory of their own. */
  get memory(): DeviceEngineMemory | undefined {
    if (this.#resident !== null) return undefined;
    return {
      buffers: this.#io.buffers.shared,
      table: this.#table.shared,
      occupancy: this.#writer.occupancy.shared,
      openBlock: this.#writer.openBlock.shared,
      treeIds: this.#treeIds,
      blockCount: this.#extent.blockCount,
      blockSize: this.#extent.blockSize,
      recordSizeMax: this.recordSizeMax,
    };
  }

  /** Whether something is under way, or will have to be soon, that `tick` and `work` look after. */
  get isBusy(): boolean {
    return !this.#writer.isIdle || this.#writer.hasEmptied || this.#defrag.isBusy;
  }

  /** The table of write blocks, for metrics and for views on other threads. */
  get blocks(): BlockTable {
    return this.#table;
  }

  /** Number of the append made last; appends of a shard are numbered from 1 at each start. */
  get appendedNumber(): number {
    return this.#writer.appendedNumber;
  }

  get commitNumber(): number {
    return this.limits.isCommitting ? this.#writer.appendedNumber : 0;
  }

  /** Every append up to this number is durable, those of defrag too: what they replaced is needed no more. */
  get durableNumber(): number {
    return this.#writer.durableNumber;
  }

  /** Every append that a client made up to this number is durable. */
  get committedNumber(): number {
    return this.#writer.committedNumber;
  }

  /** Writes checkpoints of the index, a little at each call of its `step`; undefined where there is no place for them. */
  get checkpoints(): CheckpointWriter | undefined {
    return this.#checkpoints.writer;
  }

  /**
   * Fills the index from a checkpoint and the device. Blocks the thread; progress is in the counters.
   * @param nowSec Seconds since 2010.
   * @param onSet  Told at the end how many records of each set there are.
   * @returns false when `isStopping` said so; then the engine must not be used.
   * @throws StorageError.
   */
  recover(nowSec: number, onSet: SetListener, isStopping?: () => boolean): boolean {
    const { extent, shardOf, io, index, counters, sets, startsEmpty, log } = this.#o;
    const owned = Uint8Array.from(shardOf, shard => (shard === extent.owner.shard ? 1 : 0));
    const recovery = new Recovery({
      extent,
      io,
      index,
      table: this.#table,
      owned,
      treeIds: this.#treeIds,
      counters,
      nowSec,
      sets,
      onSet,
      resident: this.#resident,
      startsEmpty: startsEmpty === true,
      checkpoints: this.#checkpoints.files,
      cipher: this.#checkpoints.cipher,
      mayHaveOthers: this.#checkpoints.isBlind,
      log,
      isStopping,
    });
    if (!recovery.run()) return false;
    const { resumePoint, clockMs } = recovery;
    counters[ST.ST_STORED_CLOCK] = clockMs;
    counters[ST.ST_RECORD_CLOCK] = Math.max(clockMs, nowSec * 1000);
    this.#writer.startAfter(recovery.clockBlock);
    if (resumePoint) this.#writer.resume(resumePoint.block, resumePoint.bufferAt, resumePoint.appendAt);
    for (let block = 0; block < this.#table.blockCount; block++) {
      if (this.#table.states[block] === STORED) this.#writer.stored(block);
    }
    // What was forgotten must not come back, whatever happens next.
    if (startsEmpty) this.#settle('what is to be forgotten could not be erased');
    if (!this.#makeStartRoom(isStopping)) return false;
    const { readBlocks, loadedFrom } = recovery;
    this.checkpoints?.begin(loadedFrom, readBlocks, counters[ST.ST_REPLAYED_RECORDS]!);
    this.#publish();
    return true;
  }

  load(entry: number, token: number, out: RecordSpan): number {
    const location = this.#index.location(entry);
    const size = this.#index.size(entry);
    const at = location * RECORD_ALIGN;
    const block = Math.floor(at / this.#extent.blockSize);
    out.size = size;
    if (this.#resident !== null) {
      this.#resident.span(block, at - block * this.#extent.blockSize, out);
      return this.#unpack(out);
    }
    const bufferAt = this.#table.bufferAt[block]!;
    out.region = this.#io.buffers;
    if (bufferAt >= 0) {
      this.#counters[ST.ST_CACHE_READS]!++;
      this.#writer.cache.pinned = block;
      out.at = (bufferAt + (at - block * this.#extent.blockSize)) >>> 0;
      return this.#unpack(out);
    }
    if (token < 0) return PARKED;
    const result = this.#reader.get(token, location, size);
    out.at = this.#reader.recordAt >>> 0;
    return result === OK ? this.#unpack(out) : result;
  }

  release(token: number): void {
    this.#reader.release(token);
  }

  reserve(size: number, out: RecordSpan): number {
    return this.#records.reserve(size, out);
  }

  store(entry: number): void {
    this.#records.store(entry);
  }

  remove(entry: number, lutMs: number): number {
    return this.#records.remove(entry, lutMs);
  }

  bury(entry: number, lutMs: number): number {
    return this.#records.bury(entry, lutMs);
  }

  expire(entry: number): void {
    this.#records.expire(entry);
  }

  drop(entry: number): void {
    this.#records.drop(entry);
  }

  keepClock(lutMs: number): number {
    return this.#records.keepClock(lutMs);
  }

  nextSequence(): number {
    return this.#table.nextSequence();
  }

  poll(tokens: Int32Array): number {
    return this.#reader.poll(tokens);
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#writer.tick(nowMs);
    if (this.limits.isCommitting) this.#writer.commit();
    if (!this.#isClosed) this.#defrag.work(nowMs);
    this.#publish();
  }

  /** Empties blocks until enough are free for a start, or no more can be emptied. @returns false when told to stop. */
  #makeStartRoom(isStopping?: () => boolean): boolean {
    const { blockCount, path } = this.#extent;
    const wanted = Math.ceil((blockCount * this.limits.defragStartupMinPct) / 100);
    if (this.#table.freeCount >= wanted) return true;
    this.#o.log.info(`${path}: defrag-startup-minimum asks for ${wanted} free blocks of ${blockCount}`);
    this.#writer.flushesSoon = true;
    this.#defrag.isHurried = true;
    while (this.#table.freeCount < wanted) {
      if (isStopping?.() === true) return false;
      this.#nowMs = monotonicMs();
      this.#writer.tick(this.#nowMs);
      this.#defrag.work(this.#nowMs);
      this.#io.drainOrWait(START_STEP_MS);
      if (!this.#defrag.canMakeRoom && this.#writer.soonFreeCount === this.#table.freeCount) break;
    }
    this.#writer.flushesSoon = false;
    this.#defrag.isHurried = false;
    return true;
  }

  /** Whether `work` has something to do now; a worker asks before it goes to sleep. */
  get hasWork(): boolean {
    return this.#defrag.isReady || (this.limits.isCommitting && this.#writer.isCommitDue);
  }

  /** A bounded piece of background work, for every turn of the worker. */
  work(): void {
    if (this.#isClosed) return;
    if (this.limits.isCommitting) this.#writer.commit();
    if (this.#defrag.isReady) this.#defrag.work(this.#nowMs);
  }

  flush(): void {
    this.#writer.flushOpen();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    while (this.#defrag.isReading || this.raid.isReading) this.#io.drainOrWait(CLOSE_STEP_MS);
    this.#defrag.stop();
    this.raid.stop();
    this.#writer.flushOpen();
    this.#settle('the last writes could not be made durable');
    this.checkpoints?.writeNow();
    this.#checkpoints.close();
    this.#publish();
    this.#extent.close();
  }

  onRead(argument: number, result: number): void {
    this.#takeWord();
    if (argument === DEFRAG_READ) this.#defrag.onRead(result);
    else if (argument === RAID_READ) this.raid.onRead(result);
    else this.#reader.onRead(argument, result);
    this.#giveWord();
  }

  onWrite(argument: number, result: number): void {
    this.#takeWord();
    this.#writer.onWrite(argument, result);
    this.#giveWord();
  }

  onFlush(epoch: number, isOk: boolean): void {
    this.#takeWord();
    this.#writer.onFlush(epoch, isOk);
    if (this.limits.isCommitting) this.#writer.commit();
    this.#defrag.wake();
    this.#giveWord();
  }

  #takeWord(): void {
    if (this.#owner !== null && !this.#isClosed) this.#owner.take();
  }

  #giveWord(): void {
    if (this.#owner !== null && !this.#isClosed) this.#owner.give();
  }

  /** Makes the span of a stored record that of the whole record. @returns OK or UNKNOWN. */
  #unpack(span: RecordSpan): number {
    if ((span.region.u32[(span.at >>> 2) + REC_FLAGS_SET_GEN]! & FLAG_COMPRESSED) === 0) return OK;
    if (this.#compression !== null && this.#compression.unpack(span) === OK) return OK;
    this.#counters[ST.ST_READ_ERRORS]!++;
    if (!this.#isUnpackFailing) {
      const reason = this.#compression?.reason ?? 'nothing here unpacks records';
      this.#o.log.critical(`${this.#extent.path}: a compressed record cannot be read: ${reason}`);
    }
    this.#isUnpackFailing = true; // one line: the counter has the rest
    return UNKNOWN;
  }

  /** Waits until nothing is on its way any more. @throws StorageError saying `problem`, when that takes too long. */
  #settle(problem: string): void {
    const deadline = monotonicMs() + CLOSE_TIMEOUT_MS;
    while (!this.#writer.isIdle || this.#reader.readingCount > 0) {
      this.#io.drainOrWait(CLOSE_STEP_MS);
      const now = monotonicMs();
      this.#writer.tick(now);
      if (now < deadline) continue;
      this.#o.log.critical(`${this.#extent.path}: the device took no writes for ${CLOSE_TIMEOUT_MS} ms`);
      throw new StorageError(this.#extent.path, problem);
    }
  }

  #publish(): void {
    this.#writer.cache.pinned = -1;
    const counters = this.#counters;
    counters[ST.ST_TOTAL_BYTES] = this.#extent.blockCount * this.#extent.blockSize;
    counters[ST.ST_AVAILABLE_BYTES] = this.#writer.availableBytes;
    counters[ST.ST_FREE_BLOCKS] = this.#table.freeCount;
    counters[ST.ST_MARKERS] = this.#table.markerCount;
    counters[ST.ST_DEFRAG_QUEUE] = this.#defrag.queueLength;
    counters[ST.ST_WRITE_QUEUE] = this.#writer.closedCount;
    counters[ST.ST_UNFLUSHED_SINCE] = this.#writer.unflushedSinceMs;
    counters[ST.ST_SHADOW_WRITE_QUEUE] = this.#extent.shadowWrites;
    counters[ST.ST_SHADOW_WRITE_ERRORS] = this.#extent.shadowErrors;
    counters[ST.ST_INDEX_BYTES] = this.#index.usedBytes;
  }
}
