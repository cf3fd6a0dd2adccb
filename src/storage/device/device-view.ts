/**
 * The engine of a device shard as a thread that is not the shard's own sees it, over the same shared memory: it reads
 * records whose blocks are in memory and appends to the clients' open block as far as that has room. What needs the
 * device, another block, or anything else that is an object of the shard's own thread (device-engine.ts) is answered
 * PARKED, with nothing changed: the shard's own thread has to do it. To be used by whoever holds the shard's word.
 */
import { Region, type SharedBytes } from '../../base/arena.js';
import { OK, PARKED } from '../../base/result.js';
import { Occupancy } from '../defrag/occupancy.js';
import type { RecordSpan, StorageEngine } from '../engine.js';
import { ST_CACHE_READS, ST_CLIENT_BYTES, ST_UNFLUSHED_SINCE } from '../engine.js';
import type { PrimaryIndex } from '../index/primary-index.js';
import { FLAG_COMPRESSED, REC_FLAGS_SET_GEN, RECORD_ALIGN } from '../record/flat-record.js';
import type { SetTable } from '../record/set-table.js';
import { BlockTable, STORED } from '../write-block/block-table.js';
import { OpenBlock } from '../write-block/open-block.js';
import { type Appends, RecordWriter } from './record-writer.js';

/** What a view is made of, as it travels to another thread. */
export interface DeviceEngineMemory {
  /** The I/O buffers of the shard's thread. */
  buffers: SharedBytes;
  table: SharedBytes;
  occupancy: SharedBytes;
  openBlock: SharedBytes;
  treeIds: Uint32Array;
  blockCount: number;
  blockSize: number; // bytes
  recordSizeMax: number; // bytes
}

export interface DeviceViewOptions {
  index: PrimaryIndex;
  /** ST_… slots of the shard. */
  counters: Float64Array;
  /** The namespace's sets. */
  sets: SetTable;
  memory: DeviceEngineMemory;
}

export class DeviceView implements StorageEngine {
  readonly recordSizeMax: number;
  /** Where appends have to be durable before they are answered, all is the shard's own thread's. */
  readonly commitNumber = 0;
  readonly committedNumber = 0;
  /** All memory of the engine is there from its start. */
  readonly isCurrent = true;
  /** Keeps the loads of `touchMany` from being optimised away. */
  sum = 0;
  readonly #index: PrimaryIndex;
  readonly #counters: Float64Array;
  readonly #buffers: Region;
  readonly #table: BlockTable;
  readonly #blockSize: number;
  readonly #tail: OpenBlockTail;
  readonly #records: RecordWriter;

  constructor({ index, counters, sets, memory }: DeviceViewOptions) {
    this.recordSizeMax = memory.recordSizeMax;
    this.#index = index;
    this.#counters = counters;
    this.#buffers = new Region(memory.buffers);
    this.#blockSize = memory.blockSize;
    this.#table = new BlockTable(memory.blockCount, memory.table);
    this.#tail = new OpenBlockTail(this.#buffers, this.#table, counters, memory);
    this.#records = new RecordWriter({
      buffers: this.#buffers,
      blockSize: memory.blockSize,
      table: this.#table,
      writer: this.#tail,
      index,
      counters,
      treeIds: memory.treeIds,
      sets,
      compression: null,
      recordSizeMax: memory.recordSizeMax,
    });
  }

  /** The monotonic clock of the commands that follow. @param flushMaxMs See `hasRoom`; 0 = no limit. */
  setTime(nowMs: number, flushMaxMs: number): void {
    this.#tail.setTime(nowMs, flushMaxMs);
  }

  /**
   * Whether records of `size` bytes in all can be appended here. Not while the shard's own thread is late with what was
   * appended: it may be stuck, and whatever waits for it is not acknowledged.
   */
  hasRoom(size: number): boolean {
    return this.#tail.hasRoom(size);
  }

  /**
   * Whether something was done since this was last asked that the shard's own thread has to look after: the open block
   * holds something again that has to be flushed in time, or flush-size bytes, or a block has been emptied.
   */
  takeNews(flushSize: number): boolean {
    return this.#tail.takeNews(flushSize);
  }

  /**
   * Brings the first bytes of a record near to the processor, from any thread, whatever happens meanwhile.
   * @param low  The words of its index entry that say where it is,
   * @param high and how long.
   */
  touch(low: number, high: number): number {
    const at = ((high & 0xff) * 2 ** 32 + (low >>> 0)) * RECORD_ALIGN;
    const block = Math.floor(at / this.#blockSize);
    const bufferAt = this.#table.bufferAt[block]!;
    return bufferAt >= 0 ? this.#buffers.u32[(bufferAt + (at - block * this.#blockSize)) >>> 2]! | 0 : 0;
  }

  /** As `touch`, for many: the words of index entries from `from` to `to - 1`. */
  touchMany(lows: Int32Array, highs: Int32Array, from: number, to: number): void {
    let sum = 0;
    for (let i = from; i < to; i++) sum ^= this.touch(lows[i]!, highs[i]!);
    this.sum = sum;
  }

  load(entry: number, _token: number, out: RecordSpan): number {
    const at = this.#index.location(entry) * RECORD_ALIGN;
    const block = Math.floor(at / this.#blockSize);
    const bufferAt = this.#table.bufferAt[block]!;
    if (bufferAt < 0) return PARKED;
    out.region = this.#buffers;
    out.at = (bufferAt + (at - block * this.#blockSize)) >>> 0; // the table’s numbers come in boxes: see OpenBlock.reserve
    out.size = this.#index.size(entry);
    if ((this.#buffers.u32[(out.at >>> 2) + REC_FLAGS_SET_GEN]! & FLAG_COMPRESSED) !== 0) return PARKED;
    this.#counters[ST_CACHE_READS]!++;
    return OK;
  }

  release(_token: number): void {} // nothing ever waits here

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

  expire(_entry: number): void {
    throw new Error('device view: the upkeep of a shard is its own thread’s');
  }

  drop(_entry: number): void {
    throw new Error('device view: the upkeep of a shard is its own thread’s');
  }

  keepClock(_lutMs: number): number {
    return PARKED;
  }

  nextSequence(): number {
    return this.#table.nextSequence();
  }

  poll(_tokens: Int32Array): number {
    return 0;
  }

  tick(_nowMs: number): void {}

  flush(): void {
    throw new Error('device view: the device is the shard’s own thread’s');
  }

  close(): void {}
}

/** The end of the clients' open block, as far as that has room. */
class OpenBlockTail implements Appends {
  readonly occupancy: Occupancy;
  readonly #open: OpenBlock;
  readonly #table: BlockTable;
  readonly #counters: Float64Array;
  /** Since `takeNews`: whether anything was appended, whether nothing was dirty before, whether a block was emptied. */
  #isAppended = false;
  #isNewlyDirty = false;
  #isEmptied = false;
  #flushMaxMs = 0;
  /** Dirty bytes when they were last looked at. */
  #dirtySize = 0;

  constructor(buffers: Region, table: BlockTable, counters: Float64Array, memory: DeviceEngineMemory) {
    this.#open = new OpenBlock(buffers, memory.blockSize, memory.openBlock);
    this.occupancy = new Occupancy(table, memory.blockSize, memory.occupancy);
    this.#table = table;
    this.#counters = counters;
  }

  get reservedAt(): number {
    return this.#open.reservedAt;
  }

  setTime(nowMs: number, flushMaxMs: number): void {
    this.#open.nowMs = nowMs;
    this.#flushMaxMs = flushMaxMs;
  }

  hasRoom(size: number): boolean {
    const { room, checkAt, block, nowMs, dirtySinceMs } = this.#open;
    if (this.#flushMaxMs > 0 && dirtySinceMs >= 0 && nowMs - dirtySinceMs >= this.#flushMaxMs) return false;
    // The first append to a block is the shard's own: with it the block before ceases to be the newest.
    return room >= size && room >= checkAt && this.#table.newest === block;
  }

  reserve(size: number, _isMarker: boolean): number {
    return this.hasRoom(size) && this.#open.reserve(size) ? OK : PARKED;
  }

  append(): number {
    const open = this.#open;
    const before = open.room;
    if (!open.isDirty) this.#isNewlyDirty = true;
    this.#isAppended = true;
    const location = open.append(this.#table.nextAppend());
    this.#counters[ST_CLIENT_BYTES]! += before - open.room;
    if (this.#counters[ST_UNFLUSHED_SINCE] === 0) this.#counters[ST_UNFLUSHED_SINCE] = open.nowMs;
    return location;
  }

  /** @param block The one just appended to. */
  addMarker(block: number, origin: number): void {
    this.#table.addMarker(block, origin);
  }

  emptied(block: number): void {
    if (this.#table.states[block] !== STORED) return; // its turn comes when it is stored
    this.#table.leavesEmptied = true;
    this.#isEmptied = true;
  }

  takeNews(flushSize: number): boolean {
    if (!this.#isAppended) return false;
    const { dirtySize } = this.#open;
    const isFull = dirtySize >= flushSize && this.#dirtySize < flushSize;
    const hasNews = this.#isNewlyDirty || this.#isEmptied || isFull;
    this.#isAppended = false;
    this.#isNewlyDirty = false;
    this.#isEmptied = false;
    this.#dirtySize = dirtySize;
    return hasNews;
  }
}
